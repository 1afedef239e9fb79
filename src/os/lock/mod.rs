//! Locks: our own, and those of the Claude CLI and of OpenClaw.

pub(crate) mod advisory;
pub(crate) mod claude_lock;
pub(crate) mod openclaw_lock;

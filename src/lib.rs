//! Keeps a Claude login alive and carries its access token to `OpenClaw`.

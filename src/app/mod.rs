//! What the commands do: each use-case in a file of its own.

pub(crate) mod arming;
pub(crate) mod detect;
pub(crate) mod error;
pub(crate) mod gateway;
pub(crate) mod ground;
pub(crate) mod health;
pub(crate) mod look;
pub(crate) mod memory;
pub(crate) mod model;
pub(crate) mod openclaw;
pub(crate) mod refresh;
pub(crate) mod report;
pub(crate) mod retire;
pub(crate) mod said;
pub(crate) mod sinks;
pub(crate) mod source;
pub(crate) mod status;
pub(crate) mod sync;
pub(crate) mod textfile;
pub(crate) mod watch;
pub(crate) mod withdraw;

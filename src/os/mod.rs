//! The only layer that touches the system: files, identities, processes, clocks, sockets.
#![expect(
    clippy::disallowed_methods,
    reason = "every other layer comes here for what it may not call itself"
)]

pub(crate) mod clock;
pub(crate) mod debounce;
pub(crate) mod environment;
pub(crate) mod error;
pub(crate) mod event;
pub(crate) mod fingerprint;
pub(crate) mod fs;
pub(crate) mod jitter;
pub(crate) mod journal;
pub(crate) mod lock;
pub(crate) mod net;
pub(crate) mod process;
pub(crate) mod progress;
pub(crate) mod queue;
pub(crate) mod terminal;
pub(crate) mod user;

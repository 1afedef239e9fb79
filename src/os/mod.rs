//! The only layer that touches the system: files, identities, processes, clocks, sockets.
#![expect(
    clippy::disallowed_methods,
    reason = "every other layer comes here for what it may not call itself"
)]

pub(crate) mod account;
pub(crate) mod calm;
mod cipher;
pub(crate) mod claude_lock;
pub(crate) mod clock;
pub(crate) mod command;
pub(crate) mod dice;
pub(crate) mod engine_variables;
pub(crate) mod environment;
pub(crate) mod error;
pub(crate) mod events;
pub(crate) mod exec_policy;
pub(crate) mod fingerprint;
mod flush;
pub(crate) mod folder;
pub(crate) mod foreign_lock;
pub(crate) mod health;
pub(crate) mod http;
pub(crate) mod identity;
pub(crate) mod journal;
pub(crate) mod lanes;
pub(crate) mod lock;
pub(crate) mod mounts;
pub(crate) mod notify;
pub(crate) mod offspring;
pub(crate) mod over;
pub(crate) mod own_files;
pub(crate) mod process;
pub(crate) mod processes;
pub(crate) mod program;
pub(crate) mod proxy;
pub(crate) mod queue;
pub(crate) mod readers;
pub(crate) mod reserve;
pub(crate) mod rights;
pub(crate) mod scarce;
#[cfg(test)]
mod shells;
pub(crate) mod signals;
pub(crate) mod stage;
pub(crate) mod terminal;
pub(crate) mod trust;
pub(crate) mod unit;
pub(crate) mod vigil;
pub(crate) mod webhook;

//! What the commands do: a module for each use-case, and for each thing that several of them need.
//!
//! They import each other without a circle: what two need is neither's, but a module below both.

pub(crate) mod admission;
pub(crate) mod arming;
pub(crate) mod configure;
pub(crate) mod consent;
pub(crate) mod delegated;
pub(crate) mod detect;
pub(crate) mod doctor;
pub(crate) mod errands;
pub(crate) mod error;
pub(crate) mod event;
pub(crate) mod exposure;
pub(crate) mod gateway;
pub(crate) mod ground;
mod handover;
pub(crate) mod health;
pub(crate) mod incident;
pub(crate) mod install;
pub(crate) mod ledger;
pub(crate) mod login;
pub(crate) mod look;
pub(crate) mod memory;
pub(crate) mod model;
pub(crate) mod notify;
pub(crate) mod once_root;
pub(crate) mod openclaw;
pub(crate) mod parting;
pub(crate) mod prospect;
pub(crate) mod record;
pub(crate) mod refresh;
pub(crate) mod report;
pub(crate) mod requests;
pub(crate) mod retire;
pub(crate) mod rounds;
pub(crate) mod said;
pub(crate) mod services;
pub(crate) mod sinks;
pub(crate) mod source;
pub(crate) mod status;
pub(crate) mod sync;
pub(crate) mod textfile;
mod wanted;
pub(crate) mod watch;
pub(crate) mod watched;
pub(crate) mod withdraw;

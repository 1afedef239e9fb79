//! What the commands do: a module for each use case, and for each thing that several of them need.
//!
//! Each imports only what stands to its right: `watch`, `doctor` → `status`, `incident` → `systemd`, `setup` →
//! `gateway` → `notify`, `examination` → `sync` → `openclaw`, `refresh` → `source`, `report`, `child` → `context` →
//! `state`, `error`.

pub(crate) mod child;
pub(crate) mod context;
pub(crate) mod doctor;
pub(crate) mod error;
pub(crate) mod examination;
pub(crate) mod gateway;
pub(crate) mod incident;
pub(crate) mod notify;
pub(crate) mod openclaw;
pub(crate) mod refresh;
pub(crate) mod report;
pub(crate) mod setup;
pub(crate) mod source;
pub(crate) mod state;
pub(crate) mod status;
pub(crate) mod sync;
pub(crate) mod systemd;
pub(crate) mod watch;

//! How a gateway is made to use the token: by compose, by a restart of its container, by systemd, or
//! by a command.

pub(crate) mod command;
pub(crate) mod compose;
pub(crate) mod container;
pub(crate) mod systemd;

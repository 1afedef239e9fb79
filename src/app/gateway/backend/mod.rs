//! How a gateway is made to use the token: by compose, by systemd, or by a command.

pub(crate) mod command;
pub(crate) mod compose;
pub(crate) mod systemd;

//! Accounts of the host, and acting as one of them.

pub(crate) mod account;
pub(crate) mod identity;

//! What is known of a link's gateway: what it still needs, what was done, and when to try again.

pub(crate) mod container;
mod ending;
mod ledger;
pub(crate) mod masking;
pub(crate) mod paste;
mod request;
#[cfg(test)]
mod tests;

pub(crate) use ending::{Deed, Ending};
pub(crate) use ledger::{Ledger, Pasted, Pending, VersionSeen};
pub(crate) use request::Request;

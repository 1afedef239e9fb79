//! What is known of a link's gateway: what it still needs, what was done, and when to try again.

pub(crate) mod container;
mod ending;
mod ledger;
pub(crate) mod masking;
pub(crate) mod paste;
pub(crate) mod process;
mod request;
#[cfg(test)]
mod tests;

pub(crate) use ending::{Deed, Ending, Missing};
pub(crate) use ledger::{Ledger, Pasted, Pending, VersionSeen, retry};
pub(crate) use request::Request;

/// What is said of an idle command that nobody can ask.
pub(crate) const UNUSABLE_IDLE_COMMAND: &str = "RECREATE_IDLE_COMMAND cannot be run";

/// What is said of a gateway that was restarted, and that showed nothing of the new token.
pub(crate) const UNPROVEN: &str = "whether it uses the new token is not proven";

//! Renews a source: one method in each file.

mod attend;
pub(crate) mod cli;
mod container;
mod engine;
mod find_claude;
mod host;

//! Renews a source: one method in each file.

pub(crate) mod find_claude;

//! x
#![expect(
    clippy::disallowed_methods,
    reason = "a test owns its scratch folder, its children and its clock"
)]

#[path = "../support/endpoint.rs"]
mod endpoint;

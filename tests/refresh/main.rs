//! `refresh` by method `api`, the real binary against a token endpoint over TLS on loopback.
#![expect(
    clippy::disallowed_methods,
    reason = "a test owns its scratch folder, its children and its clock"
)]

#[path = "../support/endpoint.rs"]
mod endpoint;

mod cli;
mod crashes;
mod fake_cli;
mod large;
mod links;
mod neighbours;
mod origins;
mod races;
mod refused;
mod rescue;
mod rig;
mod saving;
mod script;
mod withdraw;

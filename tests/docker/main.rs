//! Gateways in a real Docker Engine: what is recreated, when, and what is left alone.
//! Needs root: the engine is started by `tests/docker/engine` beside whatever else runs here.
#![expect(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "a test owns its scratch folder, its children and its clock"
)]

mod bed;
mod broken;
mod courtesy;
mod named;
mod podman;
#[path = "../support/port.rs"]
mod port;
mod quadlet;
mod recreate;
mod standalone;
#[path = "../support/yard.rs"]
mod yard;

/// Makes up an access token in the shape of a real one.
fn token(name: &str) -> String {
    format!("sk-ant-oat01-{:x<95}", format!("invented-{name}-"))
}

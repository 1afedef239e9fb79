//! Real programs against the endpoint. First the rig itself: that what the
//! other tests rely on is still how Claude's CLI and `OpenClaw` behave.
//! Needs what `tests/real/fetch` installs; without it every test fails.
#![expect(
    clippy::disallowed_methods,
    reason = "a test owns its scratch folder, its children and its clock"
)]

#[path = "../support/claude.rs"]
mod claude;
#[path = "../support/endpoint.rs"]
mod endpoint;
#[path = "../support/oauth_sync.rs"]
mod oauth_sync;
#[path = "../support/openclaw.rs"]
mod openclaw;
#[path = "../support/port.rs"]
mod port;
#[path = "../support/scratch.rs"]
mod scratch;
#[path = "../support/yard.rs"]
mod yard;

mod canary;
mod claude_cli;
mod cli_manners;
mod cli_method;
mod composed;
mod config_table;
mod crowd;
mod eras;
mod gateway;
mod in_container;
mod link;
mod models;
mod odd_files;
mod people;
mod profiles;
mod sinks;
mod turns;
mod versions;

use endpoint::Endpoint;
use tempfile::TempDir;

/// Starts an endpoint for one test.
fn endpoint() -> (Endpoint, TempDir) {
    let folder = TempDir::new().expect("a folder can be made");
    (Endpoint::start(folder.path()), folder)
}

/// Makes up an access token in the shape of a real one.
fn token(name: &str) -> String {
    format!("sk-ant-oat01-{:x<95}", format!("invented-{name}-"))
}

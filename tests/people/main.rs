//! What a person uses: the answers for monitors, the doctor, the screens, and the guided ways, the
//! last of them at a real terminal.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test makes the files and runs the program that it is about"
)]
#![expect(dead_code, reason = "the bed serves the scenarios too")]

#[path = "../scenarios/bed.rs"]
mod bed;
#[path = "../support/endpoint.rs"]
mod endpoint;

mod as_root;
mod check;
mod clock;
mod findings;
mod follower;
mod gateway;
mod host;
mod metrics;
mod pause;
mod silent;
mod states;
mod status;
mod terminal;
mod token;
mod units;
mod with_tools;

use bed::{Bed, SOURCE};

/// A link whose login is passed on into files, and could be renewed.
fn bed() -> Bed {
    let bed = Bed::new();
    bed.openclaw("2026.2.25")
        .conf("SINKS", "oauth-json env")
        .conf("GATEWAY", "none")
        .conf("REFRESH", "api")
        .login("A");
    bed
}

/// Signs in to a login that itself ends at `end`, in milliseconds since 1970.
fn sign_in_until(bed: &Bed, end: i64) {
    let text = bed.login_text("A", 8);
    let text = text.replace(r#""scopes""#, &format!(r#""refreshTokenExpiresAt":{end},"scopes""#));
    bed.write(SOURCE, text);
}

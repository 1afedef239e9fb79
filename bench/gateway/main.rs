//! How long no gateway answers while a new token is brought to it, as a probe on its port sees it.
//!
//! `bench/gateway/run` prepares what this needs: a Docker Engine and the real `OpenClaw`.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a driver is not the program: it starts what is measured, probes it and prints"
)]
#![allow(
    dead_code,
    unused_imports,
    clippy::cast_possible_truncation,
    clippy::unused_self,
    reason = "the tests' tools do more than is measured here"
)]

#[path = "../../tests/docker/bed.rs"]
mod bed;
#[path = "../../tests/support/endpoint.rs"]
mod endpoint;
#[path = "../figure.rs"]
mod figure;
#[path = "../../tests/real/link.rs"]
mod link;
#[path = "../../tests/support/openclaw.rs"]
mod openclaw;
#[path = "../../tests/support/port.rs"]
mod port;
mod probe;
#[path = "../../tests/support/scratch.rs"]
mod scratch;

use std::process::ExitCode;

use bed::Bed;
use endpoint::Endpoint;
use figure::{Figure, median, ms};
use link::Link;
use openclaw::OpenClaw;
use probe::{Seen, during};

/// Odd, so that the median is one of them.
const ROUNDS: usize = 5;

fn main() -> ExitCode {
    let figures = [recreate(), paste()];
    println!();
    for figure in &figures {
        println!("{figure}");
    }
    let missed = figures.iter().filter(|figure| !figure.met).count();
    println!("\nbench: {} figures met, {missed} missed", figures.len() - missed);
    if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The service alone against the whole project down and up, in turn, so that a busy moment of the
/// host meets both.
fn recreate() -> Figure {
    let bed = Bed::up();
    let mut gaps = [Vec::new(), Vec::new()];
    for round in 0..ROUNDS {
        for (kind, gaps) in ["service", "project"].into_iter().zip(&mut gaps) {
            bed.configure(&format!("COMPOSE_RECREATE=\"{kind}\""));
            bed.rotate(&token(&format!("{kind}{round}")));
            let seen = during(bed.port, || {
                let ran = bed.run(&["sync"]);
                assert_eq!(ran.code, Some(0), "{ran:?}");
            });
            bed.uses(&token(&format!("{kind}{round}")));
            gaps.push(seen.gap);
        }
    }
    let [service, project] = gaps.map(|gaps| median(&gaps));
    println!("\na new token in a compose project of three services, medians of {ROUNDS}");
    println!("                                 nobody answers for");
    println!("  COMPOSE_RECREATE=service       {}", ms(service));
    println!("  COMPOSE_RECREATE=project       {}", ms(project));
    Figure::at_most("times the gap of down and up, the service alone", service, project, 0.5)
}

/// A running `OpenClaw` that is handed a new token.
fn paste() -> Figure {
    let folder = tempfile::TempDir::new().expect("a folder can be made");
    let endpoint = Endpoint::start(folder.path());
    let mut openclaw = OpenClaw::version("2026.9.6", &endpoint);
    let link = Link::new(&openclaw, "");
    link.carry("A");
    openclaw.start_gateway();
    openclaw.turn_via_gateway().used(&token("A"));
    let config: serde_json::Value =
        serde_json::from_str(&openclaw.read("openclaw.json")).expect("it is JSON");
    let port = config["gateway"]["port"].as_u64().and_then(|port| u16::try_from(port).ok());
    let seen = during(port.expect("it has a port"), || {
        link.carry("B");
    });
    openclaw.turn_via_gateway().used(&token("B"));
    let Seen { asked, failed, gap, slowest } = seen;
    println!("\na new token for OpenClaw 2026.9.6 by paste-token, the gateway asked {asked} times");
    println!("  nobody answers for             {}", ms(gap));
    println!("  slowest answer                 {}", ms(slowest));
    let what =
        format!("questions that a gateway did not answer during a paste: {failed} of {asked}");
    Figure::new(what, "none".to_owned(), failed == 0 && asked > 0)
}

/// Makes up an access token in the shape of a real one.
fn token(name: &str) -> String {
    format!("sk-ant-oat01-{:x<95}", format!("invented-{name}-"))
}

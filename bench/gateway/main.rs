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
#[path = "../../tests/support/yard.rs"]
mod yard;

use std::process::ExitCode;
use std::time::Duration;

use bed::Bed;
use endpoint::Endpoint;
use figure::{Figure, median, ms};
use link::Link;
use openclaw::OpenClaw;
use probe::{Seen, during};

/// Odd, so that the median is one of them.
const ROUNDS: usize = 5;

fn main() -> ExitCode {
    let [chained, apart] = recreate();
    let figures = [chained, apart, paste()];
    println!();
    for figure in &figures {
        println!("{figure}");
    }
    let missed = figures.iter().filter(|figure| !figure.met).count();
    println!("\nbench: {} figures met, {missed} missed", figures.len() - missed);
    if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Three services of which one is the gateway: it needs a store, and a proxy needs it. `down` ends what
/// is needed after what needs it, and `up` starts it before.
///
/// All stop as the real gateway does: it answers almost until it ends, which on two busy cores was 4 to
/// 12 s after TERM in 2026.9.6, and about 2 s in 2026.6.1. That it answers only 20 to 35 s after its start
/// there is left out: it comes on top of every gap alike, and no way of recreating shortens it.
const THREE: &str = "services:
  store:
    image: openclaw:local
    environment: { GATEWAY_STOP_SECONDS: 2 }
  openclaw-gateway:
    image: openclaw:local
    depends_on: [store]
    environment:
      ANTHROPIC_OAUTH_TOKEN: ${ANTHROPIC_OAUTH_TOKEN}
      GATEWAY_STOP_SECONDS: 2
    ports: ['127.0.0.1:PORT:18789']
  proxy:
    image: openclaw:local
    depends_on: [openclaw-gateway]
    environment: { GATEWAY_STOP_SECONDS: 2 }
";

/// The services of `OpenClaw`'s own compose file: the command line has ended long since.
const OWN: &str = "services:
  openclaw-gateway:
    image: openclaw:local
    environment:
      ANTHROPIC_OAUTH_TOKEN: ${ANTHROPIC_OAUTH_TOKEN}
      GATEWAY_STOP_SECONDS: 2
    ports: ['127.0.0.1:PORT:18789']
  openclaw-cli:
    image: openclaw:local
    command: ['true']
    depends_on: [openclaw-gateway]
    network_mode: service:openclaw-gateway
";

/// The service alone against the whole project down and up, with services that need each other and with services
/// that all stop at the same moment, which differ by less; and what the engine's own stop and start leave at least.
///
/// A second of the gap is the network's wherever the gateway's bridge is made anew, or had no other container to
/// keep it up: nobody answers for the new address when the first question asks for it, and the kernel asks again
/// only then (`retrans_time_ms`, arp(7)).
fn recreate() -> [Figure; 2] {
    let apart = THREE.lines().filter(|line| !line.contains("depends_on"));
    let projects = [THREE.to_owned(), apart.collect::<Vec<_>>().join("\n"), OWN.to_owned()];
    let gaps = projects.map(|services| gaps(&services));
    println!("\na new token in a compose project, nobody answers for, medians of {ROUNDS}");
    println!("                                three, in need   three, side by   OpenClaw's own");
    println!("                                 of each other             side              two");
    let kinds =
        ["COMPOSE_RECREATE=service", "COMPOSE_RECREATE=project", "docker stop, docker start"];
    for (row, kind) in kinds.iter().enumerate() {
        let cells = gaps.map(|gaps| format!("{:>16}", ms(gaps[row])));
        println!("  {kind:<28}{}", cells.join(" "));
    }
    [("services that need each other", gaps[0]), ("services side by side", gaps[1])].map(
        |(whose, [service, project, _])| {
            let what = format!("times the gap of down and up, the service alone, {whose}");
            Figure::at_most(&what, service, project, 0.5)
        },
    )
}

/// The gaps of both ways, and of the engine's own stop and start with nothing between them, which no
/// way of recreating is below. They take turns, so that a busy moment of the host meets all.
fn gaps(services: &str) -> [Duration; 3] {
    let bed = Bed::new();
    bed.write("compose.yml", services);
    bed.dotenv(&token("old"));
    bed.start();
    let mut gaps = [Vec::new(), Vec::new(), Vec::new()];
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
        gaps[2].push(stop_and_start(&bed));
    }
    gaps.map(|gaps| median(&gaps))
}

/// Stops the gateway and starts a container in its place that was made before; then the other way
/// round, unmeasured.
fn stop_and_start(bed: &Bed) -> Duration {
    let docker = |words: &[&str]| {
        let output = bed.docker().args(words).output().expect("docker is there");
        assert!(output.status.success(), "{words:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    let (old, network) = (bed.gateway(), format!("{}_default", bed.project));
    let place = format!("127.0.0.1:{}:18789", bed.port);
    let new = docker(&["create", "--network", &network, "-p", &place, "openclaw:local"]);
    let seen = during(bed.port, || {
        docker(&["stop", &old]);
        docker(&["start", &new]);
    });
    docker(&["rm", "-f", &new]);
    docker(&["start", &old]);
    bed.wait_for("the gateway answers", || bed.get("/healthz").is_some());
    seen.gap
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

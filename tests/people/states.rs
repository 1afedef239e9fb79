//! The five states of `docs/monitoring.md`: each is made, and what the program says of it stands there word
//! for word.

use std::path::Path;

use crate::bed::{Bed, SOURCE, epoch_ms};
use crate::gateway::Gateway;
use crate::sign_in_until;
use crate::units::{run, show};

/// The moment at which the documentation shows the program.
const NOW: &str = "2026-11-30T08:00:30Z";

/// A link on a host whose units run.
fn bed() -> Bed {
    let bed = Bed::new();
    bed.openclaw("2026.2.25").conf("SINKS", "env").conf("REFRESH", "api");
    sign_in_until(&bed, bed.hence(15 * 24));
    show(&bed, "", "-", "-");
    bed.write("bare/etc/passwd", "root:x:0:0::/root:/bin/sh\n");
    bed.run(["sync"]).exit(0);
    bed
}

/// Puts for what differs from run to run what stands in the documentation.
fn plain(bed: &Bed, text: &str) -> String {
    let text = bed.plain(text).replace("BED/home", "/home/claw").replace(" as root,", " as claw,");
    // Of half an hour 29 minutes are left, and less once the bed is older than a minute.
    let text = (1..=(epoch_ms() - bed.now) / 60_000)
        .fold(text, |text, minutes| text.replace(&format!("h {}m", 29 - minutes), "h 29m"));
    measured(&dated(&text))
}

/// Puts moments that fit the times that are left at `NOW`.
fn dated(text: &str) -> String {
    let mut parts = text.split("WHEN");
    let mut dated = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.strip_prefix(", in ").or_else(|| part.strip_prefix(", for "));
        let left = rest.map(duration).unwrap_or_default();
        let moment = NOW.parse::<jiff::Timestamp>().unwrap() + left;
        dated = format!("{dated}{moment}{part}");
    }
    dated
}

/// Puts the seconds that fit what `check` says of the access token.
fn measured(text: &str) -> String {
    let name = "'expiry'=";
    let said = text.split_once("access token ends in ").map(|(_, rest)| duration(rest));
    let (Some(left), Some((before, after))) = (said, text.split_once(name)) else {
        return text.to_owned();
    };
    let (value, rest) = after.split_once('s').unwrap();
    let value = if value == "0" { 0 } else { left.as_secs() };
    format!("{before}{name}{value}s{rest}")
}

/// Reads `14d 23h` at the beginning of a text.
fn duration(text: &str) -> jiff::SignedDuration {
    let mut seconds = 0;
    for word in text.split([' ', '\n', ',']) {
        let Some(unit) = word.chars().last().filter(|unit| "dhms".contains(*unit)) else { break };
        let Ok(number) = word[..word.len() - 1].parse::<i64>() else { break };
        seconds += number * [86_400, 3600, 60, 1]["dhms".find(unit).unwrap()];
    }
    jiff::SignedDuration::from_secs(seconds)
}

/// What the program says, as it would be seen at a prompt.
fn session(bed: &Bed, code: i32) -> String {
    let check = run(bed, &["check"]).exit(code).out;
    let status = run(bed, &["status"]).out;
    let doctor = run(bed, &["doctor", "--root", bed.at("bare").to_str().unwrap()]).out;
    let parts = [
        format!("$ oauth-sync check; echo $?\n{check}{code}\n"),
        format!("$ oauth-sync status\n{status}"),
        format!("$ oauth-sync doctor\n{doctor}"),
    ];
    plain(bed, &parts.concat())
}

#[track_caller]
fn is_documented(name: &str, session: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/monitoring.md");
    let text = std::fs::read_to_string(file).unwrap();
    let section = format!("### {name}\n\n```\n{session}```\n");
    assert!(text.contains(&section), "docs/monitoring.md does not have:\n{section}");
}

#[test]
fn all_well() {
    is_documented("All well", &session(&bed(), 0));
}

#[test]
fn token_late() {
    let bed = bed();
    let text = bed.login_text("B", 9);
    let end = bed.hence(15 * 24);
    let text = text.replace(r#""scopes""#, &format!(r#""refreshTokenExpiresAt":{end},"scopes""#));
    bed.write(SOURCE, text);
    is_documented("Token late", &session(&bed, 1));
}

#[test]
fn gateway_unknown() {
    let bed = bed();
    let gateway = Gateway::start(&bed, "HOME", "home");
    let process = format!("process {}", gateway.pid());
    bed.conf("GATEWAY", "auto");
    let end = bed.hence(15 * 24);
    let text = bed.login_text("B", 9);
    let text = text.replace(r#""scopes""#, &format!(r#""refreshTokenExpiresAt":{end},"scopes""#));
    bed.write(SOURCE, text).run(["sync"]).exit(0);
    is_documented("Gateway unknown", &session(&bed, 2).replace(&process, "process 4711"));
}

#[test]
fn units_stopped() {
    let bed = bed();
    show(&bed, "oauth-sync.service", "=active", "=inactive");
    is_documented("Units stopped", &session(&bed, 2));
}

/// What only root can set up or see.
mod as_root {
    use super::{SOURCE, bed, is_documented, session};

    #[test]
    fn person_needed() {
        let bed = bed();
        bed.write(
            SOURCE,
            r#"{"claudeAiOauth":{"accessToken":"","refreshToken":"","expiresAt":0}}"#,
        );
        bed.run(["refresh"]).exit(3);
        is_documented("Person needed", &session(&bed, 2));
    }
}

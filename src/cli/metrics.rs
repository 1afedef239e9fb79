//! `metrics`: the state of the links in Prometheus' text format.

use std::fmt::Write as _;
use std::path::Path;

use crate::app::child::separate;
use crate::app::context::Places;
use crate::app::error::Error;
use crate::app::report::SinkState;
use crate::app::status::health_input::condition;
use crate::app::status::textfile;
use crate::cli::exit::Exit;
use crate::cli::output::{answer, failure};
use crate::cli::overview::{self, Survey, Surveyed};
use crate::domain::health::{Condition, Level};
use crate::domain::order;
use crate::domain::time::Timestamp;
use crate::domain::units::Trouble;

/// Writes the metrics to stdout, or replaces `output` by them; a configuration that cannot be read
/// is a metric too, so that a file of yesterday never looks like today's.
pub(crate) fn carry_out(
    places: &Places,
    only: Option<&str>,
    output: Option<&Path>,
) -> Result<Exit, Error> {
    separate::begin(places);
    let survey = overview::look(places, only);
    let (survey, exit) = match survey {
        Ok(survey) => (Some(survey), Exit::Done),
        Err(error) => {
            failure(&error);
            (None, Exit::of_error(&error))
        }
    };
    let text = text(survey.as_ref());
    match output {
        Some(path) => textfile::write(path, &text)?,
        None => answer(text.lines()),
    }
    Ok(exit)
}

/// One metric: its name, its help, and its samples.
struct Family {
    name: &'static str,
    help: &'static str,
    samples: Vec<(Vec<(&'static str, String)>, String)>,
}

fn text(survey: Option<&Survey>) -> String {
    let mut families = vec![info(), up(survey.is_some())];
    families.extend(survey.map(|survey| service(&survey.service)));
    families.extend(survey.map(|survey| of_links(&survey.links)).unwrap_or_default());
    families.iter().filter(|family| !family.samples.is_empty()).map(Family::text).collect()
}

fn info() -> Family {
    let labels = vec![("version", env!("CARGO_PKG_VERSION").to_owned())];
    let help = "The version of oauth-sync, always 1.";
    Family { name: "oauth_sync_info", help, samples: vec![(labels, "1".to_owned())] }
}

fn up(could_look: bool) -> Family {
    let help = "Whether the configuration could be read and the links looked at.";
    let samples = vec![(Vec::new(), flag(could_look))];
    Family { name: "oauth_sync_up", help, samples }
}

fn service(troubles: &[Trouble]) -> Family {
    let levels = troubles.iter().map(|trouble| trouble.level);
    let worst = levels.max_by_key(|level| level.gravity()).unwrap_or(Level::Fine);
    let help = "The state of the units or the watcher: 0 fine, 1 attention soon, 2 wrong.";
    let samples = vec![(Vec::new(), (worst as u8).to_string())];
    Family { name: "oauth_sync_service_status", help, samples }
}

/// One family with a sample of each link that has one.
fn per_link(
    links: &[Surveyed],
    name: &'static str,
    help: &'static str,
    value: impl Fn(&Surveyed) -> Option<String>,
) -> Family {
    let samples = links.iter().filter_map(|link| Some((labels(link), value(link)?)));
    Family { name, help, samples: samples.collect() }
}

fn of_links(links: &[Surveyed]) -> Vec<Family> {
    let mut families = of_logins(links);
    families.extend(of_gateways(links));
    families.extend([last_success(links), failures(links), sinks(links)]);
    families
}

fn of_logins(links: &[Surveyed]) -> Vec<Family> {
    vec![
        per_link(
            links,
            "oauth_sync_status",
            "The result of oauth-sync check: 0 fine, 1 attention soon, 2 wrong, 3 cannot tell.",
            |link| Some((link.health.level as u8).to_string()),
        ),
        per_link(
            links,
            "oauth_sync_access_token_expiry_timestamp_seconds",
            "When the access token in the source ends.",
            |link| link.ahead.prospect.expiry.map(seconds),
        ),
        per_link(
            links,
            "oauth_sync_login_expiry_timestamp_seconds",
            "When the login itself ends, as reported by the server or counted from the sign-in.",
            |link| link.ahead.people.login.map(|login| seconds(login.at)),
        ),
        per_link(links, "oauth_sync_sign_in_needed", "Whether sign-in is required.", |link| {
            let rejected = link.ahead.prospect.renewals.rejected;
            Some(flag(link.report.needs_person() || rejected))
        }),
        per_link(
            links,
            "oauth_sync_next_renewal_timestamp_seconds",
            "When the next renewal is due or tried again.",
            |link| link.ahead.prospect.due.map(seconds),
        ),
        per_link(
            links,
            "oauth_sync_incidents",
            "How many incidents were notified and are still open.",
            |link| Some(link.ahead.people.open.len().to_string()),
        ),
    ]
}

fn of_gateways(links: &[Surveyed]) -> [Family; 2] {
    let pending = per_link(
        links,
        "oauth_sync_gateway_pending",
        "Whether the gateway does not use the new token yet.",
        |link| Some(flag(link.report.gateway.pending.is_some())),
    );
    let gap = per_link(
        links,
        "oauth_sync_gateway_gap_seconds",
        "Downtime of the gateway at its last update.",
        |link| {
            let gap = link.report.gateway.history.iter().rev().find_map(|act| act.gap_ms)?;
            Some(format!("{}.{:03}", gap / 1000, gap % 1000))
        },
    );
    [pending, gap]
}

fn last_success(links: &[Surveyed]) -> Family {
    let mut samples = Vec::new();
    for link in links {
        let history = &link.ahead.prospect.history;
        let renewed = || history.iter().filter(|entry| entry.outcome == "renewed");
        let mut methods: Vec<&str> = renewed().map(|entry| entry.method.as_str()).collect();
        order::sort_and_dedup(&mut methods);
        for method in methods {
            let Some(last) = renewed().rfind(|entry| entry.method == method) else { continue };
            let mut labels = labels(link);
            labels.push(("method", method.to_owned()));
            samples.push((labels, seconds(last.time)));
        }
    }
    let help = "When a method renewed the login the last time.";
    Family { name: "oauth_sync_last_success_timestamp_seconds", help, samples }
}

/// Failures of the renewals that are remembered; those long past are forgotten, so it is no counter.
fn failures(links: &[Surveyed]) -> Family {
    let mut samples = Vec::new();
    for link in links {
        let history = &link.ahead.prospect.history;
        let failed = || history.iter().filter(|entry| entry.outcome != "renewed");
        let mut classes = vec!["deferred", "rejected", "on-hold", "unable"];
        classes.extend(failed().map(|entry| entry.outcome.as_str()));
        order::sort_and_dedup(&mut classes);
        for class in classes {
            let of_class = failed().filter(|entry| entry.outcome == class);
            let count: u64 = of_class.map(|entry| u64::from(entry.count)).sum();
            let mut labels = labels(link);
            labels.push(("class", class.to_owned()));
            samples.push((labels, count.to_string()));
        }
    }
    let help = "Attempts to renew that failed, of the last 200 entries, by class.";
    Family { name: "oauth_sync_recent_failures", help, samples }
}

fn sinks(links: &[Surveyed]) -> Family {
    let samples = links.iter().flat_map(|link| {
        let counted =
            link.report.sinks.iter().filter(|sink| !matches!(sink.state, SinkState::Absent(_)));
        counted.map(|sink| {
            let path = sink.path.as_ref().map(|path| path.display().to_string());
            let mut labels = labels(link);
            labels.push(("sink", sink.kind.name().to_owned()));
            labels.push(("path", path.unwrap_or_default()));
            (labels, flag(condition(sink) == Condition::InStep))
        })
    });
    Family {
        name: "oauth_sync_sink_in_step",
        help: "Whether a sink holds the token that it should.",
        samples: samples.collect(),
    }
}

fn labels(link: &Surveyed) -> Vec<(&'static str, String)> {
    vec![("link", link.report.link.clone())]
}

fn flag(holds: bool) -> String {
    u8::from(holds).to_string()
}

fn seconds(moment: Timestamp) -> String {
    (moment.0.div_euclid(1000)).to_string()
}

impl Family {
    fn text(&self) -> String {
        let Self { name, help, samples } = self;
        // A name that ends so promises a counter; all others are gauges.
        let kind = if name.ends_with("_total") { "counter" } else { "gauge" };
        let mut text = format!("# HELP {name} {help}\n# TYPE {name} {kind}\n");
        for (labels, value) in samples {
            let labels: Vec<String> =
                labels.iter().map(|(key, value)| format!("{key}=\"{}\"", escaped(value))).collect();
            let labels =
                if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{name}{labels} {value}");
        }
        text
    }
}

/// Escapes a label's value as the text format wants it.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

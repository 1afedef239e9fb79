//! `check`: one line for a monitor, and the exit status of the monitors' own convention.

use std::process::ExitCode;

use serde_json::json;

use crate::app::child::separate;
use crate::app::context::Places;
use crate::app::error::Error;
use crate::app::status::health_file;
use crate::app::status::liveness;
use crate::cli::denied;
use crate::cli::output::{answer, answer_json, service_json};
use crate::cli::overview::{self, Survey};
use crate::domain::config::Problem;
use crate::domain::health::published::{Entry, Published, ServiceEntry};
use crate::domain::health::{Health, Level};
use crate::domain::order;
use crate::domain::time::Timestamp;
use crate::domain::units::Trouble;
use crate::os::clock;
use crate::os::process::current;

/// The version of the JSON that `check --json` writes.
const SCHEMA: u32 = 1;

/// What a monitor is told.
struct Verdict {
    now: Timestamp,
    /// What concerns no single link, and how grave it is.
    general: Option<(Level, String)>,
    /// What is wrong with the service itself.
    service: Vec<ServiceEntry>,
    /// The links by their names.
    links: Vec<(String, Health)>,
}

/// Checks all links, or the one named; whatever keeps it from looking is "cannot tell".
///
/// An ordinary user's monitor reads what the service has published.
pub(crate) fn carry_out(places: &Places, only: Option<&str>, as_json: bool) -> ExitCode {
    let verdict = match (current::needs_openat2(), denied::to_read(places)) {
        (Err(error), _) => Verdict::general(Level::Unknown, error.to_string()),
        (Ok(()), None) => looked(places, only),
        (Ok(()), Some(_)) => read(places, only),
    };
    if as_json {
        answer_json(&verdict.json());
    } else {
        answer([verdict.line()]);
    }
    ExitCode::from(verdict.level() as u8)
}

/// Says that the call itself is at fault, in the same form.
pub(crate) fn misused() -> ExitCode {
    let verdict =
        Verdict::general(Level::Unknown, "wrong call, see oauth-sync check --help".to_owned());
    answer([verdict.line()]);
    ExitCode::from(verdict.level() as u8)
}

fn looked(places: &Places, only: Option<&str>) -> Verdict {
    separate::begin(places);
    match overview::sound(places, only) {
        Ok(Survey { now, links, faults, service }) => Verdict {
            now,
            service: service.iter().map(Trouble::entry).collect(),
            general: (!faults.is_empty()).then(|| (Level::Wrong, told(&faults))),
            links: links.into_iter().map(|link| (link.report.link, link.health)).collect(),
        },
        Err(Error::Configuration(faults)) => Verdict::general(Level::Wrong, told(&faults)),
        Err(error) => Verdict::general(Level::Unknown, error.to_string()),
    }
}

fn read(places: &Places, only: Option<&str>) -> Verdict {
    let Some(Published { has_faults, links, service, .. }) = health_file::read(places) else {
        let text = "the service has published nothing: it is dead, or was never started";
        return Verdict::general(Level::Wrong, text.to_owned());
    };
    let is_meant = |entry: &Entry| only.is_none_or(|only| entry.name == only);
    let links: Vec<_> = links.into_iter().filter(is_meant).collect();
    let general = match (has_faults && only.is_none(), links.is_empty(), only) {
        (true, ..) => Some((Level::Wrong, "the configuration has errors".to_owned())),
        (false, true, None) => Some((Level::Unknown, "no link is configured".to_owned())),
        (false, true, Some(link)) => Some((Level::Unknown, format!("there is no link '{link}'"))),
        (false, false, _) => None,
    };
    let links = links.into_iter().map(|entry| (entry.name, entry.health)).collect();
    let service = match liveness::of_units(places) {
        // What systemd says now is newer than what was published.
        Some(units) => {
            let others = service.into_iter().filter(|entry| !entry.is_of_units());
            units.iter().map(Trouble::public_entry).chain(others).collect()
        }
        None => service,
    };
    Verdict { now: clock::now(), general, service, links }
}

fn told(faults: &[Problem]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl Verdict {
    fn general(level: Level, text: String) -> Self {
        let (service, links) = (Vec::new(), Vec::new());
        Self { now: clock::now(), general: Some((level, text)), service, links }
    }

    fn level(&self) -> Level {
        let general = self.general.iter().map(|(level, _)| *level);
        let general = general.chain(self.service.iter().map(|trouble| trouble.level));
        let levels = self.links.iter().map(|(_, health)| health.level).chain(general);
        levels.max_by_key(|level| level.gravity()).unwrap_or(Level::Unknown)
    }

    /// One line, the gravest first, and no bar in it but the one before the performance data.
    fn line(&self) -> String {
        let mut links: Vec<_> = self.links.iter().collect();
        order::sort_by_key(&mut links, |(_, health)| std::cmp::Reverse(health.level.gravity()));
        let links = links.into_iter().map(|link| self.of_link(link));
        let general = self.general.iter().map(|(_, text)| text.clone());
        let general = general.chain(self.service.iter().map(ServiceEntry::message));
        let text = general.chain(links).collect::<Vec<_>>().join("; ").replace('|', "/");
        let line = format!("OAUTH-SYNC {} - {text}", self.level().word());
        let data = self.performance();
        if data.is_empty() { line } else { format!("{line} | {data}") }
    }

    fn of_link(&self, (name, health): &(String, Health)) -> String {
        let summary = health.summary.text(self.now);
        let found = health.findings.iter().map(|(_, text)| text.as_str());
        let words: Vec<&str> =
            found.chain(Some(summary.as_str()).filter(|text| !text.is_empty())).collect();
        format!("{name}: {}", words.join(", "))
    }

    /// How long access tokens work: that of the only link, or the shortest and each.
    fn performance(&self) -> String {
        let left = |health: &Health| health.summary.left(self.now).unwrap_or(0);
        let shortest = self.links.iter().map(|(_, health)| left(health)).min();
        let each = self.links.iter().filter(|_| self.links.len() > 1);
        let each = each.map(|(name, health)| format!("'expiry {name}'={}s", left(health)));
        let all = shortest.map(|shortest| format!("'expiry'={shortest}s")).into_iter().chain(each);
        all.collect::<Vec<_>>().join(" ")
    }

    fn json(&self) -> serde_json::Value {
        let links = self.links.iter().map(|(name, health)| {
            let findings = health.findings.iter();
            let findings: Vec<_> = findings
                .map(|(level, text)| json!({"status": level.name(), "text": text}))
                .collect();
            json!({
                "name": name,
                "status": health.level.name(),
                "summary": health.summary.text(self.now),
                "expires_in": health.summary.left(self.now),
                "findings": findings,
            })
        });
        let mut all = json!({
            "schema": SCHEMA,
            "time": self.now.to_string(),
            "status": self.level().name(),
            "links": links.collect::<Vec<_>>(),
            "service": self.service.iter().map(service_json).collect::<Vec<_>>(),
        });
        if let Some((_, text)) = &self.general {
            all["error"] = text.clone().into();
        }
        all
    }
}

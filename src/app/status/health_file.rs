//! `health.json` in the run folder: how the links fare, for monitors that are not root.
//!
//! Replaced at each change and by each timer's run; nothing wakes up for it.

use crate::app::context::{self, Ground, Places};
use crate::app::error::Error;
use crate::app::examination;
use crate::app::incident::People;
use crate::app::refresh::forecast::Prospect;
use crate::app::report::Report;
use crate::app::status::health_input;
use crate::app::status::liveness;
use crate::app::status::textfile;
use crate::app::status::{self, Ahead};
use crate::domain::config::Config;
use crate::domain::config::settings::Settings;
use crate::domain::health::published::{Entry, Published, SCHEMA, ServiceEntry};
use crate::domain::health::{Health, Level, Summary};
use crate::domain::hints::ours;
use crate::domain::time::Timestamp;
use crate::domain::units::Trouble;
use crate::os::clock;
use crate::os::fs::dir::Folder;
use crate::os::journal::detail;
use crate::os::lock::advisory::Lock;
use crate::os::user::account::{self, Account};

/// Its name.
const FILE: &str = "health.json";

/// The largest one that is read, in bytes.
const LIMIT: u64 = 4 << 20;

/// What was published, with everything aged to now; none where there is no such file of this version.
pub(crate) fn read(places: &Places) -> Option<Published> {
    let run = Folder::reach(&places.run_dir).ok()?;
    let seen = run.read(FILE, LIMIT).ok()??;
    let written = Timestamp::of_seconds(seen.stat.st_mtime);
    let published: Published = serde_json::from_slice(&seen.bytes).ok()?;
    let is_known = published.schema == SCHEMA;
    is_known.then(|| published.aged(written, clock::now()))
}

/// Publishes which links there are, and whether the configuration has faults.
pub(crate) fn configuration(places: &Places, config: Option<&Config>) {
    change(places, |published| configure(published, config));
}

fn configure(published: &mut Published, config: Option<&Config>) {
    published.has_faults = config.is_none_or(|config| !config.problems.is_empty());
    let Some(config) = config else { return };
    let accounts = account::all();
    let names = config.links.iter().map(|link| public_name(&link.name, &accounts));
    let names: Vec<String> = names.collect();
    published.links.retain(|entry| names.contains(&entry.name));
}

/// Publishes what is wrong with the service itself, in place of the entries of before that `is_replaced`.
pub(crate) fn service(
    places: &Places,
    troubles: &[Trouble],
    is_replaced: impl Fn(&ServiceEntry) -> bool,
) {
    change(places, |published| {
        published.service.retain(|entry| !is_replaced(entry));
        published.service.extend(troubles.iter().map(Trouble::public_entry));
    });
}

/// Publishes how a link fares.
pub(crate) fn link(
    places: &Places,
    settings: &Settings,
    report: &Report,
    ahead: (&People, &Prospect),
    now: Timestamp,
) {
    // Whoever works on it publishes what it came to.
    if !report.locked {
        put(places, &settings.name, health_input::public(settings, report, ahead, now), now);
    }
}

/// Publishes that a link could not be looked at.
pub(crate) fn failure(places: &Places, link: &str, now: Timestamp) {
    let text = format!("it cannot be read: {}", ours::see_check());
    let findings = vec![(Level::Wrong, text)];
    put(places, link, Health { level: Level::Wrong, findings, summary: Summary::default() }, now);
}

/// Publishes how all links fare, or the one named, after a command that has changed something.
///
/// One whose files may not answer is left to the process that looks after it.
pub(crate) fn all(places: &Places, only: Option<&str>) {
    if let Err(error) = look(places, only) {
        detail!("{error}: what monitors read is older");
    }
}

fn look(places: &Places, only: Option<&str>) -> Result<(), Error> {
    let config = context::configuration(&places.config_dir)?;
    let ground = Ground::look(places).inspect_err(|_| configuration(places, Some(&config)))?;
    let (now, accounts) = (clock::now(), account::all());
    let links = config.links.iter().filter(|link| only.is_none_or(|only| link.name == only));
    let links = links.filter(|link| examination::may_hang(&ground, link).is_none());
    let entries: Vec<Entry> = links
        .filter_map(|settings| {
            let (report, Ahead { people, prospect }) = status::one(&ground, settings, now);
            let health = || health_input::public(settings, &report, (&people, &prospect), now);
            let name = public_name(&settings.name, &accounts);
            // Whoever works on it publishes what it came to.
            (!report.locked).then(|| Entry { name, time: now, health: health() })
        })
        .collect();
    let service = liveness::troubles(places, None);
    change(places, |published| {
        configure(published, Some(&config));
        published.service = service.iter().map(Trouble::public_entry).collect();
        for entry in entries {
            published.put(entry);
        }
    });
    Ok(())
}

fn put(places: &Places, link: &str, health: Health, now: Timestamp) {
    change(places, |published| {
        published.put(Entry { name: public_name(link, &account::all()), time: now, health });
    });
}

/// A link's name, unless it is that of an account.
fn public_name(link: &str, accounts: &[Account]) -> String {
    let account = accounts.iter().find(|account| account.name == link);
    account.map_or_else(|| link.to_owned(), |account| format!("uid-{}", account.uid))
}

fn change(places: &Places, change: impl FnOnce(&mut Published)) {
    if let Err(error) = try_change(places, change) {
        detail!("{error}: what monitors read is older");
    }
}

fn try_change(places: &Places, change: impl FnOnce(&mut Published)) -> Result<(), Error> {
    let now = clock::now();
    let _lock = Lock::wait(&places.run_dir, "health")?;
    let run = Folder::reach(&places.run_dir)?;
    let old = run.read(FILE, LIMIT)?.and_then(|seen| serde_json::from_slice(&seen.bytes).ok());
    let old = old.filter(|old: &Published| old.schema == SCHEMA);
    let mut published = old.unwrap_or_else(|| Published::nothing(now));
    published.time = now;
    change(&mut published);
    let text = serde_json::to_string(&published).unwrap_or_default();
    textfile::write(&places.run_dir.join(FILE), &text)
}

//! Looks after every link once: sync, incidents, and what was put off until now.
//!
//! The timer's run does so besides renewing, so that all of it goes on with `watch` down.

use crate::app::context::{self, Ground, Places};
use crate::app::error::Error;
use crate::app::incident::{self, People};
use crate::app::notify;
use crate::app::notify::event::Event;
use crate::app::refresh::forecast;
use crate::app::refresh::{Conclusion, Renewal};
use crate::app::report::Report;
use crate::app::report::log_dedup;
use crate::app::status::health_file;
use crate::app::status::last_run::{self, Part, Run};
use crate::app::status::liveness;
use crate::app::sync::{self, Options};
use crate::domain::config::settings::Settings;
use crate::domain::time::Timestamp;
use crate::os::clock;
use crate::os::fs::dir::{self, Folder};
use crate::os::journal::detail;
use crate::os::queue::Queue;

/// Takes the requests out of the queue that this run answers, before anything can fail: what stays
/// there has the path unit start the next run at once, again and again.
pub(crate) fn begin(places: &Places) {
    if let Err(error) = Queue::Refresh.drain(&places.run_dir) {
        log::error!("{error}: requests to renew are answered again and again");
    }
}

/// Leaves a renewal for the hooks.
pub(crate) fn tell_of_renewal(places: &Places, renewal: &Renewal, link: &str) {
    let Conclusion::Renewed { method, mark } = &renewal.conclusion else { return };
    let path = renewal.path.display();
    let text = format!("the login in '{path}' was renewed by method '{method}'");
    let event = Event::deed("renewed", link, text, Some(mark.expiry));
    if let Err(error) = event.leave(&places.run_dir) {
        log::warn!("{link}: {error}: hooks were not notified of the renewal");
    }
}

/// Looks after every good link, or the one named; a link with faults is left to who tells them.
///
/// One whose files may not answer was looked after by the process that renewed its login.
pub(crate) fn make(places: &Places, only: Option<&str>) -> Result<(), Error> {
    let ground = Ground::open(places)?;
    let config = context::configuration(&places.config_dir)?;
    let is_meant = |settings: &&Settings| only.is_none_or(|only| settings.name == only);
    for settings in config.links.iter().filter(is_meant) {
        let _ = dir::refused();
        match one(&ground, settings) {
            Err(error) if dir::refused().is_some() => detail!("{}: {error}", settings.name),
            Err(error) => {
                log::error!("{}: {error}", settings.name);
                health_file::failure(places, &settings.name, clock::now());
            }
            Ok(()) => {}
        }
    }
    if only.is_some() {
        return Ok(());
    }
    health_file::configuration(places, Some(&config));
    if config.problems.is_empty() {
        sync::interrupted::restore_unlinked(&ground, &config.links);
    }
    remind_of_messages(places, clock::now());
    health_file::service(places, &liveness::troubles(places, None), |_| true);
    Ok(())
}

fn one(ground: &Ground, settings: &Settings) -> Result<(), Error> {
    let now = clock::now();
    let mut report = sync::link(ground, settings, Options::default(), now)?;
    // Only deeds: how things stand is told by `watch` on transition, and here by incidents.
    log_dedup::deeds(&report);
    report.let_go();
    attend(ground, settings, &report, now).map(|_| ())
}

/// Goes on with a link's incidents.
pub(crate) fn attend(
    ground: &Ground,
    settings: &Settings,
    report: &Report,
    now: Timestamp,
) -> Result<(People, Option<Timestamp>), Error> {
    let prospect = forecast::of(ground, settings, report, now);
    let people = incident::attend(ground, settings, report, &prospect, now)?;
    health_file::link(&ground.places, settings, report, (&people, &prospect), now);
    let failed_before = |signed_in: Timestamp| {
        let last = last_run::last(&ground.places, Part::Refresh);
        last.is_some_and(|run| run.has_failed() && run.begun < signed_in)
    };
    if people.signed_in.is_some_and(failed_before) {
        retry(&ground.places, settings);
    }
    Ok((people, prospect.due))
}

/// Has `refresh` run once more, whose last run failed for a reason that has gone: what its unit came to
/// counts until the next one.
fn retry(places: &Places, settings: &Settings) {
    if let Err(error) = ask_for_renewal(places, settings) {
        detail!("{error}: the failed run of refresh stands until the next one");
    }
}

/// The same after a run by hand, if the one before it failed and it did not.
pub(crate) fn retry_after(places: &Places, before: Option<Run>) {
    let after = last_run::last(places, Part::Refresh);
    let is_over =
        before.is_some_and(|run| run.has_failed()) && after.is_some_and(|run| run.is_good());
    let config = is_over.then(|| context::configuration(&places.config_dir).ok()).flatten();
    if let Some(settings) = config.as_ref().and_then(|config| config.links.first()) {
        retry(places, settings);
    }
}

/// Queues a run of `refresh`; one request a source, however often it is asked for.
pub(crate) fn ask_for_renewal(places: &Places, settings: &Settings) -> Result<(), Error> {
    let folder = settings.claude_credentials.parent().map(Folder::reach);
    let (device, inode) =
        folder.transpose()?.map(|folder| folder.key()).transpose()?.unwrap_or_default();
    let name = format!("{device:x}-{inode:x}");
    Ok(Queue::Refresh.put(&places.run_dir, &name, settings.name.as_bytes())?)
}

/// Queues a run of `notify` when the time of a message has come that was not taken; when one comes.
pub(crate) fn remind_of_messages(places: &Places, now: Timestamp) -> Option<Timestamp> {
    let next = notify::next_try(&places.state_dir, now)?;
    if next > now {
        return Some(next);
    }
    if let Err(error) = Queue::Notify.put(&places.run_dir, "again", b"") {
        log::warn!("{error}: messages wait for the next event");
    }
    None
}

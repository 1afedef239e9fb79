//! Brings a link's sinks up to date with its source, once.

mod commit;
pub(crate) mod exposure;
pub(crate) mod interrupted;
mod outcome;
mod remarks;
pub(crate) mod request_planner;
pub(crate) mod sink_plan;
pub(crate) mod sinks;
pub(crate) mod stale_files;
pub(crate) mod target;
pub(crate) mod unwritten;

use std::time::Duration;

use crate::app::context::{self, Ground, Places};
use crate::app::error::Error;
use crate::app::openclaw::OpenClaw;
use crate::app::openclaw::owners;
use crate::app::refresh::{refused, with_true_expiry};
use crate::app::report::Report;
use crate::app::report::gateway_request::Parting;
use crate::app::source;
use crate::app::sync::request_planner::Handover;
use crate::app::sync::sink_plan::Look;
use crate::app::sync::sinks::{env, former};
use crate::app::sync::target::Wanted;
use crate::domain::acceptance::{Mark, Memory, Verdict};
use crate::domain::config::settings::{Gateway, Settings};
use crate::domain::pause::Activity;
use crate::domain::secret::Fingerprint;
use crate::domain::sink::SinkKind;
use crate::domain::source::Source;
use crate::domain::time::Timestamp;
use crate::os::clock;
use crate::os::fs::dir::{self, Ways};
use crate::os::fs::in_place::Keep;
use crate::os::lock::advisory::Lock;

/// How long a one-shot sync tries again where somebody else is at work; a writer takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(3);

/// How soon it tries again.
pub(crate) const BUSY_RETRY: Duration = Duration::from_millis(200);

/// How a sync is to be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// Find out what would be done, and do nothing.
    pub(crate) dry_run: bool,
    /// Pass on a login that ends before the one passed on last, and write over mount points.
    pub(crate) force: bool,
}

/// Syncs all links, or the one named.
pub(crate) fn all(
    places: &Places,
    only: Option<&str>,
    options: Options,
) -> Result<Vec<Report>, Error> {
    let links = context::links(&places.config_dir, only)?;
    let ground = if options.dry_run { Ground::look(places)? } else { Ground::open(places)? };
    Ok(links.iter().map(|settings| patiently(&ground, settings, options)).collect())
}

/// Finds out what a sync of this link would do, and does nothing.
pub(crate) fn dry(ground: &Ground, settings: &Settings) -> Report {
    patiently(ground, settings, Options { dry_run: true, ..Options::default() })
}

/// Syncs the link of that name, whatever is wrong with others.
pub(crate) fn named(places: &Places, name: &str) -> Result<Vec<Report>, Error> {
    let (links, _) = context::sound_links(&places.config_dir, Some(name))?;
    let ground = Ground::open(places)?;
    Ok(links.iter().map(|settings| patiently(&ground, settings, Options::default())).collect())
}

/// Syncs one link, again and again for a short while where somebody else is just at work on it; what
/// keeps it from that is in its report, and keeps it from no other link.
fn patiently(ground: &Ground, settings: &Settings, options: Options) -> Report {
    let give_up = clock::now().after(PATIENCE);
    loop {
        let now = clock::now();
        let mut report = match link(ground, settings, options, now) {
            Ok(report) => report,
            Err(error) => return Report::failed(settings, &error, now),
        };
        report.let_go();
        let in_a_moment = report.busy() || report.half_written();
        if options.dry_run || !in_a_moment || now >= give_up {
            return report;
        }
        clock::rest(BUSY_RETRY);
    }
}

/// Syncs one link; the gateway hears of it when the report is let go of.
pub(crate) fn link(
    ground: &Ground,
    settings: &Settings,
    options: Options,
    now: Timestamp,
) -> Result<Report, Error> {
    if options.dry_run {
        return Ok(run(ground, settings, options, now, None)?.0);
    }
    if settings.paused(Activity::Sync, now).is_some() {
        let (mut report, _) = plan(ground, settings, now)?;
        report.as_it_stands();
        return Ok(report);
    }
    match Lock::try_take(&ground.places.run_dir, &format!("sync-{}", settings.name))? {
        Some(lock) => Ok(run(ground, settings, options, now, Some(lock))?.0),
        None => Ok(Report::locked(settings)),
    }
}

/// Finds out what a sync of this link would do now, and of what OpenClaw.
pub(crate) fn plan(
    ground: &Ground,
    settings: &Settings,
    now: Timestamp,
) -> Result<(Report, OpenClaw), Error> {
    run(ground, settings, Options { dry_run: true, ..Options::default() }, now, None)
}

fn run(
    ground: &Ground,
    settings: &Settings,
    options: Options,
    now: Timestamp,
    lock: Option<Lock>,
) -> Result<(Report, OpenClaw), Error> {
    // What was refused for another link is no matter of this one.
    let _ = dir::refused();
    let may_write = !options.dry_run;
    let ways = Ways::remember();
    let kept = interrupted::file_of(&settings.name);
    let keep =
        ground.links.as_ref().map(|folder| Keep { folder, name: &kept, mounts_too: options.force });
    if let Some(keep) = keep.filter(|_| may_write) {
        ground.tidy(settings);
        interrupted::restore(&settings.name, keep);
    }
    let mut memory = ground.remember(settings)?;
    let source = with_true_expiry(ground, settings, source::of(settings, now), now);
    let (dry_run, force) = (options.dry_run, options.force);
    let source = owners::judged(ground, settings, (dry_run, force), &mut memory, source);
    let mark = source.credential().map(|credential| ground.mark(credential));
    let judge = |mark, refused| memory.judge(mark, now, options.force, refused);
    let source = judged(ground, settings, (source, mark), judge);
    let mut report = Report::of(settings, source, mark.or(memory.accepted));
    let openclaw = OpenClaw::look(settings, ground, &memory, now);
    report.remarks = stale_files::harmful_files(&openclaw, ground, &memory, may_write);
    report.remarks.extend(remarks::of_openclaw(settings, &openclaw));
    report.remarks.extend(remarks::of_pause(settings, now));
    let looks = sinks::look(
        settings,
        &openclaw,
        &Wanted { ground, memory: &memory, source: &report.source, now, may_write },
    );
    let handover = Handover { ground, settings, openclaw: &openclaw, old: memory.accepted, now };
    // Another process does all of it where a part of it may not answer.
    dir::refusal()?;
    let passed = mark.filter(|_| may_write && report.source.passable().is_some());
    former::remember(ground, settings, (&looks, passed), &mut memory);
    report.sinks = match passed {
        Some(mark) => {
            commit::all(looks, mark, &mut memory, keep, |memory, changed| {
                // A folder that is held cannot be unmounted.
                drop(ways);
                if handover.that_matter(changed).is_some() {
                    memory.handed_over = Some(mark.fingerprint);
                }
                ground.save(settings, memory);
            })
        }
        None => looks.into_iter().map(Look::planned).collect(),
    };
    commit::further_agents(&mut report, &handover, &mut memory, (passed, may_write));
    owners::accept_made(ground, settings, &mut memory, passed.is_some());
    clean_former(&mut report, &handover, &mut memory, (passed, keep));
    hand_over(&mut report, &handover, &memory, (passed, may_write), lock);
    env::hide(&mut report.sinks, &openclaw, now);
    report.remarks.extend(remarks::of_readers(ground, settings, &report, &mut memory, may_write));
    report.gateway.clone_from(&openclaw.ledger);
    if settings.gateway == Gateway::None {
        // What was asked of a gateway before it was left alone does not wait for it any more.
        let waits = &mut report.gateway.pending;
        waits.take_if(|pending| !pending.sinks.contains(&SinkKind::PasteToken));
    }
    let report = if may_write { unwritten::keep(&ground.places, report) } else { report };
    Ok((report, openclaw))
}

/// Judges a source; only a login that would have to wait costs a look at what it would wait for.
fn judged(
    ground: &Ground,
    settings: &Settings,
    (source, mark): (Source, Option<Mark>),
    judge: impl Fn(Mark, Option<Fingerprint>) -> Verdict,
) -> Source {
    let Some(mark) = mark else { return source };
    source.judged(match judge(mark, None) {
        Verdict::Wait(_) => judge(mark, refused(ground, settings)),
        verdict => verdict,
    })
}

/// Leaves a request for the gateway, which is sent when the report is let go of.
fn hand_over(
    report: &mut Report,
    handover: &Handover<'_>,
    memory: &Memory,
    (passed, may_write): (Option<Mark>, bool),
    lock: Option<Lock>,
) {
    let places = &handover.ground.places;
    if let Some(request) = passed.and_then(|mark| handover.of_written(&report.sinks, mark)) {
        report.parting = Some(Parting::with(request, &places.run_dir, lock));
    } else if may_write {
        handover.remind(report, memory);
    }
}

/// Takes the token out of what was a sink, unless a gateway has not been told of the sinks of now.
fn clean_former(
    report: &mut Report,
    handover: &Handover<'_>,
    memory: &mut Memory,
    (passed, over): (Option<Mark>, Option<Keep<'_>>),
) {
    let is_told = |mark| handover.of_written(&report.sinks, mark).is_none();
    let may_write = handover.openclaw.ledger.pending.is_none() && passed.is_some_and(is_told);
    let Handover { ground, settings, .. } = *handover;
    let means = former::Means { ground, settings, over, may_write };
    report.remarks.extend(former::clean(means, memory, &report.sinks));
}

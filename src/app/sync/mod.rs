//! Brings a link's sinks up to date with its source, once.

pub(crate) mod exposure;
pub(crate) mod request_planner;
pub(crate) mod sink_plan;
pub(crate) mod sinks;
pub(crate) mod stale_files;
pub(crate) mod target;
pub(crate) mod unwritten;

use std::time::Duration;

use log::Level;

use crate::app::context::{self, Ground, Places};
use crate::app::error::Error;
use crate::app::openclaw::OpenClaw;
use crate::app::openclaw::owners;
use crate::app::refresh::{refused, with_true_expiry};
use crate::app::report::gateway_request::Parting;
use crate::app::report::{Files, Line, Report, SinkReport, SinkState};
use crate::app::source;
use crate::app::sync::exposure::Exposed;
use crate::app::sync::request_planner::Handover;
use crate::app::sync::sink_plan::Look;
use crate::app::sync::sinks::{env, former};
use crate::app::sync::target::Wanted;
use crate::domain::acceptance::{Mark, Memory, Verdict};
use crate::domain::config::settings::Settings;
use crate::domain::gateway::Ledger;
use crate::domain::hints::ours;
use crate::domain::secret::Fingerprint;
use crate::domain::sink::SinkKind;
use crate::domain::source::Source;
use crate::domain::time::Timestamp;
use crate::os::clock;
use crate::os::fingerprint;
use crate::os::fs::atomic_write::Replacement;
use crate::os::fs::dir::{self, Ways};
use crate::os::fs::in_place::{Keep, Restored};
use crate::os::fs::replacement;
use crate::os::lock::advisory::Lock;
use crate::os::progress;

/// How long a one-shot sync tries again where somebody else is at work; a writer takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(3);

/// How soon it tries again.
pub(crate) const BUSY_RETRY: Duration = Duration::from_millis(200);

/// What a file's old text is kept as while it is written over, after the link's name.
const OVER: &str = ".over";

/// How many of the agents that are too many are named.
const NAMED: usize = 20;

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
    // What was refused for another link is no matter of this one.
    let _ = dir::refused();
    let may_write = !options.dry_run;
    let lock = if options.dry_run {
        None
    } else {
        Lock::try_take(&ground.places.run_dir, &format!("sync-{}", settings.name))?
    };
    if may_write && lock.is_none() {
        return Ok(Report::locked(settings));
    }
    let ways = Ways::remember();
    let kept = format!("{}{OVER}", settings.name);
    let keep =
        ground.links.as_ref().map(|folder| Keep { folder, name: &kept, mounts_too: options.force });
    if let Some(keep) = keep.filter(|_| may_write) {
        ground.tidy(settings);
        restore(&settings.name, keep);
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
    report.remarks.extend(faults(settings, &openclaw));
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
            commit(looks, mark, &mut memory, keep, |memory, changed| {
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
    sync_rest(&mut report, &handover, &mut memory, passed, options);
    owners::accept_made(ground, settings, &mut memory, passed.is_some());
    clean_former(&mut report, &handover, &mut memory, (passed, keep));
    hand_over(&mut report, &handover, &memory, (passed, may_write), lock);
    env::hide(&mut report.sinks, &openclaw, now);
    report.remarks.extend(readable(ground, settings, &report, &mut memory, may_write));
    report.gateway = openclaw.ledger;
    Ok(if may_write { unwritten::keep(&ground.places, report) } else { report })
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

/// Writes what has to change, all of it together; the memory is saved while the disk writes, before the first new
/// text counts.
fn commit(
    looks: Vec<Look>,
    mark: Mark,
    memory: &mut Memory,
    over: Option<Keep<'_>>,
    save: impl FnOnce(&mut Memory, Vec<SinkKind>),
) -> Vec<SinkReport> {
    let mut looks = hold(looks);
    let changed: Vec<SinkKind> = looks.iter().filter_map(Look::changing).collect();
    let parts: Vec<Replacement<'_>> = looks.iter().flat_map(Look::replacements).collect();
    let counts: Vec<usize> = looks.iter().map(|look| look.replacements().count()).collect();
    let results = replacement::replace_all(parts, over, || {
        if memory.accept(mark) || !changed.is_empty() {
            save(memory, changed);
        }
    });
    let mut results = results.into_iter();
    for (look, count) in looks.iter_mut().zip(counts) {
        look.settle(results.by_ref().take(count));
    }
    looks.into_iter().map(Look::done).collect()
}

/// Takes OpenClaw's locks of those that have to change.
fn hold(looks: Vec<Look>) -> Vec<Look> {
    let mut held: Vec<Look> = Vec::with_capacity(looks.len());
    for look in looks {
        let look = look.hold(held.iter().find_map(Look::lock));
        held.push(look);
    }
    held
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

/// Ends what a killed run began to write over in place for links that are not configured any more.
pub(crate) fn restore_unlinked(ground: &Ground, links: &[Settings]) {
    let Some(folder) = &ground.links else { return };
    for name in folder.names().unwrap_or_default() {
        let Some(name) = name.to_str() else { continue };
        let Some(link) = name.strip_suffix(OVER) else { continue };
        if !links.iter().any(|settings| settings.name == link) {
            restore(link, Keep { folder, name, mounts_too: false });
        }
    }
}

/// Brings back a file that a killed run was writing over in place.
fn restore(link: &str, keep: Keep<'_>) {
    match keep.restore() {
        Ok(Restored::Nothing) => {}
        Ok(Restored::Back(path)) => {
            log::warn!("{link}: '{}' was half written, and is as it was before", path.display());
        }
        Ok(Restored::Gone(path)) => log::warn!(
            "{link}: '{}' was being written when an earlier run ended, and is not there any more: the copy of its old text is removed",
            path.display()
        ),
        Err(error) => log::error!("{link}: {error}: it may be half written"),
    }
}

/// Names the files with the token that others can read; a sync does it once for as long as they stay the same.
fn readable(
    ground: &Ground,
    settings: &Settings,
    report: &Report,
    memory: &mut Memory,
    may_write: bool,
) -> Vec<Line> {
    let found = exposure::look(settings, report);
    let mut lines: Vec<Line> = found.files.iter().map(Exposed::line).collect();
    lines.extend(found.unlisted.into_iter().map(|error| {
        let text = format!("{error}: copies of the token in it are not looked for");
        Line::remark(Level::Warn, exposure::READABLE, text)
    }));
    if !may_write {
        return lines;
    }
    let meanings: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    let digest = (!lines.is_empty()).then(|| fingerprint::of_name(&meanings.join("\0")));
    if memory.told_readable == digest {
        return Vec::new();
    }
    memory.told_readable = digest;
    ground.save(settings, memory);
    lines
}

/// What is wrong with an OpenClaw as a whole.
fn faults(settings: &Settings, openclaw: &OpenClaw) -> impl Iterator<Item = Line> {
    let reached = unreachable(openclaw).into_iter().chain(not_understood(openclaw));
    reached.chain(too_many(settings, openclaw))
}

/// Says that the state folder cannot be opened; without it there is nowhere to carry the token to.
fn unreachable(openclaw: &OpenClaw) -> Option<Line> {
    let Some(Err(error)) = &openclaw.state else { return None };
    let text = format!("{error}: skipped");
    let mut line = Line::remark(Level::Error, "unreachable", text);
    line.hint = error.command().cloned();
    Some(line)
}

/// Says that openclaw.json is not understood: nothing is concluded from it, and nothing from its
/// silence.
fn not_understood(openclaw: &OpenClaw) -> Option<Line> {
    let file = openclaw.config_file.as_ref()?;
    let (path, why) = (file.path.display(), file.fault.as_ref()?);
    let text = format!(
        "'{path}' is not understood: {why}: which version OpenClaw has and which profile it uses is not known"
    );
    Some(Line::remark(Level::Error, "openclaw-config", text))
}

/// Names the agents beyond `MAX_AGENTS`.
fn too_many(settings: &Settings, openclaw: &OpenClaw) -> Option<Line> {
    let (most, beyond) = (settings.max_agents, &openclaw.rest.beyond);
    let named: Vec<_> = beyond.iter().take(NAMED).map(String::as_str).collect();
    let more = match beyond.len() {
        0 => return None,
        count if count > NAMED => format!(" and {} more", count - NAMED),
        _ => String::new(),
    };
    let text = format!(
        "there are more agents than MAX_AGENTS ({most}): those beyond it keep their old token: {}{more}",
        named.join(", ")
    );
    let mut line = Line::remark(Level::Error, "too-many-agents", text);
    let all = u32::try_from(most + beyond.len()).unwrap_or(u32::MAX);
    line.hint = Some(ours::set(&settings.name, "MAX_AGENTS", &all.to_string()));
    Some(line)
}

/// Brings the stores of further agents up to date, one batch after another, and names what is not reached.
fn sync_rest(
    report: &mut Report,
    handover: &Handover<'_>,
    memory: &mut Memory,
    passed: Option<Mark>,
    options: Options,
) {
    let Handover { ground, settings, openclaw, now, .. } = *handover;
    let may_write = !options.dry_run;
    for batch in openclaw.rest.batches() {
        progress::show();
        let wanted = Wanted { ground, memory, source: &report.source, now, may_write };
        let looks = sinks::of_agents(settings, openclaw, &batch, &wanted);
        let mut reports = match passed {
            Some(mark) => commit(looks, mark, memory, None, |memory, changed| {
                let matters = handover.that_matter(changed).is_some();
                if matters && memory.handed_over.replace(mark.fingerprint) != Some(mark.fingerprint)
                {
                    ground.save(settings, memory);
                }
            }),
            None => looks.into_iter().map(Look::planned).collect(),
        };
        // So many old texts are not kept open.
        for report in &mut reports {
            report.replaced.clear();
        }
        report.sinks.extend(reports);
    }
    report.remarks.extend(sinks::unreached(openclaw, &report.sinks));
}

impl Report {
    fn of(settings: &Settings, source: Source, wanted: Option<Mark>) -> Self {
        Self {
            link: settings.name.clone(),
            source_path: settings.claude_credentials.clone(),
            renewed_by: settings.renewed_by.clone(),
            sign_in: source::sign_in(settings),
            source,
            wanted,
            sinks: Vec::new(),
            told: Vec::new(),
            locked: false,
            remarks: Vec::new(),
            gateway: Ledger::default(),
            files: Files::default(),
            parting: None,
        }
    }

    /// A link that could not be looked after at all.
    pub(crate) fn failed(settings: &Settings, error: &Error, now: Timestamp) -> Self {
        let source = source::of(settings, now);
        let mut report = Self::of(settings, source, None);
        report.trouble(error);
        report
    }

    /// Remembers what kept us from looking after the link.
    pub(crate) fn trouble(&mut self, error: &Error) {
        let text = format!("{error}: this link is left as it is");
        let mut line = Line::remark(Level::Error, "failed", text);
        line.hint = error.hint();
        self.remarks.push(line);
    }

    /// Nothing is known of a link that another of our processes works on.
    fn locked(settings: &Settings) -> Self {
        Self { locked: true, ..Self::of(settings, Source::HalfWritten, None) }
    }

    /// Turns what a dry run would do into what is so now.
    pub(crate) fn as_it_stands(&mut self) {
        for sink in self.sinks.iter_mut().filter(|sink| sink.written) {
            sink.written = false;
            sink.state = if sink.is_new {
                SinkState::Absent("there is no such file yet".to_owned())
            } else {
                SinkState::Stale(None)
            };
        }
    }
}

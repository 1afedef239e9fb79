//! Writes the sinks that have to change: those of a link together, those of its further agents batch by batch.

use crate::app::report::{Report, SinkReport};
use crate::app::sync::request_planner::Handover;
use crate::app::sync::sink_plan::Look;
use crate::app::sync::sinks;
use crate::app::sync::target::Wanted;
use crate::domain::acceptance::{Mark, Memory};
use crate::domain::sink::SinkKind;
use crate::os::fs::atomic_write::Replacement;
use crate::os::fs::in_place::Keep;
use crate::os::fs::replacement;
use crate::os::progress;

/// Writes what has to change, all of it together; the memory is saved while the disk writes, before the first new
/// text counts.
pub(super) fn all(
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

/// Brings the stores of further agents up to date, one batch after another, and names what is not reached.
pub(super) fn further_agents(
    report: &mut Report,
    handover: &Handover<'_>,
    memory: &mut Memory,
    (passed, may_write): (Option<Mark>, bool),
) {
    let Handover { ground, settings, openclaw, now, .. } = *handover;
    for batch in openclaw.rest.batches() {
        progress::show();
        let wanted = Wanted { ground, memory, source: &report.source, now, may_write };
        let looks = sinks::of_agents(settings, openclaw, &batch, &wanted);
        let mut reports = match passed {
            Some(mark) => all(looks, mark, memory, None, |memory, changed| {
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

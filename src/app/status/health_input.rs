//! Puts a link's report into the form that is judged.

use std::borrow::Cow;

use log::Level;

use crate::app::gateway::unknown;
use crate::app::incident::People;
use crate::app::refresh::forecast::Prospect;
use crate::app::report::{Report, SinkReport, SinkState};
use crate::app::status::admission;
use crate::app::status::once_root;
use crate::domain::config::settings::{Gateway, Settings, Sinks};
use crate::domain::gateway::Missing;
use crate::domain::health::{self, Condition, Health, Scope, Sink, View};
use crate::domain::time::Timestamp;
use crate::os::process::exec_policy;

/// Judges a link by its settings, by what a sync would find now, and by what lies ahead.
pub(crate) fn of(
    settings: &Settings,
    report: &Report,
    people: &People,
    prospect: &Prospect,
    now: Timestamp,
) -> Health {
    judge(settings, report, (people, prospect), now, false)
}

/// The same in words that everybody may read.
pub(crate) fn public(
    settings: &Settings,
    report: &Report,
    ahead: (&People, &Prospect),
    now: Timestamp,
) -> Health {
    judge(settings, report, ahead, now, true)
}

fn judge(
    settings: &Settings,
    report: &Report,
    (people, prospect): (&People, &Prospect),
    now: Timestamp,
    is_public: bool,
) -> Health {
    let sinks: Vec<Sink> = report.sinks.iter().map(sink).collect();
    let (lacking, unseen) = missing(settings, report);
    health::judge(&View {
        source: &report.source,
        expiry: prospect.expiry,
        login_end: people.login,
        passed: report.wanted.map(|mark| mark.expiry),
        margin: (!settings.refresh.is_empty()).then_some(settings.refresh_margin),
        sinks: &sinks,
        scope: scope(settings),
        renewed_by: settings.renewed_by.as_deref(),
        troubles: troubles(settings, report, prospect, lacking),
        worries: worries(report, prospect, unseen.into_iter().chain(paused(settings, now))),
        is_public,
        now,
    })
}

fn scope(settings: &Settings) -> Scope {
    match (&settings.sinks, settings.gateway) {
        (Sinks::Listed(kinds), _) if kinds.is_empty() => Scope::Login,
        (_, Gateway::None) => Scope::Files,
        _ => Scope::All,
    }
}

fn troubles(
    settings: &Settings,
    report: &Report,
    prospect: &Prospect,
    lacking: Option<String>,
) -> Vec<Cow<'static, str>> {
    let errors = report.remarks.iter().filter(|remark| remark.level == Level::Error);
    let errors: Vec<String> = errors.map(|remark| remark.text.clone()).collect();
    let renewals = &prospect.renewals;
    let rejected = renewals.rejected;
    let rejected = rejected.then_some("the server refuses to renew the login: sign in again");
    let refused = admission::of_link(settings).into_iter();
    let refused = refused.map(|refusal| format!("{}: {}", refusal.what, refusal.why));
    let doubts = once_root::doubts(settings, &report.gateway).into_iter();
    let doubts = doubts.filter(|doubt| doubt.is_pressing).map(|doubt| doubt.meaning);
    let waiting = waiting(report).filter(|why| is_refused(why)).map(|why| late(&why));
    let waiting = waiting.into_iter().chain(lacking);
    let unsaved = renewals.cannot_save.as_ref();
    let unsaved = unsaved.map(|why| format!("a renewed login cannot be saved: {why}"));
    let others = refused.chain(doubts).chain(waiting).chain(unsaved).map(Cow::Owned);
    let errors = errors.into_iter().map(Cow::Owned);
    errors.chain(rejected.map(Cow::Borrowed)).chain(others).collect()
}

/// What was not found that is needed: what is known to be wrong, and what cannot be told.
fn missing(settings: &Settings, report: &Report) -> (Option<String>, Option<String>) {
    let paste = report.gateway.paste.as_ref().filter(|paste| paste.lacks_program);
    if let Some(why) = paste.and_then(|paste| paste.barred.as_ref()) {
        return (Some(format!("the token cannot be pasted into OpenClaw: {why}")), None);
    }
    let pending = report.gateway.pending.as_ref();
    let Some(missing) = pending.and_then(|pending| pending.missing) else { return (None, None) };
    let port = match missing {
        Missing::Openclaw => {
            let why = pending.and_then(|pending| pending.waits.clone()).unwrap_or_default();
            return (Some(late(&why)), None);
        }
        Missing::Gateway(port) => port,
    };
    match unknown::trouble(settings.openclaw_state_dir.as_deref(), port) {
        Some((true, text)) => (Some(text), None),
        Some((false, text)) => (None, Some(text)),
        None => (None, None),
    }
}

/// Why the gateway is not proven to use the new token.
fn waiting(report: &Report) -> Option<String> {
    let pending = report.gateway.pending.as_ref().filter(|pending| pending.missing.is_none())?;
    match (&pending.waits, pending.attempts) {
        (None, 0) => Some("its update is in progress".to_owned()),
        (None, _) => Some("the update failed".to_owned()),
        (Some(why), _) => Some(why.clone()),
    }
}

fn late(why: &str) -> String {
    format!("the gateway does not use the new token yet: {why}")
}

/// Says whether root refuses what the gateway needs: no other try will do better.
fn is_refused(why: &str) -> bool {
    why.contains(exec_policy::REFUSED)
}

/// What rests, which is not fine whatever the rest is like.
fn paused(settings: &Settings, now: Timestamp) -> Option<String> {
    settings.pause_at(now).map(|pause| pause.in_words())
}

fn worries(
    report: &Report,
    prospect: &Prospect,
    others: impl Iterator<Item = String>,
) -> Vec<Cow<'static, str>> {
    let why = prospect.renewals.why.as_deref().unwrap_or("it is not known why");
    let failing = prospect.renewals.failing;
    let failing = failing.map(|(since, _)| format!("it could not be renewed since {since}: {why}"));
    let waiting = waiting(report).filter(|why| !is_refused(why)).map(|why| late(&why));
    let unproven = report.gateway.unproven().map(|why| format!("the gateway was restarted: {why}"));
    failing.into_iter().chain(waiting).chain(others).chain(unproven).map(Cow::Owned).collect()
}

fn sink(report: &SinkReport) -> Sink {
    Sink { name: report.kind.name(), condition: condition(report), expiry: report.expiry }
}

/// How a sink is, to whoever only wants to know whether agents get the token.
pub(crate) fn condition(report: &SinkReport) -> Condition {
    match &report.state {
        SinkState::InStep | SinkState::Unused(_) | SinkState::Unsettled(_) => Condition::InStep,
        SinkState::Stale(None) | SinkState::Busy(_) => Condition::Pending,
        // One that the next sync makes is missing until then.
        SinkState::Absent(_) if report.is_new => Condition::Pending,
        SinkState::Absent(_) => Condition::Absent,
        SinkState::Stale(Some(why))
        | SinkState::Hidden(why)
        | SinkState::Refused(why)
        | SinkState::Failed(why, _) => Condition::Stuck(why.clone()),
    }
}

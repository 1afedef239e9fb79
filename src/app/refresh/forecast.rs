//! What lies ahead of a link: when its login is to be renewed, and how the last tries went.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::app::context::Ground;
use crate::app::refresh::history::Entry;
use crate::app::refresh::{self, Outlook};
use crate::app::report::Report;
use crate::domain::config::settings::{ClaudeCli, Method, Settings};
use crate::domain::incident::Renewals;
use crate::domain::login::ToldEnd;
use crate::domain::schedule;
use crate::domain::shell::Hint;
use crate::domain::skew::Skew;
use crate::domain::time::Timestamp;

/// The folder in the state directory that holds how the renewals of each source went.
pub(crate) const FOLDER: &str = "sources";

/// What lies ahead.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Prospect {
    /// When `refresh` has something to do; in the past if it has now.
    pub(crate) due: Option<Timestamp>,
    /// When the access token really ends.
    pub(crate) expiry: Option<Timestamp>,
    /// How the renewals went.
    pub(crate) renewals: Renewals,
    /// The last renewals, the newest last.
    pub(crate) history: Vec<Entry>,
    /// How long before its end the access token is to be renewed.
    pub(crate) margin: Duration,
    /// When the login itself ends, as the CLI told it last.
    pub(crate) told_end: Option<ToldEnd>,
    /// How far this host's clock was off when a renewal was asked for last.
    pub(crate) skew: Option<Skew>,
}

/// Looks ahead; where what is remembered cannot be read, everything is due.
pub(crate) fn of(
    ground: &Ground,
    settings: &Settings,
    report: &Report,
    now: Timestamp,
) -> Prospect {
    // The margin of a token whose lifetime nobody knows; it only says when failing is too long.
    let margin = schedule::margin(settings.refresh_margin, None);
    match refresh::look(ground, settings, &report.source, now) {
        Ok(outlook) => Prospect {
            due: outlook.next,
            expiry: outlook.expiry,
            renewals: renewals(&outlook, settings),
            history: outlook.history,
            margin,
            told_end: outlook.told_end,
            skew: outlook.skew,
        },
        Err(error) => {
            log::warn!("{}: {error}: it is not known how the last renewals went", settings.name);
            let due = (!settings.refresh.is_empty()).then_some(now);
            Prospect { due, margin, ..Prospect::default() }
        }
    }
}

fn renewals(outlook: &Outlook, settings: &Settings) -> Renewals {
    let helps = |hint: &Hint| format!("; what helps: {hint}");
    let stuck = outlook.stuck.as_ref().map(|stuck| {
        format!("{}{}", stuck.cause, stuck.hint.as_ref().map(helps).unwrap_or_default())
    });
    let helps = outlook.stuck.as_ref().and_then(|stuck| stuck.hint.clone());
    if settings.refresh.is_empty() {
        return Renewals { cannot_save: stuck, helps, ..Renewals::default() };
    }
    let history = &outlook.history;
    let last = |method: &str| history.iter().rfind(|entry| entry.method == method);
    let unable = |method| last(method).filter(|entry| entry.outcome == "unable");
    let failed = history.last().filter(|entry| entry.outcome != "renewed");
    let first = outlook.failing.as_ref().map(|(since, _)| *since);
    let cannot_save = stuck.or_else(|| unable("api").filter(|_| first.is_some()).and_then(told));
    Renewals {
        rejected: outlook.is_rejected,
        on_hold: outlook.is_on_hold,
        refusal: failed
            .filter(|entry| outlook.is_rejected && entry.outcome == "rejected")
            .and_then(|entry| entry.cause.clone()),
        // What keeps us from saving keeps the CLI from it too.
        cli_gone: unable("cli")
            .filter(|_| cannot_save.is_none() && is_missed(history, settings))
            .and_then(told),
        cannot_save,
        helps,
        failing: first.zip(failed.map(|entry| entry.time)),
        why: outlook.failing.as_ref().map(|(_, why)| why.clone()),
    }
}

/// Why an attempt came to nothing, and the command that helps.
fn told(entry: &Entry) -> Option<String> {
    let cause = entry.cause.as_ref()?;
    let hint = entry.hint.as_ref().map(|hint| format!("; what helps: {hint}"));
    Some(format!("{cause}{}", hint.unwrap_or_default()))
}

/// A CLI that never renewed anything here is not gone, unless nothing else can renew; nor is one
/// that was done without on purpose.
fn is_missed(history: &[Entry], settings: &Settings) -> bool {
    if settings.claude_cli == ClaudeCli::None {
        return false;
    }
    let worked = |entry: &Entry| entry.method == "cli" && entry.outcome == "renewed";
    settings.refresh == [Method::Cli]
        || (settings.refresh.contains(&Method::Cli) && history.iter().any(worked))
}

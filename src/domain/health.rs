//! How a link fares, judged for a monitor: from values alone, at a moment.

pub(crate) mod published;
mod summary;

pub(crate) use summary::{Scope, Summary};

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::hints::ours;
use crate::domain::login::LoginEnd;
use crate::domain::order;
use crate::domain::source::Source;
use crate::domain::time::{Timestamp, in_words};

/// How much of an access token is left when another host should have handed on the next one.
const HANDED_ON: Duration = Duration::from_secs(45 * 60);

/// How well something fares, in the order and with the numbers of the monitors' own convention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Level {
    /// Nothing has to be done.
    #[serde(rename = "fine")]
    Fine = 0,
    /// Somebody should look before it goes wrong.
    #[serde(rename = "attention")]
    Soon = 1,
    /// Agents stop, or will, unless somebody acts.
    #[serde(rename = "wrong")]
    Wrong = 2,
    /// It cannot be told.
    #[serde(rename = "unknown")]
    Unknown = 3,
}

/// What a link's state is judged by.
#[derive(Clone, Debug)]
pub(crate) struct View<'a> {
    /// The source as it stands.
    pub(crate) source: &'a Source,
    /// When the access token really ends, whatever the file says for the CLI's sake.
    pub(crate) expiry: Option<Timestamp>,
    /// When the login itself ends, where that is known.
    pub(crate) login_end: Option<LoginEnd>,
    /// When the token ends that was passed on last: what agents work with.
    pub(crate) passed: Option<Timestamp>,
    /// How long before its end the access token is to be renewed; none where nothing renews it.
    pub(crate) margin: Option<Duration>,
    /// The sinks.
    pub(crate) sinks: &'a [Sink],
    /// What the link is to look after.
    pub(crate) scope: Scope,
    /// What is wrong besides, each in one clause; what is no literal of this program is root's to know.
    pub(crate) troubles: Vec<Cow<'static, str>>,
    /// What deserves a look besides, in the same way.
    pub(crate) worries: Vec<Cow<'static, str>>,
    /// Whether everybody may read what is found: no text of a user's file or program stands in it then.
    pub(crate) is_public: bool,
    /// The host that renews the login, if that is another one.
    pub(crate) renewed_by: Option<&'a str>,
    /// The moment.
    pub(crate) now: Timestamp,
}

/// A sink, as far as a monitor cares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sink {
    /// Its kind.
    pub(crate) name: &'static str,
    /// How it is.
    pub(crate) condition: Condition,
    /// When it says that its token ends.
    pub(crate) expiry: Option<Timestamp>,
}

/// How a sink is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// It holds the token that it should.
    InStep,
    /// It will in a moment.
    Pending,
    /// It is not there, and need not be.
    Absent,
    /// It does not come in step by itself; why.
    Stuck(String),
}

/// What was found, the gravest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Health {
    /// The gravest of all.
    pub(crate) level: Level,
    /// Everything that is not fine, the gravest first.
    pub(crate) findings: Vec<(Level, String)>,
    /// The tokens and the sinks, whatever they are like.
    pub(crate) summary: Summary,
}

impl Level {
    /// The monitors' own word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Fine => "OK",
            Self::Soon => "WARNING",
            Self::Wrong => "CRITICAL",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// The word for it in JSON, in metrics and on screens.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Soon => "attention",
            Self::Wrong => "wrong",
            Self::Unknown => "unknown",
        }
    }

    /// How grave it is: what is wrong outweighs what cannot be told.
    pub(crate) fn gravity(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Soon => 1,
            Self::Unknown => 2,
            Self::Wrong => 3,
        }
    }
}

/// Judges a link.
pub(crate) fn judge(view: &View<'_>) -> Health {
    let mut findings: Vec<(Level, String)> = Vec::new();
    findings.extend(source(view));
    findings.extend(login(view));
    findings.extend(view.sinks.iter().filter_map(|sink| one_sink(sink, view)));
    findings.extend(none_in_step(view));
    findings.extend(
        clauses(&view.troubles, "something is wrong", view).map(|text| (Level::Wrong, text)),
    );
    findings.extend(
        clauses(&view.worries, "something needs a look", view).map(|text| (Level::Soon, text)),
    );
    order::sort_by_key(&mut findings, |(level, _)| std::cmp::Reverse(level.gravity()));
    let level = findings.first().map_or(Level::Fine, |(level, _)| *level);
    Health { level, findings, summary: Summary::of(view) }
}

/// Clauses as their reader may see them; those that are hidden are one.
fn clauses<'a>(
    texts: &'a [Cow<'static, str>],
    instead: &'static str,
    view: &'a View<'_>,
) -> impl Iterator<Item = String> + 'a {
    let is_shown = |text: &&Cow<'_, str>| !view.is_public || matches!(text, Cow::Borrowed(_));
    let hidden = texts.iter().any(|text| !is_shown(&text));
    let hidden = hidden.then(|| format!("{instead}: {}", ours::see_check()));
    texts.iter().filter(is_shown).map(|text| text.clone().into_owned()).chain(hidden)
}

fn source(view: &View<'_>) -> Option<(Level, String)> {
    let wrong = |text: &str| Some((Level::Wrong, format!("{text}{}", remaining(view))));
    let soon = |text: &str| Some((Level::Soon, format!("{text}{}", remaining(view))));
    if let Some(host) = view.renewed_by {
        return of_follower(view, host);
    }
    match view.source {
        Source::Living(credential) => {
            let left = view.expiry.unwrap_or(credential.expiry).left(view.now);
            let late = view.margin.is_some_and(|margin| left < margin / 2);
            let text = || format!("the access token ends in {} and is not renewed", in_words(left));
            late.then(|| (Level::Soon, text()))
        }
        // Its end is its login's.
        Source::Static(_) => None,
        Source::Expired(credential) if credential.refresh_token.is_none() => {
            wrong(&format!("the setup-token expired at {}", credential.expiry))
        }
        Source::Expired(credential) => {
            wrong(&format!("the access token expired at {}", credential.expiry))
        }
        Source::Superseded(_) => soon("an old login was put back, so it is not passed on"),
        Source::Waiting(..) => soon("a login that ends before the one passed on waits"),
        Source::HalfWritten => {
            let text = "the credentials file is empty or cut off";
            let works = view.passed.is_some_and(|end| end > view.now);
            if works { soon(text) } else { wrong(text) }
        }
        Source::Undated => wrong("the login has no readable expiry"),
        Source::Blanked => wrong("the login was refused and emptied: sign in again"),
        Source::Foreign(reason) => wrong(&format!("the source is no Claude login: {reason}")),
        Source::Absent => wrong("nobody is signed in"),
        Source::Unreadable(..) if view.is_public => wrong("the credentials file cannot be read"),
        Source::Unreadable(message, _) => wrong(message),
    }
}

/// Of a login that `host` renews: whoever has to act is that host.
fn of_follower(view: &View<'_>, host: &str) -> Option<(Level, String)> {
    let wrong = |text: String| Some((Level::Wrong, format!("{text}{}", remaining(view))));
    match view.source {
        Source::Living(credential) | Source::Static(credential) => {
            let left = view.expiry.unwrap_or(credential.expiry).left(view.now);
            let left = (left < HANDED_ON).then(|| in_words(left));
            let text = |left| {
                format!("the access token ends in {left} and {host} has handed on no later one")
            };
            left.map(|left| (Level::Soon, text(left)))
        }
        Source::Expired(credential) => wrong(format!(
            "the access token expired at {}: {host} has to hand on a later one",
            credential.expiry
        )),
        Source::Superseded(_) | Source::Waiting(..) => {
            let text = format!("{host} has handed on an earlier token than the one passed on last");
            Some((Level::Soon, format!("{text}{}", remaining(view))))
        }
        Source::Absent => wrong(format!("no token has come from {host} yet")),
        Source::HalfWritten => wrong(format!("the token from {host} is empty or cut off")),
        Source::Undated | Source::Blanked | Source::Foreign(_) => {
            wrong(format!("what {host} has handed on is no token that can be used"))
        }
        Source::Unreadable(message, _) => wrong(message.clone()),
    }
}

/// How long agents go on with what they have, where that says more than the source itself.
fn remaining(view: &View<'_>) -> String {
    match view.passed {
        Some(end) if end > view.now => {
            format!(" (agents work for {} more)", in_words(end.left(view.now)))
        }
        _ => String::new(),
    }
}

fn login(view: &View<'_>) -> Option<(Level, String)> {
    let end = view.login_end?;
    if end.has_come(view.now) {
        let of_setup_token = matches!(view.source, Source::Expired(c) if c.refresh_token.is_none());
        return (!of_setup_token)
            .then(|| (Level::Wrong, format!("the login expired at {}", end.at)));
    }
    let left = end.at.left(view.now);
    let when = match (end.is_estimate, left.is_zero()) {
        (true, true) => "may end at any moment".to_owned(),
        (true, false) => format!("ends in about {}", in_words(left)),
        (false, _) => format!("ends in {}", in_words(left)),
    };
    let text = || {
        if end.is_setup_token {
            format!("the setup-token {when}: hand in a new one with oauth-sync login --setup-token")
        } else {
            format!("the login {when}: sign in again")
        }
    };
    // A monitor turns at the first of the notices that a person gets.
    (left <= end.first_notice()).then(|| (Level::Soon, text()))
}

fn one_sink(sink: &Sink, view: &View<'_>) -> Option<(Level, String)> {
    let name = sink.name;
    match &sink.condition {
        Condition::InStep | Condition::Absent => None,
        Condition::Stuck(why) => {
            let why = if view.is_public { &ours::see_check() } else { why };
            Some((Level::Wrong, format!("{name} is out of date: {why}")))
        }
        // Where the source is at fault, that is said already.
        Condition::Pending if view.source.passable().is_none() => None,
        Condition::Pending if sink.expiry.is_some_and(|end| end <= view.now) => {
            Some((Level::Wrong, format!("{name} still holds an expired token")))
        }
        Condition::Pending => Some((Level::Soon, format!("{name} does not hold the new token"))),
    }
}

/// Says that the token reaches OpenClaw nowhere, though it should.
fn none_in_step(view: &View<'_>) -> Option<(Level, String)> {
    let absent = view.sinks.iter().all(|sink| sink.condition == Condition::Absent);
    let nowhere = !view.sinks.is_empty() && absent && view.source.passable().is_some();
    nowhere.then(|| (Level::Soon, "no sink takes the token: OpenClaw does not get it".to_owned()))
}

#[cfg(test)]
mod tests;

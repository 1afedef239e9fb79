//! What has to be said: once per incident, again daily, and when it is over.

use std::time::Duration;

use crate::domain::incident::{Kind, Open, Severity, Standing, View, message};
use crate::domain::login::{ANOTHER_LOGIN, LoginEnd};
use crate::domain::secret::Fingerprint;
use crate::domain::source::Source;
use crate::domain::time::Timestamp;

/// How often an incident is said again.
const REPEAT: Duration = Duration::from_secs(24 * 3600);

/// Why something is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// It has just begun.
    First,
    /// It is still so.
    Again,
    /// It is over.
    Over,
}

/// Something to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct News {
    /// Why it is said.
    pub(crate) said: Said,
    /// What it is about.
    pub(crate) kind: Kind,
    /// What to say.
    pub(crate) message: String,
}

impl News {
    /// How much it matters.
    pub(crate) fn severity(&self) -> Severity {
        match self.said {
            Said::Over => Severity::Info,
            Said::First | Said::Again => self.kind.severity(),
        }
    }
}

/// Goes on from the `open` incidents to those that stand; what is open afterwards, and what to say.
///
/// `token` is the access token in the source.
pub(crate) fn step(
    open: &[Open],
    standing: &[Standing],
    token: Option<Fingerprint>,
    view: &View<'_>,
) -> (Vec<Open>, Vec<News>) {
    let is_told = |standing: &Standing| matches!(standing.kind, Kind::Damaged | Kind::Unreadable);
    if is_unclear(view.source) && !standing.iter().any(is_told) {
        // What waits to be put there is known all the same.
        let unsaved = standing.iter().find(|standing| standing.kind == Kind::CannotSave);
        let unsaved = unsaved.filter(|_| !open.iter().any(|open| open.kind == Kind::CannotSave));
        let next = open.iter().cloned().chain(unsaved.map(|new| begin(new, token, view)));
        return (next.collect(), unsaved.map(|new| say(Said::First, new)).into_iter().collect());
    }
    let mut next = Vec::new();
    let mut news = Vec::new();
    for before in open {
        let stands = standing.iter().find(|standing| standing.kind.is_same(before.kind));
        match stands {
            Some(standing) => next.push(go_on(before, standing, view, &mut news)),
            None if is_over(before, token, view) => {
                let message = message::over(before.kind, view);
                let silent = before.kind.is_notice() && view.login.is_none();
                news.extend((!silent).then_some(News {
                    said: Said::Over,
                    kind: before.kind,
                    message,
                }));
            }
            None => next.push(go_on_unseen(before, view.now, &mut news)),
        }
    }
    for standing in standing {
        if !open.iter().any(|before| before.kind.is_same(standing.kind)) {
            next.push(begin(standing, token, view));
            news.push(say(Said::First, standing));
        }
    }
    let asked = next.iter().any(|open| open.kind.needs_sign_in());
    next.retain(|open| !(asked && open.kind.is_notice()));
    (next, news)
}

/// The next moment at which an open incident has to be said again.
pub(crate) fn next_moment(open: &[Open]) -> Option<Timestamp> {
    open.iter().filter(|open| !open.kind.is_notice()).map(|open| open.said.after(REPEAT)).min()
}

/// A file that is being written, or cannot be read, proves nothing of what was told before.
fn is_unclear(source: &Source) -> bool {
    matches!(source, Source::HalfWritten | Source::Unreadable(..))
}

fn begin(standing: &Standing, token: Option<Fingerprint>, view: &View<'_>) -> Open {
    Open {
        kind: standing.kind,
        since: view.now,
        said: view.now,
        message: standing.message.clone(),
        token: token.or(view.passed.map(|mark| mark.fingerprint)),
        login_end: view.login.map(|login| login.at),
    }
}

fn say(said: Said, standing: &Standing) -> News {
    News { said, kind: standing.kind, message: standing.message.clone() }
}

fn go_on(before: &Open, standing: &Standing, view: &View<'_>, news: &mut Vec<News>) -> Open {
    let mut open = before.clone();
    if let (Kind::LoginEnds(told), Kind::LoginEnds(due)) = (before.kind, standing.kind) {
        let other = is_another_login(before, view.login);
        if due > told || other {
            news.push(say(Said::First, standing));
            return begin(standing, before.token, view);
        }
        return open;
    }
    open.kind = standing.kind;
    if is_time(&mut open, view.now) {
        open.message.clone_from(&standing.message);
        news.push(say(Said::Again, standing));
    }
    open
}

/// Nothing speaks for it any more, but nothing proves that it is over.
fn go_on_unseen(before: &Open, now: Timestamp, news: &mut Vec<News>) -> Open {
    let mut open = before.clone();
    if !open.kind.is_notice() && is_time(&mut open, now) {
        let (kind, message) = (open.kind, open.message.clone());
        news.push(News { said: Said::Again, kind, message });
    }
    open
}

/// Says whether a day is over, and starts the next one. A clock that was set back starts it too.
fn is_time(open: &mut Open, now: Timestamp) -> bool {
    if now < open.said {
        open.said = now;
        return false;
    }
    let is_time = now >= open.said.after(REPEAT);
    if is_time {
        open.said = now;
    }
    is_time
}

fn is_over(open: &Open, token: Option<Fingerprint>, view: &View<'_>) -> bool {
    let is_new = token.is_some() && token != open.token;
    let lives = view.source.passable().is_some();
    match open.kind {
        Kind::Rejected | Kind::Blanked | Kind::SignedOut => lives && is_new,
        // A login whose own end lies ahead was not at its end: the clock was wrong.
        Kind::Damaged => lives,
        Kind::LoginEnded => lives && (is_new || view.login.is_some_and(|end| !end.is_estimate)),
        Kind::LoginEnds(_) => view.login.is_none() || is_another_login(open, view.login),
        Kind::Unreadable
        | Kind::CannotSave
        | Kind::CliGone
        | Kind::RefreshFailing
        | Kind::AccountOnHold
        | Kind::HarmfulFile => true,
    }
}

fn is_another_login(open: &Open, login: Option<LoginEnd>) -> bool {
    match (open.login_end, login) {
        (Some(before), Some(now)) => now.at > before.after(ANOTHER_LOGIN),
        _ => true,
    }
}

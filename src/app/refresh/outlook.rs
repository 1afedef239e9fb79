//! What lies ahead of a source, for those who only look: `watch` and `status`.

use crate::app::context::Ground;
use crate::app::error::Error;
use crate::app::refresh::credentials_file::Place;
use crate::app::refresh::history::{self, Entry};
use crate::app::refresh::state::State;
use crate::app::refresh::stuck::Stuck;
use crate::app::refresh::{refresh_mark, sources};
use crate::domain::config::settings::Settings;
use crate::domain::login::ToldEnd;
use crate::domain::pause::Activity;
use crate::domain::schedule::{self, Need};
use crate::domain::skew::Skew;
use crate::domain::source::Source;
use crate::domain::time::Timestamp;
use crate::os::fs::dir::Folder;

/// What lies ahead of a source.
#[derive(Debug)]
pub(crate) struct Outlook {
    /// What it needs now.
    pub(crate) need: Need,
    /// When its access token really ends, whatever the file says for the CLI's sake.
    pub(crate) expiry: Option<Timestamp>,
    /// When a refresh is to be queued; a moment that has passed is now, none is never.
    pub(crate) next: Option<Timestamp>,
    /// Since when it cannot be renewed, and why.
    pub(crate) failing: Option<(Timestamp, String)>,
    /// Whether the server refuses the refresh token that stands there.
    pub(crate) is_rejected: bool,
    /// Whether the server said last that the account is on hold.
    pub(crate) is_on_hold: bool,
    /// The last renewals, the newest last.
    pub(crate) history: Vec<Entry>,
    /// What is kept in the state directory because it could not be put into the source.
    pub(crate) stuck: Option<Stuck>,
    /// When the login itself ends, as the CLI told it last.
    pub(crate) told_end: Option<ToldEnd>,
    /// How far this host's clock was off by the token endpoint's last answer.
    pub(crate) skew: Option<Skew>,
}

/// Looks ahead; reads a few small files and changes nothing.
pub(crate) fn look(
    ground: &Ground,
    settings: &Settings,
    source: &Source,
    now: Timestamp,
) -> Result<Outlook, Error> {
    let place = Place::reach(&settings.claude_credentials, settings.max_credentials_size).ok();
    let folder = sources(ground, false)?;
    let (state, history) = match (&folder, &place) {
        (Some(folder), Some(place)) => {
            (State::load(folder, place)?, history::load(folder, &place.key)?)
        }
        _ => (State::default(), Vec::new()),
    };
    let mark = refresh_mark(ground, source.credential());
    let is_rejected = mark.is_some() && state.rejected == mark;
    let terms = state.terms(settings.refresh_margin, source, &ground.fingerprinter);
    let need = schedule::decide(source, terms, now);
    let renews = !settings.refresh.is_empty() && !is_rejected;
    let waits = |kind| waits(folder.as_ref(), place.as_ref(), kind);
    let next = match &need {
        // A new login that could not be saved.
        Need::Fresh(_) if state.failing_since.is_some() && waits("answer") => {
            Some(next_try(&state, terms.expiry, now).unwrap_or(now))
        }
        Need::Fresh(due) => Some(*due),
        Need::Due | Need::Expired => Some(next_try(&state, terms.expiry, now).unwrap_or(now)),
        // Emptied for a token whose successor we keep.
        Need::Blanked if waits("kept") || waits("answer") => {
            Some(next_try(&state, None, now).unwrap_or(now))
        }
        _ => None,
    };
    let next = match settings.paused(Activity::Renew, now) {
        Some(pause) => next.zip(pause.until).map(|(next, until)| next.max(until)),
        None => next,
    };
    Ok(Outlook {
        need,
        expiry: terms.expiry,
        next: next.filter(|_| renews),
        failing: state.failing_since.zip(state.cause),
        is_rejected,
        is_on_hold: state.on_hold.is_some(),
        history,
        stuck: state.stuck.filter(|stuck| stuck.is_news(now)),
        told_end: state.told_end,
        skew: state.skew,
    })
}

/// When a source that is due may be tried; `None` is now.
pub(super) fn next_try(
    state: &State,
    expiry: Option<Timestamp>,
    now: Timestamp,
) -> Option<Timestamp> {
    let left = expiry.map(|expiry| expiry.left(now)).unwrap_or_default();
    let on_hold = state.on_hold.map(|since| since.after(schedule::ON_HOLD_WAIT));
    // A clock that was set back must not put it off for ever.
    if let Some(until) =
        on_hold.filter(|until| *until > now && until.left(now) <= schedule::ON_HOLD_WAIT)
    {
        return Some(until);
    }
    state.put_off.and_then(|moment| schedule::not_before(moment, left, now))
}

/// Says whether an answer of an earlier run has not reached the source yet.
fn waits(sources: Option<&Folder>, place: Option<&Place>, kind: &str) -> bool {
    let (Some(sources), Some(place)) = (sources, place) else { return false };
    sources.stat(&format!("{}.{kind}", place.key)).is_ok_and(|stat| stat.is_some())
}

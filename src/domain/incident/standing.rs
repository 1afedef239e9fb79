//! Which incidents' conditions are met.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::acceptance::Mark;
use crate::domain::incident::{Kind, Standing, message};
use crate::domain::login::LoginEnd;
use crate::domain::shell::Hint;
use crate::domain::source::Source;
use crate::domain::time::Timestamp;

/// How long a login may be away, or cut off, before that is an incident: signing in again takes the
/// file away, and writing it takes a moment.
const SIGN_IN_TIME: Duration = Duration::from_secs(600);

/// How the renewals of a source went since the last one that was proved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Renewals {
    /// The server refused the very refresh token that is on the disk.
    pub(crate) rejected: bool,
    /// Why, where it said that.
    pub(crate) refusal: Option<String>,
    /// The server said that the account is on hold.
    pub(crate) on_hold: bool,
    /// Why a renewed login could not be saved.
    pub(crate) cannot_save: Option<String>,
    /// The command that helps to save it, where one is known.
    pub(crate) helps: Option<Hint>,
    /// Why the Claude CLI could not be started.
    pub(crate) cli_gone: Option<String>,
    /// When the first and the last of the attempts that failed in a row began.
    pub(crate) failing: Option<(Timestamp, Timestamp)>,
    /// Why the last one failed.
    pub(crate) why: Option<String>,
}

/// Everything that incidents are worked out from.
#[derive(Debug)]
pub(crate) struct View<'a> {
    /// The credentials file, for messages.
    pub(crate) path: String,
    /// As whom or where it is signed in, to be put behind a verb.
    pub(crate) place: String,
    /// The host that renews the login, if that is another one.
    pub(crate) renewed_by: Option<String>,
    /// What stands in it.
    pub(crate) source: &'a Source,
    /// When the login ends.
    pub(crate) login: Option<LoginEnd>,
    /// What was passed on last: what agents work with.
    pub(crate) passed: Option<Mark>,
    /// Since when there has been no login at all.
    pub(crate) away: Option<Timestamp>,
    /// Since when what stands there has told nothing.
    pub(crate) unclear: Option<Timestamp>,
    /// How the renewals went.
    pub(crate) renewals: Renewals,
    /// How long before its end the access token is to be renewed.
    pub(crate) margin: Duration,
    /// What was said about a harmful file.
    pub(crate) harmful: Option<String>,
    /// The moment.
    pub(crate) now: Timestamp,
}

/// Says which incidents stand.
pub(crate) fn standing(view: &View<'_>) -> Vec<Standing> {
    let mut kinds = Vec::new();
    if let Some(kind) = no_login(view) {
        kinds.push(kind);
    } else {
        kinds.extend(failing(view));
        let notice = view.login.and_then(|login| login.notice(view.now));
        kinds.extend(notice.map(Kind::LoginEnds));
    }
    kinds.extend(view.renewals.cannot_save.is_some().then_some(Kind::CannotSave));
    kinds.extend(view.renewals.cli_gone.is_some().then_some(Kind::CliGone));
    kinds.extend(view.harmful.is_some().then_some(Kind::HarmfulFile));
    kinds.into_iter().map(|kind| Standing { kind, message: message::of(kind, view) }).collect()
}

/// Why there is no login to work with, if so: nearly always somebody has to sign in.
fn no_login(view: &View<'_>) -> Option<Kind> {
    let for_long = |since: Option<Timestamp>| {
        let long = since.is_some_and(|since| view.now >= since.after(SIGN_IN_TIME));
        long && view.passed.is_some()
    };
    match view.source {
        Source::Blanked => Some(Kind::Blanked),
        Source::Absent | Source::Foreign(_) => for_long(view.away).then_some(Kind::SignedOut),
        Source::HalfWritten | Source::Undated => for_long(view.unclear).then_some(Kind::Damaged),
        Source::Unreadable(..) => for_long(view.unclear).then_some(Kind::Unreadable),
        _ if view.renewals.rejected => Some(Kind::Rejected),
        _ => view.login.filter(|login| login.has_come(view.now)).map(|_| Kind::LoginEnded),
    }
}

/// An attempt has to have failed after half the margin: time that passed asleep counts for nothing.
fn failing(view: &View<'_>) -> Option<Kind> {
    if view.renewals.on_hold {
        return Some(Kind::AccountOnHold);
    }
    let (first, last) = view.renewals.failing?;
    (last >= first.after(view.margin / 2)).then_some(Kind::RefreshFailing)
}

impl View<'_> {
    /// When a login that is away, or tells nothing, becomes an incident.
    pub(crate) fn away_until(&self) -> Option<Timestamp> {
        let moment = self.away.or(self.unclear)?.after(SIGN_IN_TIME);
        (moment > self.now && self.passed.is_some()).then_some(moment)
    }
}

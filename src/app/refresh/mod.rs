//! Renews each source that is due, by its methods in turn, and believes only the file.
//!
//! Links that share a source share its renewal. Syncing the sinks afterwards is the caller's.

mod api;
mod attempt;
mod attend;
mod cli;
mod container;
mod engine;
pub(crate) mod find_claude;
pub(crate) mod history;
mod host;
mod inside;
mod nudge;
mod origin;
mod outlook;
pub(crate) mod place;
mod record;
mod renewal;
pub(crate) mod saved;
pub(crate) mod sign_in;
pub(crate) mod state;
mod stuck;
mod truth;
mod turn;

pub(crate) use outlook::{Outlook, look};
pub(crate) use renewal::{Conclusion, Renewal};
pub(crate) use truth::{refused, with_true_expiry};

use crate::app::error::Error;
use crate::app::ground::{self, Ground, Places};
use crate::app::refresh::place::Place;
use crate::domain::acceptance::Mark;
use crate::domain::config::Problem;
use crate::domain::config::settings::Settings;
use crate::domain::credential::Credential;
use crate::domain::outcome::Outcome;
use crate::domain::secret::Fingerprint;
use crate::domain::source::Source;
use crate::os;
use crate::os::folder::Folder;
use crate::os::signals::{Deferral, Waiting};

/// How a refresh is to be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// Find out what would be done; send and write nothing.
    pub(crate) dry_run: bool,
    /// Renew also what is not due, was put off, or was rejected.
    pub(crate) force: bool,
}

/// What a method works with: one source, under our own lock, while signals wait.
pub(crate) struct Work<'a> {
    /// The state folder and the fingerprints.
    pub(crate) ground: &'a Ground,
    /// The link whose settings count for the source.
    pub(crate) settings: &'a Settings,
    /// The source.
    pub(crate) place: &'a Place,
    /// `sources/` in the state folder.
    pub(crate) sources: &'a Folder,
    /// The signals that wait meanwhile.
    pub(crate) signals: &'a Waiting<'a>,
    /// Somebody asked for it by hand, and says so: what only a person can decide counts as decided.
    pub(crate) is_wanted: bool,
}

impl Work<'_> {
    /// Why nothing new is begun once a signal waits: systemd kills what has not ended in time, and a
    /// renewal that is killed loses the login.
    fn told_to_end(&self) -> Option<Outcome> {
        let asked = self.signals.asked();
        asked.then(|| Outcome::deferred("it was told to end before it asked"))
    }
}

/// Links that share a source; the first of them that may renew it speaks for all.
#[derive(Debug)]
struct Group<'a> {
    /// The source, if its folder can be reached.
    place: Result<Place, os::error::Error>,
    links: Vec<&'a Settings>,
}

impl Group<'_> {
    fn settings(&self) -> &Settings {
        let renewing = self.links.iter().find(|link| !link.refresh.is_empty());
        renewing.unwrap_or(&self.links[0])
    }
}

/// Renews the sources of all links, or that of the one named; a link with faults stops no other.
pub(crate) fn all(
    places: &Places,
    only: Option<&str>,
    options: Options,
) -> Result<(Vec<Renewal>, Vec<Problem>), Error> {
    let (links, problems) = ground::sound_links(&places.config_dir, only)?;
    let ground = if options.dry_run { Ground::look(places)? } else { Ground::open(places)? };
    let signals = Deferral::prepare(&places.run_dir)?;
    let groups = groups(&links);
    let turns = groups.iter().map(|group| turn::take(&ground, group, options, &signals));
    Ok((turns.collect(), problems))
}

/// Carries answers that earlier runs left into their sources; renews nothing.
///
/// Says what was done, for each source where there was something to do. For `watch`, whose signals
/// wait until it looks at them.
pub(crate) fn pick_up<'a>(ground: &Ground, links: impl IntoIterator<Item = &'a Settings>) {
    let signals = Deferral::already();
    for group in groups(links) {
        match turn::pick_up(ground, &group, &signals) {
            Ok(renewal) => renewal.iter().for_each(Renewal::log),
            Err(error) => log::error!("{error}: a login that an earlier run saved waits"),
        }
    }
}

/// Says whether an answer that an earlier run saved still waits to be put into a link's source.
pub(crate) fn waits(ground: &Ground, settings: &Settings) -> bool {
    let (Ok(place), Ok(Some(sources))) =
        (Place::reach(&settings.claude_credentials), sources(ground, false))
    else {
        return false;
    };
    sources.stat(&format!("{}.answer", place.key)).is_ok_and(|answer| answer.is_some())
}

/// Joins links that share a source, by whatever paths they name it.
fn groups<'a>(links: impl IntoIterator<Item = &'a Settings>) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for link in links {
        let place = Place::reach(&link.claude_credentials);
        let same = |group: &&mut Group<'a>| match (&group.place, &place) {
            (Ok(a), Ok(b)) => a.key == b.key,
            _ => group.links[0].claude_credentials == link.claude_credentials,
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.links.push(link),
            None => groups.push(Group { place, links: vec![link] }),
        }
    }
    groups
}

/// `sources/` in the state folder; none before the first refresh where nothing may be made.
fn sources(ground: &Ground, may_make: bool) -> Result<Option<Folder>, Error> {
    let state = match Folder::reach(&ground.places.state_dir) {
        Ok(state) => state,
        Err(error) if error.is_absent() && !may_make => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    if may_make {
        return Ok(Some(state.make("sources")?));
    }
    Ok(state.enter("sources".as_ref()).ok())
}

/// The fingerprint of a credential's refresh token.
fn refresh_mark(ground: &Ground, credential: Option<&Credential>) -> Option<Fingerprint> {
    let token = credential?.refresh_token.as_ref()?;
    Some(ground.fingerprinter.of(token))
}

/// The mark of what stands in a source.
fn mark(ground: &Ground, source: &Source) -> Option<Mark> {
    source.credential().map(|credential| ground.mark(credential))
}

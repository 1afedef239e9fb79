//! Renews each source that is due, by its methods in turn, and believes only the file.
//!
//! Links that share a source share its renewal. Syncing the sinks afterwards is the caller's.

mod api;
mod attempt_record;
mod claim;
pub(crate) mod cli;
pub(crate) mod credentials_file;
mod effective_expiry;
mod elsewhere;
mod expiry_override;
pub(crate) mod forecast;
pub(crate) mod history;
mod origin;
mod outlook;
pub(crate) mod pending_grant;
mod refresh_report;
mod session;
pub(crate) mod sign_in;
mod source_run;
pub(crate) mod state;
mod stuck;

pub(crate) use effective_expiry::{refused, with_true_expiry};
pub(crate) use outlook::{Outlook, look};
pub(crate) use refresh_report::{Conclusion, Renewal};

use std::time::Duration;

use crate::app::context::{self, Ground, Places};
use crate::app::error::Error;
use crate::app::refresh::credentials_file::Place;
use crate::domain::acceptance::Mark;
use crate::domain::config::Problem;
use crate::domain::config::settings::{ClaudeCli, Method, Settings};
use crate::domain::credential::Credential;
use crate::domain::outcome::Outcome;
use crate::domain::secret::Fingerprint;
use crate::domain::source::Source;
use crate::os::debounce::Arrivals;
use crate::os::event::signals::{Deferral, Waiting};
use crate::os::fs::dir::Folder;
use crate::os::process::lanes::{Lanes, Step};
use crate::os::queue::Queue;
use crate::os::user::identity::Identity;
use crate::os::{self, clock};

/// After how long one source that takes its time keeps no other of the same user waiting.
const PATIENCE: Duration = Duration::from_secs(15);

/// For how long a run takes in what is asked for meanwhile.
const WINDOW: Duration = Duration::from_secs(600);

/// How a refresh is to be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// Find out what would be done; send and write nothing.
    pub(crate) dry_run: bool,
    /// Renew even if not due, backed off or rejected.
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
    /// `sources/` in the state directory.
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
        asked.then(|| Outcome::deferred("it was stopped before its request"))
    }
}

/// Says whether what a link needs may not answer.
pub(crate) type MayHang<'a> = &'a dyn Fn(&Ground, &Settings) -> bool;

/// Links that share a source; the first of them that may renew it speaks for all.
#[derive(Debug)]
struct Group {
    /// The source, if its folder can be reached.
    place: Result<Place, os::error::Error>,
    links: Vec<Settings>,
}

impl Group {
    fn settings(&self) -> &Settings {
        let now = clock::now();
        let renewing = self.links.iter().find(|link| !link.methods(now).is_empty());
        renewing.unwrap_or(&self.links[0])
    }

    /// Says whether what one of its links needs may not answer.
    fn may_hang(&self, ground: &Ground, may_hang: MayHang<'_>) -> bool {
        self.links.iter().any(|link| may_hang(ground, link))
    }

    /// The user whose source it is; ours where that is not known.
    fn user(&self) -> u32 {
        self.place.as_ref().map_or_else(|_| Identity::own().uid, |place| place.folder.identity.uid)
    }
}

/// Renews the sources of all links, or that of the one named; a link with faults stops no other.
///
/// Sources of different users are renewed beside each other, and `each` hears of every one at once, on the
/// thread that renewed it. What is asked for meanwhile is renewed too. The order of the result is that of
/// the links.
pub(crate) fn all<T: Send>(
    places: &Places,
    only: Option<&str>,
    (options, may_hang): (Options, MayHang<'_>),
    each: &(impl Fn(&Renewal) -> T + Sync),
) -> Result<(Told<T>, Vec<Problem>), Error> {
    let (links, problems) = context::sound_links(&places.config_dir, only)?;
    let ground = if options.dry_run { Ground::look(places)? } else { Ground::open(places)? };
    let signals = Deferral::prepare(&places.run_dir)?;
    let groups = groups(&links);
    let takes_more = only.is_none() && !options.dry_run;
    let take = |group: &Group, is_apart: bool| {
        let renewal = if is_apart {
            elsewhere::take(places, group, options)
        } else {
            source_run::take(&ground, group, options, &signals)
        };
        let told = each(&renewal);
        (renewal, told)
    };
    let renewals = side_by_side(&ground, groups, (takes_more, may_hang), &take)
        .map_err(|source| os::error::Error::new("wait for renewals in", &places.run_dir, source))?;
    Ok((renewals, problems))
}

/// Renewals, each with what `each` made of it.
type Told<T> = Vec<(Renewal, T)>;

/// A renewal, after its place in the order of the result.
type Numbered<T> = (usize, (Renewal, T));

/// Has `take` renew each source, those of different users beside each other.
fn side_by_side<T: Send>(
    ground: &Ground,
    groups: Vec<Group>,
    (takes_more, may_hang): (bool, MayHang<'_>),
    take: &(impl Fn(&Group, bool) -> (Renewal, T) + Sync),
) -> std::io::Result<Told<T>> {
    let begun = clock::now();
    let run_dir = &ground.places.run_dir;
    let mut arrivals = takes_more
        .then(|| Queue::Refresh.open(run_dir).ok())
        .flatten()
        .and_then(|queue| Arrivals::watch(&queue).ok());
    let mut done: Vec<Numbered<T>> = std::thread::scope(|scope| {
        let mut lanes = Lanes::new(scope, Some(PATIENCE))?;
        let mut count = 0;
        let mut next = numbered(ground, groups, &mut count);
        let mut done: Vec<Numbered<T>> = Vec::new();
        loop {
            for (number, group) in std::mem::take(&mut next) {
                if group.may_hang(ground, may_hang) {
                    lanes.push_wait(move || (number, take(&group, true)));
                } else {
                    lanes.push(group.user(), move || (number, take(&group, false)));
                }
            }
            match lanes.wait(arrivals.as_ref().map(Arrivals::fd), WINDOW)? {
                Step::Done(one) => {
                    done.retain(|(_, (other, _))| other.links != one.1.0.links);
                    done.push(one);
                }
                Step::Woken => {
                    arrivals.iter_mut().for_each(Arrivals::forget);
                    if clock::now() >= begun.after(WINDOW) {
                        // What comes later is the next run's, or this one would never end.
                        arrivals = None;
                    } else {
                        next = numbered(ground, asked(ground), &mut count);
                    }
                }
                Step::Idle => return std::io::Result::Ok(done),
            }
        }
    })?;
    done.sort_by_key(|(number, _)| *number);
    Ok(done.into_iter().map(|(_, one)| one).collect())
}

/// Numbers sources; one that could not be renewed the last time keeps none waiting that could.
fn numbered(ground: &Ground, groups: Vec<Group>, count: &mut usize) -> Vec<(usize, Group)> {
    let mut numbered: Vec<_> = (*count..).zip(groups).collect();
    *count += numbered.len();
    numbered.sort_by_key(|(_, group)| has_failed(ground, group));
    numbered
}

/// Takes the requests that have come meanwhile: the sources that they are about.
fn asked(ground: &Ground) -> Vec<Group> {
    let places = &ground.places;
    let requests = Queue::Refresh.take(&places.run_dir).unwrap_or_default();
    if requests.is_empty() {
        return Vec::new();
    }
    // Faults of the configuration were said, or are by the next run.
    let Ok((links, _)) = context::sound_links(&places.config_dir, None) else { return Vec::new() };
    let is_asked = |link: &Settings| requests.iter().any(|name| *name == link.name.as_bytes());
    let mut groups = groups(&links);
    groups.retain(|group| group.links.iter().any(is_asked));
    groups
}

/// Says whether a source could not be renewed the last time.
fn has_failed(ground: &Ground, group: &Group) -> bool {
    let (Ok(place), Ok(Some(sources))) = (&group.place, sources(ground, false)) else {
        return false;
    };
    state::State::load(&sources, place).is_ok_and(|state| state.failures > 0)
}

/// Carries answers that earlier runs left into their sources; renews nothing.
///
/// Says what was done, for each source where there was something to do. For `watch`, whose signals
/// wait until it looks at them.
pub(crate) fn pick_up<'a>(ground: &Ground, links: impl IntoIterator<Item = &'a Settings>) {
    let signals = Deferral::already();
    for group in groups(links) {
        match source_run::pick_up(ground, &group, &signals) {
            Ok(renewal) => renewal.iter().for_each(Renewal::log),
            Err(error) => log::error!("{error}: a login that an earlier run saved waits"),
        }
    }
}

/// Says whether an answer that an earlier run saved still waits to be put into a link's source.
pub(crate) fn waits(ground: &Ground, settings: &Settings) -> bool {
    let (Ok(place), Ok(Some(sources))) = (
        Place::reach(&settings.claude_credentials, settings.max_credentials_size),
        sources(ground, false),
    ) else {
        return false;
    };
    sources.stat(&format!("{}.answer", place.key)).is_ok_and(|answer| answer.is_some())
}

/// Joins links that share a source, by whatever paths they name it.
fn groups<'a>(links: impl IntoIterator<Item = &'a Settings>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for link in links {
        let place = Place::reach(&link.claude_credentials, link.max_credentials_size);
        let same = |group: &&mut Group| match (&group.place, &place) {
            (Ok(a), Ok(b)) => a.key == b.key,
            _ => group.links[0].claude_credentials == link.claude_credentials,
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.links.push(link.clone()),
            None => groups.push(Group { place, links: vec![link.clone()] }),
        }
    }
    groups
}

/// Looks for the CLI that would renew a link's login.
pub(crate) fn look_for_claude(settings: &Settings) {
    let ClaudeCli::Host { path } = &settings.claude_cli else { return };
    let place = Place::reach(&settings.claude_credentials, settings.max_credentials_size);
    if let Some(place) = place.ok().filter(|_| settings.refresh.contains(&Method::Cli)) {
        let _ = cli::locate::find(path.as_deref(), &cli::locate::User::owning(&place.folder));
    }
}

/// `sources/` in the state directory; none before the first refresh where nothing may be made.
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

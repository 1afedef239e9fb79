//! One run: picks up what is queued, then works link by link until nothing is due any more.

use std::path::Path;
use std::time::Duration;

use crate::app::child::separate::{self, End};
use crate::app::context::{self, Ground, Places};
use crate::app::error::Error;
use crate::app::examination;
use crate::app::gateway::job::Work;
use crate::app::gateway::report_outcome;
use crate::app::gateway::{Closing, Haste};
use crate::app::state::gateway_queue;
use crate::app::state::gateway_state;
use crate::domain::config::settings::Settings;
use crate::domain::gateway::{Deed, Ending, Ledger, Pending, Request};
use crate::domain::hints::ours;
use crate::domain::messages;
use crate::domain::pause::Activity;
use crate::domain::time::Timestamp;
use crate::os::debounce::Arrivals;
use crate::os::event::signals::Deferral;
use crate::os::fs::dir::Folder;
use crate::os::journal::detail;
use crate::os::process::lanes::{Lanes, Step};
use crate::os::queue::Queue;
use crate::os::user::identity::Identity;
use crate::os::{self, clock};

/// A burst is over when nothing came for this long: ten rotations in 5 s are one.
const QUIET: Duration = Duration::from_millis(1500);

/// A burst that does not end is not waited for any longer.
const BURST: Duration = Duration::from_secs(15);

impl Haste {
    /// Says whether something pending is to be tried now: a person has mended what was in the way.
    fn is_due(self, pending: &Pending, now: Timestamp) -> bool {
        pending.is_due(now) || self == Self::AtOnce && pending.attempts > 0
    }

    /// Says whether a link may be seen to once more in this run.
    fn again(self, link: &str, closings: &[Closing]) -> bool {
        self == Self::Joined || !closings.iter().any(|closing| closing.link == link)
    }
}

/// How often it is looked what has become due while somebody's gateway takes its time.
const GLANCE: Duration = Duration::from_secs(20);

/// What a thread found of its link.
type Seen = (String, Result<Option<Closing>, Error>);

/// A run under way.
struct Round<'a> {
    ground: &'a Ground,
    queue: &'a Folder,
    only: Option<&'a str>,
    haste: Haste,
    closings: Vec<Closing>,
    /// The links that are seen to now, or wait for their user's others.
    busy: Vec<String>,
    /// Those with which this run has no business any more.
    passed: Vec<String>,
    failed: Option<Error>,
}

/// Sees to everything that is queued or due for another try: to gateways of different users beside each
/// other, to one of each user at a time.
pub(crate) fn run(
    places: &Places,
    only: Option<&str>,
    haste: Haste,
) -> Result<Vec<Closing>, Error> {
    let ground = Ground::open(places)?;
    let queue = Queue::Gateway.open(&places.run_dir)?;
    let mut round = Round {
        ground: &ground,
        queue: &queue,
        only,
        haste,
        closings: Vec::new(),
        busy: Vec::new(),
        passed: Vec::new(),
        failed: None,
    };
    std::thread::scope(|scope| {
        let failed = |source| os::error::Error::new("wait for work in", &queue.path, source);
        let mut lanes = Lanes::new(scope, None).map_err(failed)?;
        let mut arrivals = Arrivals::watch(&queue).ok().filter(|_| haste == Haste::Joined);
        loop {
            if haste == Haste::Joined {
                join_burst(&queue, places);
            }
            round.begin(&mut lanes)?;
            match lanes.wait(arrivals.as_ref().map(Arrivals::fd), GLANCE).map_err(failed)? {
                Step::Done((link, seen)) => round.note(&link, seen),
                Step::Woken => arrivals.iter_mut().for_each(Arrivals::forget),
                Step::Idle => return round.failed.map_or(Ok(round.closings), Err),
            }
        }
    })
}

impl<'a> Round<'a> {
    /// Begins with every link that has something to do now and is not seen to yet.
    fn begin<'scope>(&mut self, lanes: &mut Lanes<'scope, '_, Seen>) -> Result<(), Error>
    where
        'a: 'scope,
    {
        let Self { ground, queue, haste, .. } = *self;
        // Off the queue before anything can fail: what stays there starts the unit again at once.
        self.unlink()?;
        let mut due = due(ground, queue, self.only, haste)?;
        due.retain(|link| {
            !self.busy.contains(link)
                && !self.passed.contains(link)
                && haste.again(link, &self.closings)
        });
        if due.is_empty() {
            return Ok(());
        }
        // Read anew each time: a hanging recreate can outlast a change of the configuration.
        let links = settings(&ground.places.config_dir)?;
        // A single link whose person waits keeps nobody waiting: no thread is needed for it.
        let is_alone = due.len() == 1 && haste == Haste::AtOnce && self.busy.is_empty();
        for link in due {
            let settings = links.iter().find(|settings| settings.name == link).cloned();
            self.busy.push(link.clone());
            if settings
                .as_ref()
                .is_some_and(|settings| examination::may_hang(ground, settings).is_some())
            {
                // Once is enough for this run, however that ends.
                self.passed.push(link.clone());
                lanes.push_wait(move || {
                    let seen = see_to_apart(ground, &link);
                    (link, seen)
                });
                continue;
            }
            if is_alone {
                let seen = see_to(ground, queue, &link, settings.as_ref(), haste);
                self.note(&link, seen);
                continue;
            }
            let user = settings.as_ref().map_or_else(|| Identity::own().uid, user);
            lanes.push(user, move || {
                let seen = see_to(ground, queue, &link, settings.as_ref(), haste);
                (link, seen)
            });
        }
        Ok(())
    }

    /// Takes every request into its link's ledger; those of a link that is worked on wait, and one that
    /// cannot be taken keeps no other in the queue.
    fn unlink(&mut self) -> Result<(), Error> {
        for Request { link, .. } in gateway_queue::waiting(self.queue)? {
            if self.only.is_some_and(|only| only != link) {
                continue;
            }
            match self.pick_up_if_free(&link) {
                Ok(true) => self.passed.retain(|passed| *passed != link),
                Ok(false) => {}
                Err(error) => {
                    self.failed.get_or_insert(error);
                }
            }
        }
        Ok(())
    }

    /// Takes a link's requests unless another process works on it; says whether it did.
    fn pick_up_if_free(&self, link: &str) -> Result<bool, Error> {
        let Some(_lock) = gateway_state::try_lock(&self.ground.places.run_dir, link)? else {
            return Ok(false);
        };
        pick_up(self.ground, self.queue, link).map(|_| true)
    }

    /// Takes note of what became of a link; a failure of one keeps no other from its turn.
    fn note(&mut self, link: &str, seen: Result<Option<Closing>, Error>) {
        self.busy.retain(|busy| busy != link);
        match seen {
            Ok(Some(closing)) => {
                self.closings.retain(|other| other.link != closing.link);
                self.closings.push(closing);
            }
            Ok(None) => self.passed.push(link.to_owned()),
            Err(error) => {
                self.passed.push(link.to_owned());
                self.failed.get_or_insert(error);
            }
        }
    }
}

/// The user whose gateway it is; ours where that is not known.
pub(super) fn user(settings: &Settings) -> u32 {
    let source = settings.claude_credentials.parent();
    let places = [settings.openclaw_state_dir.as_deref(), settings.compose_dir.as_deref(), source];
    let place = places.into_iter().flatten().next().and_then(|place| Folder::reach(place).ok());
    place.map_or_else(|| Identity::own().uid, |place| place.identity.uid)
}

/// Waits for a burst of requests to end, where any has come.
fn join_burst(queue: &Folder, places: &Places) {
    let waited =
        Arrivals::watch(queue).and_then(|mut arrivals| match gateway_queue::waiting(queue) {
            Ok(requests) if !requests.is_empty() => arrivals.quiet(QUIET, BURST),
            _ => Ok(()),
        });
    if let Err(error) = waited {
        detail!("cannot watch '{}': {error}", places.run_dir.display());
    }
}

/// The links with something to do now: queued, or due for another try.
fn due(
    ground: &Ground,
    queue: &Folder,
    only: Option<&str>,
    haste: Haste,
) -> Result<Vec<String>, Error> {
    let state_dir = &ground.places.state_dir;
    let now = clock::now();
    let mut links: Vec<String> =
        gateway_queue::waiting(queue)?.into_iter().map(|request| request.link).collect();
    for link in gateway_state::links(state_dir) {
        let ledger = gateway_state::load(state_dir, &link);
        let doubtful = haste == Haste::AtOnce && ledger.is_hidden();
        let is_due = ledger.pending.is_some_and(|pending| haste.is_due(&pending, now)) || doubtful;
        if is_due && !links.contains(&link) {
            links.push(link);
        }
    }
    links.retain(|link| only.is_none_or(|only| only == link));
    Ok(links)
}

/// All links that are sound; a fault in one file must not keep the others' gateways waiting.
fn settings(config_dir: &Path) -> Result<Vec<Settings>, Error> {
    let config = context::configuration(config_dir)?;
    for problem in &config.problems {
        log::error!(MESSAGE_ID = messages::id("configuration"); "{problem}");
    }
    Ok(config.links)
}

/// Sees to one link; `None` if there is nothing to do, or another process does it.
fn see_to(
    ground: &Ground,
    queue: &Folder,
    link: &str,
    settings: Option<&Settings>,
    haste: Haste,
) -> Result<Option<Closing>, Error> {
    let run_dir = &ground.places.run_dir;
    let _lock = match (gateway_state::try_lock(run_dir, link)?, haste) {
        (Some(lock), _) => lock,
        (None, Haste::Joined) => gateway_state::lock(run_dir, link)?,
        (None, Haste::AtOnce) => {
            log::info!("{link}: another process is updating the gateway");
            return Ok(None);
        }
    };
    // A compose that is killed between the old container and the new one leaves no gateway at all.
    let signals = Deferral::prepare(run_dir)?;
    let waiting = signals.hold();
    if waiting.asked() {
        // Another one's work holds the signal back; this one's is the next run's.
        return Ok(None);
    }
    let mut ledger = pick_up(ground, queue, link)?;
    if haste == Haste::AtOnce {
        ledger.doubt(clock::now());
    }
    let now = clock::now();
    let pending = ledger.pending.as_ref().filter(|pending| haste.is_due(pending, now));
    let Some(settings) = settings.filter(|_| pending.is_some()) else { return Ok(None) };
    if let Some(pause) = settings.paused(Activity::Sync, now) {
        let hint = ours::resume(link).to_string();
        log::info!(hint; "{link}: the gateway is not updated: {}", pause.in_words());
        return Ok(None);
    }
    Ok(Some(attend(ground, settings, ledger)?))
}

/// Has a link whose files may not answer seen to by a process of its own, which says how that ended.
fn see_to_apart(ground: &Ground, link: &str) -> Result<Option<Closing>, Error> {
    let places = &ground.places;
    let ended = separate::carry_out(places, link, &["gateway"], separate::GATEWAY)?;
    let trouble = ended.trouble();
    let is_silent = trouble.is_some();
    let closing = |ending| Some(Closing { link: link.to_owned(), ending, is_silent });
    let Some(trouble) = trouble else {
        return Ok(closing(match ended {
            End::Exit(0) => Ending::Done(Deed::Nothing, None),
            End::Exit(1) => Ending::Failed("see its log".to_owned(), None),
            _ => Ending::deferred("see its log"),
        }));
    };
    let ending = Ending::deferred(format!("{trouble}: this link alone waits"));
    // Who holds it hangs, or saw to it meanwhile.
    let Some(_lock) = gateway_state::try_lock(&places.run_dir, link)? else {
        log::warn!("{link}: {trouble}: this link alone waits");
        return Ok(closing(ending));
    };
    let mut ledger = gateway_state::load(&places.state_dir, link);
    let before = ledger.pending.as_ref().and_then(|pending| pending.waits.clone());
    ledger.settle(&ending, clock::now());
    gateway_state::save(&places.state_dir, link, &ledger)?;
    report_outcome::say(link, &ending, before.as_deref(), ledger.is_hidden());
    report_outcome::tell_hooks(ground, link, &ending, before.as_deref());
    Ok(closing(ending))
}

/// Takes a request into the ledger, then off the queue: killed in between, it is done twice.
fn pick_up(ground: &Ground, queue: &Folder, link: &str) -> Result<Ledger, Error> {
    let state_dir = &ground.places.state_dir;
    let mut ledger = gateway_state::load(state_dir, link);
    for request in gateway_queue::waiting(queue)?.iter().filter(|request| request.link == link) {
        ledger.take(request);
        gateway_state::save(state_dir, link, &ledger)?;
        gateway_queue::take(queue, request)?;
    }
    Ok(ledger)
}

/// Works on one gateway; a fault of its link is this link's alone.
fn attend(ground: &Ground, settings: &Settings, ledger: Ledger) -> Result<Closing, Error> {
    let link = &settings.name;
    let before = ledger.pending.as_ref().and_then(|pending| pending.waits.clone());
    let mut hidden = false;
    let ending = match Work::begin(ground, settings, ledger.clone()) {
        Ok(mut work) => {
            let ending = work.attend();
            work.ledger.settle(&ending, clock::now());
            work.save();
            hidden = work.ledger.is_hidden();
            ending
        }
        Err(error) => {
            let (mut ledger, ending) = (ledger, Ending::deferred(error.to_string()));
            ledger.settle(&ending, clock::now());
            gateway_state::save(&ground.places.state_dir, link, &ledger)?;
            ending
        }
    };
    report_outcome::say(link, &ending, before.as_deref(), hidden);
    report_outcome::tell_hooks(ground, link, &ending, before.as_deref());
    Ok(Closing { link: link.clone(), ending, is_silent: false })
}

//! One run: picks up what is queued, then works link by link until nothing is due any more.

use std::path::Path;
use std::time::Duration;

use crate::app::error::Error;
use crate::app::gateway::work::Work;
use crate::app::gateway::{Closing, Haste, telling};
use crate::app::ground::{self, Ground, Places};
use crate::app::ledger;
use crate::app::requests;
use crate::domain::config::settings::Settings;
use crate::domain::gateway::{Ending, Ledger, Pending};
use crate::domain::messages;
use crate::domain::time::Timestamp;
use crate::os::calm::Arrivals;
use crate::os::clock;
use crate::os::folder::Folder;
use crate::os::journal::detail;
use crate::os::queue::Queue;
use crate::os::signals::Deferral;

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

/// Sees to everything that is queued or due for another try.
pub(crate) fn run(
    places: &Places,
    only: Option<&str>,
    haste: Haste,
) -> Result<Vec<Closing>, Error> {
    let ground = Ground::open(places)?;
    let queue = Queue::Gateway.open(&places.run_dir)?;
    let mut closings: Vec<Closing> = Vec::new();
    loop {
        if haste == Haste::Joined {
            join_burst(&queue, places);
        }
        // Off the queue before anything can fail: what stays there starts the unit again at once.
        unlink(&ground, &queue, only)?;
        let due = due(&ground, &queue, only, haste)?;
        let due: Vec<String> =
            due.into_iter().filter(|link| haste.again(link, &closings)).collect();
        if due.is_empty() {
            return Ok(closings);
        }
        // Read anew each time: a hanging recreate can outlast a change of the configuration.
        let links = settings(&places.config_dir)?;
        let mut worked = false;
        for link in due {
            let settings = links.iter().find(|settings| settings.name == link);
            if let Some(closing) = see_to(&ground, &queue, &link, settings, haste)? {
                worked = true;
                closings.retain(|other| other.link != closing.link);
                closings.push(closing);
            }
        }
        if !worked {
            return Ok(closings);
        }
    }
}

/// Waits for a burst of requests to end, where any has come.
fn join_burst(queue: &Folder, places: &Places) {
    let waited = Arrivals::watch(queue).and_then(|mut arrivals| match requests::waiting(queue) {
        Ok(requests) if !requests.is_empty() => arrivals.quiet(QUIET, BURST),
        _ => Ok(()),
    });
    if let Err(error) = waited {
        detail!("cannot watch '{}': {error}", places.run_dir.display());
    }
}

/// Takes every request into its link's ledger; those of a link that another process works on wait.
fn unlink(ground: &Ground, queue: &Folder, only: Option<&str>) -> Result<(), Error> {
    for request in requests::waiting(queue)? {
        let is_asked = only.is_none_or(|only| only == request.link);
        if is_asked && let Some(_lock) = ledger::try_lock(&ground.places.run_dir, &request.link)? {
            pick_up(ground, queue, &request.link)?;
        }
    }
    Ok(())
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
        requests::waiting(queue)?.into_iter().map(|request| request.link).collect();
    for link in ledger::links(state_dir) {
        let ledger = ledger::load(state_dir, &link);
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
    let config = ground::configuration(config_dir)?;
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
    let _lock = match (ledger::try_lock(run_dir, link)?, haste) {
        (Some(lock), _) => lock,
        (None, Haste::Joined) => ledger::lock(run_dir, link)?,
        (None, Haste::AtOnce) => {
            log::info!("{link}: another process sees to the gateway");
            return Ok(None);
        }
    };
    // A compose that is killed between the old container and the new one leaves no gateway at all.
    let signals = Deferral::prepare(run_dir)?;
    let _waiting = signals.hold();
    let mut ledger = pick_up(ground, queue, link)?;
    if haste == Haste::AtOnce {
        ledger.doubt(clock::now());
    }
    let pending = ledger.pending.as_ref().filter(|pending| haste.is_due(pending, clock::now()));
    let Some(settings) = settings.filter(|_| pending.is_some()) else { return Ok(None) };
    Ok(Some(attend(ground, settings, ledger)?))
}

/// Takes a request into the ledger, then off the queue: killed in between, it is done twice.
fn pick_up(ground: &Ground, queue: &Folder, link: &str) -> Result<Ledger, Error> {
    let state_dir = &ground.places.state_dir;
    let mut ledger = ledger::load(state_dir, link);
    for request in requests::waiting(queue)?.iter().filter(|request| request.link == link) {
        ledger.take(request);
        ledger::save(state_dir, link, &ledger)?;
        requests::take(queue, request)?;
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
            ledger::save(&ground.places.state_dir, link, &ledger)?;
            ending
        }
    };
    telling::say(link, &ending, before.as_deref(), hidden);
    telling::tell_hooks(ground, link, &ending, before.as_deref());
    Ok(Closing { link: link.clone(), ending })
}

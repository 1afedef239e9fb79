//! Sees to the gateways: carries out what syncs left for them, and tries again what did not work.

mod child;
mod command;
mod compose;
mod courtesy;
mod engine;
pub(crate) mod ledger;
pub(crate) mod paste;
pub(crate) mod program;
mod proof;
pub(crate) mod queue;
mod reload;
mod unit;
mod work;

use std::time::Duration;

use crate::app::error::Error;
use crate::app::event::Event;
use crate::app::gateway::work::Work;
use crate::app::ground::{self, Ground, Places};
use crate::domain::config::settings::Settings;
use crate::domain::gateway::{Deed, Ending, Ledger, Pending, Request};
use crate::domain::messages;
use crate::domain::time::Timestamp;
use crate::os::calm::Arrivals;
use crate::os::clock;
use crate::os::folder::Folder;
use crate::os::journal::detail;
use crate::os::lock::Lock;

/// A burst is over when nothing came for this long: ten rotations in 5 s are one.
const QUIET: Duration = Duration::from_millis(1500);

/// A burst that does not end is not waited for any longer.
const BURST: Duration = Duration::from_secs(15);

/// How a run is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Haste {
    /// Wait for bursts to end, and for gateways that another process sees to.
    Joined,
    /// A person waits: at once, and what another process works on is left to it.
    AtOnce,
}

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

/// How it ended for one link.
#[derive(Debug)]
pub(crate) struct Closing {
    /// The link.
    pub(crate) link: String,
    /// How it ended.
    pub(crate) ending: Ending,
}

/// Sees to everything that is queued or due for another try.
pub(crate) fn run(
    places: &Places,
    only: Option<&str>,
    haste: Haste,
) -> Result<Vec<Closing>, Error> {
    let ground = Ground::open(places)?;
    let queue = queue::open(&places.run_dir)?;
    let mut closings: Vec<Closing> = Vec::new();
    loop {
        if haste == Haste::Joined {
            join_burst(&queue, places);
        }
        let due = due(&ground, &queue, only, haste)?;
        let due: Vec<String> =
            due.into_iter().filter(|link| haste.again(link, &closings)).collect();
        if due.is_empty() {
            return Ok(closings);
        }
        // Before anything can fail: what stays queued has the path unit start the next run at once.
        for link in &due {
            if let Some(_lock) = Lock::try_take(&places.run_dir, &lock_name(link))? {
                pick_up(&ground, &queue, link)?;
            }
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
    let waited = Arrivals::watch(queue).and_then(|mut arrivals| match queue::waiting(queue) {
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
        queue::waiting(queue)?.into_iter().map(|request| request.link).collect();
    for link in ledger::links(state_dir) {
        let ledger = ledger::load(state_dir, &link);
        let is_due = ledger.pending.is_some_and(|pending| haste.is_due(&pending, now));
        if is_due && !links.contains(&link) {
            links.push(link);
        }
    }
    links.retain(|link| only.is_none_or(|only| only == link));
    Ok(links)
}

/// All links that are sound; a fault in one file must not keep the others' gateways waiting.
fn settings(config_dir: &std::path::Path) -> Result<Vec<Settings>, Error> {
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
    let (run_dir, name) = (&ground.places.run_dir, lock_name(link));
    let _lock = match (Lock::try_take(run_dir, &name)?, haste) {
        (Some(lock), _) => lock,
        (None, Haste::Joined) => Lock::wait(run_dir, &name)?,
        (None, Haste::AtOnce) => {
            log::info!("{link}: another process sees to the gateway");
            return Ok(None);
        }
    };
    let ledger = pick_up(ground, queue, link)?;
    let pending = ledger.pending.as_ref().filter(|pending| haste.is_due(pending, clock::now()));
    let Some(settings) = settings.filter(|_| pending.is_some()) else { return Ok(None) };
    Ok(Some(attend(ground, settings, ledger)?))
}

fn lock_name(link: &str) -> String {
    format!("gateway-{link}")
}

/// Takes a request into the ledger, then off the queue: killed in between, it is done twice.
fn pick_up(ground: &Ground, queue: &Folder, link: &str) -> Result<Ledger, Error> {
    let state_dir = &ground.places.state_dir;
    let mut ledger = ledger::load(state_dir, link);
    let requests: Vec<Request> =
        queue::waiting(queue)?.into_iter().filter(|request| request.link == link).collect();
    for request in &requests {
        ledger.take(request);
        ledger::save(state_dir, link, &ledger)?;
        queue::take(queue, request)?;
    }
    Ok(ledger)
}

/// Asks each OpenClaw for its version that nothing else names: it decides what may be written.
pub(crate) fn learn_versions(places: &Places, only: Option<&str>) -> Result<(), Error> {
    // A fault in the configuration comes first: then nothing is made at all.
    let links = ground::links(&places.config_dir, only)?;
    let ground = Ground::open(places)?;
    for settings in &links {
        let ledger = ledger::load(&places.state_dir, &settings.name);
        let mut work = Work::begin(&ground, settings, ledger)?;
        if work.openclaw.wants_version(settings, clock::now()) {
            work.learn_version();
            work.save();
        }
    }
    Ok(())
}

/// Runs this link's `openclaw` with these words: whether it exited with 0, and its output.
pub(crate) fn ask(
    ground: &Ground,
    settings: &Settings,
    words: &[&str],
) -> Result<(bool, String), Ending> {
    let ledger = ledger::load(&ground.places.state_dir, &settings.name);
    let work = Work::begin(ground, settings, ledger);
    let mut work = work.map_err(|error| Ending::deferred(error.to_string()))?;
    let program = work.program()?;
    let ended = program.run(&work, words, Vec::new())?;
    Ok((ended.is_success(), child::text(&ended.stdout)))
}

fn attend(ground: &Ground, settings: &Settings, ledger: Ledger) -> Result<Closing, Error> {
    let mut work = Work::begin(ground, settings, ledger)?;
    let before = work.pending().waits.clone();
    let ending = work.attend();
    work.ledger.settle(&ending, clock::now());
    work.save();
    say(&settings.name, &ending, before.as_deref());
    tell_hooks(ground, &settings.name, &ending, before.as_deref());
    Ok(Closing { link: settings.name.clone(), ending })
}

/// Leaves what was done, or could not be done, for the hooks.
fn tell_hooks(ground: &Ground, link: &str, ending: &Ending, before: Option<&str>) {
    let (event, text) = match ending {
        Ending::Done(Deed::Nothing, _) => return,
        Ending::Done(deed, _) => (deed.name(), format!("the gateway was {}", deed.name())),
        Ending::Failed(why, _) if Some(why.as_str()) != before => ("gateway-failed", why.clone()),
        _ => return,
    };
    if let Err(error) = Event::deed(event, link, text, None).leave(&ground.places.run_dir) {
        log::warn!("{link}: {error}: no hook hears of the gateway");
    }
}

/// Says how it ended; a wait that goes on is no news.
fn say(link: &str, ending: &Ending, before: Option<&str>) {
    let hint = ending.hint().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    match ending {
        Ending::Done(Deed::Nothing, _) => detail!("{link}: the gateway needs nothing"),
        Ending::Done(deed, Some(gap)) => {
            log::info!(
                "{link}: the gateway was {} and uses the new token; it was gone for {gap} ms",
                deed.name()
            );
        }
        Ending::Done(Deed::Pasted, None) => {
            log::info!("{link}: the token was handed to OpenClaw, which uses it on its next turn");
        }
        Ending::Done(deed, None) => log::info!("{link}: the gateway was {}", deed.name()),
        _ if ending.why() == before => {
            detail!("{link}: the gateway still waits: {}", ending.why().unwrap_or_default());
        }
        Ending::PutOff(why, _) => log::info!("{link}: the gateway is recreated later: {why}"),
        Ending::Deferred(why, _) => {
            let id = messages::id("gateway-deferred");
            log::warn!(MESSAGE_ID = id, link; "{link}: the gateway keeps its old token: {why}{hint}");
        }
        Ending::Failed(why, _) => {
            let id = messages::id("gateway-failed");
            log::error!(MESSAGE_ID = id, link; "{link}: the gateway is not as it should be: {why}{hint}");
        }
    }
}

//! Tells people: runs the hooks and posts to the webhook for every event that was left.
//!
//! An event is taken over into the state folder before it leaves the queue, and stays there until
//! everybody was told or its time is over: a killed run tells somebody twice rather than nobody.

mod hooks;
mod item;
mod told;
mod webhook;

use std::path::Path;

use crate::app::error::Error;
use crate::app::event::{Event, is_of_kind};
use crate::app::ground::{self, Ground, Places};
use crate::app::memory::STATE_LIMIT;
use crate::app::notify::hooks::Hooks;
use crate::app::notify::item::Item;
use crate::app::notify::told::Told;
use crate::app::record;
use crate::domain::config::settings::Settings;
use crate::domain::messages;
use crate::domain::time::Timestamp;
use crate::os::clock;
use crate::os::folder::Folder;
use crate::os::lock::Lock;
use crate::os::queue::Queue;
use crate::os::signals::Deferral;

/// The folder in the state folder that holds what still has to be told.
pub(crate) const FOLDER: &str = "notify";

/// The folder in the state folder that holds when people were told what.
const TOLD: &str = "told";

/// Tells everything that waits; says whether all of it was told.
pub(crate) fn run(places: &Places) -> Result<bool, Error> {
    let ground = Ground::open(places)?;
    // Waited for: an event that came while another run was at its end would else be left.
    let _lock = Lock::wait(&places.run_dir, "notify")?;
    let state = ground.folder(FOLDER)?;
    let queue = Queue::Notify.open(&places.run_dir)?;
    let signals = Deferral::prepare(&places.run_dir)?;
    let mut all_told = true;
    loop {
        take_over(&queue, &state)?;
        let told = Told::in_folder(ground.folder(TOLD)?);
        all_told &= Round::new(places, told).carry(&state, &signals)?;
        if queue.names()?.is_empty() {
            return Ok(all_told);
        }
    }
}

/// The next moment at which something is tried again.
pub(crate) fn next_try(state_dir: &Path, now: Timestamp) -> Option<Timestamp> {
    let folder = Folder::reach(&state_dir.join(FOLDER)).ok()?;
    let items = folder.names().ok()?.into_iter();
    items.filter_map(|name| Some(Item::load(&folder, name.to_str()?)?.due(now))).min()
}

/// Moves every request of the queue into the state folder.
fn take_over(queue: &Folder, state: &Folder) -> Result<(), Error> {
    for name in queue.names()? {
        let name = name.to_string_lossy().into_owned();
        let seen = queue.read(&name, STATE_LIMIT);
        let event = seen.ok().flatten().and_then(|seen| record::read::<Event>(&seen.bytes));
        match event {
            Some(event) => take_in(event, state, &name)?,
            None if Path::new(&name).extension().is_none() => {}
            None => log::warn!("the event '{name}' cannot be read and is left out"),
        }
        queue.remove(&name)?;
    }
    Ok(())
}

/// Takes one event over, in place of one of its kind that waits, and of what it has overtaken.
fn take_in(event: Event, state: &Folder, name: &str) -> Result<(), Error> {
    let kind = event.kind();
    let mut item = Item::new(event);
    let mut earlier = Vec::new();
    for old in state.names()?.iter().filter_map(|old| old.to_str()).filter(|old| *old != name) {
        let Some(waiting) = Item::load(state, old) else { continue };
        if is_of_kind(old, &kind) {
            item.merge(&waiting);
        } else if waiting.is_overtaken_by(&item.event) {
            item.event.merge(&waiting.event);
        } else {
            continue;
        }
        earlier.push(old.to_owned());
    }
    item.save(state, name)?;
    for old in earlier {
        state.remove(&old)?;
    }
    Ok(())
}

/// One pass over everything that waits.
struct Round {
    hooks: Hooks,
    links: Vec<Settings>,
    /// Links whose webhook has failed in this pass: the others in the line wait with the first.
    failed: Vec<(String, Timestamp)>,
    all_told: bool,
    told: Told,
}

impl Round {
    fn new(places: &Places, told: Told) -> Self {
        // Faults of the configuration are told by those who watch it; good links are used.
        let links = ground::configuration(&places.config_dir).map(|config| config.links);
        let hooks = Hooks::find(&places.config_dir);
        Self { hooks, links: links.unwrap_or_default(), failed: Vec::new(), all_told: true, told }
    }

    fn carry(mut self, state: &Folder, signals: &Deferral) -> Result<bool, Error> {
        for name in state.names()? {
            let name = name.to_string_lossy().into_owned();
            let Some(item) = Item::load(state, &name) else {
                state.remove(&name)?;
                continue;
            };
            // A hook whose run is cut short is not run again.
            let _waiting = signals.hold();
            self.one(state, &name, item)?;
        }
        Ok(self.all_told)
    }

    fn one(&mut self, state: &Folder, name: &str, mut item: Item) -> Result<(), Error> {
        if !item.hooks_done {
            // Marked before: a hook that takes this process down with it must not do so for ever.
            item.hooks_done = true;
            item.save(state, name)?;
            self.hooks.run(&item.event);
        }
        if self.post(&mut item, clock::now()) {
            state.remove(name)?;
        } else {
            self.all_told = false;
            item.save(state, name)?;
        }
        Ok(())
    }

    /// Posts to the link's webhook; says whether the event needs nothing more.
    fn post(&mut self, item: &mut Item, now: Timestamp) -> bool {
        if !item.event.for_people {
            return true;
        }
        let link = self.links.iter().find(|link| link.name == item.event.link);
        let Some((link, address)) =
            link.and_then(|link| Some((link, link.notify_webhook.as_ref()?)))
        else {
            return true;
        };
        if item.is_put_off(now) {
            return false;
        }
        if let Some((_, next)) = self.failed.iter().find(|(name, _)| *name == link.name) {
            item.next = Some(*next);
            return item.is_over(now);
        }
        if let Some(moment) = self.told.until(&item.event, now) {
            item.wait_until(moment);
            return false;
        }
        let why = match webhook::post(address, link.notify_format, &item.event) {
            Ok(()) => {
                self.told.remember(&item.event, now);
                return true;
            }
            Err(why) => why,
        };
        let next = item.put_off(now);
        if item.is_over(now) {
            log::error!(
                MESSAGE_ID = messages::id("webhook"), link = link.name.as_str();
                "{}: the webhook was not told for a day, and is not any more: {why}",
                link.name
            );
            return true;
        }
        let (id, name) = (messages::id("webhook"), link.name.as_str());
        log::warn!(MESSAGE_ID = id, link = name; "{name}: the webhook was not told: {why}: trying again at {next}");
        self.failed.push((link.name.clone(), next));
        false
    }
}

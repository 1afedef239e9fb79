//! Tells people: runs the hooks and posts to the webhook for every event that was left.
//!
//! An event is taken over into the state directory before it leaves the queue, and stays there until every
//! hook succeeded and the webhook took it, or a newer event replaces it: a killed run tells somebody twice
//! rather than nobody.

pub(crate) mod event;
mod failing;
mod hooks;
mod outbox;
mod told;
mod webhook;

use std::path::Path;

pub(crate) use failing::troubles;

use log::Level;

use crate::app::context::{self, Ground, Places};
use crate::app::error::Error;
use crate::app::notify::event::{Event, is_of_kind};
use crate::app::notify::hooks::Hooks;
use crate::app::notify::outbox::{Item, Owed};
use crate::app::notify::told::Told;
use crate::app::state::link_state::STATE_LIMIT;
use crate::app::state::record;
use crate::domain::config::settings::Webhook;
use crate::domain::config::{Config, DEFAULT, Problem};
use crate::domain::messages;
use crate::domain::time::Timestamp;
use crate::os::clock;
use crate::os::event::signals::Deferral;
use crate::os::fs::dir::Folder;
use crate::os::lock::advisory::Lock;
use crate::os::queue::Queue;

/// The folder in the state directory that holds what still has to be told.
pub(crate) const FOLDER: &str = "notify";

/// The folder in the state directory that holds when people were told what.
const TOLD: &str = "told";

/// What stands for the webhooks of a link whose configuration has errors.
const UNKNOWN: &str = "webhook";

/// Tells everything that waits, with `at_once` also what failed a moment ago; returns whether all of it was
/// told.
pub(crate) fn run(places: &Places, at_once: bool) -> Result<bool, Error> {
    let ground = Ground::open(places)?;
    // Waited for: an event that came while another run was at its end would else be left.
    let _lock = Lock::wait(&places.run_dir, "notify")?;
    let state = ground.folder(FOLDER)?;
    let queue = Queue::Notify.open(&places.run_dir)?;
    let signals = Deferral::prepare(&places.run_dir)?;
    let mut all_told = true;
    // Which hooks are refused is said once, however many events there are.
    let mut level = Level::Error;
    loop {
        take_over(&queue, &state)?;
        let told = Told::in_folder(ground.folder(TOLD)?);
        let hooks = Hooks::find(&places.config_dir, level);
        level = Level::Debug;
        all_told &= Round::new(places, hooks, told, at_once).carry(&state, &signals)?;
        if queue.names()?.is_empty() {
            return Ok(all_told);
        }
    }
}

/// What became of a test through one channel.
#[derive(Debug)]
pub(crate) struct Tried {
    /// Which one.
    pub(crate) channel: String,
    /// How it was taken, or why it was not.
    pub(crate) outcome: Result<String, String>,
}

/// Sends a test by the webhook of each link, or of the one named, and to each hook; nothing is queued or tried again.
pub(crate) fn test(places: &Places, only: Option<&str>) -> Result<Vec<Tried>, Error> {
    let (links, problems) = context::sound_links(&places.config_dir, only)?;
    if links.is_empty() && !problems.is_empty() {
        return Err(Error::Configuration(problems));
    }
    let mut tried = Vec::new();
    for link in &links {
        for (name, webhook) in webhook::named(&link.notify_webhooks) {
            let answer = webhook::send(webhook, &Event::test(&link.name), clock::now());
            let outcome = answer.map(|status| format!("it was taken with status {status}"));
            let channel = format!("{}: {name}", link.name);
            tried.push(Tried { channel, outcome: outcome.map_err(|refusal| refusal.why) });
        }
    }
    let hooks = Hooks::find(&places.config_dir, Level::Error);
    let link = links.first().map_or(DEFAULT, |link| link.name.as_str());
    for hook in hooks.all() {
        let outcome = hooks.run(hook, &Event::test(link)).map(|()| "it succeeded".to_owned());
        tried.push(Tried { channel: format!("hook '{hook}'"), outcome });
    }
    Ok(tried)
}

/// Whether nothing waits to be sent.
pub(crate) fn is_idle(places: &Places) -> bool {
    let waiting = places.run_dir.join(Queue::Notify.folder_name());
    let folders = [waiting, places.state_dir.join(FOLDER)].map(|path| Folder::reach(&path));
    folders.iter().flatten().all(|folder| folder.names().is_ok_and(|names| names.is_empty()))
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
            item.replace(&waiting);
        } else if waiting.is_overtaken_by(&item.event) {
            item.stand_for(&waiting);
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
    /// The configuration; none where it cannot be read.
    config: Option<Config>,
    /// Webhooks that have failed in this pass, or want to be left alone: the others in the line wait with the first.
    failed: Vec<(String, Timestamp)>,
    all_told: bool,
    told: Told,
    /// Whether what was put off is tried too.
    at_once: bool,
}

impl Round {
    fn new(places: &Places, hooks: Hooks, told: Told, at_once: bool) -> Self {
        // Faults of the configuration are told by those who watch it; good links are used.
        let config = context::configuration(&places.config_dir).ok();
        Self { hooks, config, failed: Vec::new(), all_told: true, told, at_once }
    }

    fn carry(mut self, state: &Folder, signals: &Deferral) -> Result<bool, Error> {
        let mut items = Vec::new();
        for name in state.names()? {
            let name = name.to_string_lossy().into_owned();
            match Item::load(state, &name) {
                Some(item) => items.push((name, item)),
                None => drop(state.remove(&name)?),
            }
        }
        if !self.at_once {
            let now = clock::now();
            self.failed = items.iter().flat_map(|(_, item)| item.wishes(now)).collect();
        }
        for (name, item) in items {
            // Nobody ends a hook but its time limit.
            let _waiting = signals.hold();
            self.one(state, &name, item)?;
        }
        Ok(self.all_told)
    }

    fn one(&mut self, state: &Folder, name: &str, mut item: Item) -> Result<(), Error> {
        self.run_hooks(state, name, &mut item)?;
        item.is_posted = item.is_posted || self.post(&mut item, clock::now());
        if item.is_done() {
            state.remove(name)?;
        } else {
            self.all_told = false;
            item.save(state, name)?;
        }
        Ok(())
    }

    /// Runs the hooks that have not succeeded yet and are due.
    fn run_hooks(&self, state: &Folder, name: &str, item: &mut Item) -> Result<(), Error> {
        if !item.hooks_listed {
            item.hooks = self.hooks.all().map(|hook| (hook.clone(), Owed::default())).collect();
            item.hooks_listed = true;
        }
        let hooks: Vec<String> = item.hooks.keys().cloned().collect();
        for hook in hooks {
            let now = clock::now();
            let Some(owed) = item.hooks.get_mut(&hook) else { continue };
            match owed.cut_short() {
                _ if self.hooks.lacks(&hook) => {
                    item.hooks.remove(&hook);
                    continue;
                }
                Some(true) => drop(owed.fail("its run was cut short", now)),
                Some(false) => {
                    log::error!(MESSAGE_ID = messages::id("hook-failed"); "the hook '{hook}' was cut short twice, and is not run again for this event");
                    item.hooks.remove(&hook);
                    continue;
                }
                None => {}
            }
            if owed.retry.is_put_off(now) && !self.at_once {
                continue;
            }
            // Marked before: a hook may take this process down with it.
            owed.begin(now);
            item.save(state, name)?;
            match (self.hooks.run(&hook, &item.event), item.hooks.get_mut(&hook)) {
                (Err(why), Some(owed)) => {
                    self.hooks.say_failed(&hook, &why);
                    owed.fail(&why, clock::now());
                }
                _ => drop(item.hooks.remove(&hook)),
            }
        }
        Ok(())
    }

    /// Sends it to the link's webhooks; returns whether they need nothing more.
    fn post(&mut self, item: &mut Item, now: Timestamp) -> bool {
        if !item.event.for_people {
            return true;
        }
        let links = self.config.as_ref().map(|config| config.links.as_slice()).unwrap_or_default();
        let Some(link) = links.iter().find(|link| link.name == item.event.link) else {
            return self.has_no_link(item, now);
        };
        let webhooks = link.notify_webhooks.clone();
        let keys: Vec<String> = webhooks.iter().map(webhook::key).collect();
        item.webhooks.retain(|key, _| keys.contains(key));
        let left = webhook::named(&webhooks).zip(keys);
        left.fold(true, |is_done, (to, key)| self.post_to(item, to, &key, now) && is_done)
    }

    /// Sends it to one of them; returns whether that needs nothing more.
    fn post_to(
        &mut self,
        item: &mut Item,
        (name, webhook): (String, &Webhook),
        key: &str,
        now: Timestamp,
    ) -> bool {
        if item.told.contains(key) {
            return true;
        }
        let posting = item.webhooks.entry(key.to_owned()).or_default();
        posting.name = name;
        if posting.is_put_off(now) && !self.at_once {
            return false;
        }
        if let Some((_, next)) = self.failed.iter().find(|(failed, _)| failed == key) {
            posting.retry.next = Some(*next);
            return false;
        }
        if let Some(moment) = self.told.until(&item.event, key, now) {
            posting.wait_until(moment);
            return false;
        }
        let Err(refusal) = webhook::send(webhook, &item.event, item.since) else {
            self.told.remember(&item.event, key, now);
            item.webhooks.remove(key);
            item.told.insert(key.to_owned());
            return true;
        };
        let next = posting.put_off(&refusal.why, refusal.wish, now);
        let (id, link, why) = (messages::id("webhook"), item.event.link.as_str(), refusal.why);
        log::warn!(MESSAGE_ID = id, link = link; "{link}: the {} was not told: {why}: trying again at {next}", posting.name);
        self.failed.push((key.to_owned(), next));
        false
    }

    /// Returns whether the event's link is gone, and does not merely have a file that cannot be read.
    fn has_no_link(&self, item: &mut Item, now: Timestamp) -> bool {
        let is_of_link = |problem: &Problem| problem.is_of(&item.event.link);
        let config = self.config.as_ref();
        if config.is_some_and(|config| !config.problems.iter().any(is_of_link)) {
            return true;
        }
        let posting = item.webhooks.entry(UNKNOWN.to_owned()).or_default();
        UNKNOWN.clone_into(&mut posting.name);
        if self.at_once || !posting.is_put_off(now) {
            posting.put_off("the configuration of the link has errors", None, now);
        }
        false
    }
}

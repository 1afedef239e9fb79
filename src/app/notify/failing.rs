//! Hooks that failed and webhooks that did not take an event, for whoever looks at the service.

use crate::app::context::Places;
use crate::app::notify::FOLDER;
use crate::app::notify::outbox::Item;
use crate::domain::hints::{files, ours};
use crate::domain::retry::Retry;
use crate::domain::units::Trouble;
use crate::os::error::Error;
use crate::os::fs::dir::Folder;

/// What did not take its events.
#[derive(Debug, PartialEq, Eq)]
enum Receiver {
    /// A hook, by its name.
    Hook(String),
    /// A webhook of a link, by what it is called.
    Webhook(String, String),
}

/// A receiver, with the newest event that it did not take.
struct Failing {
    receiver: Receiver,
    event: String,
    link: String,
    retry: Retry,
    /// How many earlier events wait besides.
    others: usize,
}

/// Lists what failed and is tried again, for all links or for the one named.
pub(crate) fn troubles(places: &Places, only: Option<&str>) -> Vec<Trouble> {
    match failing(places, only) {
        Ok(failing) => failing.into_iter().map(|one| one.trouble(places)).collect(),
        Err(error) if error.is_absent() => Vec::new(),
        Err(error) => {
            let text = format!("it is not known whether hooks and webhooks work: {error}");
            let list = files::list(&places.state_dir.join(FOLDER));
            let trouble = Trouble::threatens("messages-unknown", text, list);
            vec![trouble.hidden_by("it is not known whether hooks and webhooks work")]
        }
    }
}

fn failing(places: &Places, only: Option<&str>) -> Result<Vec<Failing>, Error> {
    let folder = Folder::reach(&places.state_dir.join(FOLDER))?;
    let mut all: Vec<Failing> = Vec::new();
    for name in folder.names()?.iter().filter_map(|name| name.to_str()) {
        // One that a run has just removed is done.
        let Some(item) = Item::load(&folder, name) else { continue };
        if only.is_some_and(|only| only != item.event.link) {
            continue;
        }
        for (receiver, retry) in failures(&item) {
            let (event, link) = (item.event.name.clone(), item.event.link.clone());
            let others = all.iter().position(|other| other.receiver == receiver);
            let others = others.map_or(0, |at| all.remove(at).others + 1);
            all.push(Failing { receiver, event, link, retry, others });
        }
    }
    Ok(all)
}

/// What of an event failed, and how.
fn failures(item: &Item) -> Vec<(Receiver, Retry)> {
    let hooks = item.hooks.iter().map(|(name, owed)| (Receiver::Hook(name.clone()), &owed.retry));
    let link = &item.event.link;
    let webhooks = item
        .webhooks
        .values()
        .map(|posting| (Receiver::Webhook(link.clone(), posting.name.clone()), &posting.retry));
    let all = hooks.chain(webhooks).filter(|(_, retry)| retry.why.is_some());
    all.map(|(receiver, retry)| (receiver, retry.clone())).collect()
}

impl Failing {
    fn trouble(&self, places: &Places) -> Trouble {
        let (event, link) = (&self.event, &self.link);
        let (id, public, what) = match &self.receiver {
            Receiver::Hook(name) => {
                let path = places.config_dir.join("hooks.d").join(name);
                let path = path.display();
                let what = format!("the hook '{path}' failed for '{event}' of link '{link}'");
                ("hook-failing", "a hook failed", what)
            }
            Receiver::Webhook(_, name) => (
                "webhook-failing",
                "a webhook was not notified",
                format!("the {name} of link '{link}' was not notified of '{event}'"),
            ),
        };
        let why = self.retry.why.as_deref().unwrap_or_default();
        let tries = match self.retry.tries {
            1 => "once".to_owned(),
            tries => format!("{tries} times"),
        };
        let next = self.retry.next.map(|next| format!(", again at {next}")).unwrap_or_default();
        let others = match self.others {
            0 => String::new(),
            1 => ", 1 earlier event waits too".to_owned(),
            others => format!(", {others} earlier events wait too"),
        };
        let text = format!("{what}: {why}, tried {tries}{next}{others}");
        Trouble::threatens(id, text, ours::notify_now()).hidden_by(public)
    }
}

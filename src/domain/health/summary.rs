//! How a link's tokens and sinks are, whatever they are like: what a monitor shows of a sound link.

use serde::{Deserialize, Serialize};

use super::{Condition, View};
use crate::domain::login::LoginEnd;
use crate::domain::time::{Timestamp, in_words};

/// What a link is to look after, besides the login.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Scope {
    /// Sinks and the gateway.
    #[default]
    All,
    /// The files alone: `GATEWAY="none"`.
    Files,
    /// Nothing: `SINKS="none"`.
    Login,
}

/// One clause on the access token, one on the login and one on the sinks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Summary {
    /// When the access token ends, if there is one that can be passed on.
    pub(crate) expiry: Option<Timestamp>,
    /// Whether that is a setup-token.
    pub(crate) is_setup_token: bool,
    /// When the login itself ends.
    pub(crate) login_end: Option<LoginEnd>,
    /// How many sinks there are, and how many of them are up to date.
    pub(crate) sinks: (usize, usize),
    /// What it is to look after.
    #[serde(default)]
    pub(crate) scope: Scope,
}

impl Summary {
    /// Sums up what a link's state is judged by.
    pub(super) fn of(view: &View<'_>) -> Self {
        let credential = view.source.passable();
        let is_renewed = credential.is_some_and(|credential| credential.refresh_token.is_some());
        let counted = view.sinks.iter().filter(|sink| sink.condition != Condition::Absent);
        Self {
            expiry: credential.map(|credential| view.expiry.unwrap_or(credential.expiry)),
            is_setup_token: credential.is_some() && !is_renewed && view.renewed_by.is_none(),
            login_end: view.login_end.filter(|_| is_renewed),
            sinks: counted.fold((0, 0), |(all, in_step), sink| {
                (all + 1, in_step + usize::from(sink.condition == Condition::InStep))
            }),
            scope: view.scope,
        }
    }

    /// How long the access token works; a monitor draws it.
    pub(crate) fn left(&self, now: Timestamp) -> Option<u64> {
        self.expiry.map(|expiry| expiry.left(now).as_secs())
    }

    /// Puts it into words.
    pub(crate) fn text(&self, now: Timestamp) -> String {
        let mut parts = Vec::new();
        if let Some(expiry) = self.expiry {
            let what = if self.is_setup_token { "setup-token" } else { "access token" };
            parts.push(format!("{what} ends in {}", in_words(expiry.left(now))));
        }
        parts.extend(self.login_end.filter(|end| end.at > now).map(|end| {
            let about = if end.is_estimate { "about " } else { "" };
            format!("login ends in {about}{}", in_words(end.at.left(now)))
        }));
        if let (all @ 1.., in_step) = self.sinks {
            parts.push(format!("{in_step} of {all} sinks up to date"));
        }
        match self.scope {
            _ if self.expiry.is_none() => {}
            Scope::All => {}
            Scope::Files => parts.push("the gateway is left alone".to_owned()),
            Scope::Login => parts.push("the login alone is kept alive".to_owned()),
        }
        parts.join(", ")
    }
}

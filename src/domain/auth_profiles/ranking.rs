//! Which profile OpenClaw takes for anthropic: its `resolveAuthProfileOrder`, with two liberties.
//!
//! A profile that we may rewrite counts as usable, whatever it holds now. And cool-downs are passed
//! over, as is the turn among profiles of a type where one of them is ours: the choice of the
//! profile to rewrite must not move about.

use crate::domain::openclaw_config::OpenclawConfig;
use crate::domain::secret::Secret;

use super::OWN_PROFILE;
use super::store::{Kind, Profile, Store};

/// The rules of the order.
pub(super) struct Ranking<'a> {
    pub(super) config: &'a OpenclawConfig,
    pub(super) is_ours: &'a dyn Fn(&Secret) -> bool,
}

impl Ranking<'_> {
    /// The profile to rewrite; `None` if our own has to be added.
    ///
    /// Behind a foreign profile a token of ours is renewed where it stands: its place was a
    /// person's choice.
    pub(super) fn pick<'s>(&self, store: &'s Store) -> Option<&'s Profile> {
        let own = |profile: &&Profile| {
            self.may_rewrite(profile) && (profile.id == OWN_PROFILE || self.is_ours(profile))
        };
        self.first(store)
            .filter(|first| self.may_rewrite(first))
            .or_else(|| store.profiles.iter().find(own))
    }

    /// The profile that OpenClaw tries first.
    pub(super) fn first<'s>(&self, store: &'s Store) -> Option<&'s Profile> {
        let sorted = store.order.is_none() && self.config.order.is_none();
        let all = || store.profiles.iter().map(|profile| profile.id.clone()).collect();
        let base = explicit(store, self.config).unwrap_or_else(all);
        let usable = |ids: Vec<String>| {
            let known = ids.into_iter().filter_map(|id| store.profile(&id));
            known.filter(|profile| self.is_usable(profile)).collect::<Vec<_>>()
        };
        // A configuration that names only profiles which are gone is passed over.
        let gone = !base.is_empty() && base.iter().all(|id| store.profile(id).is_none());
        let names = self.config.profiles.iter().any(|profile| profile.anthropic);
        let usable = usable(if gone && names { all() } else { base }).into_iter();
        if sorted {
            return usable.min_by_key(|p| (p.kind, !self.is_ours(p), p.last_used));
        }
        usable.into_iter().next()
    }

    /// Says whether we may turn a profile into one of type `token`: it is anthropic's, it is no API
    /// key and no reference, and openclaw.json does not forbid the type.
    pub(super) fn may_rewrite(&self, profile: &Profile) -> bool {
        let foreign = profile.kind == Kind::ApiKey || profile.by_reference;
        profile.anthropic && !foreign && self.mode_allows(profile, &["token", "oauth"])
    }

    /// Says whether a profile holds a token that we have carried.
    pub(super) fn is_ours(&self, profile: &Profile) -> bool {
        profile.token.as_ref().is_some_and(self.is_ours)
    }

    fn is_usable(&self, profile: &Profile) -> bool {
        let foreign = match profile.kind {
            Kind::ApiKey => profile.has_key && self.mode_allows(profile, &["api_key"]),
            _ => profile.by_reference && self.mode_allows(profile, &["token", "oauth"]),
        };
        self.may_rewrite(profile) || profile.anthropic && foreign
    }

    /// The configured `mode` must be the type, or `oauth` for a token; else the profile is skipped.
    fn mode_allows(&self, profile: &Profile, modes: &[&str]) -> bool {
        let configured = self.config.profile(&profile.id);
        configured.is_none_or(|said| said.anthropic && modes.contains(&said.mode.as_str()))
    }
}

/// The order that somebody has set: in the store, else in openclaw.json.
pub(super) fn explicit(store: &Store, config: &OpenclawConfig) -> Option<Vec<String>> {
    let of_store = store.order.as_ref().map(|order| order.ids.clone());
    of_store.or_else(|| configured(config))
}

/// The order that openclaw.json comes to: `auth.order`, else the profiles that it names.
pub(super) fn configured(config: &OpenclawConfig) -> Option<Vec<String>> {
    let named = config.profiles.iter().filter(|profile| profile.anthropic);
    let named: Vec<String> = named.map(|profile| profile.id.clone()).collect();
    config.order.clone().or_else(|| Some(named).filter(|named| !named.is_empty()))
}

//! What each era allows, needs and forbids: the table of sinks as a rule.

use crate::domain::sink::SinkKind;

use super::{Era, Verdict, Version};

/// What stands in the state directory, as far as the choice of sinks depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trace {
    /// `credentials/oauth.json`.
    OauthJson,
    /// The `auth-profiles.json` of any agent.
    AuthProfiles,
    /// An unexpired anthropic profile, or one of ours, in one of them.
    LivingProfile,
    /// A line with our key in the `.env`.
    EnvKey,
    /// `paste-token` cannot be run, or its first call still waits for a consent.
    PasteBarred,
}

/// A sink that `SINKS="auto"` writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    /// Which one.
    pub(crate) kind: SinkKind,
    /// Whether it is made where it does not stand yet: the file, and the line of an `env`.
    pub(crate) may_create: bool,
}

/// What a gateway needs before it uses what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    /// Its next turn uses it.
    Nothing,
    /// `openclaw secrets reload`.
    SecretsReload,
    /// A new process: the environment is read at its start alone.
    Recreate,
}

/// The sinks that `SINKS="auto"` stands for.
pub(crate) fn auto_sinks(verdict: &Verdict, traces: &[Trace]) -> Vec<Choice> {
    let stands = |trace| traces.contains(&trace);
    let choice = |kind, may_create| Choice { kind, may_create };
    if matches!(verdict.era, Era::Imported | Era::Guarded) {
        let mut sinks = vec![choice(SinkKind::PasteToken, true)];
        // Profiles beat the environment: a new line helps only while none can be pasted.
        let main = stands(Trace::PasteBarred);
        if main || stands(Trace::EnvKey) {
            sinks.push(choice(SinkKind::Env, main));
        }
        return sinks;
    }
    let mut sinks = Vec::new();
    let told = verdict.program_says && verdict.era != Era::Unknown;
    let profiles = stands(Trace::AuthProfiles);
    if told || stands(Trace::LivingProfile) {
        if profiles {
            sinks.push(choice(SinkKind::AuthProfiles, false));
        }
        // Where no store stands yet, this seeds it: OpenClaw imports it once. Beside a store it is
        // kept fresh for the day when that store is lost.
        let seeds = told && !profiles;
        if seeds || stands(Trace::OauthJson) && verdict.era != Era::Unknown {
            sinks.push(choice(SinkKind::OauthJson, seeds));
        }
    }
    let carried = sinks.iter().any(|sink| sink.kind == SinkKind::AuthProfiles);
    sinks.push(choice(SinkKind::Env, !carried));
    sinks
}

/// Why a sink is not written even when it is listed, and what to do instead.
pub(crate) fn refusal(era: Era, kind: SinkKind, traces: &[Trace]) -> Option<&'static str> {
    use SinkKind::{AuthProfiles, OauthJson, PasteToken, SecretFile};
    match (era, kind) {
        (Era::Guarded, OauthJson) => Some(
            "OpenClaw 2026.8.1 and later refuses every provider while credentials/oauth.json stands: use paste-token",
        ),
        (Era::Guarded, AuthProfiles) => Some(
            "OpenClaw 2026.8.1 and later refuses the providers that an auth-profiles.json names: use paste-token",
        ),
        (Era::Imported, OauthJson) => Some(
            "ignored at runtime: OpenClaw 2026.6 and 2026.7 import oauth.json once and keep profiles in SQLite: use paste-token",
        ),
        (Era::Imported, AuthProfiles) => Some(
            "ignored at runtime: OpenClaw 2026.6 and 2026.7 keep profiles in SQLite: use paste-token",
        ),
        (Era::Live | Era::Snapshot, PasteToken) => Some(
            "before OpenClaw 2026.6.1 paste-token echoes the token and stores nothing: use auth-profiles",
        ),
        (Era::Live, SecretFile) => {
            Some("OpenClaw reads secret files from 2026.2.26 on: use auth-profiles")
        }
        (Era::Unknown, AuthProfiles) if traces.contains(&Trace::LivingProfile) => None,
        (Era::Unknown, OauthJson | AuthProfiles) => Some(
            "the version of OpenClaw is not known, and from 2026.8.1 on this file takes it down: set OPENCLAW_VERSION",
        ),
        (Era::Unknown, PasteToken) => Some(
            "the version of OpenClaw is not known, and before 2026.6.1 paste-token echoes the token: set OPENCLAW_VERSION",
        ),
        _ => None,
    }
}

/// What the gateway needs after these sinks changed.
///
/// An `env` value that a profile hides is unused: the caller leaves it out of `changed`.
pub(crate) fn gateway_need(verdict: &Verdict, changed: &[SinkKind]) -> Need {
    let wrote = |kind| changed.contains(&kind);
    let profile = wrote(SinkKind::AuthProfiles) || wrote(SinkKind::PasteToken);
    // A profile beats the environment, so that an env that changed with it asks for nothing.
    if wrote(SinkKind::Env) && (!profile || verdict.era == Era::Unknown) {
        return Need::Recreate;
    }
    if wrote(SinkKind::SecretFile) {
        return Need::SecretsReload;
    }
    let stored = profile || wrote(SinkKind::OauthJson);
    let told = verdict.version.is_some_and(|version| version >= Version::AUTH_REFRESH);
    match verdict.era {
        _ if !stored => Need::Nothing,
        Era::Live => Need::Nothing,
        Era::Guarded if told => Need::Nothing,
        _ => Need::SecretsReload,
    }
}

//! Works out what every sink of a link has to hold.
//!
//! Which sinks there are is chosen here; each kind of them is looked at in a file of its own.

pub(crate) mod env;
mod file;
pub(crate) mod former;
mod json;
mod pasted;
mod profiles;

use std::path::PathBuf;

use log::Level;

use crate::app::openclaw::{Batch, OpenClaw};
use crate::app::report::{Line, SinkReport, SinkState};
use crate::app::sync::sink_plan::Look;
use crate::app::sync::target::Wanted;
use crate::domain::config::settings::{Settings, Sinks};
use crate::domain::era::{self, Choice, Trace};
use crate::domain::sink::SinkKind;

/// Looks at every sink of a link, and of its agents at the first ones.
pub(crate) fn look(settings: &Settings, openclaw: &OpenClaw, wanted: &Wanted<'_>) -> Vec<Look> {
    if settings.sinks == Sinks::Listed(Vec::new()) {
        return Vec::new();
    }
    let env = env::Place::find(settings, openclaw, wanted.may_write);
    let (choices, traces) = choices(settings, openclaw, env.as_ref(), wanted);
    let mut looks = Vec::new();
    for choice in choices {
        let kind = choice.kind;
        if let Some(why) = era::refusal(openclaw.verdict.era, kind, &traces) {
            let state = SinkState::Refused(format!("{why} ({})", openclaw.verdict.because));
            looks.push(Look::settled(kind, path_of(kind, settings), state));
            continue;
        }
        match kind {
            SinkKind::OauthJson | SinkKind::SecretFile => {
                let path = path_of(kind, settings);
                looks.extend(path.map(|path| json::look(&path, choice, wanted)));
            }
            SinkKind::AuthProfiles => looks.extend(profiles::look(openclaw, choice, wanted)),
            SinkKind::Env => {
                looks.extend(env.as_ref().map(|env| env.look(settings, choice, wanted)));
            }
            SinkKind::PasteToken => looks.push(pasted::look(openclaw, wanted)),
        }
    }
    looks
}

/// Looks at the stores of further agents.
pub(crate) fn of_agents(
    settings: &Settings,
    openclaw: &OpenClaw,
    batch: &Batch,
    wanted: &Wanted<'_>,
) -> Vec<Look> {
    let env = env::Place::find(settings, openclaw, wanted.may_write);
    let (choices, traces) = choices(settings, openclaw, env.as_ref(), wanted);
    let kind = SinkKind::AuthProfiles;
    let is_meant = choices.iter().any(|choice| choice.kind == kind)
        && era::refusal(openclaw.verdict.era, kind, &traces).is_none();
    if !is_meant {
        return Vec::new();
    }
    profiles::of_agents(&batch.agents, &batch.barred, openclaw, wanted)
}

/// Names the agents' stores that cannot be reached, where no sink does: what stands there may come before
/// the token.
pub(crate) fn unreached(openclaw: &OpenClaw, sinks: &[SinkReport]) -> Vec<Line> {
    if sinks.is_empty() || sinks.iter().any(|sink| sink.kind == SinkKind::AuthProfiles) {
        return Vec::new();
    }
    let lines = openclaw.barred.iter().map(|error| {
        let text = format!("{error}: whether a profile there comes before the token is not known");
        let mut line = Line::remark(Level::Error, "unreachable", text);
        line.hint = error.command().cloned();
        line
    });
    lines.collect()
}

/// Which sinks there are to be, and what that depends on.
fn choices(
    settings: &Settings,
    openclaw: &OpenClaw,
    env: Option<&env::Place>,
    wanted: &Wanted<'_>,
) -> (Vec<Choice>, Vec<Trace>) {
    let has_key = env.is_some_and(|env| env.has_key(&settings.env_key));
    let mut traces = openclaw.traces(has_key);
    if pasted::is_barred(settings, openclaw, wanted) {
        traces.push(Trace::PasteBarred);
    }
    let choices = match &settings.sinks {
        Sinks::Auto => era::auto_sinks(&openclaw.verdict, &traces),
        Sinks::Listed(kinds) => {
            kinds.iter().map(|kind| Choice { kind: *kind, may_create: true }).collect()
        }
    };
    (choices, traces)
}

fn path_of(kind: SinkKind, settings: &Settings) -> Option<PathBuf> {
    match kind {
        SinkKind::OauthJson => settings.oauth_json.clone(),
        SinkKind::SecretFile => settings.secret_file.clone(),
        _ => None,
    }
}

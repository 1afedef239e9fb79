//! What a sync's report says besides its sinks: of OpenClaw as a whole, and of who can read the token.

use log::Level;

use crate::app::context::Ground;
use crate::app::openclaw::OpenClaw;
use crate::app::report::{Line, Report};
use crate::app::sync::exposure::{self, Exposed};
use crate::domain::acceptance::Memory;
use crate::domain::config::settings::Settings;
use crate::domain::hints::ours;
use crate::domain::time::Timestamp;
use crate::os::fingerprint;

/// How many of the agents that are too many are named.
const NAMED: usize = 20;

/// What is wrong with an OpenClaw as a whole.
pub(super) fn of_openclaw(settings: &Settings, openclaw: &OpenClaw) -> impl Iterator<Item = Line> {
    let reached = unreachable(openclaw).into_iter().chain(not_understood(openclaw));
    reached.chain(too_many(settings, openclaw))
}

/// Says what rests.
pub(super) fn of_pause(settings: &Settings, now: Timestamp) -> Option<Line> {
    let pause = settings.pause_at(now)?;
    let mut line = Line::remark(Level::Info, "paused", pause.in_words());
    line.hint = Some(ours::resume(&settings.name));
    Some(line)
}

/// Says that the state folder cannot be opened; without it there is nowhere to carry the token to.
fn unreachable(openclaw: &OpenClaw) -> Option<Line> {
    let Some(Err(error)) = &openclaw.state else { return None };
    let text = format!("{error}: skipped");
    let mut line = Line::remark(Level::Error, "unreachable", text);
    line.hint = error.command().cloned();
    Some(line)
}

/// Says that openclaw.json is not understood: nothing is concluded from it, and nothing from its
/// silence.
fn not_understood(openclaw: &OpenClaw) -> Option<Line> {
    let file = openclaw.config_file.as_ref()?;
    let (path, why) = (file.path.display(), file.fault.as_ref()?);
    let text = format!(
        "'{path}' is not understood: {why}: which version OpenClaw has and which profile it uses is not known"
    );
    Some(Line::remark(Level::Error, "openclaw-config", text))
}

/// Names the agents beyond `MAX_AGENTS`.
fn too_many(settings: &Settings, openclaw: &OpenClaw) -> Option<Line> {
    let (most, beyond) = (settings.max_agents, &openclaw.rest.beyond);
    let named: Vec<_> = beyond.iter().take(NAMED).map(String::as_str).collect();
    let more = match beyond.len() {
        0 => return None,
        count if count > NAMED => format!(" and {} more", count - NAMED),
        _ => String::new(),
    };
    let text = format!(
        "there are more agents than MAX_AGENTS ({most}): those beyond it keep their old token: {}{more}",
        named.join(", ")
    );
    let mut line = Line::remark(Level::Error, "too-many-agents", text);
    let all = u32::try_from(most + beyond.len()).unwrap_or(u32::MAX);
    line.hint = Some(ours::set(&settings.name, "MAX_AGENTS", &all.to_string()));
    Some(line)
}

/// Names the files with the token that others can read; a sync does it once for as long as they stay the same.
pub(super) fn of_readers(
    ground: &Ground,
    settings: &Settings,
    report: &Report,
    memory: &mut Memory,
    may_write: bool,
) -> Vec<Line> {
    let found = exposure::look(settings, report);
    let mut lines: Vec<Line> = found.files.iter().map(Exposed::line).collect();
    lines.extend(found.unlisted.into_iter().map(|error| {
        let text = format!("{error}: copies of the token in it are not looked for");
        Line::remark(Level::Warn, exposure::READABLE, text)
    }));
    if !may_write {
        return lines;
    }
    let meanings: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    let digest = (!lines.is_empty()).then(|| fingerprint::of_name(&meanings.join("\0")));
    if memory.told_readable == digest {
        return Vec::new();
    }
    memory.told_readable = digest;
    ground.save(settings, memory);
    lines
}

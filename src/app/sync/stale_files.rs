//! Takes our own retired files out of the way of an OpenClaw that would choke on them.

use std::path::Path;

use log::Level;

use crate::app::context::Ground;
use crate::app::openclaw::{Agent, OpenClaw};
use crate::app::report::Line;
use crate::domain::acceptance::Memory;
use crate::domain::era::Era;
use crate::domain::secret::Secret;
use crate::domain::{auth_profiles, oauth_json};
use crate::os::fs::dir::Folder;

/// What is put behind the name of a file that was moved aside.
const SUFFIX: &str = ".retired-by-oauth-sync";

/// Moves aside every retired store that holds nothing but our own token; one that holds more is a
/// person's to decide on, and is named.
pub(crate) fn harmful_files(
    openclaw: &OpenClaw,
    ground: &Ground,
    memory: &Memory,
    may_write: bool,
) -> Vec<Line> {
    if !matches!(openclaw.verdict.era, Era::Imported | Era::Guarded) {
        return Vec::new();
    }
    let is_ours = |token: &Secret| memory.knows(ground.fingerprinter.of(token));
    let harmful = openclaw.verdict.era == Era::Guarded;
    let mut lines = Vec::new();
    if openclaw.has_oauth_json
        && let Some(folder) = credentials(openclaw)
    {
        let ours = |text: &str| oauth_json::only(text, &is_ours);
        lines.extend(one(&folder, "oauth.json", ours, harmful, may_write));
    }
    // 2026.6.1 still keeps what was pasted in there, beside its state/openclaw.sqlite; the later ones
    // that ignore it take no harm from it.
    if harmful {
        openclaw.each_agent(|agent| {
            let ours = |text: &str| auth_profiles::only(text, &is_ours);
            if has_profiles(agent) {
                lines.extend(one(&agent.folder, "auth-profiles.json", ours, harmful, may_write));
            }
        });
    }
    lines
}

fn credentials(openclaw: &OpenClaw) -> Option<Folder> {
    openclaw.folder()?.enter(Path::new("credentials")).ok()
}

fn has_profiles(agent: &Agent) -> bool {
    matches!(agent.profiles, Ok(Some(_)))
}

fn one(
    folder: &Folder,
    name: &str,
    ours: impl Fn(&str) -> bool,
    harmful: bool,
    may_write: bool,
) -> Option<Line> {
    let path = folder.path.join(name).display().to_string();
    let seen = folder.read(name, crate::app::openclaw::SIZE_LIMIT).ok().flatten();
    let only_ours = seen.is_some_and(|seen| std::str::from_utf8(&seen.bytes).is_ok_and(&ours));
    if !only_ours {
        let text = format!(
            "'{path}' makes this OpenClaw refuse to work, and it holds more than our token"
        );
        let mut line = Line::remark(Level::Error, "harmful", text);
        line.hint = Some("run 'openclaw doctor --fix' as its user: it imports the file and renames it; it may also switch skills off in openclaw.json".into());
        return harmful.then_some(line);
    }
    if !may_write {
        let text = format!("'{path}' is retired in this OpenClaw and would be moved aside");
        return Some(Line::remark(Level::Warn, "retired", text));
    }
    match folder.rename(name, &format!("{name}{SUFFIX}")) {
        Ok(()) => {
            let text = format!(
                "moved '{path}' aside, since this OpenClaw has retired it: restart the gateway if it refuses to work"
            );
            let mut line = Line::remark(Level::Warn, "retired", text);
            line.is_deed = true;
            Some(line)
        }
        Err(error) => {
            let text = format!("{error}: OpenClaw refuses to work while it is there");
            Some(Line::remark(Level::Error, "harmful", text))
        }
    }
}

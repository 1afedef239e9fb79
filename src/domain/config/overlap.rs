//! Finds files that would be written twice: by two links, or as a sink and a source at once.

use std::path::{Path, PathBuf};

use crate::domain::config::settings::{Settings, Sinks};
use crate::domain::sink::SinkKind;

/// A place that a link may write, and the key that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) path: PathBuf,
    pub(super) key: &'static str,
}

/// Two uses of one place: the later key, and the earlier one.
pub(super) struct Overlap {
    pub(super) ours: Target,
    pub(super) theirs: &'static str,
}

/// Finds the first place that one link would use twice.
pub(super) fn within(link: &Settings) -> Option<Overlap> {
    let mut seen = vec![source(link)];
    for ours in targets(link) {
        if let Some(other) = seen.iter().find(|other| other.path == ours.path) {
            return Some(Overlap { ours, theirs: other.key });
        }
        seen.push(ours);
    }
    None
}

/// Finds the first place that `link` would use and `other` uses already.
pub(super) fn between(link: &Settings, other: &Settings) -> Option<Overlap> {
    let (sinks, source, theirs) = (targets(link), source(link), targets(other));
    let shared = |ours: &Target, theirs: &[Target]| {
        let found = theirs.iter().find(|theirs| theirs.path == ours.path)?;
        Some(Overlap { ours: ours.clone(), theirs: found.key })
    };
    // Two links may read one source: one login for two OpenClaws.
    shared(&source, &theirs)
        .or_else(|| sinks.iter().find_map(|ours| shared(ours, &theirs)))
        .or_else(|| sinks.iter().find_map(|ours| shared(ours, &[self::source(other)])))
}

fn source(link: &Settings) -> Target {
    Target { path: link.claude_credentials.clone(), key: "CLAUDE_CREDENTIALS" }
}

/// Lists what the link's sinks could write; OpenClaw's own stores stand as the state folder.
fn targets(link: &Settings) -> Vec<Target> {
    let auto = [SinkKind::AuthProfiles, SinkKind::OauthJson, SinkKind::Env];
    let kinds = match &link.sinks {
        Sinks::Auto => &auto[..],
        Sinks::Listed(kinds) => kinds,
    };
    let mut targets: Vec<Target> = Vec::new();
    for kind in kinds {
        for target in places(link, *kind) {
            if !targets.contains(&target) {
                targets.push(target);
            }
        }
    }
    targets
}

fn places(link: &Settings, kind: SinkKind) -> Vec<Target> {
    let state_dir = link.openclaw_state_dir.as_deref();
    let named = |path: Option<&Path>, key| path.map(|path| Target { path: path.into(), key });
    let env = |folder: Option<&Path>, key| named(folder.map(|at| at.join(".env")).as_deref(), key);
    let found = match kind {
        SinkKind::OauthJson => [named(link.oauth_json.as_deref(), "OAUTH_JSON"), None],
        SinkKind::SecretFile => [named(link.secret_file.as_deref(), "SECRET_FILE"), None],
        SinkKind::AuthProfiles | SinkKind::PasteToken => {
            [named(state_dir, "OPENCLAW_STATE_DIR"), None]
        }
        SinkKind::Env if link.env_file.is_some() => {
            [named(link.env_file.as_deref(), "ENV_FILE"), None]
        }
        // Which of the two it is depends on the disk: either may be written.
        SinkKind::Env => {
            let compose = env(link.compose_dir.as_deref(), "COMPOSE_DIR");
            [compose, env(state_dir, "OPENCLAW_STATE_DIR")]
        }
    };
    found.into_iter().flatten().collect()
}

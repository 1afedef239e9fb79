//! Finds Claude logins on the host.

use std::path::{Path, PathBuf};

use crate::app::detect::homes::Home;
use crate::app::detect::tree::Tree;
use crate::app::detect::units::Hint;
use crate::app::source;
use crate::domain::detection::{Cli, Findings, Login};
use crate::domain::source::Source;
use crate::domain::time::Timestamp;

const FILE: &str = ".credentials.json";

/// Adds every login of the homes and of the folders that units name.
pub(crate) fn find(
    tree: &Tree,
    homes: &[Home],
    hints: &[Hint],
    now: Timestamp,
    findings: &mut Findings,
) {
    let of_homes = homes.iter().map(|home| home.path.join(".claude"));
    let named = hints.iter().filter(|hint| hint.variable == "CLAUDE_CONFIG_DIR");
    let mut folders: Vec<PathBuf> = of_homes.chain(named.map(|hint| hint.folder.clone())).collect();
    folders.sort();
    folders.dedup();
    for folder in folders {
        one(tree, homes, &folder.join(FILE), now, findings);
    }
}

fn one(tree: &Tree, homes: &[Home], path: &Path, now: Timestamp, findings: &mut Findings) {
    let state = source::look(&tree.place(path), now);
    let shown = path.display();
    match &state {
        Source::Absent => return,
        Source::Foreign(reason) => return findings.rejected.push(format!("'{shown}': {reason}")),
        Source::Unreadable(message, _) => return findings.rejected.push(message.clone()),
        _ => {}
    }
    match tree.control(path) {
        Ok(control) => {
            let home = homes.iter().find(|home| path.starts_with(&home.path));
            let cli = home.and_then(|home| claude(tree, home)).map_or(Cli::None, Cli::Host);
            let login = Login {
                path: path.to_owned(),
                control,
                state: state.name(),
                cli,
                warnings: Vec::new(),
            };
            findings.logins.push(login);
        }
        Err(error) => findings.rejected.push(error.to_string()),
    }
}

/// Where installers put Claude CLI, in the order in which a user's PATH would find it.
fn claude(tree: &Tree, home: &Home) -> Option<PathBuf> {
    let of_user = [".local/bin/claude", ".claude/local/claude", ".npm-global/bin/claude"];
    let of_user = of_user.map(|below| home.path.join(below));
    let of_host = ["/usr/local/bin/claude", "/usr/bin/claude"].map(PathBuf::from);
    let nvm = home.path.join(".nvm/versions/node");
    let versions =
        tree.names(&nvm).into_iter().rev().map(|version| nvm.join(version).join("bin/claude"));
    of_user.into_iter().chain(of_host).chain(versions).find(|path| tree.has(path))
}

//! The Claude CLI: missing, moved, of a version nobody has tried, or kept from renewing.

use crate::app::doctor::{Case, Finding, Patient};
use crate::app::refresh::find_claude::{self, User};
use crate::domain::claude_cli::{self, Version};
use crate::domain::config::settings::{ClaudeCli, Method};
use crate::domain::shell;
use crate::os::folder::Folder;

/// The versions whose way of renewing was seen, the oldest and the newest.
const TRIED: (Version, Version) = (Version([1, 0, 44]), Version([2, 1, 999]));

/// The most that is read of a settings file, in bytes.
const SETTINGS_LIMIT: u64 = 1 << 20;

/// Looks at the CLI and its settings, as far as the link uses it.
pub(super) fn look(patient: &Patient<'_>, case: &Case<'_>) -> Vec<Finding> {
    let by_cli = case.settings.refresh.contains(&Method::Cli);
    let Some(config) = case.settings.claude_credentials.parent() else { return Vec::new() };
    let Ok(config) = Folder::reach(config) else { return Vec::new() };
    let mut findings = Vec::new();
    if by_cli && let ClaudeCli::Host { path } = &case.settings.claude_cli {
        findings.extend(program(patient, case, path.as_deref(), &config));
    }
    let names = ["settings.json", "settings.local.json"];
    findings.extend(names.iter().filter_map(|name| settings(&config, name)));
    findings
}

fn program(
    patient: &Patient<'_>,
    case: &Case<'_>,
    configured: Option<&std::path::Path>,
    config: &Folder,
) -> Option<Finding> {
    let user = User::owning(config);
    let install = match user.identity.uid {
        0 => "npm install -g @anthropic-ai/claude-code".to_owned(),
        uid => format!(
            "{}npm install -g --prefix {} @anthropic-ai/claude-code",
            patient.run_as(uid),
            shell::path(&user.home.join(".npm-global"))
        ),
    };
    match find_claude::find(configured, &user) {
        Ok(claude) => {
            let version = claude.version?;
            let place = claude.path.display();
            if version < TRIED.0 {
                let meaning = format!(
                    "'{place}' is version {version}, older than any that was tried: it may not renew"
                );
                return Some(Finding::warning(
                    "cli-version-old",
                    meaning,
                    format!("{install}@latest"),
                ));
            }
            (version > TRIED.1).then(|| {
                let meaning = format!(
                    "'{place}' is version {version}, newer than any that was tried: a renewal still counts only once it is on the disk"
                );
                let command = format!("oauth-sync refresh --force --link {}", shell::quoted(&case.report.link));
                Finding::note("cli-version-unknown", meaning, command)
            })
        }
        Err(_) if configured.is_some() && find_claude::find(None, &user).is_ok() => {
            let path = configured.map(|path| path.display().to_string()).unwrap_or_default();
            let meaning = format!(
                "CLAUDE_CLI_PATH '{path}' is no program any more: an update moved it, and it is found again where the key is not set"
            );
            let command =
                format!("sed -i '/^CLAUDE_CLI_PATH=/d' {}", shell::path(&case.settings.file));
            Some(Finding::error("cli-moved", meaning, command))
        }
        Err(outcome) => {
            let why = outcome.cause().unwrap_or_default().to_owned();
            let others = case.settings.refresh.len() > 1;
            let meaning = format!("{why}: the CLI cannot renew the login");
            Some(if others {
                Finding::warning("cli-missing", meaning, install)
            } else {
                Finding::error("cli-missing", meaning, install)
            })
        }
    }
}

/// A setting that keeps the CLI from renewing; renamed, so that the file stays JSON and a person
/// finds the value again.
fn settings(config: &Folder, name: &str) -> Option<Finding> {
    let seen = config.read(name, SETTINGS_LIMIT).ok()??;
    let variable = claude_cli::blocker(std::str::from_utf8(&seen.bytes).ok()?)?;
    let path = config.path.join(name);
    let meaning = format!(
        "'{}' sets {variable}: Claude CLI then uses that instead of the login and never renews it",
        path.display()
    );
    let command =
        format!("sed -i 's/\"{variable}\"/\"UNUSED_{variable}\"/' {}", shell::path(&path));
    Some(Finding::error("env-token-in-settings", meaning, command))
}

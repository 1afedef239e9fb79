//! The Claude CLI: missing, moved, of a version nobody has tried, or kept from renewing.

use crate::app::doctor::{Case, Finding, Patient};
use crate::app::refresh::cli::locate::{self, Claude, User};
use crate::app::setup::npm_install as installer;
use crate::domain::claude_cli::{self, Version};
use crate::domain::config::settings::{ClaudeCli, Method, Override};
use crate::domain::hints::{files, host, ours};
use crate::domain::shell::Hint;
use crate::os::fs::dir::Folder;

/// The versions whose way of renewing was seen, the oldest and the newest.
const TRIED: (Version, Version) = (Version([1, 0, 44]), Version([2, 1, 999]));

/// What npm calls it.
const PACKAGE: &str = "@anthropic-ai/claude-code";

/// Its newest version.
const LATEST: &str = "@anthropic-ai/claude-code@latest";

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
    let keeps_base_url = by_cli && case.settings.base_url_override == Override::No;
    if keeps_base_url && names.iter().any(|name| names_base_url(&config, name)) {
        findings.push(base_url_kept(case));
    }
    findings
}

fn program(
    patient: &Patient<'_>,
    case: &Case<'_>,
    configured: Option<&std::path::Path>,
    config: &Folder,
) -> Option<Finding> {
    let user = User::owning(config);
    let install = |package| install(patient, &user, package);
    match locate::find(configured, &user) {
        Ok(claude) => untried(case, &claude, install),
        Err(_) if configured.is_some() && locate::find(None, &user).is_ok() => {
            let path = configured.map(|path| path.display().to_string()).unwrap_or_default();
            let meaning = format!(
                "CLAUDE_CLI_PATH '{path}' is no program any more: an update moved it, and it is found again where the key is not set"
            );
            Some(Finding::error("cli-moved", meaning, case.set("CLAUDE_CLI_PATH", "")))
        }
        Err(outcome) => {
            let why = outcome.cause().unwrap_or_default();
            let meaning = format!("{why}: the CLI cannot renew the login");
            let others = case.settings.refresh.len() > 1;
            let kind = if others { Finding::warning } else { Finding::error };
            Some(kind("cli-missing", meaning, install(PACKAGE)))
        }
    }
}

/// The command that installs the CLI for a user: by npm where there is one, else by its own installer.
fn install(patient: &Patient<'_>, user: &User, package: &'static str) -> Hint {
    if patient.tree.is_host() && !installer::has_npm(user) {
        return locate::install(&patient.user(&user.identity, &user.home));
    }
    match user.identity.uid {
        0 => host::install_by_npm(None, package),
        _ => host::install_by_npm(Some(&user.home.join(".npm-global")), package)
            .run_at_login_of(&patient.user(&user.identity, &user.home)),
    }
}

/// A version that nobody has tried.
fn untried(
    case: &Case<'_>,
    claude: &Claude,
    install: impl FnOnce(&'static str) -> Hint,
) -> Option<Finding> {
    let (place, version) = (claude.path.display(), claude.version?);
    if version < TRIED.0 {
        let meaning = format!(
            "'{place}' is version {version}, older than any that was tried: it may not renew"
        );
        return Some(Finding::warning("cli-version-old", meaning, install(LATEST)));
    }
    (version > TRIED.1).then(|| {
        let meaning = format!(
            "'{place}' is version {version}, newer than any that was tried: a renewal still counts only once it is on the disk"
        );
        let command = ours::refresh_forced(&case.report.link);
        Finding::note("cli-version-unknown", meaning, command)
    })
}

fn names_base_url(config: &Folder, name: &str) -> bool {
    let seen = config.read(name, SETTINGS_LIMIT).ok().flatten();
    seen.is_some_and(|seen| claude_cli::names_base_url(&String::from_utf8_lossy(&seen.bytes)))
}

/// A base URL of a proxy's, which the call that renews is not to leave.
fn base_url_kept(case: &Case<'_>) -> Finding {
    let meaning = "Claude CLI's settings name another base URL, and CLAUDE_BASE_URL_OVERRIDE is no: it cannot renew the login through a proxy".to_owned();
    Finding::warning("base-url-kept", meaning, case.set("CLAUDE_BASE_URL_OVERRIDE", "auto"))
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
    let command = files::rename_in_settings(variable, &path).run_by(&config.user());
    Some(Finding::error("env-token-in-settings", meaning, command))
}

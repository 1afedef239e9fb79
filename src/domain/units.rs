//! The state of our own units, as systemctl(1) prints it, and what is wrong with it.

use crate::domain::health::Level;
use crate::domain::health::published::ServiceEntry;
use crate::domain::hints::host::{self, Manager};
use crate::domain::hints::ours;
use crate::domain::shell::Hint;

/// The unit that watches.
pub(crate) const WATCHER: &str = "oauth-sync.service";

/// The timer of the renewals.
pub(crate) const TIMER: &str = "oauth-sync-refresh.timer";

/// All of our units: the watcher, what starts the other parts, and those parts.
pub(crate) const ALL: [&str; 8] = [
    WATCHER,
    TIMER,
    "oauth-sync-refresh.path",
    "oauth-sync-gateway.path",
    "oauth-sync-notify.path",
    "oauth-sync-renew.service",
    "oauth-sync-deliver.service",
    "oauth-sync-tell.service",
];

/// The properties that systemd is asked for.
pub(crate) const PROPERTIES: &str = "--property=Id,LoadState,ActiveState,SubState,UnitFileState,Result,ExecMainStatus,MainPID,NextElapseUSecRealtime,ExecStart";

/// A unit as systemd knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unit {
    /// Its name.
    pub(crate) name: String,
    /// `loaded`, `not-found`, `masked`, …
    load: String,
    active: String,
    sub: String,
    /// `enabled`, `disabled`, `static`, …
    file: String,
    result: String,
    status: String,
    next: String,
    /// The main process; 0 for none.
    pub(crate) pid: u32,
    command: String,
}

/// What is wrong with a unit, or with what stands for the units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// The doctor's name for it.
    pub(crate) id: &'static str,
    /// How much it matters.
    pub(crate) level: Level,
    /// What is wrong, and what follows from it.
    pub(crate) text: String,
    /// The command that fixes it.
    pub(crate) command: Hint,
    /// What everybody may read of it, where text or command are root's to know.
    pub(crate) public: Option<&'static str>,
}

impl Trouble {
    /// Something that stops the service, or a part of it.
    pub(crate) fn stops(id: &'static str, text: String, command: Hint) -> Self {
        Self { id, level: Level::Wrong, text, command, public: None }
    }

    /// Something that needs attention before it does.
    pub(crate) fn threatens(id: &'static str, text: String, command: Hint) -> Self {
        Self { level: Level::Soon, ..Self::stops(id, text, command) }
    }

    /// Hides text and command from everybody but root behind `words`.
    pub(crate) fn hidden_by(self, words: &'static str) -> Self {
        Self { public: Some(words), ..self }
    }

    /// As root is shown it.
    pub(crate) fn entry(&self) -> ServiceEntry {
        let (id, text) = (self.id.to_owned(), self.text.clone());
        ServiceEntry { id, level: self.level, text, command: self.command.to_string() }
    }

    /// As everybody may read it.
    pub(crate) fn public_entry(&self) -> ServiceEntry {
        let entry = self.entry();
        match self.public {
            Some(words) => ServiceEntry {
                text: words.to_owned(),
                command: ours::check_as_root().to_string(),
                ..entry
            },
            None => ServiceEntry { command: ours::without_directories(&self.command), ..entry },
        }
    }
}

/// Reads what `systemctl show` prints for several units: a block of properties for each.
pub(crate) fn parse(text: &str) -> Vec<Unit> {
    let unit = |block: &str| {
        let value = |name: &str| {
            let mut lines = block.lines();
            let found = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            found.unwrap_or_default().to_owned()
        };
        Unit {
            name: value("Id"),
            load: value("LoadState"),
            active: value("ActiveState"),
            sub: value("SubState"),
            file: value("UnitFileState"),
            result: value("Result"),
            status: value("ExecMainStatus"),
            next: value("NextElapseUSecRealtime"),
            pid: value("MainPID").parse().unwrap_or_default(),
            command: value("ExecStart"),
        }
    };
    text.split("\n\n").map(unit).filter(|unit| !unit.name.is_empty()).collect()
}

impl Unit {
    /// Says whether there is such a unit.
    pub(crate) fn is_installed(&self) -> bool {
        !matches!(self.load.as_str(), "" | "not-found")
    }

    /// The run directory that its command names; none where it names none.
    pub(crate) fn run_dir(&self) -> Option<&str> {
        let mut words = self.command.split(' ');
        words.find(|word| *word == "--run-dir")?;
        words.next()
    }

    /// The program that its command runs.
    pub(crate) fn program(&self) -> Option<&str> {
        self.command.split(' ').find_map(|word| word.strip_prefix("path="))
    }

    fn is_disabled(&self) -> bool {
        matches!(self.file.as_str(), "disabled" | "enabled-runtime")
    }

    fn is_masked(&self) -> bool {
        self.load == "masked" || self.file.starts_with("masked")
    }

    /// Says whether it was stopped, and a start is all that it needs.
    fn is_idle(&self) -> bool {
        self.active == "inactive" && !self.is_masked() && !self.is_disabled()
    }

    fn has_failed(&self) -> bool {
        self.active == "failed" || self.sub == "auto-restart"
    }

    /// How the last run ended, for one that failed.
    fn ending(&self) -> String {
        match self.result.as_str() {
            "exit-code" => format!("exit status {}", self.status),
            "start-limit-hit" | "unit-start-limit-hit" | "trigger-limit-hit" => {
                "it was started too often".to_owned()
            }
            other => other.replace('-', " "),
        }
    }
}

/// The watcher that has just been stopped.
pub(crate) fn watcher_stopped() -> Trouble {
    let text = format!("{WATCHER} is stopped, {}", follows(WATCHER));
    Trouble::stops("unit-stopped", text, host::on_unit("start", WATCHER))
}

/// Judges all of our units; those that are missing count as stopped.
pub(crate) fn judge(units: &[Unit]) -> Vec<Trouble> {
    let of = |name: &str| {
        let found = units.iter().find(|unit| unit.name == name).cloned();
        found.unwrap_or_else(|| Unit { name: name.to_owned(), ..Unit::default() })
    };
    let all = ALL.map(|name| (name, of(name)));
    let (_, watcher) = &all[0];
    let judged = all.iter().filter(|(name, unit)| *name == WATCHER || !went_with(unit, watcher));
    judged.filter_map(|(name, unit)| trouble(name, unit)).collect()
}

/// Says whether a unit starts one of the parts.
fn is_starter(name: &str) -> bool {
    name == TIMER || name.strip_suffix(".path").is_some()
}

/// Says whether a unit was stopped by `PartOf=` with the watcher, whose start brings it back.
fn went_with(unit: &Unit, watcher: &Unit) -> bool {
    watcher.is_idle() && unit.is_idle() && is_starter(&unit.name)
}

fn trouble(name: &'static str, unit: &Unit) -> Option<Trouble> {
    let follows = follows(name);
    if name.ends_with("-renew.service")
        || name.ends_with("-deliver.service")
        || name.ends_with("-tell.service")
    {
        return part(name, unit, follows);
    }
    let started = is_enabled_by_itself(name);
    if unit.is_masked() {
        let enable = if started { "enable --now" } else { "start" };
        let command = host::on_unit("unmask", name).and(host::on_unit(enable, name));
        return Some(Trouble::stops(
            "unit-masked",
            format!("{name} is masked, {follows}"),
            command,
        ));
    }
    if unit.has_failed() {
        let text = format!("{name} has failed ({}), {follows}", unit.ending());
        let restart = host::on_unit("restart", name);
        let command = host::on_unit("reset-failed", name).and(restart);
        return Some(Trouble::stops("unit-failed", text, command));
    }
    let enable = || host::on_unit("enable --now", name);
    if !runs(unit) || !unit.is_installed() {
        let (state, command) = match () {
            () if !unit.is_installed() => ("is missing", host::reload_units(&Manager::Host)),
            () if unit.active == "activating" => ("is still starting", status(name)),
            () if unit.is_disabled() => ("is stopped and disabled", enable()),
            () if unit.active == "active" => ("has no next run", host::on_unit("restart", name)),
            () => ("is stopped", host::on_unit("start", name)),
        };
        return Some(Trouble::stops("unit-stopped", format!("{name} {state}, {follows}"), command));
    }
    let text = || format!("{name} is disabled: after the next boot it does not run");
    unit.is_disabled().then(|| Trouble::threatens("units-not-enabled", text(), enable()))
}

/// What follows where a unit does not run.
fn follows(name: &str) -> &'static str {
    match name {
        WATCHER => "so a renewed token is not carried on",
        TIMER => "so nothing renews the login in time",
        "oauth-sync-refresh.path" | "oauth-sync-renew.service" => "so requests to renew wait",
        "oauth-sync-gateway.path" | "oauth-sync-deliver.service" => {
            "so a running gateway does not get the new token"
        }
        _ => "so hooks and webhooks are not notified",
    }
}

/// Says whether a unit is enabled itself; the others are pulled in by those.
fn is_enabled_by_itself(name: &str) -> bool {
    [WATCHER, TIMER].contains(&name)
}

fn runs(unit: &Unit) -> bool {
    let is_up = matches!(unit.active.as_str(), "active" | "reloading" | "refreshing");
    let has_next = unit.sub == "running" || !matches!(unit.next.as_str(), "" | "n/a" | "infinity");
    let waits = matches!(unit.sub.as_str(), "waiting" | "running");
    match unit.name.as_str() {
        TIMER => is_up && waits && has_next,
        name if name.strip_suffix(".path").is_some() => is_up && waits,
        _ => is_up,
    }
}

/// A part that runs when it is started: what counts is how its last run ended.
fn part(name: &'static str, unit: &Unit, follows: &str) -> Option<Trouble> {
    if unit.is_masked() {
        let command = host::on_unit("unmask", name);
        return Some(Trouble::stops(
            "unit-masked",
            format!("{name} is masked, {follows}"),
            command,
        ));
    }
    if !unit.is_installed() {
        let text = format!("{name} is missing, {follows}");
        return Some(Trouble::stops("unit-stopped", text, host::reload_units(&Manager::Host)));
    }
    let text = || format!("the last run of {name} failed ({})", unit.ending());
    unit.has_failed().then(|| Trouble::threatens("unit-failed", text(), status(name)))
}

fn status(name: &str) -> Hint {
    host::on_unit("status", name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All units as they are on a healthy host, with some lines changed.
    fn shown(changes: &[(&str, &str, &str)]) -> Vec<Unit> {
        let block = |name: &str| {
            let (active, sub) = match name {
                WATCHER => ("active", "running"),
                _ if name.ends_with(".service") => ("inactive", "dead"),
                _ => ("active", "waiting"),
            };
            let file = if is_enabled_by_itself(name) { "enabled" } else { "static" };
            let text = format!(
                "Id={name}\nLoadState=loaded\nActiveState={active}\nSubState={sub}\nUnitFileState={file}\nResult=success\nExecMainStatus=1\nMainPID=7\nNextElapseUSecRealtime=Mon 2026-11-30 17:00:00 UTC\n"
            );
            changes
                .iter()
                .filter(|change| change.0 == name)
                .fold(text, |text, change| text.replace(change.1, change.2))
        };
        parse(&ALL.map(block).join("\n"))
    }

    #[test]
    fn a_healthy_host_has_no_trouble() {
        assert_eq!(shown(&[]).len(), ALL.len());
        assert_eq!(judge(&shown(&[])), []);
        let running = ("oauth-sync-refresh.timer", "=waiting", "=running");
        let no_next = ("oauth-sync-refresh.timer", "Mon 2026-11-30 17:00:00 UTC", "");
        assert_eq!(judge(&shown(&[running, no_next])), [], "it has just elapsed");
    }

    /// A change of one unit, and the doctor's name, the level and the command that come of it.
    type Case = ((&'static str, &'static str, &'static str), &'static str, Level, &'static str);

    const RENEW: &str = "oauth-sync-renew.service";

    const CASES: [Case; 12] = [
        (
            (WATCHER, "=active", "=inactive"),
            "unit-stopped",
            Level::Wrong,
            "systemctl start oauth-sync.service",
        ),
        (
            (WATCHER, "=enabled", "=disabled"),
            "units-not-enabled",
            Level::Soon,
            "systemctl enable --now oauth-sync.service",
        ),
        (
            (WATCHER, "=loaded", "=masked"),
            "unit-masked",
            Level::Wrong,
            "systemctl unmask oauth-sync.service && systemctl enable --now oauth-sync.service",
        ),
        (
            (WATCHER, "=active", "=failed"),
            "unit-failed",
            Level::Wrong,
            "systemctl reset-failed oauth-sync.service && systemctl restart oauth-sync.service",
        ),
        (
            (WATCHER, "=running", "=auto-restart"),
            "unit-failed",
            Level::Wrong,
            "systemctl reset-failed oauth-sync.service && systemctl restart oauth-sync.service",
        ),
        (
            (WATCHER, "=loaded", "=not-found"),
            "unit-stopped",
            Level::Wrong,
            "systemctl daemon-reload",
        ),
        (
            (TIMER, "Mon 2026-11-30 17:00:00 UTC", ""),
            "unit-stopped",
            Level::Wrong,
            "systemctl restart oauth-sync-refresh.timer",
        ),
        (
            (TIMER, "=waiting", "=elapsed"),
            "unit-stopped",
            Level::Wrong,
            "systemctl restart oauth-sync-refresh.timer",
        ),
        (
            ("oauth-sync-gateway.path", "=active", "=failed"),
            "unit-failed",
            Level::Wrong,
            "systemctl reset-failed oauth-sync-gateway.path && systemctl restart oauth-sync-gateway.path",
        ),
        (
            ("oauth-sync-notify.path", "=active", "=inactive"),
            "unit-stopped",
            Level::Wrong,
            "systemctl start oauth-sync-notify.path",
        ),
        (
            (RENEW, "=inactive", "=failed"),
            "unit-failed",
            Level::Soon,
            "systemctl status oauth-sync-renew.service",
        ),
        (
            (RENEW, "=loaded", "=masked"),
            "unit-masked",
            Level::Wrong,
            "systemctl unmask oauth-sync-renew.service",
        ),
    ];

    #[test]
    fn what_was_stopped_with_the_watcher_is_named_by_it_alone() {
        let stopped = |name| (name, "=active", "=inactive");
        let watcher = stopped(WATCHER);
        let (timer, path) = (stopped(TIMER), stopped("oauth-sync-gateway.path"));
        let troubles = judge(&shown(&[watcher, timer, path]));
        let [trouble] = &troubles[..] else { panic!("{troubles:?}") };
        assert_eq!(trouble.command.to_string(), "systemctl start oauth-sync.service");
        assert_eq!(judge(&shown(&[timer, path])).len(), 2, "the watcher runs");
        let disabled = (TIMER, "=enabled", "=disabled");
        let troubles = judge(&shown(&[watcher, timer, disabled]));
        assert_eq!(troubles.len(), 2, "it does not start with the watcher: {troubles:?}");
    }

    #[test]
    fn each_state_is_named_with_its_command() {
        for (change, id, level, command) in CASES {
            let troubles = judge(&shown(&[change]));
            let [trouble] = &troubles[..] else { panic!("{change:?}: {troubles:?}") };
            assert_eq!((trouble.id, trouble.level), (id, level), "{change:?}");
            assert_eq!(trouble.command.to_string(), command, "{change:?}");
        }
        assert_eq!(judge(&[]).len(), ALL.len(), "no answer proves nothing");
    }
}

//! Whether the service runs: our units, or without systemd the watcher's lock.

use std::path::Path;
use std::time::Duration;

use crate::app::context::Places;
use crate::app::notify;
use crate::app::status::last_run;
use crate::app::systemd;
use crate::domain::hints::{files, host, ours};
use crate::domain::shell::Hint;
use crate::domain::time::in_words;
use crate::domain::units::{self, Trouble, Unit, WATCHER};
use crate::os::clock;
use crate::os::error::Error;
use crate::os::lock::advisory::{self, Holder, Lock};
use crate::os::process::current;

/// The lock of whoever watches.
const LOCK: &str = "watch";

/// The run directory of a unit that names none.
const RUN_DIR: &str = "/run/oauth-sync";

/// Where nothing watches, calls have to come at least as often as this.
const PERIOD: Duration = Duration::from_secs(65 * 60);

/// What is said where nothing watches and nothing more is known, and what everybody may read.
const NO_WATCHER: &str =
    "no watcher runs, so a renewed token is not carried on and nothing is renewed";

/// What is said of a watcher that was not restarted.
const OLD_WATCHER: &str = "the watcher still runs the program from before an upgrade";

/// What is wrong once the watcher that calls this has ended; `has_units` where units look after it.
pub(crate) fn ended(places: &Places, has_units: bool) -> Trouble {
    if has_units {
        return units::watcher_stopped();
    }
    stopped(places, NO_WATCHER.to_owned())
}

/// Holds the lock that says that a process watches; where it cannot be had that process goes on.
pub(crate) fn watch(places: &Places) -> Option<Lock> {
    let held = Lock::share(&places.run_dir, LOCK);
    held.map_err(|error| log::warn!("{error}: check takes this watcher for stopped")).ok()
}

/// What is wrong with the service: the units, or what stands for them; hooks and webhooks that failed, of
/// all links or of the one named.
pub(crate) fn troubles(places: &Places, only: Option<&str>) -> Vec<Trouble> {
    let service = of_units(places).unwrap_or_else(|| {
        let watcher = advisory::holder(&places.run_dir, LOCK);
        let is_watched = matches!(watcher, Ok(Holder::Process(_)));
        let of_watcher = without_units(places, watcher);
        of_watcher.into_iter().chain(last_run::troubles(places, is_watched)).collect()
    });
    service.into_iter().chain(notify::troubles(places, only)).collect()
}

/// What is wrong with the units; `None` where none look after these directories.
pub(crate) fn of_units(places: &Places) -> Option<Vec<Trouble>> {
    let shown = match systemd::shown() {
        Ok(shown) => shown,
        Err(why) => {
            let text = format!("systemd does not tell the state of the units: {why}");
            let command = host::on_unit("status", WATCHER);
            let trouble = Trouble::threatens("units-unknown", text, command);
            return Some(vec![trouble.hidden_by("systemd does not tell the state of the units")]);
        }
    };
    if !serve(&shown, places) {
        return None;
    }
    let watcher = shown.iter().find(|unit| unit.name == WATCHER && unit.pid > 0);
    let old = watcher.and_then(|unit| {
        current::runs_another_file(unit.pid, Path::new(unit.program()?))?.then(replaced)
    });
    Some(units::judge(&shown).into_iter().chain(old).collect())
}

/// Says whether the units look after these directories.
fn serve(shown: &[Unit], places: &Places) -> bool {
    let watcher = shown.iter().find(|unit| unit.name == WATCHER && unit.is_installed());
    watcher.is_some_and(|unit| Path::new(unit.run_dir().unwrap_or(RUN_DIR)) == places.run_dir)
}

/// The command that starts a watcher without units.
fn watch_command(places: &Places) -> Hint {
    ours::watch(&places.config_dir, &places.state_dir, &places.run_dir)
}

fn stopped(places: &Places, text: String) -> Trouble {
    Trouble::stops("watcher-stopped", text, watch_command(places)).hidden_by(NO_WATCHER)
}

/// What is wrong with the watcher where no units look after it, by who holds its lock.
fn without_units(places: &Places, watcher: Result<Holder, Error>) -> Option<Trouble> {
    let stopped = |text| Some(stopped(places, text));
    let follows = "so a renewed token is not carried on and nothing is renewed";
    match watcher {
        Ok(Holder::Process(pid)) if pid > 0 => {
            let is_old = current::runs_another_file(pid, Path::new(current::SELF));
            let old = is_old.filter(|is_old| *is_old).map(|_| replaced());
            old.map(|old| Trouble { command: watch_command(places), ..old }.hidden_by(OLD_WATCHER))
        }
        Ok(Holder::Process(_)) => None,
        Ok(Holder::Gone) => stopped(format!("the watcher has stopped, {follows}")),
        Ok(Holder::Never) => match last_run::age(places, clock::now()) {
            Some(age) if age <= PERIOD => None,
            Some(age) => stopped(format!(
                "no watcher runs, and the last sync was {} ago, {follows}",
                in_words(age)
            )),
            None => stopped(NO_WATCHER.to_owned()),
        },
        Err(error) => {
            let text = format!("it is not known whether a watcher runs: {error}");
            let trouble = Trouble::threatens("units-unknown", text, files::list(&places.run_dir));
            Some(trouble.hidden_by("it is not known whether a watcher runs"))
        }
    }
}

fn replaced() -> Trouble {
    Trouble::threatens("watcher-old", OLD_WATCHER.to_owned(), host::on_unit("restart", WATCHER))
}

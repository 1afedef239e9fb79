//! Whether the service runs: our units, or without systemd the watcher's lock.

use std::path::Path;
use std::time::Duration;

use crate::app::ground::Places;
use crate::app::last_run;
use crate::app::notify;
use crate::app::services;
use crate::domain::hints::{files, host, ours};
use crate::domain::time::in_words;
use crate::domain::units::{self, Trouble, Unit, WATCHER};
use crate::os::lock::{self, Holder, Lock};
use crate::os::{clock, process};

/// The lock of whoever watches.
const LOCK: &str = "watch";

/// The run directory of a unit that names none.
const RUN_DIR: &str = "/run/oauth-sync";

/// Where nothing watches, calls have to come at least as often as this.
const PERIOD: Duration = Duration::from_secs(65 * 60);

/// What everybody may read where nothing watches.
const NO_WATCHER: &str =
    "no watcher runs, so a renewed token is not carried on and nothing is renewed";

/// What is said of a watcher that was not restarted.
const OLD_WATCHER: &str = "the watcher still runs the program from before an upgrade";

/// What is wrong once the watcher that calls this has ended; `has_units` where units look after it.
pub(crate) fn ended(places: &Places, has_units: bool) -> Trouble {
    if has_units {
        return units::watcher_stopped();
    }
    let watch = ours::watch(&places.config_dir, &places.state_dir, &places.run_dir);
    Trouble::stops("watcher-stopped", NO_WATCHER.to_owned(), watch).hidden_by(NO_WATCHER)
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
        let watcher = without_units(places);
        let is_watched = matches!(lock::holder(&places.run_dir, LOCK), Ok(Holder::Process(_)));
        watcher.into_iter().chain(last_run::troubles(places, is_watched)).collect()
    });
    service.into_iter().chain(notify::troubles(places, only)).collect()
}

/// What is wrong with the units; `None` where none look after these directories.
pub(crate) fn of_units(places: &Places) -> Option<Vec<Trouble>> {
    let shown = match services::shown() {
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
        process::runs_another_file(unit.pid, Path::new(unit.program()?))?.then(replaced)
    });
    Some(units::judge(&shown).into_iter().chain(old).collect())
}

/// Says whether the units look after these directories.
fn serve(shown: &[Unit], places: &Places) -> bool {
    let watcher = shown.iter().find(|unit| unit.name == WATCHER && unit.is_installed());
    watcher.is_some_and(|unit| Path::new(unit.run_dir().unwrap_or(RUN_DIR)) == places.run_dir)
}

fn without_units(places: &Places) -> Option<Trouble> {
    let watch = || ours::watch(&places.config_dir, &places.state_dir, &places.run_dir);
    let stopped =
        |text: String| Some(Trouble::stops("watcher-stopped", text, watch()).hidden_by(NO_WATCHER));
    let follows = "so a renewed token is not carried on and nothing is renewed";
    match lock::holder(&places.run_dir, LOCK) {
        Ok(Holder::Process(pid)) if pid > 0 => {
            let is_old = process::runs_another_file(pid, Path::new(process::SELF));
            let old = is_old.filter(|is_old| *is_old).map(|_| replaced());
            old.map(|old| Trouble { command: watch(), ..old }.hidden_by(OLD_WATCHER))
        }
        Ok(Holder::Process(_)) => None,
        Ok(Holder::Gone) => stopped(format!("the watcher has stopped, {follows}")),
        Ok(Holder::Never) => match last_run::age(places, clock::now()) {
            Some(age) if age <= PERIOD => None,
            Some(age) => stopped(format!(
                "no watcher runs, and the last sync was {} ago, {follows}",
                in_words(age)
            )),
            None => stopped(format!("no watcher runs, {follows}")),
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

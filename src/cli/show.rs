//! `status` at a terminal: once, or again and again.

use std::time::Duration;

use crate::app::error::Error;
use crate::app::ground::{self, Places};
use crate::cli::exit::Exit;
use crate::cli::{screen, survey};
use crate::os::clock;
use crate::os::signals::{Asked, Signals};
use crate::os::terminal::{self, Abilities, Alternate};

/// How often it is drawn anew.
const PERIOD: Duration = Duration::from_secs(2);

/// Says whether stdout shows pictures; a pipe gets plain words.
pub(crate) fn is_picture() -> bool {
    terminal::abilities().is_some()
}

/// Draws it once.
pub(crate) fn once(places: &Places, only: Option<&str>) -> Result<Exit, Error> {
    if let Some(abilities) = terminal::abilities() {
        terminal::write(&picture(places, only, abilities)?);
    }
    unfinished(places)?;
    Ok(Exit::Done)
}

/// Tells of a file that is begun and no link yet, beside those that are.
pub(crate) fn unfinished(places: &Places) -> Result<(), Error> {
    let open = ground::configuration(&places.config_dir)?.unfinished;
    if let Some(problem) = open.first() {
        let hint = problem.hint.as_ref().map(|hint| format!("\nhint: {hint}"));
        let hint = hint.unwrap_or_default();
        log::warn!("{problem}: it is no link yet{hint}");
    }
    Ok(())
}

/// Draws it again and again until somebody has seen enough.
pub(crate) fn watch(places: &Places, only: Option<&str>) -> Result<Exit, Error> {
    if !terminal::abilities().is_some_and(|abilities| abilities.cursor) {
        log::error!(
            "there is no terminal to draw on\nhint: oauth-sync status, or --json for a program"
        );
        return Ok(Exit::Usage);
    }
    let mut signals = Signals::take().map_err(|source| {
        crate::os::error::Error::new("wait for signals in", &places.run_dir, source)
    })?;
    // What cannot be drawn at all is said on the screen that stays.
    survey::look(places, only)?;
    let mut alternate = Alternate::take();
    loop {
        let Some(abilities) = terminal::abilities() else { return Ok(Exit::Done) };
        match picture(places, only, abilities) {
            Ok(picture) => alternate.show(&format!("{picture}\nCtrl-C ends")),
            Err(error) => alternate.show(&format!("{error}\n\nCtrl-C ends")),
        }
        clock::rest(PERIOD);
        if signals.pending() == Some(Asked::End) {
            return Ok(Exit::Done);
        }
    }
}

fn picture(places: &Places, only: Option<&str>, abilities: Abilities) -> Result<String, Error> {
    let survey = survey::look(places, only)?;
    Ok(screen::draw(&screen::of(&survey), abilities))
}

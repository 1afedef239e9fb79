//! `status` at a terminal: once, or again and again.

use std::time::Duration;

use crate::app::child::separate;
use crate::app::context::{self, Places};
use crate::app::error::Error;
use crate::app::status;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::cli::overview;
use crate::cli::screen;
use crate::domain::hints::ours;
use crate::domain::visible::visible;
use crate::os::clock;
use crate::os::event::signals::{Asked, Signals};
use crate::os::journal::below;
use crate::os::terminal::{self, Abilities, Alternate};

/// How often it is drawn anew.
const PERIOD: Duration = Duration::from_secs(2);

/// Says whether stdout shows pictures; a pipe gets plain words.
pub(crate) fn is_picture() -> bool {
    terminal::abilities().is_some()
}

/// Draws it once.
pub(crate) fn once(places: &Places, only: Option<&str>) -> Result<Exit, Error> {
    separate::begin(places);
    let survey = overview::look(places, only)?;
    if let Some(abilities) = terminal::abilities() {
        terminal::write(&screen::draw(&screen::of(&survey), abilities));
    }
    unfinished(places)?;
    let exits = survey.links.iter().map(|link| Exit::of_status(&link.report, &link.ahead));
    Ok(Exit::gravest(exits))
}

/// Writes it in plain words, or as JSON.
pub(crate) fn plain(places: &Places, only: Option<&str>, as_json: bool) -> Result<Exit, Error> {
    separate::begin(places);
    let status = status::all(places, only)?;
    output::status(&status, as_json);
    unfinished(places)?;
    let exits = status.links.iter().map(|link| Exit::of_status(&link.report, &link.ahead));
    Ok(Exit::gravest(exits))
}

/// Writes how one link stands for another process, and waits for its files.
pub(crate) fn inspect(places: &Places, link: &str) -> Result<Exit, Error> {
    Ok(output::found(status::inspect(places, link)?.as_ref()))
}

/// Tells of a file that is begun and no link yet, beside those that are.
pub(crate) fn unfinished(places: &Places) -> Result<(), Error> {
    let open = context::configuration(&places.config_dir)?.unfinished;
    if let Some(problem) = open.first() {
        log::warn!(hint = below(problem.hint.as_ref()); "{problem}: no link is configured");
    }
    Ok(())
}

/// Draws it again and again until somebody has seen enough.
pub(crate) fn watch(places: &Places, only: Option<&str>) -> Result<Exit, Error> {
    if !terminal::abilities().is_some_and(|abilities| abilities.cursor) {
        log::error!(
            hint = ours::plain("status, or --json for a program").to_string();
            "there is no terminal to draw on"
        );
        return Ok(Exit::Usage);
    }
    let mut signals = Signals::take().map_err(|source| {
        crate::os::error::Error::new("wait for signals in", &places.run_dir, source)
    })?;
    separate::begin(places);
    // What cannot be drawn at all is said on the screen that stays.
    overview::look(places, only)?;
    let mut alternate = Alternate::take();
    loop {
        let Some(abilities) = terminal::abilities() else { return Ok(Exit::Done) };
        match picture(places, only, abilities) {
            Ok(picture) => alternate.show(&format!("{picture}\nCtrl-C ends")),
            Err(error) => {
                let error = error.to_string();
                alternate.show(&format!("{}\n\nCtrl-C ends", visible(&error)));
            }
        }
        clock::rest(PERIOD);
        if signals.pending() == Some(Asked::End) {
            return Ok(Exit::Done);
        }
    }
}

fn picture(places: &Places, only: Option<&str>, abilities: Abilities) -> Result<String, Error> {
    let survey = overview::look(places, only)?;
    Ok(screen::draw(&screen::of(&survey), abilities))
}

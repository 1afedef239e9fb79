//! Which links need what may not answer: everything that the work on one looks at is looked at.

use std::time::Duration;

use crate::app::context::{self, Ground, Places};
use crate::app::error::Error;
use crate::app::refresh;
use crate::app::sync::{self, Options};
use crate::domain::config::settings::Settings;
use crate::os::clock;
use crate::os::debounce;
use crate::os::fs::dir::{self, Refused};
use crate::os::lock::advisory::Lock;

/// How long an examination waits for another one of the same link.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often it looks.
const GLANCE: Duration = Duration::from_millis(250);

/// What may not answer on the ways to a link's files and programs.
pub(crate) fn may_hang(ground: &Ground, settings: &Settings) -> Option<Refused> {
    if !dir::may_refuse() {
        return None;
    }
    let _ = dir::refused();
    examine(ground, settings);
    dir::refused()
}

/// Looks at all that the work on a link would look at.
fn examine(ground: &Ground, settings: &Settings) {
    let options = Options { dry_run: true, ..Options::default() };
    let _ = sync::link(ground, settings, options, clock::now());
    refresh::look_for_claude(settings);
}

/// Examines a link for a run over all links; says whether another examination of it still hangs.
pub(crate) fn alone(places: &Places, only: Option<&str>) -> Result<bool, Error> {
    let (links, _) = context::sound_links(&places.config_dir, only)?;
    let ground = Ground::look(places)?;
    let examined =
        links.iter().map(|link| unless_one_hangs(places, &link.name, || examine(&ground, link)));
    Ok(examined.into_iter().any(|examined| examined.is_none()))
}

/// Does `work` with the files of a link, but not while another process hangs in the same work.
pub(crate) fn unless_one_hangs<T>(
    places: &Places,
    link: &str,
    work: impl FnOnce() -> T,
) -> Option<T> {
    let age = debounce::stopwatch();
    let name = format!("apart-{link}");
    let _lock = loop {
        match Lock::try_take(&places.run_dir, &name) {
            Ok(None) if age() >= PATIENCE => return None,
            Ok(None) => clock::rest(GLANCE),
            // Who may not lock may still look.
            held => break held,
        }
    };
    Some(work())
}

/// The links of a run that other processes have to see to.
pub(crate) fn links(places: &Places, only: Option<&str>) -> Result<Vec<Settings>, Error> {
    let mut links = context::links(&places.config_dir, only)?;
    let ground = Ground::look(places)?;
    links.retain(|settings| may_hang(&ground, settings).is_some());
    Ok(links)
}

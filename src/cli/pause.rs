//! `pause` and `resume`: lets links rest until a moment, and ends that.

use std::time::Duration;

use crate::app::context::{self, Places};
use crate::app::error::Error;
use crate::app::setup::config_set;
use crate::cli::args;
use crate::cli::exit::Exit;
use crate::domain::config::settings::Settings;
use crate::domain::hints::ours;
use crate::domain::pause::{self, Activity, Pause};
use crate::domain::time::{Timestamp, in_words, parse_duration};
use crate::domain::visible::visible;
use crate::os::clock;

/// The key that holds it.
const KEY: &str = "PAUSE";

/// How long a pause lasts where no end is given.
const USUAL: Duration = Duration::from_secs(2 * 3600);

/// Lets all links rest, or the one named.
pub(crate) fn begin(
    places: &Places,
    only: Option<&str>,
    options: &args::Pause,
) -> Result<Exit, Error> {
    let now = clock::now();
    let until = match end_of(options, now) {
        Ok(until) => until,
        Err(refusal) => {
            log::error!("no pause was begun: {refusal}");
            return Ok(Exit::Usage);
        }
    };
    let pause = Pause { only: options.only.as_deref().and_then(Activity::named), until };
    let for_span =
        until.map(|until| format!(", {}", in_words(until.left(now)))).unwrap_or_default();
    each(places, only, &|settings| {
        config_set::set(places, &settings.name, KEY, &pause.to_string())?;
        let hint = ours::resume(&settings.name).to_string();
        log::info!(hint; "{}: {}{for_span}", settings.name, pause.in_words());
        Ok(())
    })
}

/// Ends the pause of all links, or of the one named.
pub(crate) fn end(places: &Places, only: Option<&str>) -> Result<Exit, Error> {
    let now = clock::now();
    each(places, only, &|settings| {
        config_set::set(places, &settings.name, KEY, "")?;
        let was_paused = settings.pause_at(now).is_some();
        let what = if was_paused { "resumed" } else { "was not paused" };
        log::info!("{}: {what}", settings.name);
        Ok(())
    })
}

/// Changes each sound link; a fault in one file keeps no other from it.
fn each(
    places: &Places,
    only: Option<&str>,
    change: &dyn Fn(&Settings) -> Result<(), Error>,
) -> Result<Exit, Error> {
    let (links, problems) = context::sound_links(&places.config_dir, only)?;
    links.iter().try_for_each(change)?;
    if problems.is_empty() { Ok(Exit::Done) } else { Err(Error::Configuration(problems)) }
}

/// When a pause ends, or why that is no end.
fn end_of(options: &args::Pause, now: Timestamp) -> Result<Option<Timestamp>, String> {
    if options.forever {
        return Ok(None);
    }
    let end =
        match (&options.until, &options.span) {
            (Some(text), _) => pause::end_typed(text, now, &clock::zone()).ok_or_else(|| {
                format!(
                    "'{}' is no moment: write 18:00, 2026-11-30 or 2026-11-30T18:00:00Z",
                    visible(text)
                )
            })?,
            (None, Some(text)) => now.after(parse_duration(text).ok_or_else(|| {
                format!("'{}' is no duration: write 2h, 90m or 1d", visible(text))
            })?),
            (None, None) => now.after(USUAL),
        };
    if end <= now {
        return Err(format!("a pause cannot end at {end}, which has passed"));
    }
    Ok(Some(end))
}

//! `set`: sets one key of a link's configuration.

use crate::app::context::Places;
use crate::app::error::Error;
use crate::app::setup::config_set;
use crate::cli::args;
use crate::cli::exit::Exit;
use crate::cli::output::several;
use crate::os::journal::below;

/// Sets a key of the one link, or of the one named, which may be new.
pub(crate) fn carry_out(
    places: &Places,
    only: Option<&str>,
    options: &args::Set,
) -> Result<Exit, Error> {
    let link = match only {
        Some(link) => link.to_owned(),
        None => match config_set::only_link(places)? {
            Ok(link) => link,
            Err(names) => {
                several(&names.iter().map(String::as_str).collect::<Vec<_>>());
                return Ok(Exit::Usage);
            }
        },
    };
    let change = config_set::set(places, &link, &options.key, &options.value)?;
    let path = change.path.display();
    if change.is_written {
        log::info!("wrote '{path}'");
    } else {
        log::info!("unchanged: '{path}' has this value already");
    }
    for problem in &change.open {
        log::warn!(hint = below(problem.hint.as_ref()); "still to be set or corrected: {problem}");
    }
    Ok(Exit::Done)
}

//! `set`: sets one key of a link's configuration.

use crate::app::configure;
use crate::app::error::Error;
use crate::app::ground::{self, Places};
use crate::cli::args;
use crate::cli::exit::Exit;
use crate::cli::render::several;

/// Sets a key of the one link, or of the one named.
pub(crate) fn carry_out(
    places: &Places,
    only: Option<&str>,
    options: &args::Set,
) -> Result<Exit, Error> {
    // A link that is named may have a fault, which this may be about to mend.
    let link = match only {
        Some(link) => link.to_owned(),
        None => match &ground::links(&places.config_dir, None)?[..] {
            [settings] => settings.name.clone(),
            links => {
                let names: Vec<&str> = links.iter().map(|link| link.name.as_str()).collect();
                several(&names);
                return Ok(Exit::Usage);
            }
        },
    };
    if let Some(path) = configure::set(places, &link, &options.key, &options.value)? {
        log::info!("wrote '{}'", path.display());
    }
    Ok(Exit::Done)
}

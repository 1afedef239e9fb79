//! `model`: shows the models of Anthropic's, and sets them when asked.

use crate::app::error::Error;
use crate::app::ground::Places;
use crate::app::model::{self, Shown, Way};
use crate::cli::args;
use crate::cli::exit::Exit;
use crate::cli::render::answer;
use crate::domain::models::{ALIASES, Wish};

/// Shows and sets, as asked.
pub(crate) fn carry_out(
    places: &Places,
    only: Option<&str>,
    options: &args::Model,
) -> Result<Exit, Error> {
    let Some(aliases) = aliases(&options.aliases) else {
        log::error!("--alias must be a model, '=' and a name");
        return Ok(Exit::Usage);
    };
    let (primary, drop_providers) = (options.primary.clone(), options.drop_provider);
    let wish = Wish { primary, aliases, drop_providers };
    let way = match (options.apply, options.through_openclaw) {
        (false, _) => Way::Show,
        (true, false) => Way::Splice,
        (true, true) => Way::OpenClaw,
    };
    let all = model::all(places, only, &wish, way)?;
    let mut exit = Exit::Done;
    for shown in &all {
        exit = Exit::gravest([exit, say(shown, way)]);
    }
    Ok(exit)
}

fn aliases(given: &[String]) -> Option<Vec<(String, String)>> {
    if given.is_empty() {
        return Some(ALIASES.map(|(id, alias)| (id.to_owned(), alias.to_owned())).to_vec());
    }
    let pair = |text: &String| {
        let (id, alias) = text.split_once('=')?;
        (!id.is_empty() && !alias.is_empty()).then(|| (id.to_owned(), alias.to_owned()))
    };
    given.iter().map(pair).collect()
}

fn say(shown: &Shown, way: Way) -> Exit {
    let (link, path) = (&shown.link, shown.path.display());
    let primary = shown.models.primary.as_deref().unwrap_or("not set");
    let mut text = format!("{link}  '{path}'\n  primary  {primary}\n");
    for (id, alias) in &shown.models.aliases {
        text.extend([format!("  model    {id}  {}\n", alias.as_deref().unwrap_or_default())]);
    }
    answer(&text);
    for id in &shown.models.providers {
        log::warn!(
            "{link}: models.providers.{id} in '{path}' takes the built-in models away\nhint: oauth-sync model --apply --drop-provider"
        );
    }
    match (&shown.valid, way) {
        (Some(Err(why)), _) => {
            log::error!(
                "{link}: OpenClaw does not take the new text, so the old one is back: {why}"
            );
            return Exit::Failed;
        }
        (_, Way::Show) if shown.changed => {
            log::info!("{link}: oauth-sync model --apply would change this");
        }
        (valid, Way::Splice) if shown.changed => {
            let word = if valid.is_some() { " and OpenClaw takes it" } else { "" };
            log::info!("{link}: '{path}' was changed{word}");
        }
        _ => {}
    }
    Exit::Done
}

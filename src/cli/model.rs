//! `model`: shows the models of Anthropic's, and sets them when asked.

use std::path::PathBuf;

use crate::app::context::Places;
use crate::app::error::Error;
use crate::app::setup::model::{self, Shown};
use crate::cli::args;
use crate::cli::exit::Exit;
use crate::cli::output::answer;
use crate::domain::hints::ours;
use crate::domain::models::Wish;

/// Shows and sets, as asked.
pub(crate) fn carry_out(
    places: &Places,
    only: Option<&str>,
    options: &args::Model,
) -> Result<Exit, Error> {
    let Some(wish) = wish(options) else {
        log::error!("--alias must be a model, '=' and a name");
        return Ok(Exit::Usage);
    };
    let all = model::all(places, only, &wish, options.apply)?;
    let mut exit = Exit::Done;
    for shown in &all {
        exit = Exit::gravest([exit, say(shown, options.apply)]);
    }
    Ok(exit)
}

/// What is asked for: taking a provider out is no wish for other models.
fn wish(options: &args::Model) -> Option<Wish> {
    if options.drop_provider && options.primary.is_none() && options.aliases.is_empty() {
        return Some(Wish::no_providers());
    }
    let mut wish = Wish { drop_providers: options.drop_provider, ..Wish::usual() };
    if options.primary.is_some() {
        wish.primary.clone_from(&options.primary);
    }
    if !options.aliases.is_empty() {
        wish.aliases = aliases(&options.aliases)?;
    }
    Some(wish)
}

fn aliases(given: &[String]) -> Option<Vec<(String, String)>> {
    let pair = |text: &String| {
        let (id, alias) = text.split_once('=')?;
        (!id.is_empty() && !alias.is_empty()).then(|| (id.to_owned(), alias.to_owned()))
    };
    given.iter().map(pair).collect()
}

fn say(shown: &Shown, apply: bool) -> Exit {
    let (link, path) = (&shown.link, shown.path.display());
    let primary = shown.models.primary.as_deref().unwrap_or("not set");
    let aliases = shown.models.aliases.iter().map(|(id, alias)| {
        let alias = alias.as_deref().unwrap_or_default();
        format!("  model    {id}  {alias}")
    });
    let lines = [format!("{link}  '{path}'"), format!("  primary  {primary}")];
    answer(lines.into_iter().chain(aliases));
    for id in &shown.models.providers {
        log::warn!(
            hint = ours::drop_provider(link).to_string();
            "{link}: models.providers.{id} in '{path}' takes the built-in models away"
        );
    }
    match (&shown.valid, apply) {
        (Some(Err(why)), _) => {
            log::error!(
                "{link}: OpenClaw does not take the new text, so the old one is back: {why}"
            );
            return Exit::Failed;
        }
        (_, false) if !shown.changed.is_empty() => {
            let apply = ours::plain("model --apply");
            log::info!("{link}: {apply} would change this in {}", names(&shown.changed));
        }
        (valid, true) if !shown.changed.is_empty() => {
            let word = if valid.is_some() { " and OpenClaw takes it" } else { "" };
            log::info!("{link}: {} was changed{word}", names(&shown.changed));
        }
        _ => {}
    }
    Exit::Done
}

fn names(files: &[PathBuf]) -> String {
    files.iter().map(|file| format!("'{}'", file.display())).collect::<Vec<_>>().join(" and ")
}

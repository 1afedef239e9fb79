//! The Claude CLI: installing it, signing in, and a call that shows that it answers.

use std::time::Duration;

use crate::app::error::Error;
use crate::app::setup::npm_install;
use crate::app::setup::sign_in;
use crate::cli::exit::Exit;
use crate::cli::setup::ask::Said;
use crate::cli::setup::{Guide, Turn};
use crate::domain::config::settings::ClaudeCli;
use crate::domain::hints::{host, ours};
use crate::domain::source::Source;
use crate::domain::time::in_words;
use crate::os::{clock, terminal};

/// How long the CLI may take for its answer: longer than it waits for a server.
const LIMIT: Duration = Duration::from_secs(180);

/// Offers to install the CLI by npm where it is missing.
pub(super) fn install(guide: &mut Guide<'_>) -> Result<Turn, Error> {
    let Some(settings) = guide.settings() else { return Ok(Guide::without_link()) };
    if matches!(settings.claude_cli, ClaudeCli::None) {
        Guide::found("CLAUDE_CLI=\"none\": no Claude CLI is used");
        return Ok(Turn::Pass);
    }
    let (why, hint) = match sign_in::find(guide.places, &settings)? {
        Ok(cli) => {
            Guide::found(&format!("found: {cli}"));
            return Ok(Turn::Pass);
        }
        Err(missing) => missing,
    };
    Guide::found(&why);
    let is_host = matches!(settings.claude_cli, ClaudeCli::Host { path: None });
    let plan =
        if is_host && !guide.options.no_install { npm_install::plan(&settings)? } else { None };
    let Some(plan) = plan else {
        Guide::found(&hint.map_or_else(
            || "install it, then take this up again".to_owned(),
            |hint| format!("what helps: {hint}"),
        ));
        return Ok(Turn::Pass);
    };
    let words = host::command(&plan.words);
    Guide::found(&format!("as {}: {words}", plan.user));
    match guide.ask.may("Install Claude CLI so?") {
        Said::Yes => {}
        other => return Ok(other.into()),
    }
    npm_install::carry_out(&plan)?;
    match sign_in::find(guide.places, &settings)? {
        Ok(cli) => Guide::found(&format!("installed: {cli}")),
        Err((why, _)) => Guide::found(&format!("it is still not there: {why}")),
    }
    Ok(Turn::Next)
}

/// Offers to sign in where no login lives.
pub(super) fn sign_in(guide: &mut Guide<'_>) -> Result<Turn, Error> {
    let Some(settings) = guide.settings() else { return Ok(Guide::without_link()) };
    let now = clock::now();
    let source = crate::app::source::of(&settings, now);
    let path = settings.claude_credentials.display().to_string();
    match &source {
        Source::Living(credential) | Source::Static(credential) => {
            let left = in_words(credential.expiry.left(now));
            Guide::found(&format!("'{path}' holds a login whose access token lives for {left}"));
            return Ok(Turn::Pass);
        }
        Source::Expired(credential) if credential.refresh_token.is_some() => {
            Guide::found(&format!("{}: it may still be renewed", source.message(&path)));
        }
        other => Guide::found(&other.message(&path)),
    }
    if !terminal::is_interactive() {
        Guide::found(&format!("a sign-in needs a terminal: {}", ours::plain("login")));
        guide.exit = Exit::NeedsPerson;
        return Ok(Turn::Pass);
    }
    match guide.ask.may("Sign in now?") {
        Said::Yes => crate::cli::login::sign_in(guide.places, &settings).map(|_| Turn::Next),
        other => Ok(other.into()),
    }
}

/// Offers a call of the CLI, as the renewals make it.
pub(super) fn test_call(guide: &mut Guide<'_>) -> Result<Turn, Error> {
    let Some(settings) = guide.settings() else { return Ok(Guide::without_link()) };
    let cli = match sign_in::find(guide.places, &settings)? {
        Ok(cli) => cli,
        Err((why, _)) => {
            Guide::found(&format!("it does not run: {why}"));
            return Ok(Turn::Pass);
        }
    };
    Guide::found(&format!("{cli}: claude -p \"say ok\""));
    let question = "Try it? It costs one short answer of the model";
    let said = if guide.options.test_call {
        guide.ask.may(question)
    } else {
        guide.ask.may_costly(question)
    };
    if said != Said::Yes {
        return Ok(said.into());
    }
    match sign_in::try_call(guide.places, &settings, LIMIT)? {
        Ok(took) => Guide::found(&format!("it answered within {}", in_words(took))),
        Err(why) => Guide::found(&format!("it did not answer: {why}")),
    }
    Ok(Turn::Next)
}

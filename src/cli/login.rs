//! `login`: Claude's sign-in at the terminal, and what follows from it.

use std::path::Path;

use crate::app;
use crate::app::context::{self, Ground, Places};
use crate::app::error::Error;
use crate::app::incident;
use crate::app::setup::sign_in::{self, Signed};
use crate::app::source;
use crate::app::sync::Options;
use crate::app::watch::maintenance;
use crate::cli::exit::Exit;
use crate::cli::output::several;
use crate::domain::config::settings::Settings;
use crate::domain::hints::ours;
use crate::domain::login::{ESTIMATED_LIFE, LONGEST_LIFE};
use crate::domain::setup_token;
use crate::domain::time::{Timestamp, in_words};
use crate::domain::visible::visible;
use crate::os::journal::below;
use crate::os::{clock, terminal};

/// What is done at a link.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way<'a> {
    /// Claude's own sign-in.
    SignIn,
    /// It is noted that somebody signed in on this date.
    Note(&'a str),
    /// A setup-token is taken, and kept in this file where one is named.
    SetupToken(Option<&'a Path>),
}

/// Signs in at the one link, or the one named; with a date it notes that somebody did so then.
pub(crate) fn carry_out(places: &Places, only: Option<&str>, way: Way<'_>) -> Result<Exit, Error> {
    let links = context::links(&places.config_dir, only)?;
    let [settings] = &links[..] else {
        let names: Vec<&str> = links.iter().map(|link| link.name.as_str()).collect();
        several(&names);
        return Ok(Exit::Usage);
    };
    if let Some(host) = &settings.renewed_by {
        log::error!("{host} renews this login: sign in there, not here");
        return Ok(Exit::Failed);
    }
    match way {
        Way::Note(date) => return note(places, settings, date),
        Way::SetupToken(file) => return take_setup_token(places, settings, file),
        Way::SignIn => {}
    }
    if source::is_setup_token(settings, &source::of(settings, clock::now())) {
        let path = settings.claude_credentials.display();
        let hint = ours::login_setup_token(&settings.name);
        log::error!(hint = hint.to_string(); "this link uses the setup-token in '{path}', and no sign-in");
        return Ok(Exit::Usage);
    }
    if !terminal::is_interactive() {
        let hint = ours::login_over_ssh(&settings.name);
        log::error!(hint = hint.to_string(); "a sign-in needs a terminal");
        return Ok(Exit::Usage);
    }
    sign_in(places, settings)
}

/// Notes when somebody signed in, where nothing else tells it.
fn note(places: &Places, settings: &Settings, date: &str) -> Result<Exit, Error> {
    let now = clock::now();
    // One that was signed in before that has ended, whoever says that it works.
    let is_possible = |moment: &Timestamp| *moment <= now && now < moment.after(LONGEST_LIFE);
    let Some(moment) = Timestamp::parse_typed(date).filter(is_possible) else {
        let hint = "a date within the last 31 days, as in 2026-11-30, or a time as in 2026-11-30T08:15:00Z";
        log::error!(hint; "'{}' is no moment of a sign-in", visible(date));
        return Ok(Exit::Usage);
    };
    let path = settings.claude_credentials.display();
    let told = source::of(settings, now).credential().and_then(|credential| credential.login_end);
    if let Some(end) = told {
        log::info!("the login in '{path}' tells its end itself, {end}: nothing is changed");
        return Ok(Exit::Done);
    }
    incident::signed_in(&Ground::open(places)?, settings, moment)?;
    maintenance::make(places, Some(&settings.name))?;
    let end = moment.after(ESTIMATED_LIFE);
    log::info!("the login in '{path}' was signed in at {moment}: it ends about {end} (estimate)");
    Ok(Exit::Done)
}

/// Signs in, carries the new login on, and says what came of it.
pub(crate) fn sign_in(places: &Places, settings: &Settings) -> Result<Exit, Error> {
    let signed = sign_in::at(places, settings, |what| log::info!("signing in by {what}"))?;
    let path = settings.claude_credentials.display();
    match signed {
        Signed::In(expiry) => {
            let left = in_words(expiry.left(clock::now()));
            log::info!("signed in: the access token in '{path}' ends at {expiry}, in {left}");
            carry_on(places, settings)
        }
        Signed::Not(why) => {
            let hint = ours::login_to_the_end(&settings.name);
            log::error!(hint = hint.to_string(); "not signed in: {why}");
            Ok(Exit::NeedsPerson)
        }
        Signed::Unable(why, hint) => {
            log::error!(hint = below(hint.as_ref()); "cannot sign in: {why}");
            Ok(Exit::Failed)
        }
    }
}

/// Takes a setup-token, stores it, and carries it on.
fn take_setup_token(
    places: &Places,
    settings: &Settings,
    file: Option<&Path>,
) -> Result<Exit, Error> {
    let prompt = "Paste the setup-token (it is not shown), then press Enter twice: ";
    let Some(text) = terminal::read_secret(prompt)? else {
        log::error!("no setup-token was taken");
        return Ok(Exit::Failed);
    };
    let token = match setup_token::parse(&text) {
        Ok(token) => token,
        Err(why) => {
            let hint =
                "run 'claude setup-token' where there is a browser, and hand in what it prints";
            log::error!(hint; "this is no setup-token: {why}");
            return Ok(Exit::Usage);
        }
    };
    let stored = app::setup::setup_token::store(places, settings, &token, file)?;
    let (path, expiry) = (stored.path.display(), stored.expiry);
    log::info!(
        "stored the setup-token in '{path}': it ends about {expiry} (estimate: a year from now), nothing can renew it, and it is good for inference alone"
    );
    if let Some(before) = &stored.before {
        let hint = ours::set_path(&settings.name, "CLAUDE_CREDENTIALS", before);
        let before = before.display();
        log::info!(hint = hint.to_string(); "this link uses the setup-token now, and no longer '{before}'");
    }
    let links = context::links(&places.config_dir, Some(&settings.name))?;
    links.first().map_or(Ok(Exit::Failed), |settings| carry_on(places, settings))
}

/// Carries the new login on, gateway and all, and has the incidents see it: whoever just signed in
/// means this login, whatever was there before.
fn carry_on(places: &Places, settings: &Settings) -> Result<Exit, Error> {
    incident::signed_in(&Ground::open(places)?, settings, clock::now())?;
    let options = Options { force: true, ..Options::default() };
    let exit = crate::cli::sync(places, Some(&settings.name), options, false)?;
    maintenance::make(places, Some(&settings.name))?;
    Ok(exit)
}

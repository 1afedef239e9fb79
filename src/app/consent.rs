//! The one consent: OpenClaw's own command loses the comments in openclaw.json.
//!
//! Whether it is missing decides where a sync puts the token and whether the gateway's run may
//! paste it; a person gives it with `gateway --consent`, in `setup`, or by the packages' question.

use crate::app::error::Error;
use crate::app::ground::{self, Ground, Places};
use crate::app::openclaw::OpenClaw;
use crate::domain::auth_profiles::OWN_PROFILE;
use crate::domain::config::DEFAULT;
use crate::domain::config::settings::Settings;
use crate::domain::gateway::{Ending, Pasted};
use crate::domain::shell::Hint;
use crate::os::clock;
use crate::os::stage::{self, Durability};

/// Says whether a paste would be the first, after which comments in openclaw.json are gone.
pub(crate) fn loses_comments(openclaw: &OpenClaw) -> bool {
    openclaw.config.has_comments && openclaw.config.profile(OWN_PROFILE).is_none()
}

/// Why the first paste still waits for it; `None` where nothing speaks against the paste.
pub(crate) fn missing(openclaw: &OpenClaw, ground: &Ground, link: &str) -> Option<Ending> {
    if !loses_comments(openclaw) || ground::is_marked(&ground.places, &mark(link)) {
        return None;
    }
    let why =
        "the first paste-token makes OpenClaw rewrite openclaw.json, and its comments are lost";
    let hint = Hint::new("oauth-sync gateway --consent --link").arg(link);
    Some(Ending::Deferred(why.to_owned(), Some(hint)))
}

/// Says whether it was missing when the token could not be pasted, and has been given since.
pub(crate) fn frees(known: &Pasted, openclaw: &OpenClaw, ground: &Ground, link: &str) -> bool {
    known.lacks_consent && missing(openclaw, ground, link).is_none()
}

/// Notes that somebody agrees to the loss of the comments.
pub(crate) fn give(places: &Places, link: &str) -> Result<(), Error> {
    let state = ground::open_or_make(&places.state_dir)?;
    Ok(stage::replace(&state, &mark(link), b"", Durability::Flushed)?)
}

/// Notes that somebody agrees for every link whose token waits for it; gives their names.
pub(crate) fn give_where_missing(
    places: &Places,
    only: Option<&str>,
) -> Result<Vec<String>, Error> {
    let ground = Ground::open(places)?;
    let mut agreed = Vec::new();
    for settings in ground::links(&places.config_dir, only)? {
        if is_missing(&ground, &settings)? {
            give(places, &settings.name)?;
            agreed.push(settings.name);
        }
    }
    Ok(agreed)
}

/// Notes that somebody agrees for every link, or the one named, whether its token waits for that yet
/// or not; gives their names.
///
/// The packages' own link may still be to come: the timer's run makes it once there is a login.
pub(crate) fn give_ahead(places: &Places, only: Option<&str>) -> Result<Vec<String>, Error> {
    let links = match ground::sound_links(&places.config_dir, only) {
        Ok((links, _)) => links.into_iter().map(|settings| settings.name).collect(),
        Err(Error::NoLink(..)) if only == Some(DEFAULT) => vec![DEFAULT.to_owned()],
        Err(error) => return Err(error),
    };
    links.iter().try_for_each(|link| give(places, link))?;
    Ok(links)
}

/// Says whether a link's token is pasted, and the first paste still waits for the consent.
pub(crate) fn is_missing(ground: &Ground, settings: &Settings) -> Result<bool, Error> {
    let memory = ground.remember(settings)?;
    let openclaw = OpenClaw::look(settings, ground, &memory, clock::now());
    Ok(openclaw.is_pasted(settings) && missing(&openclaw, ground, &settings.name).is_some())
}

/// The mark in the state folder that says that comments may be lost.
pub(crate) fn mark(link: &str) -> String {
    format!("consent-{link}")
}

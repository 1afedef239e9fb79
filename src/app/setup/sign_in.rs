//! Signs in at a link: the right user in the right place, and done only when the file shows it.

use std::time::Duration;

use crate::app::context::Places;
use crate::app::context::open_or_make;
use crate::app::error::Error;
use crate::app::refresh::credentials_file::Place;
use crate::app::refresh::sign_in::SignIn;
use crate::domain::claude_cli;
use crate::domain::config::settings::Settings;
use crate::domain::credential::Credential;
use crate::domain::hints::ours;
use crate::domain::outcome::Outcome;
use crate::domain::shell::Hint;
use crate::domain::sign_in;
use crate::domain::time::Timestamp;
use crate::os::event::signals::Deferral;
use crate::os::fs::dir::Folder;
use crate::os::process::executables;
use crate::os::{self, clock};

/// What became of a sign-in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Signed {
    /// There is a new login, whose access token ends then.
    In(Timestamp),
    /// The file does not show it; why.
    Not(String),
    /// It could not be tried; why, and what helps.
    Unable(String, Option<Hint>),
}

/// Signs in with the terminal that we have; `announce` is told what is about to be run.
pub(crate) fn at(
    places: &Places,
    settings: &Settings,
    announce: impl FnOnce(&str),
) -> Result<Signed, Error> {
    let place = match reach(settings) {
        Ok(place) => place,
        Err(error) => {
            return Ok(Signed::Unable(error.to_string(), error.command().cloned()));
        }
    };
    let workplace = executables::workplace(&open_or_make(&places.state_dir)?)?;
    let sign_in = match SignIn::find(settings, &place, &workplace) {
        Ok(sign_in) => sign_in,
        Err(outcome) => return Ok(unable(outcome)),
    };
    if !sign_in.is_allowed() {
        let hint = ours::login_as_root(&settings.name);
        return Ok(Signed::Unable("the login belongs to another user".to_owned(), Some(hint)));
    }
    let before = place.source(clock::now()).credential().cloned();
    let signals = Deferral::prepare(&places.run_dir)?;
    // Ctrl-C is the CLI's: whatever it has saved by then is still carried on.
    let waiting = signals.hold();
    announce(&sign_in.describe());
    sign_in.run(&workplace, &waiting)?;
    let signed = judge(&place, before.as_ref());
    drop(waiting);
    Ok(signed)
}

fn judge(place: &Place, before: Option<&Credential>) -> Signed {
    let now = clock::now();
    match sign_in::proof(before, &place.source(now), now) {
        Ok(credential) => Signed::In(credential.expiry),
        Err(why) => Signed::Not(why),
    }
}

fn unable(outcome: Outcome) -> Signed {
    let cause = outcome.cause().unwrap_or_default().to_owned();
    match outcome {
        Outcome::Unable { hint, .. } => Signed::Unable(cause, hint),
        _ => Signed::Unable(cause, None),
    }
}

/// Finds the CLI of a link: in words, or why not and what helps.
pub(crate) fn find(
    places: &Places,
    settings: &Settings,
) -> Result<Result<String, (String, Option<Hint>)>, Error> {
    let workplace = executables::workplace(&open_or_make(&places.state_dir)?)?;
    let found = reach(settings)
        .map_err(|error| Outcome::unable(error.to_string()))
        .and_then(|place| SignIn::find(settings, &place, &workplace));
    Ok(match found {
        Ok(sign_in) => Ok(sign_in.describe()),
        Err(outcome) => match unable(outcome) {
            Signed::Unable(why, hint) => Err((why, hint)),
            Signed::In(_) | Signed::Not(_) => Err((String::new(), None)),
        },
    })
}

/// Makes the renewing call and says how long the answer took, or why there was none.
///
/// It is never ended before its time is over: in its last minutes the CLI renews, and may lose the
/// login when it is killed.
pub(crate) fn try_call(
    places: &Places,
    settings: &Settings,
    limit: Duration,
) -> Result<Result<Duration, String>, Error> {
    let workplace = executables::workplace(&open_or_make(&places.state_dir)?)?;
    let place = reach(settings)?;
    let sign_in = match SignIn::find(settings, &place, &workplace) {
        Ok(sign_in) => sign_in,
        Err(outcome) => return Ok(Err(outcome.cause().unwrap_or_default().to_owned())),
    };
    let signals = Deferral::prepare(&places.run_dir)?;
    let waiting = signals.hold();
    let begun = clock::now();
    let ended = sign_in.test_call(&workplace).run(limit)?;
    drop(waiting);
    if ended.is_success() {
        return Ok(Ok(clock::now().left(begun)));
    }
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    let cause = claude_cli::cause(&said).map(str::to_owned);
    Ok(Err(cause.unwrap_or_else(|| ended.how())))
}

/// Reaches the folder of the credentials; before the first sign-in it is made, as the CLI would.
pub(crate) fn reach(settings: &Settings) -> Result<Place, os::error::Error> {
    let (path, limit) = (&settings.claude_credentials, settings.max_credentials_size);
    match Place::reach(path, limit) {
        Err(error) if error.is_absent() => {
            let folder = path.parent().and_then(|folder| folder.parent().zip(folder.file_name()));
            let Some((home, Some(name))) = folder.map(|(home, name)| (home, name.to_str())) else {
                return Err(error);
            };
            Folder::reach(home)?.make(name)?;
            Place::reach(path, limit)
        }
        other => other,
    }
}

//! The sink `paste-token`: hands the token to OpenClaw's own command and asks what came of it.

use crate::app::gateway::exec_context::text;
use crate::app::gateway::job::Work;
use crate::app::openclaw::SIZE_LIMIT;
use crate::app::openclaw::paste_consent;
use crate::domain::auth_profiles::OWN_PROFILE;
use crate::domain::credential::Credential;
use crate::domain::era::Version;
use crate::domain::gateway::paste::{self as rules, ReadBack};
use crate::domain::gateway::{Deed, Ending, Missing, Pasted, masking};
use crate::domain::hints::openclaw;
use crate::domain::messages;
use crate::os::clock;
use crate::os::fs::atomic_write::{self, Durability};
use crate::os::fs::dir::Folder;
use crate::os::journal::below;

/// After so many failures `env` takes over.
const ENOUGH: u32 = 3;

/// What is put behind the name of a copy of the file that OpenClaw rewrites.
const BACKUP: &str = ".before-oauth-sync";

/// Pastes the token that may be passed on now, unless it was.
pub(crate) fn paste(work: &mut Work<'_>) -> Result<Deed, Ending> {
    let credential = work.credential().cloned();
    let Some(credential) = credential else {
        return Err(Ending::deferred("there is no token that may be passed on"));
    };
    let fingerprint = work.ground.fingerprinter.of(&credential.access_token);
    let known = work.ledger.paste.clone().unwrap_or_default();
    let done = known.fingerprint == Some(fingerprint) && known.barred.is_none();
    if done && known.hidden_by.is_none() {
        return Ok(Deed::Nothing);
    }
    if let Err(ending) = may_paste(work) {
        return Err(barred(work, ending));
    }
    match bring(work, &credential, done) {
        Ok(found) => {
            if !done || found.hidden_by != known.hidden_by {
                say(work, &found);
            }
            work.ledger.paste = Some(Pasted {
                fingerprint: Some(fingerprint),
                expiry: Some(credential.expiry),
                hidden_by: found.hidden_by,
                order: found.order,
                read_back: Some(clock::now()),
                ..Pasted::default()
            });
            work.save();
            Ok(if done { Deed::Nothing } else { Deed::Pasted })
        }
        Err(ending) if work.pending().attempts + 1 >= ENOUGH => Err(barred(work, ending)),
        Err(ending) => Err(ending),
    }
}

/// Hands the token over unless that is `done`, and asks what OpenClaw holds: for every agent that
/// has a store of its own.
fn bring(work: &mut Work<'_>, credential: &Credential, done: bool) -> Result<ReadBack, Ending> {
    let mut all: Option<ReadBack> = None;
    for agent in work.openclaw.owners() {
        if !done {
            hand_over(work, credential, agent.as_deref())?;
        }
        let found = read_back(work, credential, agent.as_deref())?;
        all = Some(match all {
            Some(all) => all.join(found),
            None => found,
        });
    }
    Ok(all.unwrap_or_default())
}

fn may_paste(work: &mut Work<'_>) -> Result<(), Ending> {
    work.program()?;
    let version = work.ledger.version.as_ref().and_then(|seen| Version::parse(&seen.text));
    match version {
        None => {
            let why =
                work.version_error.as_deref().map_or_else(String::new, |why| format!(": {why}"));
            let what = format!("the version of OpenClaw could not be asked for{why}");
            return Err(Ending::deferred(what));
        }
        Some(version) if version < Version::SQLITE => {
            let why = format!(
                "OpenClaw is {version}: before 2026.6.1 paste-token echoes the token and stores nothing"
            );
            return Err(Ending::deferred(why));
        }
        Some(_) => {}
    }
    match paste_consent::missing(&work.openclaw, work.ground, &work.settings.name) {
        Some(ending) => Err(ending),
        None => back_up(work),
    }
}

/// Keeps the file that OpenClaw rewrites as it is before something in it is lost.
fn back_up(work: &Work<'_>) -> Result<(), Ending> {
    let Some(state) = work.openclaw.folder() else { return Ok(()) };
    let Some(path) = paste_consent::at_stake(&work.openclaw) else { return Ok(()) };
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return Ok(()) };
    let name = format!("{}{BACKUP}", name.to_string_lossy());
    let kept = || {
        let Some(followed) = state.read_through(path, SIZE_LIMIT)? else { return Ok(()) };
        let folder = Folder::reach(folder)?;
        match folder.stat(&name)? {
            Some(_) => Ok(()),
            None => {
                atomic_write::replace(&folder, &name, &followed.seen.bytes, Durability::Flushed)
            }
        }
    };
    kept().map_err(|error: crate::os::error::Error| Ending::deferred(error.to_string()))
}

fn hand_over(
    work: &mut Work<'_>,
    credential: &Credential,
    agent: Option<&str>,
) -> Result<(), Ending> {
    let program = work.program()?;
    let words = rules::arguments(credential.expiry, clock::now(), agent);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let input = format!("{}\n", credential.access_token.expose()).into_bytes();
    let ended = program.run(work, &words, input)?;
    if ended.is_success() {
        return Ok(());
    }
    let token = std::slice::from_ref(&credential.access_token);
    let said = masking::mask(&text(&ended.stderr), token);
    let how = if ended.overdue { "it took too long".to_owned() } else { ended.how() };
    Err(Ending::Failed(format!("paste-token: {how}: {}", masking::tail(&said, 3)), None))
}

/// Asks OpenClaw what it holds now: the exit status of the paste proves nothing.
fn read_back(
    work: &mut Work<'_>,
    credential: &Credential,
    agent: Option<&str>,
) -> Result<ReadBack, Ending> {
    let program = work.program()?;
    let mut words = vec!["models", "status", "--json"];
    words.extend(agent.into_iter().flat_map(|agent| ["--agent", agent]));
    let ended = program.run(work, &words, Vec::new())?;
    let found = rules::read_back(&text(&ended.stdout), &credential.access_token);
    match found {
        Some(found) if found.holds => Ok(found),
        Some(_) => {
            let why = "paste-token was carried out, but OpenClaw does not show the new token";
            Err(Ending::Failed(why.to_owned(), None))
        }
        None => {
            let token = std::slice::from_ref(&credential.access_token);
            let said = masking::mask(&text(&ended.stderr), token);
            let why = format!("models status could not be read: {}", masking::tail(&said, 2));
            Err(Ending::Failed(why, None))
        }
    }
}

fn say(work: &Work<'_>, found: &ReadBack) {
    let link = &work.settings.name;
    if let Some(other) = &found.hidden_by {
        let hint = openclaw::put_first(OWN_PROFILE, &found.order).to_string();
        let id = messages::id("sink-shadowed");
        log::warn!(MESSAGE_ID = id, link = link.as_str(), hint; "{link}: OpenClaw uses the profile {other} before ours");
    } else if work.ledger.is_hidden() {
        log::info!("{link}: OpenClaw uses the pasted profile again");
    }
    if found.cools_down {
        log::warn!(
            "{link}: OpenClaw leaves the profile alone for a while after a 401; it comes back by itself in about a minute"
        );
    }
}

/// Remembers why nothing can be pasted, so that `env` carries the token instead.
fn barred(work: &mut Work<'_>, ending: Ending) -> Ending {
    let why = ending.why().unwrap_or_default().to_owned();
    let known = work.ledger.paste.clone().unwrap_or_default();
    if known.barred.as_ref() != Some(&why) {
        let hint = below(ending.hint());
        let (id, link) = (messages::id("paste-barred"), work.settings.name.as_str());
        log::warn!(MESSAGE_ID = id, link, hint; "{link}: the token cannot be pasted: {why}");
    }
    let lacks_consent =
        paste_consent::missing(&work.openclaw, work.ground, &work.settings.name).is_some();
    let lacks_program = matches!(ending, Ending::NotFound(Missing::Openclaw, ..));
    let barred_for = work.passed_on();
    let barred = Some(why);
    work.ledger.paste = Some(Pasted { barred, barred_for, lacks_consent, lacks_program, ..known });
    ending
}

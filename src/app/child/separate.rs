//! Links whose files may not answer: a run over all links gives each to a process of its own.
//!
//! The run itself enters no file system that may not answer. Such a link is first examined by a process that
//! only reads; only where that ends in time does another one do the work. Neither is waited for beyond its
//! limit, so a hang costs that link alone.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::app::child::queue_runner;
use crate::app::context::Places;
use crate::app::error::Error;
use crate::domain::config::settings::Settings;
use crate::os::debounce;
use crate::os::error::{Cause, Error as SystemError};
use crate::os::event::signals::Deferral;
use crate::os::fs::dir::{self, Refused};
use crate::os::process::lanes::{Lanes, Step};
use crate::os::process::self_exec::Offspring;
use crate::os::progress;

/// The exit status of a process for a link that another one hangs at (sysexits.h, `EX_TEMPFAIL`).
const HANGS: i32 = 75;

/// How long the examination of a link may take.
pub(crate) const EXAMINATION: Duration = Duration::from_secs(10);

/// How long a process has to end once it was asked to, and once it was killed.
const LAST_WAIT: Duration = Duration::from_secs(2);

/// How often it is looked whether this process was told to end.
const GLANCE: Duration = Duration::from_millis(250);

/// How long the doctor may take for a link: an engine that is asked has a minute.
pub(crate) const DIAGNOSIS: Duration = Duration::from_secs(90);

/// How long a process may show no progress: who waits for a program, which has a limit of its own, shows that.
const SILENCE: Duration = Duration::from_secs(60);

/// How long a process for one link is waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    /// While it shows no progress.
    silent: Duration,
    /// In all.
    in_all: Duration,
}

impl Limit {
    /// What the end of a process was whose time is over, at this age.
    fn end(self, age: Duration) -> End {
        // Where both are the same it has shown none.
        if self.silent < self.in_all && age >= self.in_all {
            End::Overdue(self.in_all)
        } else {
            End::Silent(self.silent)
        }
    }
}

/// The longest that a renewal and the sync after it take: 160 s for the CLI, 60 s for the request and its
/// locks, 60 s for the sync.
pub(crate) const RENEWAL: Limit = Limit { silent: RENEWAL_TIME, in_all: RENEWAL_TIME };
const RENEWAL_TIME: Duration = Duration::from_secs(300);

/// The longest that a sync and the work on a gateway take: a recreate has 15 minutes, and its proof follows.
pub(crate) const GATEWAY: Limit = Limit { silent: SILENCE, in_all: Duration::from_secs(1200) };

/// The longest that work takes that asks nothing of the gateway.
pub(crate) const FILES: Limit = Limit { silent: SILENCE, in_all: SILENCE };

/// How a process for one link ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// With this exit status; it has said what there was to say.
    Exit(i32),
    /// It has shown no progress for this time.
    Silent(Duration),
    /// Not within this time, whatever it has shown.
    Overdue(Duration),
}

impl End {
    /// What is to be said of a link that did not answer.
    pub(crate) fn trouble(self) -> Option<String> {
        match self {
            Self::Silent(limit) => {
                let seconds = limit.as_secs();
                Some(format!("the file system of its files has not answered for {seconds} s"))
            }
            Self::Overdue(limit) => Some(format!("it took more than {} s", limit.as_secs())),
            Self::Exit(_) => None,
        }
    }
}

/// From now on this process enters nothing that may not answer, unless another one waits for it.
pub(crate) fn begin(places: &Places) {
    if !progress::is_shown() {
        let mut own = places.own();
        // Of the kernel itself.
        own.push(Path::new("/proc").to_owned());
        dir::never_hang(own);
    }
}

/// Says whether the files of a link answer now.
pub(crate) fn answers(places: &Places, link: &str) -> Result<End, SystemError> {
    let words: Vec<OsString> = ["examine", "--link", link].map(OsString::from).into();
    let mut child = Offspring::start_silent(&queue_runner::arguments(places, &words))?;
    let ended = child.exit_within(EXAMINATION).filter(|exit| *exit != HANGS);
    if ended.is_none() {
        child.signal(true);
        child.exit_within(LAST_WAIT);
    }
    Ok(ended.map_or(End::Silent(EXAMINATION), End::Exit))
}

/// Has the command `words` carried out for one link where its files answer, within `limit`.
pub(crate) fn carry_out(
    places: &Places,
    link: &str,
    words: &[&str],
    limit: Limit,
) -> Result<End, SystemError> {
    let signals = Deferral::prepare(&places.run_dir)?;
    let waiting = signals.hold();
    let silent = answers(places, link)?;
    if let End::Silent(_) = silent {
        return Ok(silent);
    }
    let words = words.iter().copied().chain(["--attended", "--link", link]).map(OsString::from);
    let words: Vec<OsString> = words.collect();
    let mut child = Offspring::start_beside(&queue_runner::arguments(places, &words))?;
    let age = debounce::stopwatch();
    let (mut end, mut told, mut passed_on) = (limit.silent, 0, false);
    let (mut progress, mut ending) = (0, None);
    loop {
        if let Some(exit) = child.exit_within(GLANCE) {
            return Ok(End::Exit(exit));
        }
        // A renewal first saves what it was given.
        if waiting.asked() && !passed_on {
            child.signal(false);
            passed_on = true;
        }
        if told == 0 && child.progress() > progress {
            progress = child.progress();
            end = limit.in_all.min(age() + limit.silent);
        }
        if age() >= end {
            let ending = *ending.get_or_insert_with(|| limit.end(age()));
            if told == 2 {
                return Ok(ending);
            }
            child.signal(told > 0);
            told += 1;
            end += LAST_WAIT;
        }
    }
}

/// Has the command `words` carried out for each of these links; the exit statuses by the links' names, none
/// where a link's files did not answer.
pub(crate) fn each(
    places: &Places,
    links: &[Settings],
    words: &[&str],
    limit: Limit,
) -> Result<Vec<(String, Option<i32>)>, Error> {
    beside(places, links, |settings| {
        let name = &settings.name;
        let trouble = match carry_out(places, name, words, limit) {
            Ok(End::Exit(exit)) => return (name.clone(), Some(exit)),
            Ok(ended) => ended.trouble().unwrap_or_default(),
            Err(error) => error.to_string(),
        };
        log::error!("{name}: {trouble}: this link alone waits");
        (name.clone(), None)
    })
}

/// A link that was not looked at, and what may not answer of it.
pub(crate) type Doubtful = (Settings, Refused);

/// What the command `words` of this program answers for each of these links within `limit`, by their names;
/// why it does not.
pub(crate) fn ask<T: DeserializeOwned>(
    places: &Places,
    links: &[Doubtful],
    words: &[OsString],
    limit: Duration,
) -> Result<HashMap<String, Result<T, SystemError>>, Error> {
    let answers = beside(places, links, |(settings, refused)| {
        (settings.name.clone(), answer(places, &settings.name, words, limit), refused.clone())
    })?;
    let read = |answer: Vec<u8>| serde_json::from_slice(&answer).ok();
    let answers = answers.into_iter().map(|(name, answer, refused)| {
        let answer = match answer {
            Ok(Some(answer)) => read(answer).ok_or_else(|| unlooked(&refused)),
            Ok(None) => Err(failure(refused, limit)),
            Err(error) => Err(error),
        };
        (name, answer)
    });
    Ok(answers.collect())
}

/// What a command answers for one link; nothing where it has not ended in time.
fn answer(
    places: &Places,
    link: &str,
    words: &[OsString],
    limit: Duration,
) -> Result<Option<Vec<u8>>, SystemError> {
    let mut words = words.to_vec();
    words.extend(["--link".into(), link.into()]);
    let mut child = Offspring::start_for_answer(&queue_runner::arguments(places, &words), "")?;
    let ended = child.exit_within(limit).filter(|exit| *exit != HANGS);
    if ended.is_none() {
        child.signal(true);
        child.exit_within(LAST_WAIT);
    }
    Ok(ended.map(|_| child.answer()))
}

/// Does `work` for all of these links at once.
fn beside<L: Sync, T: Send>(
    places: &Places,
    links: &[L],
    work: impl Fn(&L) -> T + Sync,
) -> Result<Vec<T>, Error> {
    let failed = |source| SystemError::new("wait for work in", &places.run_dir, source);
    std::thread::scope(|scope| {
        let mut lanes = Lanes::new(scope, None).map_err(failed)?;
        let work = &work;
        for settings in links {
            lanes.push_wait(move || work(settings));
        }
        let mut results = Vec::new();
        loop {
            match lanes.wait(None, RENEWAL_TIME).map_err(failed)? {
                Step::Done(result) => results.push(result),
                Step::Woken => {}
                Step::Idle => return Ok(results),
            }
        }
    })
}

/// The failure of a link whose files did not answer.
fn failure(refused: Refused, limit: Duration) -> SystemError {
    let Refused { path, kind } = refused;
    let seconds = limit.as_secs();
    let what = format!("its file system, of type '{kind}', has not answered for {seconds} s");
    SystemError { verb: "open", object: path, cause: Cause::Odd(what, None) }
}

/// The failure of a link for which a process was started and gave no answer that can be read.
fn unlooked(refused: &Refused) -> SystemError {
    SystemError::odd("look at", &refused.path, "the process that looks at it has failed")
}

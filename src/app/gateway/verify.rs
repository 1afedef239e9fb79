//! Proves that a container uses the new token: by what it was started with, never by an exit status.

use std::path::Path;
use std::time::Duration;

use crate::app::gateway::container_engine::Engine;
use crate::app::gateway::exec_context::text;
use crate::app::gateway::job::Work;
use crate::domain::config::settings::Settings;
use crate::domain::envfile;
use crate::domain::era::Era;
use crate::domain::gateway::container::Container;
use crate::domain::gateway::{Deed, Ending, paste};
use crate::domain::hints::openclaw;
use crate::domain::secret::Secret;
use crate::domain::sink::SinkKind;
use crate::domain::time::Timestamp;
use crate::os::clock;
use crate::os::debounce;
use crate::os::fs::dir::Folder;
use crate::os::net::probe;

/// How long a container has to stay up before it counts as running.
const STEADY: Duration = Duration::from_secs(2);

/// How long a gateway may take until it answers: a real one takes 10 to 40 s on two busy cores.
const START: Duration = Duration::from_secs(180);

/// The largest `.env` that is read, in bytes.
pub(super) const LIMIT: u64 = 1 << 20;

/// What a container must show.
pub(crate) enum Expected {
    /// Its environment holds this token.
    Environment(Secret),
    /// Its environment does not set the variable, and its process is younger than the file from
    /// which OpenClaw itself takes it.
    StateFile(Timestamp),
    /// Its process is younger than this.
    Start(Timestamp),
}

impl Expected {
    /// Works out what the gateway of a link must show; refuses where a recreate would do harm.
    pub(crate) fn of(work: &Work<'_>) -> Result<Self, Ending> {
        if !work.pending().sinks.contains(&SinkKind::Env) {
            return Ok(Self::Start(work.pending().since));
        }
        let path = work.env_file.as_deref();
        let path = path.ok_or_else(|| Ending::deferred("there is no .env"))?;
        let (expected, token) = Self::by_file(work.settings, path)?;
        let passed = work.passed_on();
        if passed.is_some_and(|passed| passed != work.ground.fingerprinter.of(&token)) {
            let why = format!(
                "'{}' does not hold the token that was passed on last, so nothing is recreated",
                path.display()
            );
            return Err(Ending::deferred(why));
        }
        Ok(expected)
    }

    /// Works out what a gateway must show that takes the token from this `.env`, and the token.
    pub(crate) fn by_file(settings: &Settings, path: &Path) -> Result<(Self, Secret), Ending> {
        let shown = path.display();
        let keep = "so nothing is recreated";
        let seen = match Folder::reach_followed(path)
            .and_then(|(folder, name)| folder.read(&name, LIMIT))
        {
            Ok(Some(seen)) => seen,
            Ok(None) => return Err(Ending::deferred(format!("'{shown}' is not there, {keep}"))),
            Err(error) => return Err(Ending::deferred(format!("{error}, {keep}"))),
        };
        let key = &settings.env_key;
        let Some(token) = envfile::get(&seen.bytes, key).filter(|token| !token.is_empty()) else {
            return Err(Ending::deferred(format!("'{shown}' does not set {key}, {keep}")));
        };
        if is_read_by_openclaw(settings, path) {
            let written = seen.stat.st_mtime * 1000
                + i64::try_from(seen.stat.st_mtime_nsec / 1_000_000).unwrap_or(0);
            return Ok((Self::StateFile(Timestamp(written)), token));
        }
        Ok((Self::Environment(token.clone()), token))
    }
}

/// Says whether a file is the one that OpenClaw itself takes variables from, whatever else its unit reads.
pub(super) fn is_read_by_openclaw(settings: &Settings, path: &Path) -> bool {
    let state_dir = settings.openclaw_state_dir.as_deref();
    state_dir.is_some_and(|state_dir| state_dir.join(".env") == path)
}

impl Expected {
    /// Says whether an environment is what is expected of one: it holds the token, or leaves the variable to a file.
    pub(crate) fn is_given_by(&self, environment: &[(String, Secret)], key: &str) -> bool {
        let own = environment.iter().find(|(name, _)| name == key).map(|(_, value)| value);
        match self {
            Self::Environment(token) => match own {
                Some(value) => value == token,
                // The compose file may hand it over under another name.
                None => environment.iter().any(|(_, value)| value == token),
            },
            Self::StateFile(_) => own.is_none(),
            Self::Start(_) => true,
        }
    }

    /// Says whether a process that was started at `moment` may have missed it.
    pub(crate) fn is_later_than(&self, moment: Timestamp) -> bool {
        match self {
            Self::Environment(_) => false,
            Self::StateFile(since) | Self::Start(since) => *since > moment,
        }
    }
}

/// Says whether OpenClaw uses the variable that it was started with: a profile of its own comes before.
///
/// Where its profiles are in a database only OpenClaw knows; `false` where it cannot be asked.
pub(crate) fn environment_counts(work: &mut Work<'_>) -> Result<bool, Ending> {
    if !matches!(work.openclaw.verdict.era, Era::Imported | Era::Guarded) {
        return Ok(true);
    }
    let words = ["models", "status", "--json"];
    let said = work.program().and_then(|program| program.run(work, &words, Vec::new()));
    let Ok(said) = said else { return Ok(false) };
    match paste::uses_environment(&text(&said.stdout)) {
        Some(false) => {
            let key = &work.settings.env_key;
            let why = format!("OpenClaw uses a profile of its own before {key}");
            Err(Ending::Failed(why, Some(openclaw::list_profiles())))
        }
        answer => Ok(answer == Some(true)),
    }
}

/// The same where the variable is what is expected of a process at all.
pub(crate) fn environment_counts_for(
    work: &mut Work<'_>,
    expected: &Expected,
) -> Result<bool, Ending> {
    if matches!(expected, Expected::Start(_)) { Ok(true) } else { environment_counts(work) }
}

/// Says whether a running container shows it.
pub(crate) fn holds(container: &Container, expected: &Expected, settings: &Settings) -> bool {
    let may_have_missed = match container.started {
        Some(start) => expected.is_later_than(start),
        None => !matches!(expected, Expected::Environment(_)),
    };
    container.running
        && !may_have_missed
        && expected.is_given_by(&container.environment, &settings.env_key)
}

/// The ending where a container already shows what is expected, so that nothing is to be done.
pub(crate) fn settled(
    work: &mut Work<'_>,
    container: &Container,
    expected: &Expected,
) -> Result<Option<Ending>, Ending> {
    if !holds(container, expected, work.settings) {
        return Ok(None);
    }
    let counts = environment_counts_for(work, expected)?;
    let deed = if counts { Deed::Nothing } else { Deed::NothingUnproven };
    Ok(Some(Ending::Done(deed, None)))
}

/// Looks at what took an old container's place.
pub(crate) type Newest<'a> = &'a dyn Fn() -> Result<Container, Ending>;

/// A new start of a container.
pub(crate) struct Start<'a> {
    pub(crate) engine: &'a Engine<'a>,
    /// As it stood before.
    pub(crate) old: &'a Container,
    /// Starts it anew, or another in its place.
    pub(crate) act: &'a dyn Fn() -> Result<(), Ending>,
    pub(crate) newest: Newest<'a>,
    /// What was done if the token is proven to be used, and if not.
    pub(crate) deeds: [Deed; 2],
}

impl Start<'_> {
    /// Has it started, and proves that it uses the new token; tells for how long the gateway was away.
    pub(crate) fn prove(&self, work: &mut Work<'_>, expected: Expected) -> Result<Ending, Ending> {
        let (engine, old) = (self.engine, self.old);
        let [proven, unproven] = self.deeds;
        let is_variable = !matches!(expected, Expected::Start(_));
        let published = old.published.as_ref();
        let answered = published.is_some_and(|(host, port)| probe::answers(host, *port));
        let (since, watch) = (clock::now(), debounce::stopwatch());
        (self.act)()?;
        let new = wait(work, engine, (self.newest, expected), answered)?;
        let died = engine.died(&old.id, since.0 / 1000, clock::now().0 / 1000 + 1);
        // Where nothing tells when it answers again, its start has to serve.
        let until = if answered { Some(clock::now()) } else { new.started };
        let gap = died.zip(until).and_then(|(died, until)| u64::try_from(until.0 - died.0).ok());
        let whole = u64::try_from(watch().as_millis()).unwrap_or(u64::MAX);
        work.find_program_again();
        let is_proven = !is_variable || environment_counts(work)?;
        let what = if is_proven { proven } else { unproven };
        Ok(Ending::Done(what, Some(gap.unwrap_or(whole))))
    }
}

/// Waits until the new container shows it, stays up, and answers if the old one answered.
pub(crate) fn wait(
    work: &mut Work<'_>,
    engine: &Engine<'_>,
    (newest, mut expected): (Newest<'_>, Expected),
    answered: bool,
) -> Result<Container, Ending> {
    let (watch, mut pause) = (debounce::stopwatch(), debounce::pauses());
    loop {
        let new = newest()?;
        work.ledger.container = Some(new.id.clone());
        if !new.running {
            return Err(failed(engine, &new, "the new container does not stay up"));
        }
        if !holds(&new, &expected, work.settings) {
            // A sync may have been faster than compose: then it holds what is newer still.
            expected = Expected::of(work)?;
            if !holds(&new, &expected, work.settings) {
                let why = "the new container was not started with the new token";
                return Err(failed(engine, &new, why));
            }
        }
        let answers = new.published.as_ref().filter(|_| answered);
        let answers = answers.is_none_or(|(host, port)| probe::answers(host, *port));
        let age = new.started.map_or(Duration::ZERO, |start| clock::now().left(start));
        if answers && (age >= STEADY || answered) {
            return Ok(new);
        }
        if watch() > START {
            return Err(failed(engine, &new, "the new container runs but does not answer"));
        }
        pause();
    }
}

/// The container that took the place of one that compose had made.
pub(crate) fn newest(engine: &Engine<'_>, old: &Container) -> Result<Container, Ending> {
    let all = engine.of_service(&old.project.service)?;
    let same = all.found.into_iter().filter(|one| one.project.name == old.project.name);
    same.max_by_key(|one| one.started)
        .ok_or_else(|| Ending::Failed("no container is left of the service".to_owned(), None))
}

fn failed(engine: &Engine<'_>, container: &Container, why: &str) -> Ending {
    let lines = engine.last_lines(container);
    let lines = if lines.is_empty() { "nothing".to_owned() } else { lines };
    let code = container.exit_code;
    let ended = if container.running { String::new() } else { format!(" (exit status {code})") };
    let hint = engine.logs_command(container);
    Ending::Failed(format!("{why}{ended}; its last lines: {lines}"), Some(hint))
}

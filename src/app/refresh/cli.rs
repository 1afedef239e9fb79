//! Renews by the Claude CLI: makes it want to, calls it, and believes only the file.

pub(crate) mod container;
pub(crate) mod container_engine;
pub(crate) mod container_probe;
pub(crate) mod host;
pub(crate) mod locate;
pub(crate) mod supervise;

use std::time::Duration;

use rustix::process::Signal;

use crate::app::refresh::Work;
use crate::app::refresh::cli::container::Contained;
use crate::app::refresh::cli::host::Host;
use crate::app::refresh::cli::supervise::{Attended, PATIENCE, Reach, attend};
use crate::app::refresh::expiry_override;
use crate::app::refresh::state::State;
use crate::domain::claude_cli::{self, blocker, cause};
use crate::domain::config::settings::ClaudeCli;
use crate::domain::credential::{Content, Credential};
use crate::domain::hints::files;
use crate::domain::login::ToldEnd;
use crate::domain::outcome::Outcome;
use crate::os::clock;
use crate::os::error::Error;
use crate::os::fs::dir::Folder;
use crate::os::journal::detail;
use crate::os::lock::claude_lock::Refused;
use crate::os::process::command::{Call, Ended, Running};
use crate::os::process::executables;
use crate::os::user::account;

/// The CLI's settings file beside its credentials.
const SETTINGS: &str = "settings.json";
/// The admin's settings for every user of the CLI on this host.
const MANAGED: &str = "/etc/claude-code";
const MANAGED_SETTINGS: &str = "managed-settings.json";
const SETTINGS_LIMIT: u64 = 1 << 20;
/// The only name that the CLI reads its login from.
const CREDENTIALS: &str = ".credentials.json";

/// How long the CLI may take to tell how it is signed in.
const STATUS_LIMIT: Duration = Duration::from_secs(20);
/// So long before its end no CLI renews an access token.
const NO_RENEWAL: Duration = Duration::from_secs(15 * 60);

/// The way to the CLI.
enum Way {
    Host(Box<Host>),
    Container(Box<Contained>),
}

impl Reach for Way {
    fn signal(&self, running: &Running, signal: Signal) {
        if let Self::Container(container) = self {
            container.signal(signal);
            // The engine's command ends with the CLI; ended before, it would leave that unwatched.
            if signal != Signal::KILL {
                return;
            }
        }
        running.signal(signal);
    }
}

/// Has the CLI renew the source, however long its access token still lives.
///
/// The CLI has ended when this returns, and where it renewed nothing the file says the true expiry
/// again, or the state knows that it does not.
pub(super) fn renew(work: &Work<'_>, state: &mut State) -> Outcome {
    let outcome = Attempt { work, state }.carry_out();
    // What cannot be put back now is put back by the next run; the outcome stands.
    if let Err(refused) = expiry_override::put_back(work, state) {
        let why = expiry_override::refused(&refused);
        log::warn!("{why}: '{}' still has an earlier expiry", work.place.path.display());
    }
    outcome.unwrap_or_else(|outcome| outcome)
}

/// One attempt.
struct Attempt<'a, 'w> {
    work: &'a Work<'w>,
    state: &'a mut State,
}

impl Attempt<'_, '_> {
    fn carry_out(&mut self) -> Result<Outcome, Outcome> {
        let (work, now) = (self.work, clock::now());
        expiry_override::put_back(work, self.state).map_err(|refused| locked(&refused))?;
        let login = self.content().map_err(system)?;
        let Content::Login(before) = login else {
            return Err(Outcome::unable("there is no login that the CLI could renew"));
        };
        let settings = self.check_ground()?;
        if let Some(next) = claude_cli::runs_allowed_at(&self.state.cli_runs, now) {
            let cause = "the CLI was run three times within an hour".to_owned();
            return Err(Outcome::Deferred { cause, retry_after: Some(next.left(now)) });
        }
        let state_folder = Folder::reach(&work.ground.places.state_dir).map_err(system)?;
        let place = executables::workplace(&state_folder).map_err(system)?;
        let way = self.find_way(settings.as_deref(), &place)?;
        if !expiry_override::set(work, self.state, &before).map_err(|refused| locked(&refused))? {
            return Err(Outcome::deferred("the login changed meanwhile"));
        }
        let attended = self.call(&way, &place, &before)?;
        let outcome = self.judge(&before, &way, attended);
        if outcome == Outcome::Renewed {
            self.ask_login_end(&way, &place);
        }
        Ok(outcome)
    }

    /// Asks a CLI that can tell for the login's own end, where the file does not.
    ///
    /// Only when it has just renewed: it does not do so again for this, and nothing is lost with it if it
    /// has to be ended.
    fn ask_login_end(&mut self, way: &Way, place: &Folder) {
        let Way::Host(host) = way else { return };
        let Ok(Content::Login(login)) = self.content() else { return };
        let now = clock::now();
        let is_known = login.login_end.is_some() || !claude_cli::tells_login_end(host.version());
        if is_known || login.expiry <= now.after(NO_RENEWAL) || self.work.told_to_end().is_some() {
            return;
        }
        let words = claude_cli::STATUS.into_iter().map(str::to_owned);
        let ended = host.call_with(place, words).run(STATUS_LIMIT);
        let told = ended.ok().filter(|ended| ended.is_success() && !ended.overdue);
        let at = told.and_then(|ended| claude_cli::login_end(&ended.stdout));
        self.state.told_end = at.map(|at| ToldEnd { at, asked: now }).or(self.state.told_end);
    }

    /// What the file holds; nothing readable is as good as half-written.
    fn content(&self) -> Result<Content, Error> {
        Ok(self.work.place.read()?.map_or(Content::HalfWritten, |text| text.content))
    }

    /// Finds out what would keep the CLI from renewing, since it would not say so; returns the text
    /// of its settings.
    fn check_ground(&self) -> Result<Option<String>, Outcome> {
        let folder = &self.work.place.folder;
        let shown = folder.path.display();
        if self.work.place.name != CREDENTIALS {
            let cause = format!("the CLI renews '{shown}/{CREDENTIALS}' and no other file");
            return Err(Outcome::unable(cause));
        }
        if !executables::is_writable(folder).map_err(system)? {
            let owner = account::name(folder.identity.uid);
            return Err(Outcome::Unable {
                cause: format!("{owner} cannot write in '{shown}', so the CLI would not renew"),
                hint: Some(files::open_to_owner(&folder.path).run_by(&folder.user())),
            });
        }
        let own = text(folder, SETTINGS);
        let managed = Folder::reach(MANAGED.as_ref()).ok();
        let managed = managed.and_then(|folder| text(&folder, MANAGED_SETTINGS));
        for (text, path) in [
            (&own, format!("{shown}/{SETTINGS}")),
            (&managed, format!("{MANAGED}/{MANAGED_SETTINGS}")),
        ] {
            if let Some(name) = text.as_deref().and_then(blocker) {
                let cause = format!("'{path}' sets {name}, which keeps the CLI from renewing");
                let hint = files::take_out_of_settings(name, path.as_ref());
                return Err(Outcome::Unable { cause, hint: Some(hint) });
            }
        }
        Ok(own)
    }

    fn find_way(&self, settings: Option<&str>, place: &Folder) -> Result<Way, Outcome> {
        let Work { settings: link, place: source, .. } = self.work;
        match &link.claude_cli {
            ClaudeCli::None => Err(Outcome::unable("CLAUDE_CLI is 'none'")),
            ClaudeCli::Host { path } => {
                let base_url = link.base_url_override;
                let host = Host::find(source, path.as_deref(), base_url, settings)?;
                detail!("runs {}", host.describe());
                Ok(Way::Host(Box::new(host)))
            }
            ClaudeCli::Container { name } => {
                Ok(Way::Container(Box::new(Contained::find(link, source, name, place)?)))
            }
        }
    }

    /// Calls the CLI and stays with it to its end.
    fn call(
        &mut self,
        way: &Way,
        place: &Folder,
        before: &Credential,
    ) -> Result<Attended, Outcome> {
        let Work { place: source, sources, signals, .. } = self.work;
        let known = self.state.cli_runs.clone();
        claude_cli::note_run(&mut self.state.cli_runs, clock::now());
        self.state.save(sources, source).map_err(system)?;
        let call = way.call(place);
        if let Some(outcome) = self.work.told_to_end() {
            self.state.cli_runs = known;
            return Err(outcome);
        }
        let running = call.start(PATIENCE).map_err(system)?;
        let attended = attend(running, way, (source, before), signals);
        let failed = |error| system(Error::new("wait for the CLI of", &source.path, error));
        attended.map_err(failed)
    }

    /// Judges by the file what the CLI did; what it said is only told where it did nothing.
    fn judge(&self, before: &Credential, way: &Way, attended: Attended) -> Outcome {
        match self.content().unwrap_or(Content::HalfWritten) {
            Content::Login(after)
                if after.access_token != before.access_token && after.expiry > clock::now() =>
            {
                return Outcome::Renewed;
            }
            Content::Blanked => {
                let cause = "the server refused the refresh token, and the CLI emptied the login";
                return Outcome::Rejected { cause: cause.to_owned() };
            }
            _ => {}
        }
        match attended.ended {
            None => Outcome::deferred("the CLI hangs and does not end"),
            Some(_) if attended.asked => Outcome::deferred("the CLI did not renew within 90 s"),
            Some(ended) => way.explain(&ended),
        }
    }
}

impl Way {
    fn call<'a>(&'a self, place: &'a Folder) -> Call<'a> {
        match self {
            Self::Host(host) => host.call(place),
            Self::Container(container) => container.call(),
        }
    }

    /// Why a CLI that ended by itself renewed nothing.
    fn explain(&self, ended: &Ended) -> Outcome {
        if let Self::Container(container) = self
            && let Some(outcome) = container.explain(ended)
        {
            return outcome;
        }
        let said = [ended.stdout.as_slice(), &ended.stderr].concat();
        let how = ended.how();
        match (cause(&String::from_utf8_lossy(&said)), ended.status.code()) {
            (Some(cause), _) => Outcome::deferred(format!("the CLI renewed nothing: {cause}")),
            (None, Some(127)) => Outcome::unable("the CLI did not start: its Node was not found"),
            (None, _) => Outcome::deferred(format!("the CLI renewed nothing: {how}")),
        }
    }
}

fn text(folder: &Folder, name: &str) -> Option<String> {
    String::from_utf8(folder.read(name, SETTINGS_LIMIT).ok()??.bytes).ok()
}

fn locked(refused: &Refused) -> Outcome {
    match refused {
        Refused::Held(_) => Outcome::deferred(expiry_override::refused(refused)),
        Refused::System(error) => told(error),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it stands where a failure is mapped")]
fn system(error: Error) -> Outcome {
    told(&error)
}

fn told(error: &Error) -> Outcome {
    let hint = error.command().cloned();
    if error.is_denied() || error.is_absent() || hint.is_some() {
        return Outcome::Unable { cause: error.to_string(), hint };
    }
    Outcome::deferred(error.to_string())
}

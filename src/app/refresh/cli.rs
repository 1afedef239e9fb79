//! Renews by the Claude CLI: makes it want to, calls it, and believes only the file.

use rustix::process::Signal;

use crate::app::claude_notes::Notes;
use crate::app::login_file::LoginFile;
use crate::app::nudge::{self, Turn};
use crate::app::refresh::attend::{Attended, Reach, attend};
use crate::app::refresh::container::Contained;
use crate::app::refresh::host::Host;
use crate::domain::claude_cli::{blocker, cause};
use crate::domain::config::settings::{ClaudeCli, Settings};
use crate::domain::credential::{Content, Credential};
use crate::domain::outcome::Outcome;
use crate::os::command::{Call, Ended, Running};
use crate::os::error::Error;
use crate::os::folder::Folder;
use crate::os::lock::Lock;
use crate::os::signals::{Deferral, Waiting};
use crate::os::{account, clock, program};

/// The CLI's settings file beside its credentials.
const SETTINGS: &str = "settings.json";
/// The admin's settings for every user of the CLI on this host.
const MANAGED: &str = "/etc/claude-code";
const MANAGED_SETTINGS: &str = "managed-settings.json";
const SETTINGS_LIMIT: u64 = 1 << 20;
/// The only name that the CLI reads its login from.
const CREDENTIALS: &str = ".credentials.json";

/// One attempt to renew a source.
pub(crate) struct Attempt<'a> {
    /// The link that it is renewed for.
    pub(crate) settings: &'a Settings,
    /// The source.
    pub(crate) file: &'a LoginFile,
    /// The notes on it.
    pub(crate) notes: &'a mut Notes,
    /// The state folder.
    pub(crate) state: &'a Folder,
    /// The source's lock in the run folder.
    pub(crate) held: &'a Lock,
    /// Keeps signals waiting while the CLI runs: our end would be its end.
    pub(crate) deferral: &'a Deferral,
}

/// The way to the CLI.
enum Way {
    Host(Box<Host>),
    Container(Box<Contained>),
}

impl Reach for Way {
    fn signal(&self, running: &Running, signal: Signal) {
        if let Self::Container(container) = self {
            container.signal(signal);
        }
        running.signal(signal);
    }
}

/// Has the CLI renew the source, however long its access token still lives.
///
/// The CLI has ended when this returns, and where it renewed nothing the file says the true expiry
/// again, or the notes know that it does not.
pub(crate) fn renew(attempt: &mut Attempt<'_>) -> Outcome {
    attempt.carry_out().unwrap_or_else(|outcome| outcome)
}

impl Attempt<'_> {
    fn carry_out(&mut self) -> Result<Outcome, Outcome> {
        self.settle()?;
        let Content::Login(before) = self.file.content() else {
            return Err(Outcome::unable("there is no login that could be renewed"));
        };
        let settings = self.check_ground()?;
        let place = program::workplace(self.state).map_err(system)?;
        let way = self.find_way(settings.as_deref(), &place)?;
        if let Some(next) = self.notes.next_run(clock::now()) {
            let cause = "the CLI was called three times within the hour".to_owned();
            return Err(Outcome::Deferred { cause, retry_after: Some(next.left(clock::now())) });
        }
        let waiting = self.deferral.hold();
        match nudge::set(self.file, self.notes, &before, self.held).map_err(system)? {
            Turn::Done | Turn::Unneeded => {}
            Turn::Busy(lock) => return Err(busy(&lock)),
            Turn::Moved => return Err(Outcome::deferred("the login changed meanwhile")),
        }
        let outcome = match self.call(&way, &place, &before, &waiting) {
            Ok(attended) => self.judge(&before, &way, attended),
            Err(error) => system(error),
        };
        // What cannot be put back now is put back by the next run; the outcome stands.
        if let Err(later) = self.settle() {
            log::warn!("{}", later.cause().unwrap_or_default());
        }
        drop(waiting);
        Ok(outcome)
    }

    /// Puts the true expiry back where an earlier one was left.
    fn settle(&mut self) -> Result<(), Outcome> {
        match nudge::put_back(self.file, self.notes, self.held).map_err(system)? {
            Turn::Done | Turn::Unneeded | Turn::Moved => Ok(()),
            Turn::Busy(lock) => Err(busy(&lock)),
        }
    }

    /// Finds out what would keep the CLI from renewing, since it would not say so; returns the text
    /// of its settings.
    fn check_ground(&self) -> Result<Option<String>, Outcome> {
        let folder = &self.file.folder;
        let shown = folder.path.display();
        if self.file.name != CREDENTIALS {
            let cause = format!("the CLI renews '{shown}/{CREDENTIALS}' and no other file");
            return Err(Outcome::unable(cause));
        }
        if !program::is_writable(folder).map_err(system)? {
            let owner = account::name(folder.identity.uid);
            return Err(Outcome::Unable {
                cause: format!("{owner} cannot write in '{shown}', so the CLI would not renew"),
                hint: Some(format!("chown {owner}: '{shown}'; chmod u+rwx '{shown}'")),
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
                let hint = format!("take {name} out of \"env\" in '{path}'");
                return Err(Outcome::Unable { cause, hint: Some(hint) });
            }
        }
        Ok(own)
    }

    fn find_way(&self, settings: Option<&str>, place: &Folder) -> Result<Way, Outcome> {
        let base_url = self.settings.base_url_override;
        match &self.settings.claude_cli {
            ClaudeCli::None => Err(Outcome::unable("CLAUDE_CLI is 'none'")),
            ClaudeCli::Host { path } => {
                let host = Host::find(self.file, path.as_deref(), base_url, settings)?;
                log::debug!("runs {}", host.describe());
                Ok(Way::Host(Box::new(host)))
            }
            ClaudeCli::Container { name } => {
                let contained = Contained::find(self.settings, self.file, name, place)?;
                Ok(Way::Container(Box::new(contained)))
            }
        }
    }

    /// Calls the CLI and stays with it to its end.
    fn call(
        &mut self,
        way: &Way,
        place: &Folder,
        before: &Credential,
        waiting: &Waiting<'_>,
    ) -> Result<Attended, Error> {
        self.notes.count_run(clock::now())?;
        let running = way.call(place).start()?;
        let attended = attend(running, way, (self.file, before), waiting);
        attended.map_err(|source| Error::new("wait for the CLI of", &self.file.path, source))
    }

    /// Judges by the file what the CLI did; what it said is only told where it did nothing.
    fn judge(&self, before: &Credential, way: &Way, attended: Attended) -> Outcome {
        match self.file.content() {
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

fn busy(lock: &str) -> Outcome {
    Outcome::deferred(format!("another program is at the login: it holds '{lock}'"))
}

fn system(error: Error) -> Outcome {
    let hint = error.command().map(str::to_owned);
    match error.is_denied() || error.is_absent() || hint.is_some() {
        true => Outcome::Unable { cause: error.to_string(), hint },
        false => Outcome::deferred(error.to_string()),
    }
}

//! One link's gateway under work: what it needs now, and how that ends.

use std::path::PathBuf;

use crate::app::context::Ground;
use crate::app::gateway::backend::command;
use crate::app::gateway::backend::compose;
use crate::app::gateway::backend::container;
use crate::app::gateway::backend::systemd;
use crate::app::gateway::openclaw_cli::Program;
use crate::app::gateway::openclaw_cli::paste_token;
use crate::app::gateway::openclaw_cli::secrets_reload;
use crate::app::gateway::quiet_hours;
use crate::app::gateway::unknown;
use crate::app::openclaw::OpenClaw;
use crate::app::openclaw::paste_consent;
use crate::app::report::{Report, SinkState};
use crate::app::state::gateway_state;
use crate::app::sync;
use crate::domain::config::settings::{Gateway, Settings};
use crate::domain::credential::Credential;
use crate::domain::era::{self, Era, Need};
use crate::domain::gateway::{Deed, Ending, Ledger, Pending};
use crate::domain::messages;
use crate::domain::secret::Fingerprint;
use crate::domain::sink::SinkKind;
use crate::domain::time::Timestamp;
use crate::os::clock;
use crate::os::journal::detail;
use crate::os::user::identity::Identity;

/// A gateway under work.
pub(crate) struct Work<'a> {
    pub(crate) ground: &'a Ground,
    pub(crate) settings: &'a Settings,
    pub(crate) ledger: Ledger,
    pub(crate) openclaw: OpenClaw,
    /// The `.env` that the token is in, if that is a sink.
    pub(crate) env_file: Option<PathBuf>,
    /// Why OpenClaw's version could not be asked for in this run.
    pub(crate) version_error: Option<String>,
    report: Report,
    program: Option<Program>,
}

impl<'a> Work<'a> {
    /// Looks at a link as it stands now.
    pub(crate) fn begin(
        ground: &'a Ground,
        settings: &'a Settings,
        ledger: Ledger,
    ) -> Result<Self, crate::app::error::Error> {
        let (report, openclaw) = sync::plan(ground, settings, clock::now())?;
        let env = report.sinks.iter().find(|sink| sink.kind == SinkKind::Env);
        let env_file = env.and_then(|sink| sink.path.clone());
        let (version_error, program) = (None, None);
        Ok(Self { ground, settings, ledger, openclaw, env_file, version_error, report, program })
    }

    /// What the gateway still needs.
    pub(crate) fn pending(&self) -> &Pending {
        self.ledger.pending.as_ref().expect("work begins with something pending")
    }

    /// The token that was passed on last.
    pub(crate) fn wanted(&self) -> Option<Fingerprint> {
        self.report.wanted.map(|mark| mark.fingerprint)
    }

    /// The token that was passed on last, as it is remembered at this very moment.
    pub(crate) fn passed_on(&self) -> Option<Fingerprint> {
        let memory = self.ground.remember(self.settings).ok();
        memory.and_then(|memory| memory.accepted).map(|mark| mark.fingerprint).or(self.wanted())
    }

    /// The credential that may be passed on now.
    pub(crate) fn credential(&self) -> Option<&Credential> {
        self.report.source.passable()
    }

    /// How to run this link's `openclaw`; found once.
    pub(crate) fn program(&mut self) -> Result<Program, Ending> {
        if self.program.is_none() {
            self.program = Some(Program::find(self)?);
        }
        self.program.clone().ok_or_else(|| Ending::deferred("no openclaw"))
    }

    /// Has it looked for once more: a container that was made anew has another id.
    pub(crate) fn find_program_again(&mut self) {
        self.program = None;
    }

    /// Says whether the recreate may be done now; see [`quiet_hours`].
    pub(crate) fn courtesy(&self, identity: &Identity) -> Result<(), Ending> {
        quiet_hours::ask(self, identity)
    }

    /// Writes down that the gateway is recreated now, before it is: a crash must not forget it.
    pub(crate) fn recreating(&mut self) {
        if let Some(pending) = &mut self.ledger.pending {
            pending.recreates = pending.recreates.saturating_add(1);
        }
        self.save();
    }

    /// Saves the ledger.
    pub(crate) fn save(&self) {
        let state_dir = &self.ground.places.state_dir;
        if let Err(error) = gateway_state::save(state_dir, &self.settings.name, &self.ledger) {
            log::error!("{}: {error}: the gateway may be updated twice", self.settings.name);
        }
    }

    /// Does what the gateway needs.
    pub(crate) fn attend(&mut self) -> Ending {
        self.learn_version();
        self.want_paste();
        let pasted = if self.pending().sinks.contains(&SinkKind::PasteToken) {
            Some(paste_token::paste(self))
        } else {
            None
        };
        let rest = self.carry_on(pasted.as_ref().is_none_or(Result::is_ok));
        let barred = self.ledger.paste.as_ref().is_some_and(|paste| paste.barred.is_some());
        match (pasted, rest) {
            // What the paste brought is more than what was left to do after it.
            (Some(Ok(deed)), Ending::Done(other, gap)) => Ending::Done(deed.max(other), gap),
            // Then `env` carries it, and the next sync sees to that.
            (Some(Err(_)), rest @ Ending::Done(..)) if barred => rest,
            (Some(Err(ending)), Ending::Done(..)) => ending,
            (_, rest) => rest,
        }
    }

    /// Adds the paste where a version that was just learnt, or a sync that could not know, makes it
    /// the way to go: a recreate for an `env` that nobody will read is a conversation lost.
    fn want_paste(&mut self) {
        let pastes = matches!(self.openclaw.verdict.era, Era::Imported | Era::Guarded)
            && self.openclaw.is_pasted(self.settings);
        let known = self.ledger.paste.clone().unwrap_or_default();
        let current = known.fingerprint.is_some() && known.fingerprint == self.wanted();
        let tried = known.is_barred_for(self.wanted())
            && !paste_consent::frees(&known, &self.openclaw, self.ground, &self.settings.name);
        let wanted = pastes && !current && !tried && self.credential().is_some();
        if let Some(pending) = self.ledger.pending.as_mut().filter(|_| wanted)
            && !pending.sinks.contains(&SinkKind::PasteToken)
        {
            pending.sinks.push(SinkKind::PasteToken);
        }
    }

    fn carry_on(&mut self, pasted: bool) -> Ending {
        let mut changed = self.pending().sinks.clone();
        changed.retain(|kind| *kind != SinkKind::PasteToken || pasted);
        changed.retain(|kind| *kind != SinkKind::Env || !self.env_is_unused());
        let ending = match era::gateway_need(&self.openclaw.verdict, &changed) {
            _ if self.settings.gateway == Gateway::None => Ok(Ending::Done(Deed::Nothing, None)),
            Need::Nothing => Ok(Ending::Done(Deed::Nothing, None)),
            Need::SecretsReload => match secrets_reload::reload(self) {
                Err(Ending::Deferred(why, _) | Ending::NotFound(_, why, _))
                    if self.program.is_none() =>
                {
                    log::info!("{}: {why}: restarting the gateway instead", self.settings.name);
                    self.recreate()
                }
                // The running gateway keeps the old token then (seen in 2026.6.1).
                Err(ending)
                    if secrets_reload::is_refused(&ending) && self.kind() != Gateway::None =>
                {
                    log::warn!(
                        MESSAGE_ID = messages::id("reload-refused"), link = self.settings.name.as_str(),
                        hint = secrets_reload::APPROVE;
                        "{}: OpenClaw does not let its command line reload secrets: the gateway is restarted instead",
                        self.settings.name
                    );
                    self.recreate()
                }
                other => other,
            },
            Need::Recreate => self.recreate(),
        };
        let ending = ending.unwrap_or_else(|ending| ending);
        if matches!(ending, Ending::Done(..))
            && let Some(pending) = &mut self.ledger.pending
        {
            pending.sinks.retain(|kind| *kind == SinkKind::PasteToken);
        }
        ending
    }

    fn recreate(&mut self) -> Result<Ending, Ending> {
        match self.kind() {
            Gateway::Compose => compose::recreate(self),
            Gateway::Container => container::restart(self),
            Gateway::SystemdUser | Gateway::Systemd => systemd::restart(self),
            Gateway::Command => command::restart(self),
            Gateway::Auto | Gateway::None => Err(unknown::ending(self)),
        }
    }

    /// What runs the gateway: as configured, else what is found.
    pub(crate) fn kind(&self) -> Gateway {
        match self.settings.gateway {
            Gateway::Auto if self.settings.container_name.is_some() => Gateway::Container,
            Gateway::Auto if self.settings.compose_dir.is_some() => Gateway::Compose,
            Gateway::Auto if self.settings.gateway_command.is_some() => Gateway::Command,
            Gateway::Auto => systemd::found(self).unwrap_or(Gateway::None),
            set => set,
        }
    }

    /// Says whether a profile keeps the environment from use.
    fn env_is_unused(&self) -> bool {
        let sink = |kind| self.report.sinks.iter().find(move |sink| sink.kind == kind);
        let pasted = self.ledger.paste.as_ref().is_some_and(|paste| {
            paste.barred.is_none()
                && paste.fingerprint.is_some()
                && paste.fingerprint == self.wanted()
        });
        pasted || sink(SinkKind::Env).is_some_and(|sink| matches!(sink.state, SinkState::Unused(_)))
    }

    /// Asks the program, or the image, for its version where that may have changed.
    pub(crate) fn learn_version(&mut self) {
        let now = clock::now();
        self.ledger.asked = Some(now);
        if self.settings.openclaw_state_dir.is_none() && self.settings.compose_dir.is_none() {
            return;
        }
        let seen = self.program().and_then(|program| program.version(self, now));
        match seen {
            Ok(seen) if !self.ledger.version.as_ref().is_some_and(|old| old.is_same(&seen)) => {
                log::info!("{}: OpenClaw is {}", self.settings.name, seen.text);
                self.ledger.version = Some(seen);
                self.save();
                self.look_again(now);
            }
            Ok(_) => {}
            Err(ending) => {
                let why = ending.why().unwrap_or("nothing says why").to_owned();
                detail!("{}: its version is unknown: {why}", self.settings.name);
                self.version_error = Some(why);
            }
        }
    }

    /// A version that was learnt changes what is to be done.
    fn look_again(&mut self, now: Timestamp) {
        if let Ok(memory) = self.ground.remember(self.settings) {
            self.openclaw = OpenClaw::look(self.settings, self.ground, &memory, now);
        }
    }
}

//! What a sync leaves for the gateway, which other runs, or other units, see to.

use crate::app::context::Ground;
use crate::app::openclaw::OpenClaw;
use crate::app::openclaw::paste_consent;
use crate::app::report::gateway_request;
use crate::app::report::{Report, SinkReport, SinkState};
use crate::app::state::gateway_queue;
use crate::app::state::gateway_state;
use crate::app::sync::sinks::env;
use crate::domain::acceptance::{Mark, Memory};
use crate::domain::config::settings::{Gateway, Settings};
use crate::domain::era::{self, Need};
use crate::domain::gateway::{Ledger, Pending, Request};
use crate::domain::secret::Fingerprint;
use crate::domain::sink::SinkKind;
use crate::domain::time::Timestamp;

/// What a sync leaves for the gateway.
pub(crate) struct Handover<'a> {
    pub(crate) ground: &'a Ground,
    pub(crate) settings: &'a Settings,
    pub(crate) openclaw: &'a OpenClaw,
    /// The token that was passed on before, on which the gateway lives.
    pub(crate) old: Option<Mark>,
    pub(crate) now: Timestamp,
}

impl Handover<'_> {
    /// What the gateway is to be asked now that these sinks were written.
    pub(crate) fn of_written(&self, sinks: &[SinkReport], mark: Mark) -> Option<Request> {
        let is_new =
            |sink: &&SinkReport| sink.written || matches!(sink.state, SinkState::Unsettled(_));
        let changed = sinks.iter().filter(is_new).map(|sink| sink.kind).collect();
        Some(self.request(self.that_matter(changed)?, Some(mark)))
    }

    /// Those of these sinks that the gateway uses, where it does not notice a change of them by itself.
    pub(crate) fn that_matter(&self, mut kinds: Vec<SinkKind>) -> Option<Vec<SinkKind>> {
        if env::why_unused(self.openclaw, self.now).is_some() {
            kinds.retain(|kind| *kind != SinkKind::Env);
        }
        let need = era::gateway_need(&self.openclaw.verdict, &kinds);
        (need != Need::Nothing && self.settings.gateway != Gateway::None).then_some(kinds)
    }

    /// The sinks whose token the gateway was never told of: the queue does not outlive a reboot.
    fn untold(
        &self,
        report: &Report,
        fingerprint: Fingerprint,
        memory: &Memory,
    ) -> Option<Vec<SinkKind>> {
        let places = &self.ground.places;
        let holds = |sink: &&SinkReport| sink.state.name() == SinkState::InStep.name();
        let kinds = report.sinks.iter().filter(holds).map(|sink| sink.kind).collect();
        let is_behind = |ledger: &Ledger| match ledger.told() {
            Some(told) => told != fingerprint,
            None => memory.handed_over == Some(fingerprint),
        };
        // Read anew: what was picked up a moment ago stands nowhere else.
        let now = || gateway_state::load(&places.state_dir, &self.settings.name);
        let untold = is_behind(&self.openclaw.ledger)
            && gateway_state::is_idle(&places.run_dir, &self.settings.name)
            && is_behind(&now());
        if untold { self.that_matter(kinds) } else { None }
    }

    /// Leaves what no change of a file asks for: a token to be pasted, a version to be asked for,
    /// another try of what did not work.
    pub(crate) fn remind(&self, report: &Report, memory: &Memory) {
        if gateway_queue::has(&self.ground.places.run_dir, &self.settings.name) {
            return;
        }
        let ledger = &self.openclaw.ledger;
        let wanted = report.wanted.filter(|_| report.source.passable().is_some());
        let fingerprint = wanted.map(|mark| mark.fingerprint);
        let stale = |sink: &SinkReport| {
            sink.kind == SinkKind::PasteToken
                && matches!(sink.state, SinkState::Stale(_) | SinkState::Absent(_))
        };
        let known = ledger.paste.clone().unwrap_or_default();
        let link = &self.settings.name;
        let tried = known.is_barred_for(fingerprint)
            && !paste_consent::frees(&known, self.openclaw, self.ground, link);
        let doubtful = known.fingerprint == fingerprint && known.is_doubtful(self.now);
        let pastes = wanted.is_some() && (doubtful || !tried && report.sinks.iter().any(stale));
        let pending = ledger.pending.as_ref().filter(|pending| pending.fingerprint == fingerprint);
        let has_paste =
            pending.is_some_and(|pending| pending.sinks.contains(&SinkKind::PasteToken));
        let is_due = |pending: &&Pending| {
            pending.is_due(self.now) && gateway_state::is_idle(&self.ground.places.run_dir, link)
        };
        if pastes && !has_paste {
            self.queue(vec![SinkKind::PasteToken], wanted);
        } else if let Some(pending) = pending.filter(is_due) {
            self.queue(pending.sinks.clone(), wanted);
        } else if let Some(kinds) = fingerprint.and_then(|token| self.untold(report, token, memory))
        {
            self.queue(kinds, wanted);
        } else if pending.is_none() && self.openclaw.wants_version(self.settings, self.now) {
            self.queue(Vec::new(), wanted);
        }
    }

    fn queue(&self, sinks: Vec<SinkKind>, mark: Option<Mark>) {
        gateway_request::leave(&self.ground.places.run_dir, self.request(sinks, mark));
    }

    fn request(&self, sinks: Vec<SinkKind>, mark: Option<Mark>) -> Request {
        Request {
            link: self.settings.name.clone(),
            sinks,
            fingerprint: mark.map(|mark| mark.fingerprint),
            old_expiry: self.old.filter(|old| Some(*old) != mark).map(|old| old.expiry),
            time: self.now,
        }
    }
}

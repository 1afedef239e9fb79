//! What happens to a source between our own lock and its release.

use log::Level;

use crate::app::error::Error;
use crate::app::refresh::attempt_record::{Made, record};
use crate::app::refresh::expiry_override;
use crate::app::refresh::history::method_name;
use crate::app::refresh::origin::Origin;
use crate::app::refresh::outlook::next_try;
use crate::app::refresh::pending_grant::{self, Saved};
use crate::app::refresh::state::State;
use crate::app::refresh::stuck::Stuck;
use crate::app::refresh::{Conclusion, Options, Work, api, claim, cli, mark, refresh_mark};
use crate::app::report::Line;
use crate::domain::acceptance::Mark;
use crate::domain::config::settings::Method;
use crate::domain::hints::files;
use crate::domain::outcome::Outcome;
use crate::domain::schedule::{self, Need};
use crate::domain::secret::Fingerprint;
use crate::domain::source::Source;
use crate::os::clock;
use crate::os::jitter;
use crate::os::lock::claude_lock::Refused;

/// The turn itself, with what it stands on.
pub(super) struct Turn<'a> {
    pub(super) work: Work<'a>,
    pub(super) state: State,
    options: Options,
    /// The access token that the caller saw before it waited for the lock.
    seen: Option<Fingerprint>,
    pub(super) remarks: Vec<Line>,
    /// Why a login that an earlier run was given cannot be put into the source.
    unsaved: Option<Outcome>,
}

/// A source at a moment.
pub(super) struct Sight {
    pub(super) source: Source,
    pub(super) mark: Option<Mark>,
    pub(super) need: Need,
}

impl<'a> Turn<'a> {
    pub(super) fn begin(
        work: Work<'a>,
        options: Options,
        seen: Option<Fingerprint>,
    ) -> Result<Self, Error> {
        claim::claim(work.sources, work.place)?;
        let mut state = State::load(work.sources, work.place)?;
        let stuck = expiry_override::put_back(&work, &mut state).err().map(|refused| {
            let path = work.place.path.display();
            let why = expiry_override::refused(&refused);
            let cause = format!("'{path}' still has an earlier expiry than the true one: {why}");
            match refused {
                Refused::Held(_) => Stuck::for_now(cause),
                Refused::System(error) => Stuck::for_people(cause, error.command().cloned()),
            }
        });
        let mut turn = Self { work, state, options, seen, remarks: Vec::new(), unsaved: None };
        turn.note(stuck)?;
        Ok(turn)
    }

    /// Everything between the lock and its release.
    pub(super) fn run(&mut self) -> Result<(Sight, Conclusion), Error> {
        let before = self.look();
        let applied = self.pick_up(&before);
        let sight = self.look();
        self.remember(&sight);
        let conclusion = match (applied, sight.mark) {
            (true, Some(mark)) => Conclusion::Renewed { method: "saved", mark },
            _ => self.decide(&sight)?,
        };
        self.save();
        Ok((self.look(), conclusion))
    }

    fn decide(&mut self, sight: &Sight) -> Result<Conclusion, Error> {
        let now = clock::now();
        if let Some(outcome) = self.unsaved.take() {
            // Its refresh token is the only one that is still good.
            return Ok(self.put_off(sight, outcome));
        }
        let rescue =
            pending_grant::successor(&self.work, &self.state, self.state.refresh)?.is_some();
        if let Some(mark) = sight.mark.filter(|mark| self.was_overtaken(*mark)) {
            return Ok(Conclusion::Renewed { method: "another", mark });
        }
        let renews = match sight.need {
            Need::Due | Need::Expired => true,
            Need::Blanked => rescue,
            Need::Fresh(_) => self.options.force,
            Need::Static | Need::Absent | Need::Unusable => false,
        };
        let methods = self.work.settings.methods(now).to_vec();
        let force = self.options.force;
        let is_renewable = renews || matches!(sight.need, Need::Fresh(_));
        match sight.need {
            _ if is_renewable && methods.is_empty() => {
                return Ok(Conclusion::off(self.work.settings, force, now));
            }
            Need::Fresh(due) if !renews => return Ok(Conclusion::NotDue(due)),
            _ if !renews => return Ok(Conclusion::idle(&sight.source, now)),
            _ => {}
        }
        if !force && !rescue && self.state.rejected.is_some_and(|r| Some(r) == self.state.refresh) {
            return Ok(Conclusion::NeedsPerson("the server refuses its refresh token".to_owned()));
        }
        let expiry = sight.mark.map(|mark| mark.expiry);
        if let Some(until) = next_try(&self.state, expiry, now).filter(|_| !force) {
            let cause = self.state.cause.clone().unwrap_or_default();
            return Ok(Conclusion::Deferred { cause, until, is_news: false });
        }
        // The CLI would send the spent refresh token, and empty the file for it.
        let usable = |method: &Method| !rescue || *method == Method::Api;
        self.methods(sight, methods.into_iter().filter(usable))
    }

    /// Tries the methods in turn until the file shows a renewal.
    fn methods(
        &mut self,
        before: &Sight,
        methods: impl Iterator<Item = Method>,
    ) -> Result<Conclusion, Error> {
        let mut last = Outcome::unable("none of its methods can be used");
        for method in methods {
            if pending_grant::holds_pair(&self.work)? {
                break;
            }
            if let Some(outcome) = self.work.told_to_end() {
                // What a method came to says more.
                last = if matches!(last, Outcome::Deferred { .. }) { last } else { outcome };
                break;
            }
            let started = clock::now();
            let outcome = match method {
                Method::Api => api::renew(&self.work, &mut self.state),
                Method::Cli => cli::renew(&self.work, &mut self.state),
            };
            let after = self.look();
            let renewed = Self::proof(before, &after);
            let made = Made { method: method_name(method), outcome: &outcome, started };
            record(&self.work, made, before.mark, renewed);
            if let Some(mark) = renewed {
                self.state.succeed();
                self.note(None)?;
                self.state.refresh = refresh_mark(self.work.ground, after.source.credential());
                self.state.access = Some(mark.fingerprint);
                let lifetime = mark.expiry.left(started).as_millis();
                self.state.lifetime = u64::try_from(lifetime).ok();
                return Ok(Conclusion::Renewed { method: method_name(method), mark });
            }
            self.state.on_hold = (outcome == Outcome::OnHold).then(clock::now);
            if self.state.on_hold.is_some() {
                // Another method would be told the same.
                last = outcome;
                break;
            }
            if let Outcome::Rejected { cause } = outcome {
                self.state.rejected = self.state.refresh;
                self.state.refused = self.state.access;
                return Ok(Conclusion::NeedsPerson(cause));
            }
            if after.need == Need::Blanked && before.need != Need::Blanked {
                self.state.refused = self.state.access;
                let cause = "Claude CLI emptied it, since the server refused to renew it";
                return Ok(Conclusion::NeedsPerson(cause.to_owned()));
            }
            last = graver(last, outcome);
        }
        Ok(self.put_off(before, last))
    }

    /// A failure, and when the next try is made.
    fn put_off(&mut self, before: &Sight, outcome: Outcome) -> Conclusion {
        let (cause, asked) = match &outcome {
            Outcome::Deferred { cause, retry_after } => (cause.clone(), *retry_after),
            Outcome::Renewed => ("the file does not show it".to_owned(), None),
            other => (other.cause().unwrap_or_default().to_owned(), None),
        };
        let is_on_hold = outcome == Outcome::OnHold;
        let now = clock::now();
        self.state.failures = self.state.failures.saturating_add(1);
        let left = before.mark.map(|mark| mark.expiry.left(now)).unwrap_or_default();
        let wait = if is_on_hold {
            schedule::ON_HOLD_WAIT
        } else {
            schedule::back_off(self.state.failures, asked, left, jitter::thousandth())
        };
        let until = self.state.fail(&cause, now, wait);
        match outcome {
            Outcome::Unable { cause, hint } => Conclusion::Failed(cause, hint),
            _ => Conclusion::Deferred { cause, until, is_news: true },
        }
    }

    /// The file shows another access token that lives and ends later than the old one did.
    fn proof(before: &Sight, after: &Sight) -> Option<Mark> {
        let new = after.mark.filter(|mark| mark.expiry > clock::now())?;
        let Some(old) = before.mark else { return Some(new) };
        let is_newer = new.fingerprint != old.fingerprint && new.expiry > old.expiry;
        (is_newer && after.source.passable().is_some()).then_some(new)
    }

    fn was_overtaken(&self, mark: Mark) -> bool {
        let lives = mark.expiry > clock::now();
        self.options.force && lives && self.seen.is_some_and(|seen| seen != mark.fingerprint)
    }

    pub(super) fn pick_up(&mut self, before: &Sight) -> bool {
        match pending_grant::pick_up(&self.work, &self.state) {
            Ok(Saved::Applied) => {
                let after = self.look();
                self.state.succeed();
                if let Err(error) = self.note(None) {
                    log::warn!("{error}");
                }
                let outcome = &Outcome::Renewed;
                let made = Made { method: "saved", outcome, started: clock::now() };
                record(&self.work, made, before.mark, after.mark);
                true
            }
            Ok(Saved::Kept(why)) => {
                let text = format!(
                    "an earlier answer of the token endpoint is of no use: {why}; its new refresh token is kept and used next"
                );
                self.remarks.push(Line::remark(Level::Warn, "kept", text));
                false
            }
            Ok(Saved::Nothing) => false,
            Ok(Saved::Told(stuck)) => {
                self.tell(stuck);
                false
            }
            Ok(Saved::Waiting(stuck)) => {
                // What stands there besides would be spent, or could not be renewed anyway.
                if before.source.credential().is_some_and(|login| login.refresh_token.is_some()) {
                    self.unsaved = Some(stuck.outcome());
                    self.state.note_stuck(Some(stuck), clock::now());
                } else {
                    self.tell(stuck);
                }
                false
            }
            Err(refused) => {
                let stuck = api::unsaved(&self.work, &refused);
                self.unsaved = Some(stuck.outcome());
                self.state.note_stuck(Some(stuck), clock::now());
                false
            }
        }
    }

    /// Notes what is kept here and not in the source, and says it besides how the turn ends.
    fn tell(&mut self, stuck: Stuck) {
        self.state.note_stuck(Some(stuck), clock::now());
        let Some(stuck) = self.state.stuck.as_ref().filter(|stuck| stuck.is_news(clock::now()))
        else {
            return;
        };
        let mut line = Line::remark(Level::Error, "kept", stuck.cause.clone());
        line.hint.clone_from(&stuck.hint);
        self.remarks.push(line);
    }

    /// Notes what is stuck as the turn begins: an expiry, or a login that stands aside for this place.
    fn note(&mut self, stuck: Option<Stuck>) -> Result<(), Error> {
        let (sources, place) = (self.work.sources, self.work.place);
        let stray = claim::stray(sources, place)?.map(|stray| {
            let file = sources.path.join(&stray.file);
            let cause = format!(
                "a renewed login of {} is kept in '{}' and not put into '{}', which is another one's: sign in again where it was, or remove it once nobody misses it",
                stray.whose,
                file.display(),
                place.path.display()
            );
            Stuck::for_people(cause, Some(files::remove_asking(&file)))
        });
        match stuck.or(stray) {
            Some(stuck) => self.tell(stuck),
            None => self.state.note_stuck(None, clock::now()),
        }
        Ok(())
    }

    pub(super) fn look(&self) -> Sight {
        let (ground, now) = (self.work.ground, clock::now());
        let source = self.work.place.source(now);
        let margin = self.work.settings.refresh_margin;
        let terms = self.state.terms(margin, &source, &ground.fingerprinter);
        let need = schedule::decide(&source, terms, now);
        let mark = mark(ground, &source)
            .map(|mark| Mark { expiry: terms.expiry.unwrap_or(mark.expiry), ..mark });
        Sight { source, mark, need }
    }

    /// Remembers which tokens stand in the file; a new refresh token has not been refused, and of
    /// those that were emptied it was the server that refused them.
    fn remember(&mut self, sight: &Sight) {
        if sight.need == Need::Blanked {
            self.state.refused = self.state.access;
        }
        let Some(mark) = refresh_mark(self.work.ground, sight.source.credential()) else { return };
        self.state.access = sight.mark.map(|mark| mark.fingerprint);
        if self.state.refresh.replace(mark) != Some(mark) {
            self.state.succeed();
        }
    }

    pub(super) fn save(&mut self) {
        // While something waits, whose it was is not forgotten.
        if pending_grant::holds_any(&self.work).is_ok_and(|holds| !holds) {
            self.state.set_origin(Origin::of(self.work.place));
        }
        if let Err(error) = self.state.save(self.work.sources, self.work.place) {
            log::warn!("{error}: the next try could come too soon");
        }
    }
}

/// Of two failures the one that says more: that a method was tried counts for more than that
/// another could not be.
fn graver(a: Outcome, b: Outcome) -> Outcome {
    match (&a, &b) {
        (Outcome::Deferred { .. }, Outcome::Unable { .. }) => a,
        _ => b,
    }
}

//! One source's turn: our own lock, a fresh look, the methods, the proof.

use std::time::Duration;

use crate::app::context::Ground;
use crate::app::error::Error;
use crate::app::refresh::credentials_file::Place;
use crate::app::refresh::history::method_name;
use crate::app::refresh::refresh_report::off_reason;
use crate::app::refresh::session::Turn;
use crate::app::refresh::{Conclusion, Group, Options, Renewal, Work, claim, mark, sources, state};
use crate::app::source::renewed_by_hand;
use crate::domain::schedule::Need;
use crate::domain::source::Source;
use crate::os::clock;
use crate::os::event::signals::Deferral;
use crate::os::lock::advisory::Lock;

/// How long a refresh waits for another one of the same source, whose result serves it as well.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often it looks.
const GLANCE: Duration = Duration::from_millis(50);

/// Takes a source's turn.
pub(super) fn take(
    ground: &Ground,
    group: &Group,
    options: Options,
    signals: &Deferral,
) -> Renewal {
    attempt(ground, group, options, signals).unwrap_or_else(|error| {
        let conclusion = Conclusion::Failed(error.to_string(), error.hint());
        Renewal::of(group, Source::Unreadable(error.to_string(), error.hint()), conclusion)
    })
}

fn attempt(
    ground: &Ground,
    group: &Group,
    options: Options,
    signals: &Deferral,
) -> Result<Renewal, Error> {
    let place = match &group.place {
        Ok(place) => place,
        Err(error) if error.is_absent() => return Ok(without(group, Source::Absent)),
        Err(error) => {
            let hint = error.command().cloned();
            return Ok(without(group, Source::Unreadable(error.to_string(), hint)));
        }
    };
    if options.dry_run {
        return plan(ground, group, place, options);
    }
    let seen = mark(ground, &place.source(clock::now())).map(|mark| mark.fingerprint);
    let Some(_lock) = patiently(ground, place)? else {
        let source = place.source(clock::now());
        let until = clock::now().after(PATIENCE);
        let cause = "another process is renewing it right now".to_owned();
        let conclusion = Conclusion::Deferred { cause, until, is_news: false };
        return Ok(Renewal::of(group, source, conclusion));
    };
    let Some(folder) = sources(ground, true)? else { return Ok(without(group, Source::Absent)) };
    let waiting = signals.hold();
    let settings = group.settings();
    let is_wanted = options.force;
    let work = Work { ground, settings, place, sources: &folder, signals: &waiting, is_wanted };
    let mut turn = Turn::begin(work, options, seen)?;
    let (sight, conclusion) = turn.run()?;
    let mut renewal = Renewal::of(group, sight.source, conclusion);
    renewal.remarks = turn.remarks;
    Ok(renewal)
}

/// Ends what a crash of an earlier run left: carries its saved answer into the source, and puts the
/// true expiry back.
pub(super) fn pick_up(
    ground: &Ground,
    group: &Group,
    signals: &Deferral,
) -> Result<Option<Renewal>, Error> {
    let (Ok(place), Some(folder)) = (&group.place, sources(ground, false)?) else {
        return Ok(None);
    };
    // Whoever holds the lock picks it up by itself.
    let Some(_lock) = Lock::try_take(&ground.places.run_dir, &lock_name(place))? else {
        return Ok(None);
    };
    claim::claim(&folder, place)?;
    let answer = folder.stat(&format!("{}.answer", place.key))?;
    if answer.is_none() && state::State::load(&folder, place)?.nudge.is_none() {
        return Ok(None);
    }
    let waiting = signals.hold();
    let settings = group.settings();
    let is_wanted = false;
    let work = Work { ground, settings, place, sources: &folder, signals: &waiting, is_wanted };
    let mut turn = Turn::begin(work, Options::default(), None)?;
    let before = turn.look();
    let applied = turn.pick_up(&before);
    turn.save();
    let sight = turn.look();
    let Some(mark) = sight.mark.filter(|_| applied) else { return Ok(None) };
    let conclusion = Conclusion::Renewed { method: "saved", mark };
    let mut renewal = Renewal::of(group, sight.source, conclusion);
    renewal.remarks = turn.remarks;
    Ok(Some(renewal))
}

/// What would be done; nothing is sent, written or locked.
fn plan(ground: &Ground, group: &Group, place: &Place, options: Options) -> Result<Renewal, Error> {
    let (settings, now) = (group.settings(), clock::now());
    let source = place.source(now);
    let outlook = super::look(ground, settings, &source, now)?;
    let path = place.path.display();
    let methods: Vec<_> = settings.refresh.iter().map(|method| method_name(*method)).collect();
    let methods = methods.join(", then ");
    let text = match (&outlook.need, outlook.next) {
        _ if settings.methods(now).is_empty() => {
            format!("'{path}' is not renewed: {}", off_reason(settings, now))
        }
        (Need::Due | Need::Expired | Need::Fresh(_), _) if options.force => {
            format!("'{path}' would be renewed now by {methods}")
        }
        (Need::Due | Need::Expired, Some(next)) if next <= now => {
            format!("'{path}' would be renewed now by {methods}")
        }
        (Need::Due | Need::Expired | Need::Fresh(_), Some(next)) => {
            format!("'{path}' will be renewed at {next} by {methods}")
        }
        _ if outlook.is_rejected => format!("'{path}' requires sign-in"),
        _ => source.message(&path.to_string()),
    };
    Ok(Renewal::of(group, source, Conclusion::Planned(text)))
}

/// A source whose folder cannot be reached.
fn without(group: &Group, source: Source) -> Renewal {
    let conclusion = Conclusion::idle(&source, clock::now());
    Renewal::of(group, source, conclusion)
}

fn lock_name(place: &Place) -> String {
    format!("refresh-{}", place.folder_key)
}

fn patiently(ground: &Ground, place: &Place) -> Result<Option<Lock>, Error> {
    let give_up = clock::now().after(PATIENCE);
    loop {
        if let Some(lock) = Lock::try_take(&ground.places.run_dir, &lock_name(place))? {
            return Ok(Some(lock));
        }
        if clock::now() >= give_up {
            return Ok(None);
        }
        clock::rest(GLANCE);
    }
}

impl Renewal {
    pub(super) fn of(group: &Group, source: Source, conclusion: Conclusion) -> Self {
        let settings = group.settings();
        // Who has to act is the host that renews it; its link's own messages say so.
        let conclusion = match conclusion {
            Conclusion::NeedsPerson(_) if settings.renewed_by.is_some() => Conclusion::Nothing,
            other => other,
        };
        Self {
            links: group.links.iter().map(|link| link.name.clone()).collect(),
            path: settings.claude_credentials.clone(),
            sign_in: renewed_by_hand(settings, &source),
            source,
            conclusion,
            remarks: Vec::new(),
        }
    }
}

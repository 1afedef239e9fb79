//! The profile in OpenClaw's own database, which only its own command writes.
//!
//! So nothing is written here: its state is what OpenClaw said last, and a stale one asks for a paste.

use crate::app::openclaw::OpenClaw;
use crate::app::openclaw::paste_consent;
use crate::app::report::SinkState;
use crate::app::sync::sink_plan::Look;
use crate::app::sync::target::Wanted;
use crate::domain::config::settings::Settings;
use crate::domain::era::Era;
use crate::domain::sink::SinkKind;

/// Says whether nothing can be pasted, so that `env` has to carry the token.
pub(super) fn is_barred(settings: &Settings, openclaw: &OpenClaw, wanted: &Wanted<'_>) -> bool {
    let barred = openclaw.ledger.paste.as_ref().is_some_and(|paste| paste.barred.is_some());
    let waits = || paste_consent::missing(openclaw, wanted.ground, &settings.name).is_some();
    matches!(openclaw.verdict.era, Era::Imported | Era::Guarded) && (barred || waits())
}

/// Looks at it as OpenClaw described it last.
pub(super) fn look(openclaw: &OpenClaw, wanted: &Wanted<'_>) -> Look {
    let known = openclaw.ledger.paste.clone().unwrap_or_default();
    let mark = wanted.credential().map(|credential| wanted.ground.mark(credential));
    let mark = mark.or(wanted.memory.accepted).map(|mark| mark.fingerprint);
    let state = match (known.fingerprint.is_some() && known.fingerprint == mark, known.barred) {
        (true, None) => match known.hidden_by {
            Some(other) => {
                SinkState::Hidden(format!("OpenClaw uses the profile {other} before it"))
            }
            None => SinkState::InStep,
        },
        // Another sink carries the token until then.
        (_, Some(why)) => SinkState::Absent(why),
        (_, None) => SinkState::Stale(None),
    };
    Look::settled(SinkKind::PasteToken, None, state).expiring(known.expiry)
}

//! A source whose file system may not answer: renewed by a process of its own.

use crate::app::child::separate::{self, End};
use crate::app::context::Places;
use crate::app::refresh::{Conclusion, Group, Options, Renewal};
use crate::domain::source::Source;
use crate::os::error::Error;

/// Has the links of a source seen to one after another; that process says what there is to say.
pub(super) fn take(places: &Places, group: &Group, options: Options) -> Renewal {
    let mut words = vec!["refresh"];
    if options.dry_run {
        words.push("--dry-run");
    } else {
        words.push("--attend");
    }
    words.extend(options.force.then_some("--force"));
    let mut gravest = Conclusion::Nothing;
    for link in &group.links {
        let ended = separate::carry_out(places, &link.name, &words, separate::RENEWAL);
        gravest = worse(gravest, conclusion(ended));
        if matches!(gravest, Conclusion::Failed(..) | Conclusion::Silent(_)) {
            break;
        }
    }
    Renewal::of(group, Source::HalfWritten, gravest)
}

fn conclusion(ended: Result<End, Error>) -> Conclusion {
    match ended {
        Ok(End::Exit(exit)) => Conclusion::Elsewhere(exit),
        Ok(silent @ (End::Silent(_) | End::Overdue(_))) => {
            let why = silent.trouble().unwrap_or_default();
            Conclusion::Silent(format!("{why}: this link alone waits"))
        }
        Err(error) => Conclusion::Failed(error.to_string(), None),
    }
}

fn worse(before: Conclusion, now: Conclusion) -> Conclusion {
    match (&before, &now) {
        (Conclusion::Elsewhere(exit), Conclusion::Elsewhere(_)) if *exit != 0 => before,
        _ => now,
    }
}

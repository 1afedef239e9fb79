//! Exit statuses, the same for every command but `check`.

use std::process::ExitCode;

use log::Level;

use crate::app::error::Error;
use crate::app::gateway::Closing;
use crate::app::refresh::{Conclusion, Renewal};
use crate::app::report::{Report, SinkState};
use crate::app::status::Ahead;
use crate::domain::gateway::{Ending, Missing};
use crate::domain::source::Source;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// Done, or there was nothing to do.
    Done = 0,
    /// Put off; it will be tried again (sysexits.h, `EX_TEMPFAIL`).
    Deferred = 75,
    /// A person must sign in again.
    NeedsPerson = 3,
    /// Something failed.
    Failed = 1,
    /// The call or the configuration is at fault.
    Usage = 2,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl Exit {
    /// The exit status of a failure.
    pub(crate) fn of_error(error: &Error) -> Self {
        if error.is_usage() { Self::Usage } else { Self::Failed }
    }

    /// The exit status of whoever only looks: whether a link needs a person.
    pub(crate) fn of_status(report: &Report, ahead: &Ahead) -> Self {
        // Where another host renews, nobody can sign in here: that host has to act.
        if report.renewed_by.is_some() {
            let has_token = report.source.passable().is_some();
            return if has_token { Self::Done } else { Self::Failed };
        }
        let is_told = ahead.people.open.iter().any(|open| open.kind.needs_sign_in());
        let needs_person = report.needs_person() || ahead.prospect.renewals.rejected || is_told;
        if needs_person { Self::NeedsPerson } else { Self::Done }
    }

    /// The exit status of a sync: the gravest of all links.
    pub(crate) fn of_reports(reports: &[Report]) -> Self {
        Self::gravest(reports.iter().map(Self::of_report))
    }

    /// The exit status of a refresh: the gravest of all sources.
    pub(crate) fn of_renewals(renewals: &[Renewal]) -> Self {
        Self::gravest(renewals.iter().map(|renewal| match renewal.conclusion {
            Conclusion::Nothing
            | Conclusion::NotDue(_)
            | Conclusion::Off(_)
            | Conclusion::Renewed { .. }
            | Conclusion::Planned(_) => Self::Done,
            Conclusion::Elsewhere(exit) => Self::of_process(exit),
            Conclusion::Deferred { .. } => Self::Deferred,
            Conclusion::NeedsPerson(_) => Self::NeedsPerson,
            Conclusion::Failed(..) | Conclusion::Silent(_) => Self::Failed,
        }))
    }

    /// The exit status of a process of this very program.
    pub(crate) fn of_process(exit: i32) -> Self {
        let known = [Self::Done, Self::Deferred, Self::NeedsPerson, Self::Usage];
        known.into_iter().find(|known| *known as i32 == exit).unwrap_or(Self::Failed)
    }

    /// Of several exit statuses the one that matters most.
    pub(crate) fn gravest(exits: impl IntoIterator<Item = Self>) -> Self {
        let gravity = |exit: &Self| match exit {
            Self::Done => 0,
            Self::Deferred => 1,
            Self::NeedsPerson => 2,
            Self::Failed => 3,
            Self::Usage => 4,
        };
        exits.into_iter().max_by_key(gravity).unwrap_or(Self::Done)
    }

    /// The exit status of what was done to gateways: the gravest of all.
    pub(crate) fn of_closings(closings: &[Closing]) -> Self {
        Self::gravest(closings.iter().map(|closing| match closing.ending {
            // Where none runs nothing waits; check looks whether one does.
            Ending::Done(..) | Ending::NotFound(Missing::Gateway(_), ..) => Self::Done,
            Ending::NotFound(Missing::Openclaw, ..) | Ending::PutOff(..) | Ending::Deferred(..) => {
                Self::Deferred
            }
            Ending::Failed(..) => Self::Failed,
        }))
    }

    fn of_report(report: &Report) -> Self {
        if report.locked {
            return Self::Deferred;
        }
        let failed = |state: &SinkState| {
            matches!(
                state,
                SinkState::Failed(..)
                    | SinkState::Unsettled(_)
                    | SinkState::Refused(_)
                    | SinkState::Hidden(_)
                    | SinkState::Stale(Some(_))
            )
        };
        let unreadable = matches!(report.source, Source::Unreadable(..));
        let troubled = report.remarks.iter().any(|remark| remark.level == Level::Error);
        if unreadable || troubled || report.sinks.iter().any(|sink| failed(&sink.state)) {
            Self::Failed
        } else if report.renewed_by.is_some() && report.source.passable().is_none() {
            // What that host hands on is carried on as soon as it comes.
            Self::Deferred
        } else if report.busy() && !report.source.needs_person() {
            Self::Deferred
        } else {
            Self::of_source(&report.source)
        }
    }

    /// The exit status of what stands in a source.
    pub(crate) fn of_source(source: &Source) -> Self {
        if source.needs_person() {
            Self::NeedsPerson
        } else if source.may_pass() {
            Self::Deferred
        } else if source.passable().is_none() {
            Self::Failed
        } else {
            Self::Done
        }
    }
}

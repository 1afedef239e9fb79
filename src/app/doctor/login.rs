//! The login itself: gone, emptied, ended, or none that could be renewed.

use crate::app::doctor::{Case, Finding};
use crate::app::source;
use crate::domain::hints::ours;
use crate::domain::shell::Hint;
use crate::domain::source::Source;
use crate::domain::time::in_words;
use crate::os::clock;

/// Looks at the source's state.
pub(super) fn look(case: &Case<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = state(case).into_iter().collect();
    findings.extend(ends(case));
    findings
}

/// Of a login that another host renews.
fn of_follower(case: &Case<'_>) -> Option<Finding> {
    let (report, host) = (case.report, case.settings.renewed_by.as_ref()?);
    let id = match &report.source {
        Source::Living(_) | Source::Static(_) | Source::Unreadable(..) => return None,
        Source::Absent => "login-missing",
        Source::Expired(_) => "token-expired",
        Source::Superseded(_) | Source::Waiting(..) => "login-put-back",
        Source::HalfWritten => "login-cut-off",
        Source::Undated | Source::Blanked | Source::Foreign(_) => "login-unreadable",
    };
    Some(Finding::error(id, report.source_message(), ours::doctor_on(host)))
}

fn state(case: &Case<'_>) -> Option<Finding> {
    if case.settings.renewed_by.is_some() {
        return of_follower(case);
    }
    let report = case.report;
    let meaning = report.source.message(&report.source_path.display().to_string());
    let sign_in = sign_in(case);
    let dead = |id| Some(Finding::error(id, meaning.clone(), sign_in.clone()).sign_in());
    if case.renewals.rejected {
        let path = report.source_path.display();
        let meaning = format!("the server refuses to renew the login in '{path}'");
        return Some(Finding::error("login-rejected", meaning, sign_in).sign_in());
    }
    match &report.source {
        Source::Living(_) | Source::Unreadable(..) => None,
        Source::Static(_) => Some(setup_token(case, &meaning, sign_in)),
        Source::Expired(credential) if credential.refresh_token.is_none() => {
            dead("setup-token-expired")
        }
        Source::Expired(_) => {
            let command = ours::refresh(&report.link);
            Some(Finding::error("token-expired", meaning.clone(), command))
        }
        // Its refresh token was spent by what replaced it, and a second use could end that one too.
        Source::Superseded(_) => {
            Some(Finding::warning("login-put-back", meaning.clone(), sign_in).sign_in())
        }
        Source::Waiting(..) => {
            let command = ours::sync_forced(&report.link);
            Some(Finding::warning("login-waits", meaning.clone(), command))
        }
        Source::Undated => dead("login-without-expiry"),
        Source::Blanked => dead("login-emptied"),
        Source::HalfWritten => dead("login-cut-off"),
        Source::Foreign(_) => dead("login-unreadable"),
        Source::Absent => dead("login-missing"),
    }
}

/// A setup-token is in order until its end draws near; no other login is used in its place.
fn setup_token(case: &Case<'_>, meaning: &str, command: Hint) -> Finding {
    let now = clock::now();
    if let Some(end) = case.login.filter(|end| end.at.left(now) <= end.first_notice()) {
        let left = in_words(end.at.left(now));
        return Finding::warning("setup-token-ends", format!("{meaning}, in {left}"), command);
    }
    let alone = "this link uses it alone, and no other login that appears on this host";
    Finding::note("setup-token", format!("{meaning}; {alone}"), command)
}

fn ends(case: &Case<'_>) -> Option<Finding> {
    let now = clock::now();
    let login = case.login?;
    // A setup-token's end is its access token's, which is spoken of above.
    case.report.source.credential()?.refresh_token.as_ref()?;
    let path = case.report.source_path.display();
    if login.has_come(now) {
        let meaning = format!("the login in '{path}' expired at {}", login.at);
        return Some(Finding::error("login-ended", meaning, sign_in(case)).sign_in());
    }
    if login.at.left(now) > login.first_notice() {
        return None;
    }
    let about = if login.is_estimate { "about " } else { "" };
    let meaning = format!(
        "the login in '{path}' ends {about}{}, in {}, and nothing can renew it beyond that",
        login.at,
        in_words(login.at.left(now))
    );
    Some(Finding::warning("login-ends", meaning, sign_in(case)).sign_in())
}

fn sign_in(case: &Case<'_>) -> Hint {
    if source::is_setup_token(case.settings, &case.report.source) {
        return ours::login_setup_token(&case.report.link);
    }
    ours::login(&case.report.link)
}

//! The words of each incident: what happened, what follows, how long there is.

use crate::domain::incident::{Kind, View};
use crate::domain::outcome::ON_HOLD;
use crate::domain::time::in_words;

/// Says what is the matter; the command that helps is added by who says it.
pub(super) fn of(kind: Kind, view: &View<'_>) -> String {
    let (path, place) = (&view.path, &view.place);
    let rest = remaining(view);
    if let Some(host) = view.renewed_by.as_ref().filter(|_| kind.sign_in_helps()) {
        return format!("{}, {rest}", view.source.message_of_follower(path, host));
    }
    match kind {
        Kind::Rejected => {
            let why = view.renewals.refusal.as_ref().map(|why| format!(" ({why})"));
            let why = why.unwrap_or_default();
            format!(
                "the server refused to renew the login in '{path}'{why}: sign in again{place}, {rest}"
            )
        }
        Kind::AccountOnHold => {
            format!("the login in '{path}' is not renewed: {ON_HOLD}, {rest}")
        }
        Kind::Blanked => format!(
            "Claude CLI emptied the login in '{path}' after the server refused it: sign in again{place}, {rest}"
        ),
        Kind::SignedOut => {
            format!("nobody is signed in at '{path}' any more: sign in again{place}, {rest}")
        }
        Kind::Damaged => format!("{}: sign in again, {rest}", view.source.message(path)),
        Kind::Unreadable => format!("{}, {rest}", view.source.message(path)),
        Kind::LoginEnded => match view.login {
            Some(login) => {
                format!(
                    "the login in '{path}' expired at {}: sign in again{place}, {rest}",
                    login.at
                )
            }
            None => format!("the login in '{path}' ended: sign in again{place}, {rest}"),
        },
        Kind::LoginEnds(_) => notice(view),
        Kind::CannotSave => {
            format!("a renewed login cannot be saved: {}", why(view.renewals.cannot_save.as_ref()))
        }
        Kind::CliGone => {
            format!("Claude CLI cannot renew the login: {}", why(view.renewals.cli_gone.as_ref()))
        }
        Kind::RefreshFailing => {
            let why = why(view.renewals.why.as_ref());
            match view.renewals.failing {
                Some((first, _)) => format!(
                    "renewing the login in '{path}' has failed since {first}: {why}: {rest}"
                ),
                None => format!("renewing the login in '{path}' has failed: {why}: {rest}"),
            }
        }
        Kind::HarmfulFile => why(view.harmful.as_ref()).to_owned(),
    }
}

/// Says that an incident is over.
pub(super) fn over(kind: Kind, view: &View<'_>) -> String {
    let end = view.source.credential().map(|credential| credential.expiry);
    let end = end.map(|end| format!(", its access token ends at {end}")).unwrap_or_default();
    match kind {
        Kind::Rejected | Kind::Blanked | Kind::SignedOut | Kind::Damaged | Kind::LoginEnded => {
            format!("valid login found in '{}' again{end}", view.path)
        }
        Kind::Unreadable => format!("'{}' can be read again{end}", view.path),
        Kind::LoginEnds(_) => match view.login {
            Some(login) if !login.is_estimate => {
                format!("there is a new login in '{}', which ends at {}", view.path, login.at)
            }
            _ => format!("there is a new login in '{}'{end}", view.path),
        },
        Kind::CannotSave => {
            format!("nothing of the login in '{}' waits to be saved any more{end}", view.path)
        }
        Kind::CliGone => "Claude CLI can be started again".to_owned(),
        Kind::RefreshFailing | Kind::AccountOnHold => {
            format!("the login in '{}' was renewed again{end}", view.path)
        }
        Kind::HarmfulFile => "no file stands in OpenClaw's way any more".to_owned(),
    }
}

fn why(text: Option<&String>) -> &str {
    text.map_or("it is not known why", String::as_str)
}

fn notice(view: &View<'_>) -> String {
    let Some(login) = view.login else { return String::new() };
    let (path, place) = (&view.path, &view.place);
    let (at, left) = (login.at, in_words(login.at.left(view.now)));
    if login.is_setup_token {
        return format!(
            "the setup-token in '{path}' ends at {at}, in {left}, and nothing can renew it: a new one is needed before"
        );
    }
    if !login.is_estimate {
        return format!(
            "the login in '{path}' ends at {at}, in {left}, and nothing can renew it beyond that: sign in again{place} before"
        );
    }
    let end = if login.at > view.now {
        format!("ends about {at}, in {left} (estimated from its sign-in)")
    } else {
        "may end at any moment (estimated from its sign-in)".to_owned()
    };
    format!(
        "the login in '{path}' {end}, and nothing can renew it beyond that: sign in again{place} before"
    )
}

/// How long agents still work with what they have.
fn remaining(view: &View<'_>) -> String {
    match view.passed {
        Some(mark) if mark.expiry > view.now => {
            let left = in_words(mark.expiry.left(view.now));
            format!("agents work until {}, for {left} more", mark.expiry)
        }
        Some(mark) => format!("agents have had no valid token since {}", mark.expiry),
        None => "agents have no token yet".to_owned(),
    }
}

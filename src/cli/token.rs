//! `token`: the current access token, for a pipe.

use std::io::IsTerminal;

use serde_json::json;

use crate::app::child::separate;
use crate::app::context::Places;
use crate::app::error::Error;
use crate::app::status::{self, LinkStatus};
use crate::cli::exit::Exit;
use crate::cli::output::{several, write};
use crate::domain::hints::ours;

/// The version of the JSON that `token --json` writes.
const SCHEMA: u32 = 1;

/// How the token is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    /// Output JSON.
    pub(crate) json: bool,
    /// Show it even to whoever looks over a shoulder.
    pub(crate) force: bool,
}

/// Writes the access token of one link, if it may be passed on.
pub(crate) fn carry_out(places: &Places, only: Option<&str>, wish: Wish) -> Result<Exit, Error> {
    if std::io::stdout().is_terminal() && !wish.force {
        log::error!(
            hint = ours::plain("token | COMMAND, or --force").to_string();
            "the access token is not shown on a terminal"
        );
        return Ok(Exit::Usage);
    }
    // A link that was asked for by name is waited for.
    if only.is_none() {
        separate::begin(places);
    }
    let links = status::all(places, only)?.links;
    let [LinkStatus { report, .. }] = &links[..] else {
        let names: Vec<&str> = links.iter().map(|link| link.report.link.as_str()).collect();
        several(&names);
        return Ok(Exit::Usage);
    };
    let Some(credential) = report.source.passable() else {
        report.lines().iter().take(1).for_each(|line| line.log(&report.link));
        return Ok(Exit::of_source(&report.source));
    };
    let token = credential.access_token.expose();
    let text = if wish.json {
        let expiry = credential.expiry.to_string();
        format!(
            "{:#}\n",
            json!({"schema": SCHEMA, "link": report.link, "access_token": token, "expiry": expiry})
        )
    } else {
        format!("{token}\n")
    };
    write(&text);
    Ok(Exit::Done)
}

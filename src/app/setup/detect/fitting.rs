//! Which candidate goes with what a person has said already.

use std::path::{Path, PathBuf};

use crate::app::setup::detect::Detection;
use crate::domain::detection::{self, Candidate};

/// What is said already of a link.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stated {
    /// The credentials file.
    pub(crate) login: Option<PathBuf>,
    /// The state folder.
    pub(crate) claw: Option<PathBuf>,
    /// Other places that get the token, or say what does.
    pub(crate) places: Vec<PathBuf>,
}

impl Detection {
    /// The candidate that may be written unasked beside what is said already, or why there is none.
    pub(crate) fn unasked_with(&self, stated: &Stated) -> Result<&Candidate, String> {
        self.counterparts(stated)?;
        let fitting = self.candidates.iter().filter(|candidate| {
            is(stated.login.as_deref(), &self.login_of(candidate).path)
                && is(stated.claw.as_deref(), &self.claw_of(candidate).state_dir)
        });
        let best = detection::unasked(fitting)?;
        for place in &stated.places {
            self.is_theirs(place, best)?;
        }
        Ok(best)
    }

    /// Says what has to appear before anything can go with what is said.
    fn counterparts(&self, stated: &Stated) -> Result<(), String> {
        let (logins, claws) = (&self.findings.logins, &self.findings.claws);
        match (&stated.login, &stated.claw) {
            (Some(path), _) if !logins.iter().any(|login| login.path == *path) => {
                Err(format!("no Claude login was found at '{}'", path.display()))
            }
            (_, Some(path)) if !claws.iter().any(|claw| claw.state_dir == *path) => {
                Err(format!("no OpenClaw was found at '{}'", path.display()))
            }
            _ => Ok(()),
        }
    }

    /// Whoever controls such a place gets the token by it.
    fn is_theirs(&self, place: &Path, candidate: &Candidate) -> Result<(), String> {
        let control = self.tree.control_to_be(place).map_err(|error| error.to_string())?;
        let (login, claw) = (self.login_of(candidate), self.claw_of(candidate));
        if [&login.control.uids, &claw.control.uids].contains(&&control.uids) {
            return Ok(());
        }
        let (place, claw) = (place.display(), claw.state_dir.display());
        Err(format!("another user controls '{place}' than '{claw}'"))
    }
}

fn is(stated: Option<&Path>, found: &Path) -> bool {
    stated.is_none_or(|stated| stated == found)
}

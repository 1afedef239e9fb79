//! What the doctor has to say about one cause.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::domain::shell::Hint;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Severity {
    /// Good to know.
    Note,
    /// It will go wrong, or does now and then.
    Warning,
    /// It keeps the token from where it belongs.
    Error,
}

impl Severity {
    /// The word for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// What the doctor itself may do about a finding: only what is ours and safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Fix {
    /// Take the rights of others away from our configuration file.
    CloseConfiguration,
    /// Take the rights of others away from a file with the token, as its owner.
    CloseTokenFile,
    /// Bring the sinks up to date.
    Sync,
}

/// What an earlier version took without a word.
const OF_AN_UPGRADE: [&str; 4] =
    ["configuration-wrong", "hook-refused", "program-refused", "command-not-as-root"];

/// A cause that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Finding {
    /// Its name, which never changes.
    pub(crate) id: Cow<'static, str>,
    /// How much it matters.
    pub(crate) severity: Severity,
    /// The link that it is about; none where it is the host's.
    pub(crate) link: Option<String>,
    /// What is the matter, and what follows from it.
    pub(crate) meaning: String,
    /// The one command that fixes it.
    pub(crate) command: Hint,
    /// What `--fix` does about it.
    pub(crate) fix: Option<Fix>,
    /// Whether sign-in is required.
    pub(crate) needs_sign_in: bool,
}

impl Finding {
    /// Something that keeps the token from where it belongs.
    pub(crate) fn error(id: &'static str, meaning: String, command: impl Into<Hint>) -> Self {
        let command = command.into();
        let (link, fix, needs_sign_in) = (None, None, false);
        let id = id.into();
        Self { id, severity: Severity::Error, link, meaning, command, fix, needs_sign_in }
    }

    /// Something that will go wrong, or does now and then.
    pub(crate) fn warning(id: &'static str, meaning: String, command: impl Into<Hint>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(id, meaning, command) }
    }

    /// Something that is good to know.
    pub(crate) fn note(id: &'static str, meaning: String, command: impl Into<Hint>) -> Self {
        Self { severity: Severity::Note, ..Self::error(id, meaning, command) }
    }

    /// Whether it is worth a word only while a person has an upgrade in hand.
    pub(crate) fn is_of_an_upgrade_alone(&self) -> bool {
        self.is_of_an_upgrade() && self.severity == Severity::Note
    }

    /// Whether an earlier version took what it is about.
    pub(crate) fn is_of_an_upgrade(&self) -> bool {
        OF_AN_UPGRADE.contains(&&*self.id)
    }

    /// The doctor may do it himself.
    pub(crate) fn fixed_by(self, fix: Fix) -> Self {
        Self { fix: Some(fix), ..self }
    }

    /// Somebody has to sign in.
    pub(crate) fn sign_in(self) -> Self {
        Self { needs_sign_in: true, ..self }
    }
}

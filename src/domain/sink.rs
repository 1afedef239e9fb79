//! The places in OpenClaw that hold the token, by name.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;

/// A kind of place in OpenClaw that the token is carried to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SinkKind {
    /// `credentials/oauth.json`, imported once by OpenClaw up to 2026.7.
    OauthJson,
    /// `agents/ID/agent/auth-profiles.json`, the live store up to 2026.5.
    AuthProfiles,
    /// One line of a `.env`, read when the gateway starts.
    Env,
    /// The JSON of `oauth.json` under another name, for a file `SecretRef`.
    SecretFile,
    /// `openclaw models auth paste-token`, from 2026.6.1 on.
    PasteToken,
}

impl SinkKind {
    /// Every kind, in the order in which they are shown.
    pub(crate) const ALL: [Self; 5] =
        [Self::OauthJson, Self::AuthProfiles, Self::Env, Self::SecretFile, Self::PasteToken];

    /// The word for it in `SINKS` and in every message.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::OauthJson => "oauth-json",
            Self::AuthProfiles => "auth-profiles",
            Self::Env => "env",
            Self::SecretFile => "secret-file",
            Self::PasteToken => "paste-token",
        }
    }
}

impl fmt::Display for SinkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a sink's text holds for Anthropic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    /// The access token as it stands there.
    pub(crate) token: Secret,
    /// When the sink says that it ends, if it does.
    pub(crate) expiry: Option<Timestamp>,
}

//! The Claude CLI on this host, called as the owner of the login.

use std::ffi::OsString;
use std::path::Path;

use crate::app::refresh::cli::locate::{self, Claude, User};
use crate::app::refresh::credentials_file::Place;
use crate::domain::claude_cli::{
    BASE_URL, BASE_URL_VARIABLE, EMPTIED, GIVEN, KEPT, PROMPT, Version, names_base_url, options,
};
use crate::domain::config::settings::Override;
use crate::domain::outcome::Outcome;
use crate::os::environment;
use crate::os::fs::dir::Folder;
use crate::os::process::command::Call;
use crate::os::user::identity::Identity;

/// A call of the CLI that is ready to be made.
#[derive(Debug)]
pub(crate) struct Host {
    user: User,
    claude: Claude,
    /// `CLAUDE_CONFIG_DIR`, where it is not `.claude` in the home.
    config: Option<OsString>,
    base_url: bool,
}

impl Host {
    /// Finds the CLI for the owner of `file`.
    pub(crate) fn find(
        file: &Place,
        configured: Option<&Path>,
        base_url: Override,
        settings: Option<&str>,
    ) -> Result<Self, Outcome> {
        let user = User::owning(&file.folder);
        let claude = locate::find(configured, &user)?;
        let elsewhere = file.folder.path != user.home.join(".claude");
        let config = elsewhere.then(|| file.folder.path.clone().into_os_string());
        let base_url = match base_url {
            Override::Yes => true,
            Override::No => false,
            // Nothing of our own environment but the way to the server reaches it.
            Override::Auto => settings.is_some_and(names_base_url),
        };
        Ok(Self { user, claude, config, base_url })
    }

    /// What is run, for the log.
    pub(crate) fn describe(&self) -> String {
        let path = self.claude.path.display();
        match self.claude.version {
            Some(version) => format!("'{path}', version {version}"),
            None => format!("'{path}', version unknown"),
        }
    }

    /// What its path or its package says.
    pub(crate) fn version(&self) -> Option<Version> {
        self.claude.version
    }

    /// Whose rights it has.
    pub(crate) fn identity(&self) -> &Identity {
        &self.user.identity
    }

    /// The call itself; it starts in `place`.
    pub(crate) fn call<'a>(&'a self, place: &'a Folder) -> Call<'a> {
        let words = PROMPT.into_iter().map(str::to_owned);
        self.call_with(place, words.chain(options(self.claude.version, self.base_url)))
    }

    /// A call with other arguments.
    pub(crate) fn call_with<'a>(
        &'a self,
        place: &'a Folder,
        words: impl Iterator<Item = String>,
    ) -> Call<'a> {
        let own = self.claude.path.as_os_str().to_owned();
        let words = words.map(OsString::from);
        let mut call = Call::new(std::iter::once(own).chain(words), place, &self.user.identity);
        call = call.env("HOME", &self.user.home).env("PATH", self.user.path_for(&self.claude));
        for name in KEPT {
            if let Some(value) = environment::get(name) {
                call = call.env(name, value);
            }
        }
        for name in EMPTIED {
            call = call.env(name, "");
        }
        for (name, value) in GIVEN {
            call = call.env(name, value);
        }
        if let Some(config) = &self.config {
            call = call.env("CLAUDE_CONFIG_DIR", config);
        }
        if self.base_url { call.env(BASE_URL_VARIABLE, BASE_URL) } else { call }
    }
}

//! Claude's own sign-in, with the terminal of the person who does it.

use crate::app::refresh::cli::container::Contained;
use crate::app::refresh::cli::host::Host;
use crate::app::refresh::credentials_file::Place;
use crate::domain::claude_cli;
use crate::domain::config::settings::{ClaudeCli, Override, Settings};
use crate::domain::outcome::Outcome;
use crate::os::environment;
use crate::os::event::signals::Waiting;
use crate::os::fs::dir::Folder;
use crate::os::journal::detail;
use crate::os::process::command::Call;
use crate::os::terminal;
use crate::os::user::identity::Identity;

/// Variables of the terminal, besides those of every call.
const KEPT: [&str; 4] = ["TERM", "COLORTERM", "LC_CTYPE", "NO_COLOR"];

/// How Claude is signed in at a link.
#[derive(Debug)]
pub(crate) enum SignIn {
    /// By the CLI on this host, as the owner of the login.
    Host(Box<Host>),
    /// By the CLI in a container.
    Container(Box<Contained>),
}

impl SignIn {
    /// Finds the CLI for a link; the container is asked from `workplace`.
    pub(crate) fn find(
        settings: &Settings,
        place: &Place,
        workplace: &Folder,
    ) -> Result<Self, Outcome> {
        match &settings.claude_cli {
            ClaudeCli::Host { path } => {
                Host::find(place, path.as_deref(), Override::No, None).map(Box::new).map(Self::Host)
            }
            ClaudeCli::Container { name } => {
                let found = Contained::find(settings, place, name, workplace)?;
                Ok(Self::Container(Box::new(found)))
            }
            ClaudeCli::None => Err(Outcome::Unable {
                cause: "CLAUDE_CLI=\"none\": there is no Claude CLI that may be run here"
                    .to_owned(),
                hint: Some("sign in where Claude is, or set CLAUDE_CLI".into()),
            }),
        }
    }

    /// What is run, in words.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Host(host) => {
                let user = crate::os::user::account::name(host.identity().uid);
                format!("{} as {user}", host.describe())
            }
            Self::Container(_) => "claude in its container".to_owned(),
        }
    }

    /// Says whether somebody may run it: root, or the owner of the login.
    pub(crate) fn is_allowed(&self) -> bool {
        let own = Identity::own().uid;
        match self {
            Self::Host(host) => own == 0 || host.identity().uid == own,
            Self::Container(_) => true,
        }
    }

    /// Runs it for the person at the terminal. How it ends proves nothing.
    pub(crate) fn run(
        &self,
        workplace: &Folder,
        waiting: &Waiting<'_>,
    ) -> Result<(), crate::os::error::Error> {
        let mut call = match self {
            Self::Host(host) => {
                let words = claude_cli::sign_in(host.version());
                host.call_with(workplace, words.iter().map(|word| (*word).to_owned()))
            }
            // Nobody knows the version in there; what is old enough to have no such command is rare.
            Self::Container(container) => container.call_at_terminal(claude_cli::sign_in(None)),
        };
        for name in KEPT {
            if let Some(value) = environment::get(name) {
                call = call.env(name, value);
            }
        }
        terminal::run(&call, waiting).map(drop).inspect(|()| detail!("the sign-in has ended"))
    }

    /// The renewing call, which shows that the CLI answers.
    pub(crate) fn test_call<'a>(&'a self, workplace: &'a Folder) -> Call<'a> {
        match self {
            Self::Host(host) => host.call(workplace),
            Self::Container(container) => container.call(),
        }
    }
}

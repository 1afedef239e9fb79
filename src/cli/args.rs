//! The command line, as clap(derive) reads it.
#![expect(clippy::doc_markdown, reason = "these comments are the help, which shows no markup")]

use std::ffi::OsStr;
use std::path::PathBuf;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Args, Parser, Subcommand};

use crate::cli::login::Way;
use crate::domain::config::keys::KEYS;

/// The usual folder of the links' configuration files.
pub(crate) const CONFIG_DIR: &str = "/etc/oauth-sync";

/// The usual folder of stored state.
pub(crate) const STATE_DIR: &str = "/var/lib/oauth-sync";

/// The usual folder of locks and queues.
pub(crate) const RUN_DIR: &str = "/run/oauth-sync";

/// Keeps a Claude login alive and carries its token to OpenClaw.
#[derive(Debug, Parser)]
#[command(
    name = "oauth-sync",
    version,
    about,
    after_help = "See oauth-sync(1) and oauth-sync.conf(5).",
    subcommand_required = true,
    arg_required_else_help = true
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Directory of the links' configuration files
    #[arg(long, value_name = "DIR", global = true, default_value = CONFIG_DIR)]
    pub(crate) config_dir: PathBuf,
    /// Directory of stored state [default: $STATE_DIRECTORY or /var/lib/oauth-sync]
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) state_dir: Option<PathBuf>,
    /// Directory of locks and queues [default: /run/oauth-sync]
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) run_dir: Option<PathBuf>,
    /// Work on this link only
    #[arg(long, value_name = "NAME", global = true)]
    pub(crate) link: Option<String>,
    /// Say more
    #[arg(short, long, global = true, action = clap::ArgAction::Count, conflicts_with = "quiet")]
    pub(crate) verbose: u8,
    /// Print errors only
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Wait for the files of the link, and show on the standard input that the work goes on, for the process that
    /// started this one
    #[arg(long, global = true, hide = true)]
    pub(crate) attended: bool,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run continuously and sync on changes
    Watch {
        /// Do not run external programs; queue for the units
        #[arg(long)]
        delegate: bool,
    },
    /// Sync all links once
    Sync {
        /// Show what would be done; change nothing
        #[arg(long)]
        dry_run: bool,
        /// Pass on a login that ends before the one passed on last; write over mount points in place
        #[arg(long)]
        force: bool,
        /// Do not run external programs; queue for the units
        #[arg(long)]
        delegate: bool,
        /// Sync one link for the watcher, whose standard input says what it knows, and print what is known then
        #[arg(long, requires = "delegate", hide = true)]
        watched: bool,
    },
    /// Renew due logins and verify the result
    Refresh {
        /// Show what would be done and when; send and write nothing
        #[arg(long)]
        dry_run: bool,
        /// Renew even if not due, backed off or rejected
        #[arg(long)]
        force: bool,
        /// Timer mode: link automatically if nothing is configured; exit quietly if nothing is found
        #[arg(long, conflicts_with_all = ["dry_run", "force"])]
        unattended: bool,
        /// Go on with the link's incidents too, for a run over all links
        #[arg(long, requires = "link", hide = true)]
        attend: bool,
    },
    /// Show or set the models of Anthropic's that OpenClaw uses
    Model(Model),
    /// Apply queued token updates to gateways
    Gateway {
        /// Consent to the first paste, which removes the comments from openclaw.json; a copy is kept
        #[arg(long)]
        consent: bool,
        /// Only note that, needed yet or not, and leave the paste to the services
        #[arg(long, requires = "consent")]
        delegate: bool,
    },
    /// Find Claude and OpenClaw on this host, and propose or write a link
    Detect(Detect),
    /// Run the hooks and post to the webhook for every event that waits
    Notify {
        /// Try also what failed a moment ago
        #[arg(long)]
        now: bool,
        /// Send a test instead, by each webhook and to each hook, and say what came back
        #[arg(long, conflicts_with = "now")]
        test: bool,
    },
    /// Look at what a link needs, for a run over all links that must not wait for its files
    #[command(hide = true)]
    Examine,
    /// Print how one link stands, for a process that must not wait for its files
    #[command(hide = true)]
    Inspect {
        /// Print what the doctor finds in it
        #[arg(long)]
        doctor: bool,
        /// Apply the safe fixes to it instead
        #[arg(long, requires_all = ["doctor", "link"])]
        fix: bool,
        /// Look for units, accounts and cron jobs in DIR instead of the host
        #[arg(long, value_name = "DIR")]
        root: Option<PathBuf>,
    },
    /// Pre-removal cleanup
    #[command(hide = true)]
    Withdraw,
    /// Set one key of a link's configuration; all else in the file stays
    Set(Set),
    /// Let a link's renewals and syncs rest, for two hours unless an end is given
    Pause(Pause),
    /// End a pause
    Resume,
    /// Show sources, sinks and their states
    Status {
        /// Output JSON
        #[arg(long)]
        json: bool,
        /// Refresh every 2 s
        #[arg(long, conflicts_with = "json")]
        watch: bool,
    },
    /// Set everything up, step by step, each change after confirmation
    Setup(Setup),
    /// Sign in to Claude as the right user and in the right place, and carry the login on
    Login(Login),
    /// Check for a monitor: exit 0 ok, 1 warning, 2 critical, 3 unknown
    Check {
        /// Output JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the current access token for a pipe
    Token {
        /// Output JSON, with the expiry
        #[arg(long)]
        json: bool,
        /// Allow printing to a terminal
        #[arg(long)]
        force: bool,
    },
    /// Look for every known cause of trouble, and print the command that fixes it
    Doctor {
        /// Output JSON
        #[arg(long)]
        json: bool,
        /// Apply safe fixes
        #[arg(long)]
        fix: bool,
        /// Show only what this version refuses, or runs as another user, unlike an earlier one
        #[arg(long)]
        upgrade: bool,
        /// Look for units, accounts and cron jobs in DIR instead of the host
        #[arg(long, value_name = "DIR", hide = true)]
        root: Option<PathBuf>,
    },
    /// Print the state of all links in Prometheus' text format
    Metrics {
        /// Replace FILE by it, as `node_exporter`'s textfile collector wants it
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

/// What `detect` takes.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct Detect {
    /// Output JSON
    #[arg(long, conflicts_with = "print")]
    pub(crate) json: bool,
    /// Print the best candidate as KEY=VALUE lines
    #[arg(long)]
    pub(crate) print: bool,
    /// Write a link, default unless --link names one, if one candidate is the only best and one user controls all of it
    #[arg(long, group = "link_to_be")]
    pub(crate) write: bool,
    /// Write a link for each pair that belongs together unmistakably
    #[arg(long, requires = "write")]
    pub(crate) all: bool,
    /// Print a line if the first paste into the link that would be written waits for a consent
    #[arg(long, group = "link_to_be", hide = true)]
    pub(crate) lacks_consent: bool,
    /// Validate the answers on stdin, print one error a line, and write nothing
    #[arg(long, group = "link_to_be", conflicts_with = "write", hide = true)]
    pub(crate) check_answers: bool,
    /// Read KEY=VALUE lines to be written from stdin; an empty value takes a key out
    #[arg(long, requires = "link_to_be")]
    pub(crate) set_stdin: bool,
    /// Switch the original's units off
    #[arg(long)]
    pub(crate) switch_off_original: bool,
    /// Look at the tree in DIR instead of the host
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,
}

/// What `set` takes.
#[derive(Debug, Args)]
pub(crate) struct Set {
    /// The key
    #[arg(value_name = "KEY", value_parser = Key, hide_possible_values = true)]
    pub(crate) key: String,
    /// Its value; an empty one takes the key out
    #[arg(value_name = "VALUE")]
    pub(crate) value: String,
}

/// What rests, and for how long.
#[derive(Debug, Args)]
pub(crate) struct Pause {
    /// End at TIME: 18:00, 2026-11-30 or 2026-11-30T18:00:00Z
    #[arg(long, value_name = "TIME", group = "end")]
    pub(crate) until: Option<String>,
    /// End after DURATION, as in 2h or 90m
    #[arg(long = "for", value_name = "DURATION", group = "end")]
    pub(crate) span: Option<String>,
    /// End when somebody resumes
    #[arg(long, group = "end")]
    pub(crate) forever: bool,
    /// Let only renewals or only syncs rest
    #[arg(long, value_name = "WORK", value_parser = ["renew", "sync"])]
    pub(crate) only: Option<String>,
}

/// Which models OpenClaw should use.
#[derive(Debug, Args)]
pub(crate) struct Model {
    /// Set them in openclaw.json
    #[arg(long)]
    pub(crate) apply: bool,
    /// The model that agents use; instead of the usual one
    #[arg(long, value_name = "MODEL")]
    pub(crate) primary: Option<String>,
    /// A model and the name that people see; instead of the usual two
    #[arg(long = "alias", value_name = "MODEL=NAME")]
    pub(crate) aliases: Vec<String>,
    /// Take out a models.providers.anthropic, which replaces the built-in models; by itself, set nothing
    #[arg(long)]
    pub(crate) drop_provider: bool,
}

/// What `setup` takes.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct Setup {
    /// Take every proposal without asking; what costs or loses something is left out
    #[arg(long)]
    pub(crate) yes: bool,
    /// State directory of OpenClaw to propose, or 'none' to only renew the login
    #[arg(long, value_name = "DIR")]
    pub(crate) openclaw: Option<String>,
    /// Claude's credentials file to propose
    #[arg(long, value_name = "FILE")]
    pub(crate) claude: Option<PathBuf>,
    /// Container in which the Claude CLI runs
    #[arg(long, value_name = "NAME")]
    pub(crate) container: Option<String>,
    /// Do not install the Claude CLI
    #[arg(long)]
    pub(crate) no_install: bool,
    /// Leave OpenClaw's models as they are
    #[arg(long)]
    pub(crate) no_models: bool,
    /// Leave all units as they are
    #[arg(long)]
    pub(crate) no_services: bool,
    /// Propose a test call of the Claude CLI, which costs one short answer
    #[arg(long)]
    pub(crate) test_call: bool,
    /// Look at the tree in DIR instead of the host
    #[arg(long, value_name = "DIR", hide = true)]
    pub(crate) root: Option<PathBuf>,
}

/// A key: those that exist are offered, and one that does not can be taken out.
#[derive(Clone, Debug)]
pub(crate) struct Key;

impl TypedValueParser for Key {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(KEYS.iter().map(|key| PossibleValue::new(key.name))))
    }
}

/// What `login` takes.
#[derive(Debug, Args)]
pub(crate) struct Login {
    /// Do not sign in; record that this login was signed in on DATE, as in 2026-11-30
    #[arg(long, value_name = "DATE")]
    signed_in: Option<String>,
    /// Take a setup-token from stdin or a hidden prompt, and use it for this link
    #[arg(long, conflicts_with = "signed_in")]
    setup_token: bool,
    /// Keep the setup-token in FILE instead of the state directory
    #[arg(long, value_name = "FILE", requires = "setup_token")]
    store: Option<PathBuf>,
}

impl Login {
    /// What is asked for.
    pub(crate) fn way(&self) -> Way<'_> {
        match &self.signed_in {
            Some(date) => Way::Note(date),
            None if self.setup_token => Way::SetupToken(self.store.as_deref()),
            None => Way::SignIn,
        }
    }
}

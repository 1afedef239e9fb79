//! `setup`: the guided way. Each step shows what was found and what it would do, and asks; whatever
//! is done already is not asked again, so it can be left at any point and taken up later.

mod ask;
mod claude;
mod consent;
mod host;
mod link;
mod manner;

use std::path::PathBuf;

use crate::app::context::{self, Places};
use crate::app::error::Error;
use crate::app::setup::detect::write::{self, Answer};
use crate::app::setup::detect::{self, Detection, Tree};
use crate::cli::args;
use crate::cli::exit::Exit;
use crate::cli::output::answer;
use crate::domain::config::settings::ClaudeCli;
use crate::domain::config::settings::Settings;
use crate::domain::config::{DEFAULT, name_problem};
use crate::domain::hints::ours;
use crate::os::terminal;
use ask::{Asker, Said};

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// Somebody has answered.
    Next,
    /// There was nothing to ask.
    Pass,
    /// To the step before.
    Back,
    /// Leave.
    Quit,
}

/// What is known on the way.
struct Guide<'a> {
    places: &'a Places,
    options: &'a args::Setup,
    ask: Asker,
    name: String,
    tree: Tree,
    detection: Detection,
    /// What was chosen for a link that is not written yet.
    choice: Choice,
    /// How the last step of all found it.
    exit: Exit,
}

/// The link that is to be written.
#[derive(Debug, Default)]
struct Choice {
    /// The OpenClaw; an empty path is none.
    openclaw: Option<PathBuf>,
    /// The compose project's folder, where it was asked for.
    compose: Option<PathBuf>,
    /// The file of the environment, where it was asked for.
    env_file: Option<PathBuf>,
    /// Claude's credentials file.
    login: Option<PathBuf>,
    /// How the CLI runs.
    cli: Vec<Answer>,
}

type Step = fn(&mut Guide<'_>) -> Result<Turn, Error>;

/// When a step is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    /// Always.
    Always,
    /// While there is no link.
    Unlinked,
    /// Once there is one.
    Linked,
}

/// The steps, in order.
const STEPS: [(&str, When, Step); 14] = [
    ("This host", When::Always, host::prerequisites),
    ("OpenClaw", When::Always, link::openclaw),
    ("OpenClaw's compose project", When::Unlinked, manner::compose),
    ("OpenClaw's environment", When::Unlinked, manner::environment),
    ("Claude's login", When::Unlinked, link::login),
    ("How the CLI runs", When::Unlinked, manner::cli),
    ("The link", When::Unlinked, link::write),
    ("Claude CLI", When::Linked, claude::install),
    ("Signing in", When::Linked, claude::sign_in),
    ("OpenClaw's models", When::Linked, host::models),
    ("How OpenClaw gets the token", When::Linked, consent::comments),
    ("Services", When::Linked, host::services),
    ("A test call", When::Linked, claude::test_call),
    ("Verification", When::Always, host::verify),
];

/// Guides through all steps.
pub(crate) fn carry_out(
    places: &Places,
    only: Option<&str>,
    options: &args::Setup,
) -> Result<Exit, Error> {
    if !options.yes && !terminal::is_interactive() {
        let file = places.config_dir.join("default.conf");
        let hint = ours::setup_without_terminal(&file).to_string();
        log::error!(hint; "setup asks questions, and there is no terminal to ask on");
        return Ok(Exit::Usage);
    }
    if let Some(problem) = only.and_then(|link| name_problem(link, &places.config_dir)) {
        return Err(Error::Configuration(vec![problem]));
    }
    let root = options.root.as_deref();
    let mut guide = Guide {
        places,
        options,
        ask: Asker { yes: options.yes },
        name: only.unwrap_or(DEFAULT).to_owned(),
        tree: Tree::new(root),
        detection: detect::run(root),
        choice: Choice::default(),
        exit: Exit::Done,
    };
    if let Some(exit) = guide.differs() {
        return Ok(exit);
    }
    guide.walk()
}

impl Guide<'_> {
    fn walk(&mut self) -> Result<Exit, Error> {
        let (mut at, mut back, mut is_told) = (0, false, false);
        while let Some((title, when, step)) = STEPS.get(at) {
            let is_linked = self.settings().is_some();
            if *when != When::Always && (*when == When::Linked) != is_linked {
                if *when == When::Linked && !std::mem::replace(&mut is_told, true) {
                    Self::found("nothing is linked yet: the other steps are left out");
                }
                at = if back { at.saturating_sub(1) } else { at + 1 };
                continue;
            }
            answer([String::new(), format!("[{}/{}] {title}", at + 1, STEPS.len())]);
            match step(self)? {
                Turn::Quit if self.ask.yes => {
                    let setup = ours::setup();
                    let stopped = "Stopped early. What was done stays;";
                    answer([String::new(), format!("{stopped} {setup} goes on from here.")]);
                    return Ok(Exit::gravest([self.exit, Exit::Failed]));
                }
                Turn::Quit => {
                    let setup = ours::setup();
                    let left = "Left. What was done stays;";
                    answer([String::new(), format!("{left} {setup} goes on from here.")]);
                    return Ok(Exit::Done);
                }
                // What asks nothing is passed in the direction that one goes.
                Turn::Pass if back && at > 0 => at -= 1,
                Turn::Back => {
                    back = true;
                    at = at.saturating_sub(1);
                }
                Turn::Next | Turn::Pass => {
                    back = false;
                    at += 1;
                }
            }
        }
        Ok(self.exit)
    }

    /// Refuses options that say something else than the link that stands: none is passed over in silence.
    fn differs(&self) -> Option<Exit> {
        let settings = self.settings()?;
        let (link, options) = (&settings.name, self.options);
        let container = match &settings.claude_cli {
            ClaudeCli::Container { name } => Some(name.clone()),
            _ => None,
        };
        let login = settings.claude_credentials.display().to_string();
        let openclaw = settings.openclaw_state_dir.as_ref().map(|path| path.display().to_string());
        let openclaw = openclaw.unwrap_or_else(|| link::NONE.to_owned());
        let given = options.claude.as_ref().map(|path| path.display().to_string());
        let pairs = [
            ("--claude", "CLAUDE_CREDENTIALS", given, login),
            ("--openclaw", "OPENCLAW_STATE_DIR", options.openclaw.clone(), openclaw),
            (
                "--container",
                "CLAUDE_CONTAINER",
                options.container.clone(),
                container.unwrap_or_default(),
            ),
        ];
        let mut exit = None;
        for (option, key, given, stands) in pairs {
            let Some(given) = given.filter(|given| *given != stands) else { continue };
            let hint = ours::set(link, key, &given).to_string();
            log::error!(hint; "{option} '{given}': the link '{link}' stands, and has '{stands}'");
            exit = Some(Exit::Usage);
        }
        exit
    }

    /// The link, once it is written and has no faults.
    fn settings(&self) -> Option<Settings> {
        let links = context::links(&self.places.config_dir, Some(&self.name)).ok()?;
        links.into_iter().next()
    }

    /// Says something about what was found.
    fn found(text: &str) {
        answer([format!("  {text}")]);
    }

    /// Says what is wrong with an answer, if something is.
    fn is_usable(key: &str, value: &str) -> bool {
        let fault = write::fault_of(key, value);
        if let Some(why) = &fault {
            Self::found(why);
        }
        fault.is_none()
    }

    /// Says that a step has to wait for an earlier one.
    fn without_link() -> Turn {
        Self::found("nothing is linked yet, so there is nothing to do here");
        Turn::Pass
    }
}

impl From<Said> for Turn {
    fn from(said: Said) -> Self {
        match said {
            Said::Yes | Said::No => Self::Next,
            Said::Back => Self::Back,
            Said::Quit => Self::Quit,
        }
    }
}

#[cfg(test)]
mod tests;

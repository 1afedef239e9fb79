//! The host around the link: what has to be there, OpenClaw's models, our units, and how it all is.

use std::path::Path;

use crate::app::doctor::{self, Severity};
use crate::app::error::Error;
use crate::app::report::SinkReport;
use crate::app::setup::model;
use crate::app::status::health_input::condition;
use crate::app::sync::Options;
use crate::app::systemd::{self, Services, UNITS};
use crate::cli::doctor::cases;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::cli::overview;
use crate::cli::setup::ask::Said;
use crate::cli::setup::{Guide, Turn};
use crate::domain::health::Condition;
use crate::domain::hints::ours;
use crate::domain::models::{PRIMARY, Wish};
use crate::os::event::signals::Deferral;
use crate::os::user::identity::Identity;

/// Shows what was found; asks nothing.
#[expect(clippy::unnecessary_wraps, reason = "it is one of the steps")]
pub(super) fn prerequisites(guide: &mut Guide<'_>) -> Result<Turn, Error> {
    let has = |path: &str| guide.tree.has(Path::new(path));
    let programs = ["npm", "docker", "podman", "systemctl"].map(|name| {
        let found = ["/usr/local/bin", "/usr/bin", "/bin"]
            .iter()
            .any(|folder| has(&format!("{folder}/{name}")));
        format!("{name} {}", if found { "is there" } else { "is not there" })
    });
    Guide::found(&programs.join(", "));
    let watch = ours::plain("watch");
    Guide::found(&match systemd::look(&guide.tree) {
        Services::NoSystemd => {
            format!("not run by systemd, so this has to be kept running otherwise: {watch}")
        }
        Services::NotInstalled => {
            format!(
                "the units are not installed, so this has to be kept running otherwise: {watch}"
            )
        }
        Services::Disabled => "the units are installed, but not enabled".to_owned(),
        Services::Enabled => "the units are installed and enabled".to_owned(),
    });
    if Identity::own().uid != 0 {
        let setup = ours::setup_as_root();
        Guide::found(&format!(
            "not run by root: only what is yours can be set up; as root all: {setup}"
        ));
    }
    for rival in &guide.detection.rivals {
        Guide::found(&format!("does the same job: {rival}"));
    }
    Ok(Turn::Pass)
}

/// Offers to set OpenClaw's models.
pub(super) fn models(guide: &mut Guide<'_>) -> Result<Turn, Error> {
    let Some(settings) = guide.settings() else { return Ok(Guide::without_link()) };
    if settings.openclaw_state_dir.is_none() {
        Guide::found("no OpenClaw is linked: there are no models of it to set");
        return Ok(Turn::Pass);
    }
    let wish = Wish::usual();
    let shown = match model::all(guide.places, Some(&guide.name), &wish, false) {
        Ok(shown) => shown,
        Err(error) => {
            Guide::found(&format!("{error}"));
            return Ok(Turn::Pass);
        }
    };
    let Some(shown) = shown.first() else { return Ok(Turn::Pass) };
    Guide::found(&format!(
        "'{}': the primary model is {}",
        shown.path.display(),
        shown.models.primary.as_deref().unwrap_or("not set")
    ));
    let own = !shown.models.providers.is_empty();
    if own {
        Guide::found("models.providers.anthropic takes the built-in models away");
    }
    if guide.options.no_models || (shown.changed.is_empty() && !own) {
        return Ok(Turn::Pass);
    }
    if !shown.changed.is_empty() {
        let said =
            guide.ask.may(&format!("Set the primary model to {PRIMARY}, and name both models?"));
        match said {
            Said::Yes => set_models(guide, &wish)?,
            Said::No => {}
            other => return Ok(other.into()),
        }
    }
    if own {
        match guide.ask.may_costly("Take models.providers.anthropic out?") {
            Said::Yes => set_models(guide, &Wish::no_providers())?,
            other => return Ok(other.into()),
        }
    }
    Ok(Turn::Next)
}

fn set_models(guide: &Guide<'_>, wish: &Wish) -> Result<(), Error> {
    for shown in model::all(guide.places, Some(&guide.name), wish, true)? {
        match &shown.valid {
            Some(Err(why)) => {
                Guide::found(&format!("OpenClaw does not take it, so it is as before: {why}"));
            }
            _ => shown.changed.iter().for_each(|path| {
                Guide::found(&format!("changed: '{}'", path.display()));
            }),
        }
    }
    Ok(())
}

/// Offers to switch the original off and our own units on, in this order.
pub(super) fn services(guide: &mut Guide<'_>) -> Result<Turn, Error> {
    if guide.settings().is_none() {
        return Ok(Guide::without_link());
    }
    if guide.options.no_services {
        Guide::found("left alone");
        return Ok(Turn::Pass);
    }
    let mut turn = Turn::Pass;
    for (unit, user) in systemd::originals(&guide.tree, &guide.detection.rivals) {
        let whose = user.as_ref().map(|user| format!(" of {user}")).unwrap_or_default();
        match guide.ask.may(&format!("Switch the original's {unit}{whose} off, now and for good?"))
        {
            Said::Yes => done(guide, || systemd::switch_off(&guide.tree, &unit, user.as_deref()))?,
            Said::No => {}
            other => return Ok(other.into()),
        }
        turn = Turn::Next;
    }
    match systemd::look(&guide.tree) {
        Services::NoSystemd | Services::NotInstalled => {
            let watch = ours::plain("watch");
            Guide::found(&format!("there are no units here; keep this running: {watch}"));
            Ok(turn)
        }
        Services::Enabled => {
            Guide::found("enabled already");
            Ok(turn)
        }
        Services::Disabled => {
            match guide.ask.may(&format!("Enable and start {}?", UNITS.join(" and "))) {
                Said::Yes => done(guide, systemd::enable).map(|()| Turn::Next),
                other => Ok(other.into()),
            }
        }
    }
}

/// Does a change in one piece, whatever is pressed meanwhile; a refusal is told and not the end.
fn done(guide: &Guide<'_>, change: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
    let signals = Deferral::prepare(&guide.places.run_dir)?;
    let waiting = signals.hold();
    let changed = change();
    drop(waiting);
    match changed {
        Ok(()) => Guide::found("done"),
        Err(error) => output::failure(&error),
    }
    Ok(())
}

/// Carries the token after a yes, and says how it all is.
pub(super) fn verify(guide: &mut Guide<'_>) -> Result<Turn, Error> {
    if guide.settings().is_none() {
        Guide::found("nothing is linked, so nothing is kept alive");
        guide.exit = Exit::gravest([guide.exit, Exit::Failed]);
        return Ok(Turn::Pass);
    }
    let mut told = Vec::new();
    let (mut level, pending) = look(guide, &mut told)?;
    if pending {
        match guide.ask.may("Carry the token to OpenClaw now?") {
            Said::Yes => {
                crate::cli::sync(guide.places, Some(&guide.name), Options::default(), false)?;
                level = look(guide, &mut told)?.0;
            }
            Said::No => {}
            other => return Ok(other.into()),
        }
    }
    let survey = overview::look(guide.places, Some(&guide.name))?;
    let found = doctor::run(guide.places, &cases(&survey), guide.options.root.as_deref())?;
    for finding in found.findings.iter().filter(|finding| finding.severity > Severity::Note) {
        Guide::found(&format!("{}: {}", finding.id, finding.meaning));
        Guide::found(&format!("    {}", finding.command));
    }
    let exit = match survey.links.iter().any(|link| link.report.needs_person()) {
        true => Exit::NeedsPerson,
        false if level == crate::domain::health::Level::Wrong => Exit::Failed,
        false => Exit::Done,
    };
    guide.exit = exit;
    let [status, doctor] = ["status", "doctor"].map(ours::plain);
    Guide::found(&format!("at any time: {status}, {doctor}"));
    Ok(Turn::Next)
}

/// Says how the link fares, besides the lines in `told`; whether a sink waits for the token.
fn look(
    guide: &Guide<'_>,
    told: &mut Vec<String>,
) -> Result<(crate::domain::health::Level, bool), Error> {
    let survey = overview::look(guide.places, Some(&guide.name))?;
    let mut level = crate::domain::health::Level::Fine;
    let mut pending = false;
    for link in &survey.links {
        level = link.health.level;
        let found =
            link.health.findings.iter().map(|(level, text)| format!("{}: {text}", level.name()));
        let summary = Some(link.health.summary.text(survey.now));
        for line in found.chain(summary.filter(|summary| !summary.is_empty())) {
            if !told.contains(&line) {
                Guide::found(&line);
                told.push(line);
            }
        }
        let in_step = |sink: &SinkReport| match condition(sink) {
            Condition::InStep => true,
            Condition::Absent => !sink.is_new,
            Condition::Pending | Condition::Stuck(_) => false,
        };
        pending = link.report.source.passable().is_some() && !link.report.sinks.iter().all(in_step);
    }
    Ok((level, pending))
}

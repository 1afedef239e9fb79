//! The command line: reads it, calls the use-case, shows what came of it.

mod ahead;
pub(crate) mod args;
mod check;
mod denied;
mod detect;
mod doctor;
mod exit;
mod gateway;
mod login;
mod metrics;
mod model;
mod notify;
mod output;
mod overview;
mod pause;
mod refresh;
mod resident;
mod screen;
mod set;
mod setup;
mod show;
mod token;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use log::LevelFilter;

use crate::app;
use crate::app::child::separate;
use crate::app::context::Places;
use crate::app::error::Error;
use crate::app::gateway::Haste;
use crate::app::report::Report;
use crate::app::status::last_run::{self, Part};
use crate::app::sync::Options;
use crate::app::watch::maintenance;
use crate::cli::args::{Arguments, CONFIG_DIR, Command, Global, RUN_DIR, STATE_DIR};
use crate::cli::exit::Exit;
use crate::domain::config::settings::Settings;
use crate::domain::hints::ours::{self, Caller};
use crate::os::fs::access;
use crate::os::process::command::helper;
use crate::os::process::current;
use crate::os::process::executables;
use crate::os::process::self_exec;
use crate::os::progress;
use crate::os::{clock, environment, journal};

/// Runs the program with its arguments.
pub(crate) fn run(args: impl Iterator<Item = OsString>) -> ExitCode {
    current::keep_secrets();
    current::raise_limits();
    current::catch_file_limit();
    let args: Vec<OsString> = args.collect();
    if helper::is_asked(&args) {
        return helper::serve();
    }
    let plain = resident::read(&args);
    let arguments = match plain.map_or_else(|| Arguments::try_parse_from(&args), Ok) {
        Ok(arguments) => arguments,
        Err(error) => {
            // A monitor would take the usual status 2 for "critical".
            let exit = output::usage(&error);
            let of_monitor = exit == Exit::Usage && is_check(&args);
            return if of_monitor { check::misused() } else { exit.into() };
        }
    };
    ours::called_by(caller(&arguments.global));
    journal::start(level(&arguments.global));
    if arguments.global.attended {
        progress::begin();
    }
    if let Command::Check { json } = arguments.command {
        return check::carry_out(
            &places(&arguments.global),
            arguments.global.link.as_deref(),
            json,
        );
    }
    if let Err(error) = current::needs_openat2() {
        output::failure(&error.into());
        return Exit::Failed.into();
    }
    let (places, only) = (places(&arguments.global), arguments.global.link.as_deref());
    let part = part(&arguments.command);
    let before = by_hand(&arguments.command).then(|| last_run::last(&places, Part::Refresh));
    let running = part.map(|(part, is_forced)| last_run::begin(&places, part, is_forced));
    let done = carry_out(&arguments.command, &places, only);
    let exit = done.as_ref().map_or_else(Exit::of_error, |exit| *exit);
    if let Some(running) = running {
        running.end(exit as u8);
    }
    if let Some(before) = before {
        maintenance::retry_after(&places, before);
    }
    match done {
        Ok(_) if publishes(&arguments.command) => app::status::health_file::all(&places, only),
        Ok(_) => {}
        Err(error) => output::failure(&error),
    }
    exit.into()
}

/// Which part of the service a command runs, and whether somebody forces it.
fn part(command: &Command) -> Option<(Part, bool)> {
    let part = match command {
        Command::Sync { dry_run: false, watched: false, force, .. } => (Part::Sync, *force),
        Command::Refresh { dry_run: false, force, .. } => (Part::Refresh, *force),
        Command::Gateway { consent: false, .. } => (Part::Gateway, false),
        Command::Notify { test: false, .. } => (Part::Notify, false),
        _ => return None,
    };
    Some(part)
}

/// Says whether somebody has logins renewed whose unit may have failed to.
fn by_hand(command: &Command) -> bool {
    matches!(command, Command::Refresh { dry_run: false, unattended: false, .. })
}

/// Says whether monitors have to read what a command came to; the timer's run publishes on its way.
fn publishes(command: &Command) -> bool {
    match command {
        Command::Sync { dry_run, watched, .. } => !dry_run && !watched,
        Command::Refresh { dry_run, unattended, .. } => !dry_run && !unattended,
        Command::Gateway { .. } | Command::Login(_) => true,
        _ => false,
    }
}

/// Says whether the command of a call that is not understood is `check`.
fn is_check(args: &[OsString]) -> bool {
    let lenient = Arguments::command().ignore_errors(true).try_get_matches_from(args);
    lenient.is_ok_and(|matches| matches.subcommand_name() == Some("check"))
}

fn carry_out(command: &Command, places: &Places, only: Option<&str>) -> Result<Exit, Error> {
    denied::judge(places, command)?;
    match command {
        Command::Watch { delegate } => {
            app::watch::run(places, only, *delegate).map(|()| Exit::Done)
        }
        Command::Sync { watched: true, .. } => {
            let known = app::watch::one(places, only.unwrap_or_default(), &self_exec::given())?;
            output::write(&known);
            Ok(Exit::Done)
        }
        Command::Sync { dry_run, force, delegate, watched: false } => {
            let options = Options { dry_run: *dry_run, force: *force };
            sync(places, only, options, *delegate)
        }
        Command::Model(options) => model::carry_out(places, only, options),
        Command::Gateway { delegate: true, .. } => gateway::agree_ahead(places, only),
        Command::Gateway { consent: true, .. } => gateway::agree(places, only),
        Command::Gateway { .. } => gateway::carry_out(places, only),
        Command::Refresh { dry_run, force, unattended, attend } => {
            let options = app::refresh::Options { dry_run: *dry_run, force: *force };
            refresh::carry_out(places, only, options, (*unattended, *attend))
        }
        Command::Examine => app::examination::alone(places, only)
            .map(|hangs| if hangs { Exit::Deferred } else { Exit::Done }),
        Command::Inspect { fix: true, .. } => doctor::fix_one(places, only.unwrap_or_default()),
        Command::Inspect { doctor: true, root, .. } => {
            doctor::inspect(places, only.unwrap_or_default(), root.as_deref())
        }
        Command::Inspect { doctor: false, .. } => show::inspect(places, only.unwrap_or_default()),
        Command::Detect(options) => detect::carry_out(places, only, options),
        Command::Set(options) => set::carry_out(places, only, options),
        Command::Pause(options) => pause::begin(places, only, options),
        Command::Resume => pause::end(places, only),
        Command::Notify { test: true, .. } => notify::test(places, only),
        Command::Notify { now, .. } => notify::send(places, *now),
        // Whatever fails, the package is removed.
        Command::Withdraw => {
            if let Err(error) = app::setup::uninstall::all(places) {
                output::failure(&error);
            }
            Ok(Exit::Done)
        }
        // Its exit statuses are its own.
        Command::Check { .. } => Ok(Exit::Done),
        Command::Setup(options) => setup::carry_out(places, only, options),
        Command::Login(options) => login::carry_out(places, only, options.way()),
        Command::Token { json, force } => {
            token::carry_out(places, only, token::Wish { json: *json, force: *force })
        }
        Command::Doctor { json, fix, upgrade, root } => {
            let (json, fix, upgrade) = (*json, *fix, *upgrade);
            let wish = doctor::Wish { json, fix, upgrade, root: root.as_deref() };
            doctor::carry_out(places, only, wish)
        }
        Command::Metrics { output } => metrics::carry_out(places, only, output.as_deref()),
        Command::Status { watch: true, .. } => show::watch(places, only),
        Command::Status { json: false, .. } if show::is_picture() => show::once(places, only),
        Command::Status { json, .. } => show::plain(places, only, *json),
    }
}

/// Syncs once: links whose files may not answer after the others, each by a process of its own.
fn sync(
    places: &Places,
    only: Option<&str>,
    options: Options,
    delegate: bool,
) -> Result<Exit, Error> {
    separate::begin(places);
    let apart = app::examination::links(places, only)?;
    let exit = sync_here(places, only, (options, delegate), &apart)?;
    let mut words = vec!["sync"];
    let flags =
        [(options.dry_run, "--dry-run"), (options.force, "--force"), (delegate, "--delegate")];
    words.extend(flags.into_iter().filter_map(|(is_set, word)| is_set.then_some(word)));
    let of_files = options.dry_run || delegate;
    let limit = if of_files { separate::FILES } else { separate::GATEWAY };
    let ended = separate::each(places, &apart, &words, limit)?;
    if !options.dry_run {
        let silent = ended.iter().filter(|(_, exit)| exit.is_none());
        silent.for_each(|(link, _)| app::status::health_file::failure(places, link, clock::now()));
    }
    let exits = ended.into_iter().map(|(_, exit)| exit.map_or(Exit::Failed, Exit::of_process));
    Ok(Exit::gravest(exits.chain([exit])))
}

/// Syncs once all but the links in `apart`; where nobody else may be left to see to the gateways, they are
/// seen to here.
fn sync_here(
    places: &Places,
    only: Option<&str>,
    (options, delegate): (Options, bool),
    apart: &[Settings],
) -> Result<Exit, Error> {
    let is_here = |report: &Report| !apart.iter().any(|link| link.name == report.link);
    if !options.dry_run && !delegate {
        app::gateway::learn_versions(places, only)?;
    }
    let mut reports = app::sync::all(places, only, options)?;
    reports.retain(is_here);
    if options.dry_run {
        output::plan(&reports);
        return Ok(Exit::of_reports(&reports));
    }
    reports.iter().for_each(app::report::log_dedup::all);
    if delegate {
        return Ok(Exit::of_reports(&reports));
    }
    let mut closings = app::gateway::run(places, only, Haste::AtOnce)?;
    // A version that was learnt, or a token that could not be pasted, makes other sinks the right
    // ones; once is enough for that.
    if !closings.is_empty() {
        reports = app::sync::all(places, only, options)?;
        reports.retain(is_here);
        let written = |report: &&Report| report.sinks.iter().any(|sink| sink.written);
        reports.iter().filter(written).for_each(app::report::log_dedup::all);
        let links = reports.iter().map(|report| &report.link);
        let mut asked = links.filter(|link| app::state::gateway_queue::has(&places.run_dir, link));
        let again = match asked.next() {
            Some(_) => app::gateway::run(places, only, Haste::AtOnce)?,
            None => Vec::new(),
        };
        closings.retain(|old| !again.iter().any(|new| new.link == old.link));
        closings.extend(again);
    }
    gateway::publish_silent(places, &closings);
    Ok(Exit::gravest([Exit::of_reports(&reports), Exit::of_closings(&closings)]))
}

/// The directories of a call; an ordinary user's own configuration comes with directories of their own.
fn places(global: &Global) -> Places {
    let is_own = access::is_ordinary() && global.config_dir != Path::new(CONFIG_DIR);
    let (own_state, own_run) = is_own.then(access::own_directories).flatten().unzip();
    let state_dir = global
        .state_dir
        .clone()
        .or_else(|| environment::folder("STATE_DIRECTORY"))
        .or(own_state)
        .unwrap_or_else(|| PathBuf::from(STATE_DIR));
    let run_dir = global.run_dir.clone().or(own_run).unwrap_or_else(|| PathBuf::from(RUN_DIR));
    Places {
        config_dir: environment::absolute(&global.config_dir),
        state_dir: environment::absolute(&state_dir),
        run_dir: environment::absolute(&run_dir),
    }
}

/// What printed commands repeat: the directories that the caller named, and sudo(8) where it is.
fn caller(global: &Global) -> Caller {
    let named = [
        ("--config-dir", Some(&global.config_dir), CONFIG_DIR),
        ("--state-dir", global.state_dir.as_ref(), STATE_DIR),
        ("--run-dir", global.run_dir.as_ref(), RUN_DIR),
    ];
    let own = named.into_iter().filter_map(|(option, path, usual)| {
        let path = environment::absolute(path?);
        (path != Path::new(usual)).then_some((option, path))
    });
    Caller { directories: own.collect(), has_sudo: || executables::is_there("sudo") }
}

fn level(global: &Global) -> LevelFilter {
    match (global.quiet, global.verbose) {
        (true, _) => LevelFilter::Error,
        (false, 0) => LevelFilter::Info,
        (false, _) => LevelFilter::Debug,
    }
}

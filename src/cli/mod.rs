//! The command line: reads it, calls the use-case, shows what came of it.

pub(crate) mod args;
mod check;
mod detect;
mod exit;
mod metrics;
mod refresh;
mod render;
mod survey;
mod token;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use log::LevelFilter;

use crate::app;
use crate::app::error::Error;
use crate::app::ground::Places;
use crate::app::sync::Options;
use crate::cli::args::{Arguments, Command, Global};
use crate::cli::exit::Exit;
use crate::os::{environment, journal, process};

/// Runs the program with its arguments.
pub(crate) fn run(args: impl Iterator<Item = OsString>) -> ExitCode {
    process::keep_secrets();
    let args: Vec<OsString> = args.collect();
    let arguments = match Arguments::try_parse_from(&args) {
        Ok(arguments) => arguments,
        Err(error) => {
            // A monitor would take the usual status 2 for "critical".
            let exit = render::usage(&error);
            let of_monitor = exit == Exit::Usage && args.iter().any(|arg| arg == "check");
            return if of_monitor { check::misused() } else { exit.into() };
        }
    };
    journal::start(level(&arguments.global));
    if let Command::Check { json } = arguments.command {
        return check::carry_out(
            &places(&arguments.global),
            arguments.global.link.as_deref(),
            json,
        );
    }
    match carry_out(&arguments) {
        Ok(exit) => exit.into(),
        Err(error) => {
            render::failure(&error);
            Exit::of_error(&error).into()
        }
    }
}

fn carry_out(arguments: &Arguments) -> Result<Exit, Error> {
    let places = places(&arguments.global);
    let only = arguments.global.link.as_deref();
    match &arguments.command {
        Command::Watch { delegate: _ } => app::watch::run(&places, only).map(|()| Exit::Done),
        Command::Sync { dry_run, force } => {
            let options = Options { dry_run: *dry_run, force: *force };
            let reports = app::sync::all(&places, only, options)?;
            if *dry_run {
                render::plan(&reports);
            } else {
                reports.iter().for_each(app::said::all);
            }
            Ok(Exit::of_reports(&reports))
        }
        Command::Refresh { dry_run, force } => {
            let options = app::refresh::Options { dry_run: *dry_run, force: *force };
            refresh::carry_out(&places, only, options)
        }
        Command::Detect(options) => detect::carry_out(&places, options),
        Command::Withdraw => app::withdraw::flags(&places.config_dir).map(|()| Exit::Done),
        // Its exit statuses are its own.
        Command::Check { .. } => Ok(Exit::Done),
        Command::Token { json, force } => {
            token::carry_out(&places, only, token::Wish { json: *json, force: *force })
        }
        Command::Metrics { output } => metrics::carry_out(&places, only, output.as_deref()),
        Command::Status { json } => {
            let status = app::status::all(&places, only)?;
            render::status(&status, *json);
            Ok(Exit::Done)
        }
    }
}

fn places(global: &Global) -> Places {
    let state_dir = global
        .state_dir
        .clone()
        .or_else(|| environment::folder("STATE_DIRECTORY"))
        .unwrap_or_else(|| PathBuf::from("/var/lib/oauth-sync"));
    Places {
        config_dir: environment::absolute(&global.config_dir),
        state_dir: environment::absolute(&state_dir),
        run_dir: environment::absolute(&global.run_dir),
    }
}

fn level(global: &Global) -> LevelFilter {
    match (global.quiet, global.verbose) {
        (true, _) => LevelFilter::Error,
        (false, 0) => LevelFilter::Info,
        (false, 1) => LevelFilter::Debug,
        (false, _) => LevelFilter::Trace,
    }
}

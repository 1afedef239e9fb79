//! `oauth-sync(1)` against the command line itself.

use clap::{Arg, Command};

use crate::page::{Block, items, section, sections};
use crate::text_of;

const PAGE: &str = "man/oauth-sync.1";

/// mdoc(7)'s own order; what is left out here need not be there.
const ORDER: [&str; 11] = [
    "NAME",
    "SYNOPSIS",
    "DESCRIPTION",
    "ENVIRONMENT",
    "FILES",
    "EXIT STATUS",
    "EXAMPLES",
    "DIAGNOSTICS",
    "SEE ALSO",
    "AUTHORS",
    "SECURITY CONSIDERATIONS",
];

fn shown() -> Vec<Command> {
    let mut command = oauth_sync::command();
    command.build();
    let commands = command.get_subcommands().filter(|command| !command.is_hide_set());
    commands.filter(|command| command.get_name() != "help").cloned().collect()
}

fn longs<'a>(args: impl Iterator<Item = &'a Arg>) -> Vec<String> {
    let mut names: Vec<String> = args
        .filter(|arg| !arg.is_hide_set())
        .filter_map(Arg::get_long)
        .map(str::to_owned)
        .collect();
    names.sort();
    names
}

/// The options that every command takes.
fn global() -> Vec<String> {
    let mut command = oauth_sync::command();
    command.build();
    longs(command.get_arguments())
}

fn described() -> Vec<Block> {
    let items = items(&section(PAGE, "DESCRIPTION"));
    items.into_iter().filter(|item| item.head.starts_with("Cm ")).collect()
}

#[test]
fn the_sections_are_in_the_order_of_mdoc() {
    let titles: Vec<String> = sections(PAGE).into_iter().map(|section| section.head).collect();
    assert_eq!(titles, ORDER);
}

#[test]
fn every_command_is_described_and_no_other() {
    let described = described();
    let names: Vec<&str> = described.iter().map(|item| item.words()[1]).collect();
    let shown = shown();
    let commands: Vec<&str> = shown.iter().map(Command::get_name).collect();
    for command in &commands {
        assert!(names.contains(command), "{PAGE} does not describe '{command}'");
    }
    for name in &names {
        assert!(commands.contains(name), "{PAGE} describes '{name}', which does not exist");
    }
}

#[test]
fn every_option_of_a_command_is_described_with_it_and_no_other() {
    let global = global();
    for command in shown() {
        let name = command.get_name().to_owned();
        let own = command.get_arguments().filter(|arg| !arg.is_global_set());
        let options: Vec<String> =
            longs(own).into_iter().filter(|name| !global.contains(name)).collect();
        let item = described().into_iter().find(|item| item.words()[1] == name).unwrap_or_default();
        let said: Vec<String> =
            item.options().into_iter().filter(|name| !global.contains(name)).collect();
        assert_eq!(said, options, "the options of '{name}'");
    }
}

#[test]
fn every_global_option_is_described() {
    let items = items(&section(PAGE, "DESCRIPTION"));
    let options = items.iter().filter(|item| item.head.starts_with("Fl "));
    let said: Vec<String> =
        options.flat_map(|item| Block { lines: Vec::new(), ..item.clone() }.options()).collect();
    for option in global() {
        assert!(said.contains(&option), "{PAGE} does not describe '--{option}'");
    }
}

#[test]
fn the_synopsis_names_the_global_options() {
    let synopsis = section(PAGE, "SYNOPSIS").options();
    for option in global()
        .iter()
        .filter(|name| !["help", "version", "quiet", "verbose"].contains(&name.as_str()))
    {
        assert!(synopsis.contains(option), "the synopsis lacks '--{option}'");
    }
}

#[test]
fn the_summary_names_every_command() {
    let summary = oauth_sync::command().render_help().to_string();
    for command in shown() {
        assert!(summary.contains(command.get_name()), "--help does not name it: {command}");
    }
}

/// `src/cli/exit.rs` is the one place where the statuses are numbered.
#[test]
fn the_exit_statuses_are_those_of_the_program() {
    let source = text_of("src/cli/exit.rs");
    let variants =
        source.lines().filter_map(|line| line.trim().strip_suffix(',')?.split_once(" = "));
    let mut statuses: Vec<u8> = variants.filter_map(|(_, number)| number.parse().ok()).collect();
    statuses.sort_unstable();
    let items = items(&section(PAGE, "EXIT STATUS"));
    let mut said: Vec<u8> = items.iter().filter_map(|item| item.head.parse().ok()).collect();
    said.dedup();
    assert_eq!(said, statuses);
}

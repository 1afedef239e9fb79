//! The shells' completions: what clap makes of the visible commands, and the names of the links.

use clap::Command;
use clap_complete::{Shell, generate};

/// The shells, and the files that they read.
pub(crate) const FILES: [(Shell, &str); 3] = [
    (Shell::Zsh, "completions/_oauth-sync"),
    (Shell::Bash, "completions/oauth-sync.bash"),
    (Shell::Fish, "completions/oauth-sync.fish"),
];

/// The script of a shell.
pub(crate) fn script(shell: Shell) -> String {
    let mut command = shown(&oauth_sync::command());
    let mut made = Vec::new();
    generate(shell, &mut command, "oauth-sync", &mut made);
    let script = String::from_utf8(made).expect("a script is text");
    match shell {
        Shell::Zsh => zsh(&script),
        Shell::Fish => fish(&script, &command),
        _ => bash(&script),
    }
}

/// A command without what is hidden, which clap would offer too.
fn shown(command: &Command) -> Command {
    let name: &'static str = command.get_name().to_owned().leak();
    let mut shown = Command::new(name)
        .args(command.get_arguments().filter(|arg| !arg.is_hide_set()).cloned())
        .subcommands(command.get_subcommands().filter(|command| !command.is_hide_set()).map(shown));
    if let Some(about) = command.get_about() {
        shown = shown.about(about.clone());
    }
    if let Some(version) = command.get_version() {
        let version: &'static str = version.to_owned().leak();
        shown = shown.version(version);
    }
    shown
}

/// Every place in which a script takes a link's name for a file's.
fn replaced(script: &str, old: &str, new: &str) -> String {
    assert!(script.contains(old), "clap writes '{old}' in another way now");
    script.replace(old, new)
}

fn bash(script: &str) -> String {
    let files = "                --link)\n                    COMPREPLY=($(compgen -f \"${cur}\"))";
    let links = "                --link)\n                    COMPREPLY=($(compgen -W \"$(_oauth_sync_links)\" -- \"${cur}\"))";
    let function = r#"# The links of the configuration folder.
_oauth_sync_links() {
    local folder=/etc/oauth-sync i file
    for ((i = 1; i < COMP_CWORD; i++)); do
        [[ ${COMP_WORDS[i]} != --config-dir ]] || folder=${COMP_WORDS[i + 1]}
    done
    for file in "$folder"/*.conf; do
        [[ ! -e $file ]] || basename "$file" .conf
    done
}

"#;
    // clap takes the dash of the name for the one between two commands.
    let script = replaced(script, "oauth__subcmd__sync__subcmd__", "oauth__sync__subcmd__");
    function.to_owned() + &replaced(&script, files, links)
}

fn zsh(script: &str) -> String {
    let script = replaced(
        script,
        "[Work on this link only]:NAME:_default",
        "[Work on this link only]:NAME:_oauth-sync_links",
    );
    let function = r"
# The links of the configuration folder.
_oauth-sync_links() {
    local folder=/etc/oauth-sync
    local -a links
    (( $words[(I)--config-dir] )) && folder=$words[$words[(I)--config-dir]+1]
    links=($folder/*.conf(N:t:r))
    compadd -a links
}

autoload -U is-at-least";
    replaced(&script, "\nautoload -U is-at-least", function)
}

fn fish(script: &str, command: &Command) -> String {
    let script = replaced(
        script,
        " -l link -d 'Work on this link only' -r",
        " -l link -d 'Work on this link only' -x -a '(__fish_oauth_sync_links)'",
    );
    let set = command.find_subcommand("set").expect("keys are set");
    let key = set.get_positionals().next().expect("set takes a key");
    let keys = key.get_possible_values();
    let keys: Vec<&str> = keys.iter().map(clap::builder::PossibleValue::get_name).collect();
    let keys = keys.join(" ");
    let condition = format!(
        "__fish_oauth_sync_using_subcommand set; and not __fish_seen_subcommand_from {keys}"
    );
    let functions = "# The links of the configuration folder.
function __fish_oauth_sync_links
    set -l folder /etc/oauth-sync
    set -l words (commandline -opc)
    if set -l at (contains -i -- --config-dir $words)
        set folder $words[(math $at + 1)]
    end
    for file in $folder/*.conf
        basename $file .conf
    end
end

# Before a command, what clap makes does not know an option whose value is being typed.
function __fish_oauth_sync_at_link
    set -l words (commandline -opc)
    __fish_oauth_sync_needs_command >/dev/null
    test $status -gt 1; and test \"$words[-1]\" = --link
end

";
    let links =
        "complete -c oauth-sync -n __fish_oauth_sync_at_link -x -a '(__fish_oauth_sync_links)'";
    format!("{functions}{script}{links}\ncomplete -c oauth-sync -n '{condition}' -f -a '{keys}'\n")
}

//! Commands of our own, and advice that names them.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::domain::shell::Hint;

/// How this process was called, which the commands that it prints repeat.
#[derive(Debug)]
pub(crate) struct Caller {
    /// Options and the directories that they name, where those are not the usual ones.
    pub(crate) directories: Vec<(&'static str, PathBuf)>,
    /// Says whether this host has sudo(8): looked for only where a command is printed.
    pub(crate) has_sudo: fn() -> bool,
}

static CALLER: OnceLock<Caller> = OnceLock::new();

/// Has all commands from now on repeat how this process was called.
pub(crate) fn called_by(caller: Caller) {
    // Whoever called it does so once.
    let _ = CALLER.set(caller);
}

/// Begins a command of ours.
fn own() -> Hint {
    own_of(CALLER.get().map_or(&[], |caller| &caller.directories))
}

/// Begins a command of ours that names these directories.
pub(crate) fn own_of(directories: &[(&'static str, PathBuf)]) -> Hint {
    let name = |hint: Hint, (option, path): &(&'static str, PathBuf)| hint.then(option).path(path);
    directories.iter().fold(Hint::new("oauth-sync"), name)
}

fn has_sudo() -> bool {
    CALLER.get().is_none_or(|caller| (caller.has_sudo)())
}

/// Has a command of ours run with root's rights: by sudo(8) where there is one, else by who is root.
fn as_root(command: Hint) -> Hint {
    if has_sudo() { Hint::new("sudo").followed_by(command) } else { command }
}

/// Says that root is told more, without the caller's directories, which are root's to know.
pub(crate) fn see_check() -> String {
    let words = if has_sudo() { "sudo oauth-sync check" } else { "oauth-sync check as root" };
    format!("see {words}")
}

/// The command by which root is told more, in the same way.
pub(crate) fn check_as_root() -> Hint {
    as_root(Hint::new("oauth-sync check"))
}

/// Says that root may do what was denied.
pub(crate) fn run_as_root() -> &'static str {
    if has_sudo() { "run it with sudo" } else { "run it as root" }
}

/// A command as everybody may read it: without the caller's directories.
pub(crate) fn without_directories(command: &Hint) -> String {
    command.to_string().replace(&own().to_string(), "oauth-sync")
}

/// A command of ours with nothing but words of ours.
pub(crate) fn plain(words: &'static str) -> Hint {
    own().then(words)
}

/// Syncs one link.
pub(crate) fn sync(link: &str) -> Hint {
    own().then("sync --link").arg(link)
}

/// Has a link take its gateway for the container of that name.
pub(crate) fn use_container(link: &str, container: &str) -> Hint {
    let cleared = set(link, "GATEWAY", "auto").and(set(link, "COMPOSE_DIR", ""));
    cleared.and(set(link, "CONTAINER_NAME", container))
}

/// Ends the pause of one link.
pub(crate) fn resume(link: &str) -> Hint {
    own().then("resume --link").arg(link)
}

/// Syncs one link, and writes what looks like a step back.
pub(crate) fn sync_forced(link: &str) -> Hint {
    own().then("sync --force --link").arg(link)
}

/// Syncs all links, and writes over what cannot be replaced.
pub(crate) fn sync_all_forced() -> Hint {
    own().then("sync --force")
}

/// Renews a login that is due.
pub(crate) fn refresh(link: &str) -> Hint {
    own().then("refresh --link").arg(link)
}

/// Renews a login now.
pub(crate) fn refresh_forced(link: &str) -> Hint {
    own().then("refresh --force --link").arg(link)
}

/// The same, for whoever may not be root.
pub(crate) fn refresh_forced_as_root(link: &str) -> Hint {
    as_root(refresh_forced(link))
}

/// Runs a part of the service: `sync`, `refresh`, `gateway` or `notify`.
pub(crate) fn part(name: &'static str) -> Hint {
    own().then(name)
}

/// Runs hooks and posts to webhooks that failed, at once.
pub(crate) fn notify_now() -> Hint {
    own().then("notify --now")
}

/// Signs in again.
pub(crate) fn login(link: &str) -> Hint {
    own().then("login --link").arg(link)
}

/// Hands in a setup-token.
pub(crate) fn login_setup_token(link: &str) -> Hint {
    own().then("login --setup-token --link").arg(link)
}

/// Signs in again, for whoever may not be root.
pub(crate) fn login_as_root(link: &str) -> Hint {
    as_root(login(link))
}

/// The same, from a machine that has a terminal.
pub(crate) fn login_over_ssh(link: &str) -> Hint {
    Hint::new("ssh -t HOST").followed_by(login_as_root(link))
}

/// Says what was left out in a sign-in.
pub(crate) fn login_to_the_end(link: &str) -> Hint {
    login(link).glued(", and paste the code that the browser shows")
}

/// Agrees to what OpenClaw would lose.
pub(crate) fn consent(link: &str) -> Hint {
    own().then("gateway --consent --link").arg(link)
}

/// Takes a provider of a person's own out of openclaw.json.
pub(crate) fn drop_provider(link: &str) -> Hint {
    own().then("model --apply --drop-provider --link").arg(link)
}

/// Sets a key of a link; an empty value takes it out.
pub(crate) fn set(link: &str, key: &str, value: &str) -> Hint {
    own().then("set --link").arg(link).arg(key).arg(value)
}

/// Sets a key of a link to a path.
pub(crate) fn set_path(link: &str, key: &'static str, path: &Path) -> Hint {
    own().then("set --link").arg(link).then(key).path(path)
}

/// Has a command run as root, if its user may not do what it does.
pub(crate) fn set_to_root(link: &str, key: &str, user: &str) -> Hint {
    set(link, key, "root").then("# if").arg(user).then("may not do it")
}

/// Names the program that takes the token.
pub(crate) fn name_openclaw(link: &str) -> Hint {
    set(link, "OPENCLAW_COMMAND", "/path/to/openclaw")
}

/// Looks for a gateway, and says what runs it.
pub(crate) fn find_gateway(link: &str) -> Hint {
    let detect = own().then("detect # then").followed_by(own());
    detect.then("set --link").arg(link).then("COMPOSE_DIR DIR, or GATEWAY")
}

/// Looks for what is wrong on another host.
pub(crate) fn doctor_on(host: &str) -> Hint {
    Hint::new("ssh").arg(host).followed_by(as_root(Hint::new("oauth-sync doctor")))
}

/// Watches with these directories.
pub(crate) fn watch(config: &Path, state: &Path, run: &Path) -> Hint {
    let words = Hint::new("oauth-sync --config-dir").path(config);
    words.then("--state-dir").path(state).then("--run-dir").path(run).then("watch")
}

/// Sets up a first link.
pub(crate) fn setup() -> Hint {
    own().then("setup")
}

/// The same with root's rights.
pub(crate) fn setup_as_root() -> Hint {
    as_root(setup())
}

/// Links one login and one OpenClaw.
pub(crate) fn setup_pair(login: &Path, openclaw: &Path) -> Hint {
    own().then("setup --yes --claude").path(login).then("--openclaw").path(openclaw)
}

/// Links one login and one OpenClaw beside the links that there are.
pub(crate) fn setup_another(link: &str, login: Option<&Path>, openclaw: &Path) -> Hint {
    let words = own().then("--link").arg(link).then("setup --yes --claude");
    let words = match login {
        Some(login) => words.path(login),
        None => words.then("FILE"),
    };
    words.then("--openclaw").path(openclaw)
}

/// Writes what was found as the link of this name.
pub(crate) fn write_found(link: &str) -> Hint {
    own().then("--link").arg(link).then("detect --write")
}

/// Says how to set up without a terminal.
pub(crate) fn setup_without_terminal(file: &Path) -> Hint {
    let setup = own().then("setup --yes takes every proposal; or").followed_by(own());
    setup.then("detect --write, or write").path(file).then("by hand, see oauth-sync.conf(5)")
}

/// Says how to link what is not linked unasked.
pub(crate) fn link_by_hand(file: &Path) -> Hint {
    let detect = own().then("detect shows what was found, and").followed_by(own());
    let words = "setup links it; or write CLAUDE_CREDENTIALS and OPENCLAW_STATE_DIR into";
    detect.then(words).path(file)
}

/// Names the links that there are.
pub(crate) fn links(names: &[String]) -> Hint {
    Hint::new("the links are:").list(names)
}

/// Names the links of which one has to be named.
pub(crate) fn one_of(names: &[&str]) -> Hint {
    Hint::new("--link NAME, one of").list(names)
}

/// Says how a key is written.
pub(crate) fn write(key: &'static str) -> Hint {
    Hint::new("write").then(key).glued("=\"value\"")
}

/// Says which key `GATEWAY` needs.
pub(crate) fn write_or_auto(key: &'static str) -> Hint {
    Hint::new("write").then(key).glued("=\"…\", or GATEWAY=\"auto\"")
}

//! Commands of our own, and advice that names them.

use std::path::Path;

use crate::domain::shell::Hint;

/// Syncs one link.
pub(crate) fn sync(link: &str) -> Hint {
    Hint::new("oauth-sync sync --link").arg(link)
}

/// Syncs one link, and writes what looks like a step back.
pub(crate) fn sync_forced(link: &str) -> Hint {
    Hint::new("oauth-sync sync --force --link").arg(link)
}

/// Syncs all links, and writes over what cannot be replaced.
pub(crate) fn sync_all_forced() -> Hint {
    Hint::new("oauth-sync sync --force")
}

/// Renews a login that is due.
pub(crate) fn refresh(link: &str) -> Hint {
    Hint::new("oauth-sync refresh --link").arg(link)
}

/// Renews a login now.
pub(crate) fn refresh_forced(link: &str) -> Hint {
    Hint::new("oauth-sync refresh --force --link").arg(link)
}

/// The same, for whoever may not be root.
pub(crate) fn refresh_forced_as_root(link: &str) -> Hint {
    Hint::new("sudo").followed_by(refresh_forced(link))
}

/// Runs a part of the service: `sync`, `refresh`, `gateway` or `notify`.
pub(crate) fn part(name: &'static str) -> Hint {
    Hint::new("oauth-sync").then(name)
}

/// Runs hooks and posts to webhooks that failed, at once.
pub(crate) fn notify_now() -> Hint {
    Hint::new("oauth-sync notify --now")
}

/// Signs in again.
pub(crate) fn login(link: &str) -> Hint {
    Hint::new("oauth-sync login --link").arg(link)
}

/// The same, for whoever may not be root.
pub(crate) fn login_as_root(link: &str) -> Hint {
    Hint::new("sudo").followed_by(login(link))
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
    Hint::new("oauth-sync gateway --consent --link").arg(link)
}

/// Takes a provider of a person's own out of openclaw.json.
pub(crate) fn drop_provider(link: &str) -> Hint {
    Hint::new("oauth-sync model --apply --drop-provider --link").arg(link)
}

/// Sets a key of a link; an empty value takes it out.
pub(crate) fn set(link: &str, key: &str, value: &str) -> Hint {
    Hint::new("oauth-sync set --link").arg(link).arg(key).arg(value)
}

/// Sets a key of a link to a path.
pub(crate) fn set_path(link: &str, key: &'static str, path: &Path) -> Hint {
    Hint::new("oauth-sync set --link").arg(link).then(key).path(path)
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
    let words = "oauth-sync detect # then oauth-sync set --link";
    Hint::new(words).arg(link).then("COMPOSE_DIR DIR, or GATEWAY")
}

/// Looks for what is wrong on another host.
pub(crate) fn doctor_on(host: &str) -> Hint {
    Hint::new("ssh").arg(host).then("sudo oauth-sync doctor")
}

/// Watches with these directories.
pub(crate) fn watch(config: &Path, state: &Path, run: &Path) -> Hint {
    let words = Hint::new("oauth-sync --config-dir").path(config);
    words.then("--state-dir").path(state).then("--run-dir").path(run).then("watch")
}

/// Sets up a first link.
pub(crate) fn setup() -> Hint {
    Hint::new("oauth-sync setup")
}

/// Links one login and one OpenClaw.
pub(crate) fn setup_pair(login: &Path, openclaw: &Path) -> Hint {
    Hint::new("oauth-sync setup --yes --claude").path(login).then("--openclaw").path(openclaw)
}

/// Links one login and one OpenClaw beside the links that there are.
pub(crate) fn setup_another(login: Option<&Path>, openclaw: &Path) -> Hint {
    let words = Hint::new("oauth-sync --link NAME setup --yes --claude");
    let words = match login {
        Some(login) => words.path(login),
        None => words.then("FILE"),
    };
    words.then("--openclaw").path(openclaw)
}

/// Says how to set up without a terminal.
pub(crate) fn setup_without_terminal(file: &Path) -> Hint {
    let words =
        "oauth-sync setup --yes takes every proposal; or oauth-sync detect --write, or write";
    Hint::new(words).path(file).then("by hand, see oauth-sync.conf(5)")
}

/// Says how to link what is not linked unasked.
pub(crate) fn link_by_hand(file: &Path) -> Hint {
    let words = "oauth-sync detect shows what was found, and oauth-sync setup links it; or write CLAUDE_CREDENTIALS and OPENCLAW_STATE_DIR into";
    Hint::new(words).path(file)
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

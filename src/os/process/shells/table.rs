//! Every hint of `domain::hints`, and the calls of programs that it is to come to.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::domain::hints::host::Manager;
use crate::domain::hints::{engines, files, host, openclaw, ours};
use crate::domain::shell::{Hint, User};

/// More than the kernel's greatest number of a process.
const NO_PROCESS: u32 = (1 << 22) + 1;

/// The words that a hint is built of.
pub(super) struct Words {
    /// The name of a link, a user, a service, a unit, …
    pub(super) name: String,
    /// A directory of that name.
    pub(super) path: PathBuf,
}

impl Words {
    fn user(&self) -> User {
        let name = Some(self.name.clone());
        User { uid: 1421, gid: 1422, name, home: self.path.clone() }
    }

    /// The directory's name, after `before` and before `after`.
    fn around(&self, before: &str, after: &str) -> OsString {
        [OsStr::new(before), self.path.as_os_str(), OsStr::new(after)].into_iter().collect()
    }
}

/// Calls of programs, each with its words.
pub(super) type Calls = Vec<Vec<OsString>>;

/// A hint: its function's name, how it is built, and which programs it calls with which words.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) build: fn(&Words) -> Hint,
    /// `None`: advice, which is no command.
    pub(super) calls: Option<fn(&Words) -> Calls>,
}

/// One call: words of ours, and others.
macro_rules! call {
    ($($word:expr),* $(,)?) => { vec![$(OsString::from($word)),*] };
}

/// A command that comes to these calls.
macro_rules! runs {
    ($name:literal, $w:ident => $hint:expr, $([$($word:expr),* $(,)?]),* $(,)?) => {
        Row { name: $name, build: |$w| $hint, calls: Some(|$w| { let _ = $w; vec![$(call![$($word),*]),*] }) }
    };
}

/// Words of ours that nobody else has a part in, or that people read and do not type.
macro_rules! advises {
    ($name:literal, $w:ident => $hint:expr) => {
        Row { name: $name, build: |$w| $hint, calls: None }
    };
}

/// Our own command with further words.
macro_rules! own {
    ($name:literal, $w:ident => $hint:expr, $($word:expr),*) => {
        runs!($name, $w => $hint, ["oauth-sync", $($word),*])
    };
}

fn root() -> User {
    User { uid: 0, gid: 0, name: Some("root".to_owned()), home: PathBuf::from("/root") }
}

fn link(words: &Words) -> &str {
    &words.name
}

pub(super) fn rows() -> Vec<Row> {
    [of_ours(), of_files(), of_host(), of_engines()].into_iter().flatten().collect()
}

fn of_ours() -> Vec<Row> {
    vec![
        own!("ours::sync", w => ours::sync(link(w)), "sync", "--link", link(w)),
        runs!("ours::use_container", w => ours::use_container(link(w), &w.name),
            ["oauth-sync", "set", "--link", link(w), "GATEWAY", "auto"],
            ["oauth-sync", "set", "--link", link(w), "COMPOSE_DIR", ""],
            ["oauth-sync", "set", "--link", link(w), "CONTAINER_NAME", &w.name]),
        own!("ours::resume", w => ours::resume(link(w)), "resume", "--link", link(w)),
        own!("ours::sync_forced", w => ours::sync_forced(link(w)), "sync", "--force", "--link", link(w)),
        own!("ours::sync_all_forced", _w => ours::sync_all_forced(), "sync", "--force"),
        own!("ours::refresh", w => ours::refresh(link(w)), "refresh", "--link", link(w)),
        own!("ours::refresh_forced", w => ours::refresh_forced(link(w)), "refresh", "--force", "--link", link(w)),
        runs!("ours::refresh_forced_as_root", w => ours::refresh_forced_as_root(link(w)), ["sudo", "oauth-sync", "refresh", "--force", "--link", link(w)]),
        own!("ours::part", _w => ours::part("sync"), "sync"),
        own!("ours::notify_now", _w => ours::notify_now(), "notify", "--now"),
        own!("ours::login", w => ours::login(link(w)), "login", "--link", link(w)),
        own!("ours::login_setup_token", w => ours::login_setup_token(link(w)), "login", "--setup-token", "--link", link(w)),
        runs!("ours::login_as_root", w => ours::login_as_root(link(w)), ["sudo", "oauth-sync", "login", "--link", link(w)]),
        runs!("ours::login_over_ssh", w => ours::login_over_ssh(link(w)), ["ssh", "-t", "HOST", "sudo", "oauth-sync", "login", "--link", link(w)]),
        advises!("ours::login_to_the_end", w => ours::login_to_the_end(link(w))),
        own!("ours::consent", w => ours::consent(link(w)), "gateway", "--consent", "--link", link(w)),
        own!("ours::drop_provider", w => ours::drop_provider(link(w)), "model", "--apply", "--drop-provider", "--link", link(w)),
        own!("ours::set", w => ours::set(link(w), "SINKS", &w.name), "set", "--link", link(w), "SINKS", &w.name),
        own!("ours::set_path", w => ours::set_path(link(w), "ENV_FILE", &w.path), "set", "--link", link(w), "ENV_FILE", &w.path),
        own!("ours::set_to_root", w => ours::set_to_root(link(w), "X_USER", &w.name), "set", "--link", link(w), "X_USER", "root"),
        own!("ours::name_openclaw", w => ours::name_openclaw(link(w)), "set", "--link", link(w), "OPENCLAW_COMMAND", "/path/to/openclaw"),
        runs!("ours::doctor_on", w => ours::doctor_on(link(w)), ["ssh", link(w), "sudo", "oauth-sync", "doctor"]),
        own!("ours::find_gateway", w => ours::find_gateway(link(w)), "detect"),
        own!("ours::watch", w => ours::watch(&w.path, &w.path, &w.path), "--config-dir", &w.path, "--state-dir", &w.path, "--run-dir", &w.path, "watch"),
        own!("ours::setup", _w => ours::setup(), "setup"),
        runs!("ours::setup_as_root", _w => ours::setup_as_root(), ["sudo", "oauth-sync", "setup"]),
        own!("ours::setup_pair", w => ours::setup_pair(&w.path, &w.path), "setup", "--yes", "--claude", &w.path, "--openclaw", &w.path),
        own!("ours::setup_another", w => ours::setup_another(link(w), Some(&w.path), &w.path), "--link", link(w), "setup", "--yes", "--claude", &w.path, "--openclaw", &w.path),
        own!("ours::write_found", w => ours::write_found(link(w)), "--link", link(w), "detect", "--write"),
        own!("ours::own_of", w => ours::own_of(&[("--run-dir", w.path.clone())]), "--run-dir", &w.path),
        own!("ours::plain", _w => ours::plain("status"), "status"),
        runs!("ours::check_as_root", _w => ours::check_as_root(), ["sudo", "oauth-sync", "check"]),
        advises!("ours::setup_without_terminal", w => ours::setup_without_terminal(&w.path)),
        advises!("ours::link_by_hand", w => ours::link_by_hand(&w.path)),
        advises!("ours::links", w => ours::links(&["a".to_owned(), w.name.clone()])),
        advises!("ours::one_of", w => ours::one_of(&["a", &w.name])),
        advises!("ours::write", _w => ours::write("SINKS")),
        advises!("ours::write_or_auto", _w => ours::write_or_auto("COMPOSE_DIR")),
    ]
}

fn of_files() -> Vec<Row> {
    let mut rows = vec![
        runs!("files::edit", w => files::edit(&w.path), ["vi", &w.path]),
        runs!("files::edit_at", w => files::edit_at(&w.path, 7), ["vi", "+7", &w.path]),
        advises!("files::take_out_of_settings", w => files::take_out_of_settings("NAME", &w.path)),
        runs!("files::rename_in_settings", w => files::rename_in_settings("A_B", &w.path), ["sed", "-i", "s/\"A_B\"/\"UNUSED_A_B\"/", &w.path]),
        runs!("files::comment_out", w => files::comment_out(&["a.sh", "b c"], &w.path), ["sed", "-i", "/a\\.sh\\|b c/s/^[^#]/# &/", &w.path]),
        runs!("files::show_way", w => files::show_way(&w.path), ["namei", "-l", &w.path]),
        runs!("files::list", w => files::list(&w.path), ["ls", "-l", &w.path]),
        runs!("files::show_file_system", w => files::show_file_system(&w.path), ["findmnt", "-T", &w.path]),
        runs!("files::show_mount", w => files::show_mount(&w.path), ["grep", "-F", &w.path, "/proc/self/mountinfo"]),
        runs!("files::show_mount_of_process", w => files::show_mount_of_process(7, &w.path), ["findmnt", "-N", "7", &w.path]),
        runs!("files::keep_private", w => files::keep_private(&w.path), ["chmod", "600", &w.path]),
        runs!("files::close", w => files::close(&w.path), ["chmod", "go-w", &w.path]),
        runs!("files::close_to", w => files::close_to(0o070, &w.path), ["chmod", "g=", &w.path]),
        runs!("files::open_to_owner", w => files::open_to_owner(&w.path), ["chmod", "u+rwx", &w.path]),
        runs!("files::give", w => files::give(&w.user(), &w.path), ["chown", "-h", format!("{}:", w.name), &w.path]),
        runs!("files::give_tree", w => files::give_tree(&w.user(), &w.path), ["chown", "-hR", format!("{}:", w.name), &w.path]),
        runs!("files::give_to", w => files::give_to(&w.name, &w.path), ["chown", "-h", format!("{}:", w.name), &w.path]),
        runs!("files::give_to_root", w => files::give_to_root(&w.path), ["chown", "-h", "root:", &w.path]),
    ];
    rows.extend(of_names());
    rows
}

fn of_names() -> Vec<Row> {
    vec![
        runs!("files::remove", w => files::remove(&w.path), ["rm", &w.path]),
        runs!("files::remove_asking", w => files::remove_asking(&w.path), ["rm", "-i", "--", &w.path]),
        runs!("files::remove_lock", w => files::remove_lock(&w.path), ["rm", "-r", &w.path]),
        runs!("files::remove_directory", w => files::remove_directory(&w.path), ["rmdir", &w.path]),
        runs!("files::rename", w => files::rename(&w.path, &w.path), ["mv", "-n", &w.path, &w.path]),
        runs!("files::replace_by_copy", w => files::replace_by_copy(&w.path, &w.path), ["cp", "-p", "--remove-destination", &w.path, &w.path]),
        runs!("files::make_empty", w => files::make_empty(&w.path), ["install", "-D", "/dev/null", &w.path]),
        runs!("files::take_attribute", w => files::take_attribute('i', &w.path), ["chattr", "-i", &w.path]),
        runs!("files::unmount", w => files::unmount(&w.path), ["umount", "-i", "-c", &w.path]),
        runs!("files::make_writable_here", _w => files::make_writable_here(), ["mount", "-i", "-c", "-o", "remount,rw", "."]),
        runs!("files::make_writable", w => files::make_writable(&w.path), ["mount", "-o", "remount,rw", &w.path]),
        // A directory that the shell enters, and proves to be the one that was meant.
        runs!("files::run_in", w => files::run_in(&w.path, files::remove(Path::new("./f"))).within(&w.path), ["rm", "./f"]),
    ]
}

fn of_host() -> Vec<Row> {
    vec![
        runs!("host::enable_linger", w => host::enable_linger(&w.name), ["loginctl", "enable-linger", &w.name]),
        runs!("host::join_docker", w => host::join_docker(Some(&w.path), &w.name), ["usermod", "--prefix", &w.path, "-aG", "docker", &w.name]),
        runs!("host::enable", w => host::enable(Some(&w.path), &["a.service", &w.name]), ["systemctl", w.around("--root=", ""), "enable", "a.service", &w.name]),
        runs!("host::disable", w => host::disable(Some(&w.path), &w.name), ["systemctl", w.around("--root=", ""), "disable", &w.name]),
        runs!("host::disable_of_user", w => host::disable_of_user(&w.name, &w.name), ["systemctl", "--user", "-M", format!("{}@", w.name), "disable", "--now", &w.name]),
        runs!("host::remove_wants", w => files::run_in(&w.path, host::remove_wants(&w.name)), ["rm", format!("./x.wants/{}", w.name)]),
        runs!("host::edit_units", w => host::edit_units(&["a.service", &w.name]), ["systemctl", "edit", "a.service", &w.name]),
        runs!(
            "host::add_writable", w => host::add_writable(&["a.service"], &w.path, "-/x -/y", true),
            ["install", "-d", w.around("", "/a.service.d")],
            ["systemctl", "daemon-reload"],
            ["systemctl", "try-restart", "oauth-sync.service"],
            ["written", "a.service.d/paths.conf", "[Service]\nReadWritePaths=-/x -/y\n"],
        ),
        runs!("host::unit_status", w => host::unit_status(&Manager::OfUser(&w.name), &w.name), ["systemctl", "--user", "-M", format!("{}@", w.name), "status", &w.name]),
        runs!("host::on_unit", w => host::on_unit("enable --now", &w.name), ["systemctl", "enable", "--now", &w.name]),
        runs!("host::reload_units", w => host::reload_units(&Manager::OfUser(&w.name)), ["systemctl", "--user", "-M", format!("{}@", w.name), "daemon-reload"]),
        runs!("host::unset_environment", w => host::unset_environment(&Manager::Own, &w.name), ["systemctl", "--user", "unset-environment", &w.name]),
        runs!("host::start", _w => host::start("docker"), ["systemctl", "start", "docker"]),
        runs!("host::show_log", _w => host::show_log(), ["journalctl", "-u", "oauth-sync*", "-n", "50"]),
        runs!("host::set_clock", _w => host::set_clock(), ["timedatectl", "set-ntp", "true"]),
        runs!("host::show_clock", _w => host::show_clock(), ["timedatectl", "timesync-status"]),
        runs!("host::end_script", w => host::end_script(NO_PROCESS, &w.name), ["grep", "-qsF", &w.name, format!("/proc/{NO_PROCESS}/cmdline")], ["kill"]),
        runs!("host::raise_limit", _w => host::raise_limit("fs.x=", 7), ["sysctl", "-w", "fs.x=7"]),
        runs!("host::install_package", _w => host::install_package("docker-compose-v2"), ["apt", "install", "docker-compose-v2"]),
        runs!("host::install_by_npm", w => host::install_by_npm(Some(&w.path), "p"), ["npm", "install", "-g", "--prefix", &w.path, "p"]),
        runs!("host::install_claude", _w => host::install_claude(Some("curl"), &root()), ["curl", "-fsSL", "https://claude.ai/install.sh"], ["bash"]),
        runs!("host::claude_login", _w => host::claude_login(), ["claude", "auth", "login"]),
        runs!("host::command", w => host::command(&["npm".to_owned(), w.name.clone()]), ["npm", &w.name]),
    ]
}

fn of_engines() -> Vec<Row> {
    vec![
        runs!("engines::up", w => engines::up("docker compose", &w.name), ["docker", "compose", "up", "-d", &w.name]),
        runs!(
            "engines::compose",
            w => {
                let files = [w.path.display().to_string()];
                let call = engines::compose("docker compose", Some(&w.name), &files, &files);
                engines::up(call, &w.name)
            },
            ["docker", "compose", "--project-name", &w.name, "-f", &w.path, "--env-file", &w.path, "up", "-d", &w.name],
        ),
        runs!("engines::recreate", w => engines::recreate("docker compose", &w.name), ["docker", "compose", "up", "-d", "--no-deps", "--force-recreate", &w.name]),
        runs!("engines::inside", w => engines::inside("docker", &w.name, openclaw::doctor()), ["docker", "exec", "-it", &w.name, "openclaw", "doctor", "--fix"]),
        runs!("engines::build", w => engines::build("podman-compose", &w.name), ["podman-compose", "build", &w.name]),
        runs!(
            "engines::hand_over", w => files::run_in(&w.path, engines::hand_over("docker compose", &w.name, "KEY")),
            ["docker", "compose", "up", "-d", &w.name],
            ["written", "compose.override.yaml", format!("services:\n  {}:\n    environment:\n      KEY: ${{KEY}}\n", w.name)],
        ),
        runs!("engines::edit_and_up", w => engines::edit_and_up("docker compose", &w.path, &w.name), ["vi", &w.path], ["docker", "compose", "up", "-d", &w.name]),
        runs!(
            "engines::mount_directory", w => files::run_in(&w.path, engines::mount_directory()),
            ["sed", "-i", r#"s|/\.credentials\.json\([:"]\)|\1|g; s|/\.credentials\.json$||"#, "./-compose.yaml", "./compose.yaml"],
            ["docker", "compose", "up", "-d"],
        ),
        runs!("engines::logs", w => engines::logs("docker", &w.name), ["docker", "logs", &w.name]),
        runs!("engines::on_container", w => engines::on_container("docker", "start", &w.name), ["docker", "start", &w.name]),
        runs!("engines::list", _w => engines::list("podman"), ["podman", "ps", "--all"]),
        runs!("engines::install_claude", w => engines::install_claude("docker", &w.name), ["docker", "exec", &w.name, "npm", "install", "-g", "@anthropic-ai/claude-code"]),
        advises!("engines::install", _w => engines::install("docker")),
        runs!("openclaw::doctor", _w => openclaw::doctor(), ["openclaw", "doctor", "--fix"]),
        runs!("openclaw::validate", _w => openclaw::validate(), ["openclaw", "config", "validate"]),
        runs!("openclaw::status", _w => openclaw::status(), ["openclaw", "models", "status"]),
        runs!("openclaw::list_profiles", _w => openclaw::list_profiles(), ["openclaw", "models", "auth", "list"]),
        runs!("openclaw::put_first", w => openclaw::put_first(&w.name, &["a".to_owned(), w.name.clone()]),
            ["openclaw", "models", "auth", "order", "set", "--provider", "anthropic", &w.name, "a"]),
        runs!("openclaw::in_service", w => openclaw::in_service("docker compose", &w.name, openclaw::doctor()), ["docker", "compose", "exec", &w.name, "openclaw", "doctor", "--fix"]),
        runs!("openclaw::by_command", w => openclaw::by_command(&["node".to_owned(), w.name.clone()], openclaw::doctor()), ["node", &w.name, "doctor", "--fix"]),
    ]
}

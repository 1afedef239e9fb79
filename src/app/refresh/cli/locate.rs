//! Finds the Claude CLI anew at each run: updates move it, and so do people.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::domain::claude_cli::Version;
use crate::domain::hints::{files, host};
use crate::domain::outcome::Outcome;
use crate::domain::shell::{self, Hint};
use crate::os::environment;
use crate::os::error::Error;
use crate::os::fs::dir::Folder;
use crate::os::process::exec_policy;
use crate::os::process::executables;
use crate::os::user::account;
use crate::os::user::identity::Identity;

/// How many folders up from the program its `package.json` may lie.
const LEVELS: usize = 3;

/// A user as whom programs are run.
#[derive(Debug)]
pub(crate) struct User {
    /// Whose rights they have.
    pub(crate) identity: Identity,
    /// The home.
    pub(crate) home: PathBuf,
    /// Where programs are looked for.
    pub(crate) path: String,
}

/// The program, and what is known of it without running it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Claude {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// What its path or its package says.
    pub(crate) version: Option<Version>,
}

impl User {
    /// The user who owns the configuration folder `config`.
    ///
    /// A user without an account, as those of containers, is at home where `.claude` is.
    pub(crate) fn owning(config: &Folder) -> Self {
        let identity = config.identity.clone();
        let is_own = Identity::own().uid == identity.uid;
        let own = |name| environment::get(name).filter(|_| is_own);
        let home = own("HOME")
            .map(PathBuf::from)
            .or_else(|| account::of(identity.uid).map(|account| account.home))
            .or_else(|| config.path.parent().map(Path::to_owned))
            .unwrap_or_default();
        let path = own("PATH").and_then(|path| path.into_string().ok());
        Self { identity, home, path: path.unwrap_or_else(|| environment::PATH.to_owned()) }
    }

    /// Every folder where `claude` may be, the likeliest first.
    fn folders(&self) -> Vec<PathBuf> {
        let mut folders: Vec<PathBuf> = self.path.split(':').map(PathBuf::from).collect();
        folders.extend(executables::below_home(&self.home));
        folders.extend(executables::of_host());
        folders.retain(|folder| folder.is_absolute());
        folders
    }

    /// The `PATH` for `claude`: its own folder first, since that is where npm's needs its Node.
    pub(crate) fn path_for(&self, claude: &Claude) -> OsString {
        let own = claude.path.parent().map(Path::to_owned);
        let mut folders: Vec<PathBuf> = own.into_iter().chain(self.folders()).collect();
        let mut known = std::collections::HashSet::new();
        folders.retain(|folder| known.insert(folder.clone()));
        std::env::join_paths(folders).unwrap_or_else(|_| environment::PATH.into())
    }
}

/// Finds the CLI for a user: where the configuration says, else where installers put it.
pub(crate) fn find(configured: Option<&Path>, user: &User) -> Result<Claude, Outcome> {
    let identity = &user.identity;
    let admitted = |claude: Claude| match judge(user, &claude) {
        Ok(()) => Ok(claude),
        Err(error) => {
            let show = || files::show_way(&claude.path);
            let hint = error.command().cloned().unwrap_or_else(show);
            Err(Outcome::Unable { cause: error.to_string(), hint: Some(hint) })
        }
    };
    if let Some(path) = configured {
        if executables::is_runnable(identity, path) {
            return admitted(described(path.to_owned(), identity));
        }
        let owner = account::name(identity.uid);
        return Err(Outcome::Unable {
            cause: format!(
                "CLAUDE_CLI_PATH '{}' is no program that {owner} may run",
                path.display()
            ),
            hint: Some(
                "leave CLAUDE_CLI_PATH empty: the CLI is then looked for at each run".into(),
            ),
        });
    }
    match candidate(user) {
        Some(path) => admitted(described(path, identity)),
        None => Err(absent(user)),
    }
}

fn candidate(user: &User) -> Option<PathBuf> {
    let mut candidates = user.folders().into_iter().map(|folder| folder.join("claude"));
    candidates.find(|path| executables::is_runnable(&user.identity, path))
}

/// Why root would not run the CLI of a login of its own; `None` where it would, or there is none.
pub(crate) fn refusal(configured: Option<&Path>, user: &User) -> Option<Error> {
    let path = configured.map(Path::to_owned).or_else(|| candidate(user))?;
    judge(user, &Claude { path, version: None }).err().filter(|error| !error.is_absent())
}

fn judge(user: &User, claude: &Claude) -> Result<(), Error> {
    exec_policy::judge(&user.identity, claude.path.as_os_str(), &user.path_for(claude))
}

fn absent(user: &User) -> Outcome {
    let owner = account::name(user.identity.uid);
    Outcome::Unable {
        cause: format!(
            "there is no 'claude' for {owner}: not on its PATH, nor below '{}' where installers put it; CLAUDE_CLI_PATH names another place, and REFRESH=\"api\" needs none",
            user.home.display()
        ),
        hint: Some(install(&account::typed(user.identity.uid, user.identity.gid, &user.home))),
    }
}

/// The command that installs the CLI for a user by its own installer, with what this host has to get that.
pub(crate) fn install(user: &shell::User) -> Hint {
    let fetch = ["curl", "wget"].into_iter().find(|program| executables::is_there(program));
    host::install_claude(fetch, user)
}

fn described(path: PathBuf, identity: &Identity) -> Claude {
    let version = executables::real_path(identity, &path)
        .and_then(|real| Version::of_path(&real).or_else(|| packaged(&real)));
    Claude { path, version }
}

/// The version in the `package.json` that the program belongs to.
fn packaged(real: &Path) -> Option<Version> {
    real.ancestors().skip(1).take(LEVELS).find_map(|folder| {
        let seen = Folder::reach(folder).and_then(|folder| folder.read("package.json", 1 << 20));
        Version::of_package(std::str::from_utf8(&seen.ok()??.bytes).ok()?)
    })
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test lays its scratch home out itself")]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn home() -> (tempfile::TempDir, User) {
        // Below directories of root's alone, where root runs the tests.
        let is_root = Identity::own().uid == 0;
        let above = if is_root { PathBuf::from("/var/cache") } else { std::env::temp_dir() };
        let home = tempfile::tempdir_in(above).unwrap();
        let user = User {
            identity: Identity::own(),
            home: home.path().to_owned(),
            path: "relative:/nonexistent".to_owned(),
        };
        (home, user)
    }

    fn install(home: &tempfile::TempDir, path: &str) -> PathBuf {
        let path = home.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn the_newest_node_counts_and_the_native_installer_before_it() {
        let (home, user) = home();
        install(&home, ".nvm/versions/node/v9.11.2/bin/claude");
        let newest = install(&home, ".nvm/versions/node/v22.3.0/bin/claude");
        let package = home.path().join(".nvm/versions/node/v22.3.0/package.json");
        std::fs::write(package, r#"{"name":"@anthropic-ai/claude-code","version":"2.0.76"}"#)
            .unwrap();
        let found = find(None, &user).unwrap();
        assert_eq!(found, Claude { path: newest.clone(), version: Some(Version([2, 0, 76])) });
        let path = user.path_for(&found).into_string().unwrap();
        assert!(path.starts_with(newest.parent().unwrap().to_str().unwrap()), "{path}");
        assert!(!path.contains("relative"), "{path}");
        let native = install(&home, ".local/share/claude/versions/2.1.330");
        let link = home.path().join(".local/bin/claude");
        std::fs::create_dir_all(link.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(native, &link).unwrap();
        let found = find(None, &user).unwrap();
        assert_eq!(found, Claude { path: link, version: Some(Version([2, 1, 330])) });
    }

    #[test]
    fn what_is_configured_and_wrong_is_said_and_not_replaced() {
        let (home, user) = home();
        install(&home, ".local/bin/claude");
        let Err(Outcome::Unable { cause, .. }) = find(Some(Path::new("/etc/passwd")), &user) else {
            panic!("it was found")
        };
        assert!(cause.contains("CLAUDE_CLI_PATH '/etc/passwd'"), "{cause}");
        assert!(find(Some(&home.path().join(".local/bin/claude")), &user).is_ok());
    }
}

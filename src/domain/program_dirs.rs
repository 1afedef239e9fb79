//! Where installers and version managers put a user's own programs: `claude`, `openclaw`, `npm`.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};

use crate::domain::expand::{expand, home_is};

/// Where packages for the whole host put them besides the directories of a usual `PATH`.
pub(crate) const OF_HOST: [&str; 2] = ["/opt/openclaw/bin", "/home/linuxbrew/.linuxbrew/bin"];

/// Below a home: installers' own directories.
const BELOW_HOME: [&str; 6] = [
    ".local/bin",
    ".claude/local",
    ".openclaw/bin",
    ".yarn/bin",
    ".config/yarn/global/node_modules/.bin",
    "bin",
];

/// A manager of packages or of versions of Node.
struct Manager {
    /// The variable that says where it keeps what it installs.
    variable: &'static str,
    /// Where that is else, below a home.
    roots: &'static [&'static str],
    /// Below that: where its programs or its shims are.
    bins: &'static [&'static str],
    /// Below that: a directory with one directory each version, and where the programs are in that.
    versions: &'static [(&'static str, &'static str)],
}

/// All of them, the likeliest first.
const MANAGERS: [Manager; 12] = [
    Manager {
        variable: "NPM_CONFIG_PREFIX",
        roots: &[".npm-global", ".npm-packages", ".npm"],
        bins: &["bin"],
        versions: &[],
    },
    Manager {
        variable: "BUN_INSTALL",
        roots: &[".bun"],
        bins: &["bin", "install/global/node_modules/.bin"],
        versions: &[],
    },
    Manager {
        variable: "PNPM_HOME",
        roots: &[".local/share/pnpm"],
        bins: &["", "bin"],
        versions: &[("global", "node_modules/.bin"), ("global", "bin"), ("nodejs", "bin")],
    },
    Manager {
        variable: "VOLTA_HOME",
        roots: &[".volta"],
        bins: &["bin"],
        versions: &[("tools/image/node", "bin")],
    },
    Manager {
        variable: "ASDF_DATA_DIR",
        roots: &[".asdf"],
        bins: &["shims"],
        versions: &[("installs/nodejs", "bin")],
    },
    Manager {
        variable: "MISE_DATA_DIR",
        roots: &[".local/share/mise"],
        bins: &["shims"],
        versions: &[("installs/node", "bin"), ("installs/npm-openclaw", "bin")],
    },
    Manager {
        variable: "NODENV_ROOT",
        roots: &[".nodenv"],
        bins: &["shims"],
        versions: &[("versions", "bin")],
    },
    Manager {
        variable: "NODEBREW_ROOT",
        roots: &[".nodebrew"],
        bins: &["current/bin"],
        versions: &[("node", "bin")],
    },
    Manager {
        variable: "N_PREFIX",
        roots: &["n", ".n"],
        bins: &["bin"],
        versions: &[("n/versions/node", "bin")],
    },
    Manager {
        variable: "FNM_DIR",
        roots: &[".local/share/fnm", ".fnm"],
        bins: &["aliases/default/bin"],
        versions: &[("node-versions", "installation/bin")],
    },
    Manager {
        variable: "NVM_DIR",
        roots: &[".nvm", ".config/nvm"],
        bins: &[],
        versions: &[("versions/node", "bin")],
    },
    Manager { variable: "HOMEBREW_PREFIX", roots: &[".linuxbrew"], bins: &["bin"], versions: &[] },
];

/// Where each shell of a user of fnm has a link to a version, named for its process and the moment: below the runtime
/// directory, or the home.
const SHELLS: &str = "fnm_multishells";
const STATE: &str = ".local/state";

/// The files in which people set the variables of managers.
const PROFILES: [&str; 5] = [".profile", ".bash_profile", ".bashrc", ".zshenv", ".zshrc"];

/// How many versions of Node each of these may have; of more the newest count.
const VERSIONS_LIMIT: usize = 200;

/// Every directory below a home where a program of the user's may be, the likeliest first; of several
/// versions the newest.
///
/// `uid` is the user's, `names` lists a directory, `text` reads a file.
pub(crate) fn below_home(
    home: &Path,
    uid: u32,
    names: impl Fn(&Path) -> Vec<String>,
    text: impl Fn(&Path) -> Option<String>,
) -> Vec<PathBuf> {
    let profiles: Vec<String> = PROFILES.iter().filter_map(|name| text(&home.join(name))).collect();
    let roots = |manager: &Manager| {
        let set =
            profiles.iter().filter_map(|text| set_in(text, manager.variable, home)).next_back();
        set.into_iter().chain(manager.roots.iter().map(|root| home.join(root))).collect::<Vec<_>>()
    };
    let mut all: Vec<PathBuf> = BELOW_HOME.iter().map(|below| home.join(below)).collect();
    let npmrc = text(&home.join(".npmrc")).unwrap_or_default();
    all.extend(prefix(&npmrc, home).map(|prefix| prefix.join("bin")));
    for manager in &MANAGERS {
        let below = |root: PathBuf| manager.bins.iter().map(move |bin| root.join(bin));
        all.extend(roots(manager).into_iter().flat_map(below));
    }
    for manager in &MANAGERS {
        for (root, (versions, bin)) in
            roots(manager).iter().flat_map(|root| manager.versions.iter().map(move |of| (root, of)))
        {
            let versions = root.join(versions);
            let found = newest_first(names(&versions), numbers);
            all.extend(found.map(|name| versions.join(name).join(bin)));
        }
    }
    let moment = |name: &str| numbers(name.split_once('_').map_or(name, |(_, moment)| moment));
    for place in [PathBuf::from(format!("/run/user/{uid}")), home.join(STATE)] {
        let shells = place.join(SHELLS);
        let found = newest_first(names(&shells), moment);
        all.extend(found.map(|name| shells.join(name).join("bin")));
    }
    all
}

fn newest_first(
    mut names: Vec<String>,
    key: impl Fn(&str) -> Vec<u64>,
) -> impl Iterator<Item = String> {
    names.sort_by_cached_key(|name| Reverse(key(name)));
    names.into_iter().take(VERSIONS_LIMIT)
}

/// The numbers in a name, in which versions have their order: as text v9 comes after v22.
fn numbers(name: &str) -> Vec<u64> {
    let all = name.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
    all.map(|digits| digits.parse().unwrap_or(u64::MAX)).collect()
}

/// What the last line of a shell's profile that sets a variable to a path sets it to.
fn set_in(profile: &str, variable: &str, home: &Path) -> Option<PathBuf> {
    let mut values = profile.lines().filter_map(|line| {
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
        line.strip_prefix(variable)?.strip_prefix('=')
    });
    path(values.next_back()?.split(';').next()?, home)
}

/// The prefix that a user's `.npmrc` sets (`npmrc(5)`).
fn prefix(npmrc: &str, home: &Path) -> Option<PathBuf> {
    let mut values = npmrc.lines().filter_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == "prefix").then_some(value)
    });
    path(values.next_back()?, home)
}

fn path(value: &str, home: &Path) -> Option<PathBuf> {
    let value = value.trim().trim_matches(['"', '\'']);
    let path = PathBuf::from(expand(value, &home_is(home))?);
    path.is_absolute().then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: &str = "/home/claw";

    /// What stands in which directory, and what is looked into there, in this order.
    const TABLE: [(&str, &[&str], &[&str]); 13] = [
        (
            ".nvm/versions/node",
            &["v9.11.2", "v22.3.0", "v10.0.0"],
            &["v22.3.0/bin", "v10.0.0/bin", "v9.11.2/bin"],
        ),
        (".config/nvm/versions/node", &["v22.3.0"], &["v22.3.0/bin"]),
        (
            ".local/share/fnm/node-versions",
            &["v8.1.0", "x", "v24.0.0"],
            &["v24.0.0/installation/bin", "v8.1.0/installation/bin", "x/installation/bin"],
        ),
        (".fnm/node-versions", &["v24.0.0"], &["v24.0.0/installation/bin"]),
        (
            ".local/state/fnm_multishells",
            &["9_1700000000002", "100_1700000000001"],
            &["9_1700000000002/bin", "100_1700000000001/bin"],
        ),
        ("/run/user/1000/fnm_multishells", &["9_17"], &["9_17/bin"]),
        (".volta/tools/image/node", &["9.0.0", "22.1.0"], &["22.1.0/bin", "9.0.0/bin"]),
        (".asdf/installs/nodejs", &["9.0.0", "22.1.0"], &["22.1.0/bin", "9.0.0/bin"]),
        (
            ".local/share/mise/installs/node",
            &["lts", "9.0.0", "22", "22.1.0"],
            &["22.1.0/bin", "22/bin", "9.0.0/bin", "lts/bin"],
        ),
        (".nodenv/versions", &["9.0.0", "22.1.0"], &["22.1.0/bin", "9.0.0/bin"]),
        (".nodebrew/node", &["v9.0.0", "v22.1.0"], &["v22.1.0/bin", "v9.0.0/bin"]),
        ("n/n/versions/node", &["9.0.0", "22.1.0"], &["22.1.0/bin", "9.0.0/bin"]),
        (
            ".local/share/pnpm/global",
            &["5", "11"],
            &["11/node_modules/.bin", "5/node_modules/.bin"],
        ),
    ];

    const PLAIN: [&str; 15] = [
        ".local/bin",
        ".npm-global/bin",
        ".npm/bin",
        ".bun/bin",
        ".volta/bin",
        ".asdf/shims",
        ".local/share/mise/shims",
        ".nodenv/shims",
        ".nodebrew/current/bin",
        "n/bin",
        ".n/bin",
        ".fnm/aliases/default/bin",
        ".local/share/pnpm",
        ".local/share/pnpm/bin",
        ".linuxbrew/bin",
    ];

    /// The directories that are found where these have these names in them, and these files stand there.
    fn found(folders: &[(&str, &[&str])], files: &[(&str, &str)]) -> Vec<PathBuf> {
        let home = Path::new(HOME);
        let names = |path: &Path| {
            let folder = folders.iter().find(|(folder, _)| home.join(folder) == path);
            let names = folder.map(|(_, names)| *names).unwrap_or_default();
            names.iter().map(|name| (*name).to_owned()).collect()
        };
        let text = |path: &Path| {
            let file = files.iter().find(|(file, _)| home.join(file) == path)?;
            Some(file.1.to_owned())
        };
        below_home(home, 1000, names, text)
    }

    #[test]
    fn every_layout_is_known_and_the_newest_version_comes_first() {
        for (folder, names, bins) in TABLE {
            let all = found(&[(folder, names)], &[]);
            let folder = Path::new(HOME).join(folder);
            let at = |bin: &&str| all.iter().position(|one| *one == folder.join(bin));
            let places: Vec<_> = bins.iter().map(at).collect();
            assert!(
                places.iter().all(Option::is_some) && places.is_sorted(),
                "{folder:?}: {places:?}"
            );
        }
        let all = found(&[], &[]);
        for bin in PLAIN {
            assert!(all.contains(&Path::new(HOME).join(bin)), "{bin}");
        }
    }

    #[test]
    fn what_a_profile_says_comes_before_the_usual_place() {
        for (profile, text, folder, place) in [
            (
                ".bashrc",
                "export N_PREFIX=\"$HOME/node\"; [[ :$PATH: == x ]] || PATH=y\n",
                "",
                "node/bin",
            ),
            (
                ".profile",
                "  FNM_DIR='/home/claw/f'",
                "f/node-versions",
                "f/node-versions/v1.0.0/installation/bin",
            ),
            (".zshrc", "export PNPM_HOME=~/p\n", "", "p"),
            (
                ".bashrc",
                "export NVM_DIR=\"$([ -z x ] && echo y)\"\nNVM_DIR=${HOME}/.v",
                ".v/versions/node",
                ".v/versions/node/v1.0.0/bin",
            ),
        ] {
            let all = found(&[(folder, &["v1.0.0"])], &[(profile, text)]);
            assert!(all.contains(&Path::new(HOME).join(place)), "{text}: {all:?}");
        }
        let all = found(&[], &[(".bashrc", "export N_PREFIX=\"$(x)\"\nexport BUN_INSTALL=rel\n")]);
        assert_eq!(all, found(&[], &[]));
    }

    #[test]
    fn npmrc_counts() {
        let all = found(&[], &[(".npmrc", "a=b\nprefix = \"${HOME}/.own\"\n")]);
        assert!(all.contains(&Path::new(HOME).join(".own/bin")));
        assert_eq!(prefix("prefix=/opt/npm", Path::new(HOME)), Some(PathBuf::from("/opt/npm")));
        for none in ["", "prefix=npm", "#prefix=/x"] {
            assert_eq!(prefix(none, Path::new(HOME)), None, "{none}");
        }
    }
}

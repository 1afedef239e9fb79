//! Where installers and version managers put a user's own programs: `claude`, `openclaw`, `npm`.

use std::path::{Path, PathBuf};

use crate::domain::claude_cli::Version;
use crate::domain::expand::{expand, home_is};

/// Below a home: installers' own directories, npm's usual prefixes, and the shims of the managers.
const BELOW_HOME: [&str; 17] = [
    ".local/bin",
    ".claude/local",
    ".npm-global/bin",
    ".npm-packages/bin",
    ".openclaw/bin",
    ".bun/bin",
    ".volta/bin",
    ".local/share/pnpm",
    ".local/share/pnpm/bin",
    ".yarn/bin",
    ".config/yarn/global/node_modules/.bin",
    ".asdf/shims",
    ".local/share/mise/shims",
    ".nodenv/shims",
    ".local/share/fnm/aliases/default/bin",
    "n/bin",
    "bin",
];

/// Below a home: directories with one Node each version, and where its programs are in that.
const VERSIONS: [(&str, &str); 7] = [
    (".nvm/versions/node", "bin"),
    (".config/nvm/versions/node", "bin"),
    (".local/share/fnm/node-versions", "installation/bin"),
    (".fnm/node-versions", "installation/bin"),
    (".volta/tools/image/node", "bin"),
    (".asdf/installs/nodejs", "bin"),
    (".local/share/mise/installs/node", "bin"),
];

/// How many versions of Node each of these may have; of more the newest count.
const VERSIONS_LIMIT: usize = 200;

/// Every directory below a home where a program of the user's may be, the likeliest first; of several
/// versions the newest.
///
/// `names` lists a directory, `text` reads a file.
pub(crate) fn below_home(
    home: &Path,
    names: impl Fn(&Path) -> Vec<String>,
    text: impl Fn(&Path) -> Option<String>,
) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = BELOW_HOME.iter().map(|below| home.join(below)).collect();
    let npmrc = text(&home.join(".npmrc")).unwrap_or_default();
    all.extend(prefix(&npmrc, home).map(|prefix| prefix.join("bin")));
    for (versions, bin) in VERSIONS {
        let versions = home.join(versions);
        let mut found = names(&versions);
        // By number: as text v9 comes after v22.
        found.sort_by_cached_key(|name| std::cmp::Reverse(version(name)));
        all.extend(
            found.into_iter().take(VERSIONS_LIMIT).map(|name| versions.join(name).join(bin)),
        );
    }
    all
}

fn version(name: &str) -> Option<Version> {
    Version::parse(name.strip_prefix('v').unwrap_or(name))
}

/// The prefix that a user's `.npmrc` sets (`npmrc(5)`).
fn prefix(npmrc: &str, home: &Path) -> Option<PathBuf> {
    let mut values = npmrc.lines().filter_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == "prefix").then(|| value.trim().trim_matches(['"', '\'']))
    });
    let value = values.next_back()?;
    let path = PathBuf::from(expand(value, &home_is(home))?);
    path.is_absolute().then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_comes_first_and_npmrc_counts() {
        let home = Path::new("/home/claw");
        let names = |path: &Path| {
            let of = |list: [&str; 3]| list.map(str::to_owned).to_vec();
            match path.strip_prefix(home).ok().and_then(Path::to_str) {
                Some(".nvm/versions/node") => of(["v22.3.0", "v9.11.2", "v10.0.0"]),
                Some(".local/share/fnm/node-versions") => of(["v8.1.0", "v24.0.0", "x"]),
                _ => Vec::new(),
            }
        };
        let text = |path: &Path| {
            (path == home.join(".npmrc")).then(|| "a=b\nprefix = \"${HOME}/.npm\"\n".to_owned())
        };
        let all = below_home(home, names, text);
        let at = |path: &str| all.iter().position(|one| *one == home.join(path)).unwrap();
        assert!(at(".nvm/versions/node/v22.3.0/bin") < at(".nvm/versions/node/v10.0.0/bin"));
        assert!(at(".nvm/versions/node/v10.0.0/bin") < at(".nvm/versions/node/v9.11.2/bin"));
        assert!(
            at(".local/share/fnm/node-versions/v24.0.0/installation/bin")
                < at(".local/share/fnm/node-versions/v8.1.0/installation/bin")
        );
        assert!(at(".npm/bin") > at(".local/bin"));
        assert_eq!(prefix("prefix=/opt/npm", home), Some(PathBuf::from("/opt/npm")));
        for none in ["", "prefix=npm", "#prefix=/x"] {
            assert_eq!(prefix(none, home), None, "{none}");
        }
    }
}

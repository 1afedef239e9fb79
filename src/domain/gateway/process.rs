//! What a process shows of the gateway that it runs: its words and its environment.

use std::path::{Path, PathBuf};

/// The names that the state directory has had below a home (2026.1.30 to 2026.9.6).
pub(crate) const STATE_DIRS: [&str; 4] = [".openclaw", ".clawdbot", ".moltbot", ".moldbot"];

/// The state directory that a variable of OpenClaw's names (2026.1.30 to 2026.9.6).
pub(crate) fn state_dir_of(variable: &str, value: &Path) -> Option<PathBuf> {
    match variable {
        "OPENCLAW_STATE_DIR" | "CLAWDBOT_STATE_DIR" => Some(value.to_owned()),
        "OPENCLAW_HOME" => Some(value.join(".openclaw")),
        "OPENCLAW_CONFIG_PATH" | "CLAWDBOT_CONFIG_PATH" => value.parent().map(Path::to_owned),
        _ => None,
    }
}

/// The variables that name the state directory, the ones that win first.
const VARIABLES: [&str; 5] = [
    "OPENCLAW_STATE_DIR",
    "CLAWDBOT_STATE_DIR",
    "OPENCLAW_HOME",
    "OPENCLAW_CONFIG_PATH",
    "CLAWDBOT_CONFIG_PATH",
];

/// Says whether these are the words of a process that runs a gateway (2026.1.30 to 2026.9.6): its own
/// title, or an interpreter with OpenClaw's program and the command `gateway`.
pub(crate) fn is_gateway(words: &[String]) -> bool {
    let names = ["openclaw", "clawdbot", "moltbot"];
    let is_title = |word: &String| names.iter().any(|name| *word == format!("{name}-gateway"));
    let is_program = |word: &String| {
        names.iter().any(|name| word.contains(name)) || word.ends_with("dist/index.js")
    };
    words.first().is_some_and(is_title)
        || words.iter().any(|word| word == "gateway") && words.iter().any(is_program)
}

/// The state directories that a process of this environment may use, in its own terms.
///
/// `account_home` is that of the user whom it runs as, which Node takes where `HOME` is not set
/// (`os.homedir()`).
pub(crate) fn state_dirs(
    variable: impl Fn(&str) -> Option<String>,
    account_home: Option<&Path>,
) -> Vec<PathBuf> {
    let named = VARIABLES.iter().filter_map(|name| state_dir_of(name, Path::new(&variable(name)?)));
    let named: Vec<PathBuf> = named.collect();
    if !named.is_empty() {
        return named;
    }
    let home = variable("HOME").map(PathBuf::from);
    let home = home.or_else(|| account_home.map(Path::to_owned));
    home.into_iter().flat_map(|home| STATE_DIRS.map(|name| home.join(name))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_is_known_by_its_words() {
        for (words, is) in [
            ("node\0dist/index.js\0gateway\0--bind\0lan", true),
            ("/usr/bin/node\0/usr/lib/node_modules/openclaw/dist/entry.js\0gateway", true),
            ("openclaw-gateway", true),
            ("openclaw\0models\0status", false),
            ("vim\0gateway", false),
            ("", false),
        ] {
            let list: Vec<String> = words.split('\0').map(str::to_owned).collect();
            assert_eq!(is_gateway(&list), is, "{words}");
        }
    }

    #[test]
    fn the_environment_names_the_state_directory() {
        let of = |set: &[(&str, &str)], account_home: Option<&Path>| {
            let value = |name: &str| set.iter().find(|(key, _)| *key == name);
            let variable = |name: &str| value(name).map(|(_, value)| (*value).to_owned());
            state_dirs(variable, account_home)
        };
        let both = [("OPENCLAW_STATE_DIR", "/data"), ("HOME", "/root")];
        let jane = Some(Path::new("/home/jane"));
        assert_eq!(of(&both, jane), [PathBuf::from("/data")]);
        let node = of(&[("HOME", "/home/node")], jane);
        assert_eq!(node[0], PathBuf::from("/home/node/.openclaw"));
        assert_eq!(of(&[], jane)[0], PathBuf::from("/home/jane/.openclaw"));
        assert!(of(&[], None).is_empty());
    }
}

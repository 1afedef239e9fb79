//! What a unit of systemd sets for its process, and which of that counts.

use std::path::{Path, PathBuf};

use crate::app::gateway::unit_texts::Text;
use crate::domain::config::words;
use crate::domain::secret::Secret;

/// What a unit sets for its process.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Environment {
    /// The assignments that stand in the unit itself.
    pub(super) assignments: Vec<Assignment>,
    /// The files that it is read from; they beat the assignments, and the later ones the earlier ones.
    pub(super) files: Vec<PathBuf>,
}

/// A variable that stands in a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Assignment {
    name: String,
    value: Secret,
    /// The file of the unit, if that is known.
    path: Option<PathBuf>,
}

impl Assignment {
    /// Reads the words of an `Environment=`.
    fn all(words: &str, path: Option<&Path>) -> impl Iterator<Item = Self> {
        let words = words::split(words).unwrap_or_default().into_iter();
        words.filter_map(move |word| {
            let (name, value) = word.split_once('=')?;
            let (name, value) = (name.to_owned(), Secret::new(value));
            Some(Self { name, value, path: path.map(Path::to_owned) })
        })
    }
}

/// Where a variable gets its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Setter {
    /// An environment file.
    File(PathBuf),
    /// The unit itself, in this file.
    Unit(Option<PathBuf>),
}

impl Environment {
    /// Reads what `systemctl show` says.
    pub(super) fn shown(text: &str) -> Self {
        let mut found = Self::default();
        for line in text.lines() {
            if let Some(words) = line.strip_prefix("Environment=") {
                found.assignments.extend(Assignment::all(words, None));
            } else if let Some(file) = line.strip_prefix("EnvironmentFiles=") {
                let file = file.rsplit_once(" (ignore_errors=").map_or(file, |(file, _)| file);
                found.files.push(file.into());
            }
        }
        found
    }

    /// Adds what the texts of a unit and its drop-ins say, in their order.
    pub(super) fn add_texts(&mut self, texts: &[Text]) {
        let mut found = Self::default();
        for (path, text) in texts {
            for line in lines(text) {
                found.add_line(&line, path);
            }
        }
        self.assignments.extend(found.assignments);
        self.files.extend(found.files);
    }

    fn add_line(&mut self, line: &str, path: &Path) {
        let Some((key, value)) = line.split_once('=') else { return };
        match (key.trim(), value.trim()) {
            // An empty one takes back what stands before it (systemd.exec(5)).
            ("Environment", "") => self.assignments.clear(),
            ("EnvironmentFile", "") => self.files.clear(),
            ("Environment", value) => {
                self.assignments.extend(Assignment::all(value, Some(path)));
            }
            ("EnvironmentFile", value) => {
                let words = words::split(value.trim_start_matches('-')).unwrap_or_default();
                self.files.extend(words.into_iter().map(PathBuf::from));
            }
            _ => {}
        }
    }

    /// What gives a variable its value, which `value_in` reads in a file; an empty value is one.
    pub(super) fn setter(
        &self,
        name: &str,
        value_in: impl Fn(&Path) -> Option<Secret>,
    ) -> Option<(Setter, Secret)> {
        let files = self.files.iter().rev();
        let mut files =
            files.filter_map(|file| Some((Setter::File(file.clone()), value_in(file)?)));
        files.next().or_else(|| {
            let mut named = self.assignments.iter().rev().filter(|one| one.name == name);
            named.next().map(|one| (Setter::Unit(one.path.clone()), one.value.clone()))
        })
    }
}

/// The lines of a unit's text: joined where a backslash ends one, without comments.
pub(super) fn lines(text: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut is_open = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with(['#', ';']) {
            continue;
        }
        let (part, goes_on) = match line.strip_suffix('\\') {
            Some(part) => (part, true),
            None => (line, false),
        };
        match all.last_mut().filter(|_| is_open) {
            Some(last) => last.extend([" ", part]),
            None => all.push(part.to_owned()),
        }
        is_open = goes_on;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(all: &[&str]) -> Environment {
        let mut set = Environment::default();
        let all: Vec<_> = all.iter().map(|text| ("/u".into(), (*text).to_owned())).collect();
        set.add_texts(&all);
        set
    }

    #[test]
    fn what_systemd_shows_and_what_a_unit_says() {
        let mut set = Environment::shown(
            "MainPID=1\nEnvironment=A=1 \"B=x y\"\nEnvironmentFiles=/a/b.env (ignore_errors=yes)\n",
        );
        let words = |set: &Environment| {
            let all = set.assignments.iter();
            all.map(|one| format!("{}={}", one.name, one.value.expose())).collect::<Vec<_>>()
        };
        assert_eq!(words(&set), ["A=1", "B=x y"]);
        let text = "[Service]\nEnvironmentFile=-/home/u/gateway.systemd.env\nEnvironment=C=3\n";
        set.add_texts(&[("/u".into(), text.to_owned())]);
        let files = ["/a/b.env", "/home/u/gateway.systemd.env"];
        assert_eq!(set.files, files.map(PathBuf::from));
        assert_eq!(words(&set)[2], "C=3");
    }

    #[test]
    fn an_empty_line_takes_back_and_a_backslash_goes_on() {
        let set = texts(&["Environment=A=1 \\\n# no\n B=2\n;Environment=C=3\n"]);
        assert_eq!(set.assignments.len(), 2, "{set:?}");
        let set =
            texts(&["Environment=A=1\nEnvironmentFile=/a\n", "Environment=\nEnvironmentFile =\n"]);
        assert_eq!(set, Environment::default());
    }

    #[test]
    fn the_last_file_counts_and_then_the_last_assignment() {
        let set =
            texts(&["EnvironmentFile=/1\nEnvironmentFile=/2\nEnvironment=A=x\nEnvironment=A="]);
        let in_file = |path: &Path| (path == Path::new("/1")).then(|| Secret::new("1"));
        let setter = set.setter("A", in_file);
        assert_eq!(setter, Some((Setter::File("/1".into()), Secret::new("1"))));
        let setter = set.setter("A", |_| None);
        assert_eq!(setter, Some((Setter::Unit(Some("/u".into())), Secret::new(""))));
        assert_eq!(set.setter("B", |_| None), None);
    }
}

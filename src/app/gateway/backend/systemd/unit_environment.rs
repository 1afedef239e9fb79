//! What a unit of systemd sets for its process, and which of that counts.

use std::path::{Path, PathBuf};

use crate::domain::secret::Secret;
use crate::domain::unit_text::{assignments, words};

/// How many files, or patterns of them, are looked into.
const FILES_LIMIT: usize = 64;

/// A file that a unit is made of, with its text.
pub(crate) type Text = (PathBuf, String);

/// What a unit sets for its process, or its container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Environment {
    /// The assignments that stand in the unit itself.
    assignments: Vec<Assignment>,
    /// The files that it is read from, as patterns; the later ones beat the earlier ones.
    files: Vec<PathBuf>,
    /// Names that are taken from the manager's own environment.
    passed: Vec<String>,
    /// Names, or whole assignments, that are taken away at last.
    unset: Vec<(String, Option<PathBuf>)>,
    /// What the manager hands to all of its units, of the variable that is asked for.
    pub(crate) manager: Option<Managers>,
    /// Whether the unit is a container's: podman-run(1) has the assignments beat the files.
    is_container: bool,
}

/// A variable that a manager hands to all of its units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Managers {
    pub(crate) value: Secret,
    /// The file that it is from, if that is known.
    pub(crate) path: Option<PathBuf>,
}

/// A variable that stands in a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Assignment {
    name: String,
    value: Secret,
    /// The file of the unit, if that is known.
    path: Option<PathBuf>,
}

impl Assignment {
    /// Reads the words of an `Environment=`.
    fn all(value: &str, path: Option<&Path>) -> impl Iterator<Item = Self> {
        words(value).into_iter().filter_map(move |word| {
            let (name, value) = word.split_once('=')?;
            let (name, value) = (name.to_owned(), Secret::new(value));
            Some(Self { name, value, path: path.map(Path::to_owned) })
        })
    }
}

/// What is known of a variable's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// It is this one; an empty one is one.
    Known(Secret),
    /// It may be set, and cannot be read.
    Unreadable,
}

/// Where a variable gets its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Setter {
    /// An environment file.
    File(PathBuf),
    /// The unit itself, in this file.
    Unit(Option<PathBuf>),
    /// The manager hands it to all of its units; from this file.
    Manager(Option<PathBuf>),
    /// `UnsetEnvironment=` takes it away, in this file.
    Unset(Option<PathBuf>),
}

impl Environment {
    /// Reads what `systemctl show` says.
    pub(crate) fn shown(text: &str) -> Self {
        let mut found = Self::default();
        for line in text.lines() {
            let Some((key, value)) = line.split_once('=') else { continue };
            if key == "EnvironmentFiles" {
                let file = value.rsplit_once(" (ignore_errors=").map_or(value, |(file, _)| file);
                found.add("EnvironmentFile", file, None);
            } else if !value.is_empty() {
                found.add(key, value, None);
            }
        }
        found
    }

    /// Reads what the files of a container say, which Quadlet makes a unit of.
    pub(crate) fn of_container(texts: &[Text]) -> Self {
        let mut found = Self { is_container: true, ..Self::default() };
        found.add_section(texts, "Container");
        found
    }

    /// Adds what the texts of a unit and its drop-ins say, in their order; what systemd shows beats it.
    pub(crate) fn with_texts(self, texts: &[Text]) -> Self {
        let mut found = Self::default();
        found.add_section(texts, "Service");
        found.assignments.extend(self.assignments);
        found.files.extend(self.files);
        found.passed.extend(self.passed);
        found.unset.extend(self.unset);
        found
    }

    fn add_section(&mut self, texts: &[Text], section: &str) {
        for (path, text) in texts {
            for (key, value) in assignments(text, section) {
                self.add(&key, &value, Some(path));
            }
        }
    }

    fn add(&mut self, key: &str, value: &str, path: Option<&Path>) {
        let is_reset = value.is_empty();
        match key {
            // An empty one takes back what stands before it (systemd.exec(5)).
            "Environment" if is_reset => self.assignments.clear(),
            "EnvironmentFile" if is_reset => self.files.clear(),
            "PassEnvironment" if is_reset => self.passed.clear(),
            "UnsetEnvironment" if is_reset => self.unset.clear(),
            "Environment" => self.assignments.extend(Assignment::all(value, path)),
            // One path, blanks and all.
            "EnvironmentFile" => self.files.push(value.strip_prefix('-').unwrap_or(value).into()),
            "PassEnvironment" => self.passed.extend(words(value)),
            "UnsetEnvironment" => {
                let path = path.map(Path::to_owned);
                self.unset.extend(words(value).into_iter().map(|word| (word, path.clone())));
            }
            _ => {}
        }
    }

    /// What gives a variable its value, which `value_in` looks for in the files of a pattern, or takes it away.
    pub(crate) fn setter(
        &self,
        name: &str,
        value_in: impl Fn(&Path) -> Option<(PathBuf, Value)>,
    ) -> Option<(Setter, Value)> {
        let of_files = || {
            let mut found =
                self.files.iter().rev().take(FILES_LIMIT).filter_map(|pattern| value_in(pattern));
            found.next().map(|(file, value)| (Setter::File(file), value))
        };
        let set = if self.is_container {
            self.assigned(name).or_else(of_files)
        } else {
            of_files().or_else(|| self.assigned(name))
        };
        let set = set.or_else(|| {
            let is_passed = self.passed.iter().any(|passed| passed == name);
            is_passed.then_some((Setter::Unit(None), Value::Unreadable))
        });
        let set = set.or_else(|| {
            let manager = self.manager.clone().filter(|_| !self.is_container)?;
            Some((Setter::Manager(manager.path), Value::Known(manager.value)))
        });
        let value = set.as_ref().map(|(_, value)| value);
        match self.unset.iter().rfind(|(word, _)| takes_away(word, name, value)) {
            Some((_, path)) => Some((Setter::Unset(path.clone()), Value::Known(Secret::new("")))),
            None => set,
        }
    }

    fn assigned(&self, name: &str) -> Option<(Setter, Value)> {
        let named = || self.assignments.iter().rev().filter(|one| one.name == name);
        let last = named().next()?;
        // systemd shows no file: that of the same assignment is in the texts.
        let path = named().filter(|one| one.value == last.value).find_map(|one| one.path.clone());
        Some((Setter::Unit(path), Value::Known(last.value.clone())))
    }
}

/// Says whether a word of `UnsetEnvironment=` takes a variable away that has this value.
fn takes_away(word: &str, name: &str, value: Option<&Value>) -> bool {
    match (word.split_once('='), value) {
        (None, _) => word == name,
        (Some((key, other)), Some(Value::Known(value))) => key == name && other == value.expose(),
        (Some(_), _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(all: &[&str]) -> Environment {
        let all: Vec<_> = all.iter().map(|text| ("/u".into(), (*text).to_owned())).collect();
        Environment::default().with_texts(&all)
    }

    fn none(_: &Path) -> Option<(PathBuf, Value)> {
        None
    }

    fn known(value: &str) -> Value {
        Value::Known(Secret::new(value))
    }

    #[test]
    fn what_systemd_shows_and_what_a_unit_says() {
        let shown = "MainPID=1\nEnvironment=A=1 \"B=x y\"\nEnvironmentFiles=/a/b.env (ignore_errors=yes)\nEnvironmentFiles=/c d.env (ignore_errors=no)\nUnsetEnvironment=\n";
        let text = "[Service]\nEnvironmentFile=-/home/u/gateway.systemd.env\nEnvironment=A=1 C=3\n[X]\nEnvironment=C=4";
        let set = Environment::shown(shown).with_texts(&[("/u".into(), text.to_owned())]);
        let files = ["/home/u/gateway.systemd.env", "/a/b.env", "/c d.env"];
        assert_eq!(set.files, files.map(PathBuf::from));
        for (name, value, path) in
            [("A", "1", Some("/u".into())), ("B", "x y", None), ("C", "3", Some("/u".into()))]
        {
            assert_eq!(set.setter(name, none), Some((Setter::Unit(path), known(value))), "{name}");
        }
    }

    #[test]
    fn an_empty_line_takes_back_and_a_backslash_goes_on() {
        let set = texts(&["Environment=A=1 \\\n# no\n B=2\n;Environment=C=3\n"]);
        assert_eq!(set.assignments.len(), 2, "{set:?}");
        let set = texts(&[
            "Environment=A=1\nEnvironmentFile=/a\nPassEnvironment=A\nUnsetEnvironment=A\n",
            "Environment=\nEnvironmentFile =\nPassEnvironment=\nUnsetEnvironment=\n",
        ]);
        assert_eq!(set, Environment::default());
    }

    #[test]
    fn the_last_file_counts_and_then_the_last_assignment() {
        let text = "EnvironmentFile=/1\nEnvironmentFile=/2\nEnvironment=A=x\nEnvironment=A=";
        let set = texts(&[text]);
        let in_file =
            |path: &Path| Some((path.to_owned(), known("1"))).filter(|_| path == Path::new("/1"));
        assert_eq!(set.setter("A", in_file), Some((Setter::File("/1".into()), known("1"))));
        assert_eq!(set.setter("A", none), Some((Setter::Unit(Some("/u".into())), known(""))));
        assert_eq!(set.setter("B", none), None);
        let container = Environment::of_container(&[("/c".into(), text.to_owned())]);
        let setter = container.setter("A", in_file);
        assert_eq!(setter, Some((Setter::Unit(Some("/c".into())), known(""))), "as podman has it");
    }

    #[test]
    fn the_manager_counts_last_and_what_is_unset_is_gone() {
        let manager = Some(Managers { value: Secret::new("m"), path: Some("/m".into()) });
        let set = Environment { manager: manager.clone(), ..Environment::default() };
        let from_manager = (Setter::Manager(Some("/m".into())), known("m"));
        assert_eq!(set.setter("A", none), Some(from_manager.clone()));
        let set = |text| Environment { manager: manager.clone(), ..texts(&[text]) };
        let unset = Some((Setter::Unset(Some("/u".into())), known("")));
        for (text, setter) in [
            ("PassEnvironment=B A", Some((Setter::Unit(None), Value::Unreadable))),
            ("Environment=A=1", Some((Setter::Unit(Some("/u".into())), known("1")))),
            ("Environment=A=1\nUnsetEnvironment=B A", unset.clone()),
            ("UnsetEnvironment=A=m", unset),
            ("UnsetEnvironment=A=n", Some(from_manager)),
        ] {
            assert_eq!(set(text).setter("A", none), setter, "{text}");
        }
    }
}

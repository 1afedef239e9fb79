//! The files that a compose file names, for whoever has to know all that compose reads.
//!
//! Read generously: a key counts wherever it stands, so that anchors, merges and extension fields need
//! no rules of their own, and what is named besides does no harm.

use std::path::Path;

use yaml_rust2::Yaml;
use yaml_rust2::parser::{Event, EventReceiver, Parser};
use yaml_rust2::yaml::Hash;

use crate::domain::yaml;

/// The names of a project's file; compose takes the first that is there and leaves the others.
pub(crate) const FILES: [&str; 4] =
    ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];

/// The names of the file that is laid over it, likewise.
pub(crate) const OVERRIDES: [&str; 4] = [
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
];

/// The name that compose gives a project by its directory's.
pub(crate) fn project_name(folder: &Path) -> String {
    let name = folder.file_name().map(|name| name.to_string_lossy().to_lowercase());
    let fits = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(*c);
    let name: String = name.unwrap_or_default().chars().filter(fits).collect();
    name.trim_start_matches(['_', '-']).to_owned()
}

/// A file that a compose file names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// Another compose file.
    Compose(String),
    /// A file that is read, and names no other.
    Plain(String),
    /// A directory whose `.env` is read.
    Directory(String),
}

impl Named {
    /// The path, as it stands in the file.
    pub(crate) fn path(&self) -> &str {
        let (Self::Compose(path) | Self::Plain(path) | Self::Directory(path)) = self;
        path
    }

    fn path_mut(&mut self) -> &mut String {
        let (Self::Compose(path) | Self::Plain(path) | Self::Directory(path)) = self;
        path
    }
}

/// Lists the files that a compose file names; or says what in it leads nobody knows where. `expand` puts in
/// what variables stand for.
pub(crate) fn named(
    text: &str,
    expand: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<Named>, String> {
    // A byte order mark is none of the text to compose.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let documents = yaml::documents(text)?;
    encoded(text)?;
    let mut all = Vec::new();
    for document in &documents {
        collect(document, &mut all)?;
    }
    for file in &mut all {
        let path = file.path_mut();
        let expanded = if path.contains('$') { expand(path) } else { Some(path.clone()) };
        match expanded.filter(|path| is_plain(path)) {
            Some(expanded) => *path = expanded,
            None => return Err(format!("it names '{path}', which is no plain path of this host")),
        }
    }
    Ok(all)
}

/// Tells whether a key or value is written in Base64, which compose decodes.
#[derive(Default)]
struct Encoded(bool);

impl EventReceiver for Encoded {
    fn on_event(&mut self, event: Event) {
        if let Event::Scalar(.., Some(tag)) = event {
            self.0 |= format!("{}{}", tag.handle, tag.suffix).ends_with("binary");
        }
    }
}

fn encoded(text: &str) -> Result<(), String> {
    let mut encoded = Encoded::default();
    let read = Parser::new_from_str(text).load(&mut encoded, true);
    read.map_err(|error| format!("it is no YAML: {error}"))?;
    if encoded.0 { Err("it has a binary key or value".to_owned()) } else { Ok(()) }
}

fn collect(value: &Yaml, all: &mut Vec<Named>) -> Result<(), String> {
    match value {
        Yaml::Array(items) => items.iter().try_for_each(|item| collect(item, all)),
        Yaml::Hash(map) => {
            for (key, value) in map {
                match key.as_str() {
                    Some("include") => include(value, all)?,
                    Some("extends") => extends(value, all)?,
                    Some("provider") if value["type"] != Yaml::BadValue => {
                        return Err("it names a provider, a program that compose runs".to_owned());
                    }
                    Some(key @ ("env_file" | "label_file")) => files(key, value, all)?,
                    _ => {}
                }
                collect(value, all)?;
            }
            Ok(())
        }
        Yaml::BadValue => Err("it has a value that is not understood".to_owned()),
        _ => Ok(()),
    }
}

/// `include: [FILE, {path: FILE or list, project_directory: …, env_file: …}]`.
fn include(value: &Yaml, all: &mut Vec<Named>) -> Result<(), String> {
    for item in each(value) {
        match item {
            Yaml::String(path) => all.push(Named::Compose(path.clone())),
            Yaml::Hash(map) => {
                for path in each(get(map, "path").unwrap_or(&Yaml::Null)) {
                    all.push(Named::Compose(text("include", path)?));
                }
                if let Some(directory) = get(map, "project_directory") {
                    all.push(Named::Directory(text("include", directory)?));
                }
            }
            _ => return Err(unclear("include")),
        }
    }
    Ok(())
}

/// `extends: {file: FILE, service: …}`; without a file it is a service of the same file.
fn extends(value: &Yaml, all: &mut Vec<Named>) -> Result<(), String> {
    match value {
        Yaml::Hash(map) => {
            if let Some(file) = get(map, "file") {
                all.push(Named::Compose(text("extends", file)?));
            }
            Ok(())
        }
        Yaml::String(_) | Yaml::Null => Ok(()),
        _ => Err(unclear("extends")),
    }
}

/// `env_file: FILE`, or a list of them, each perhaps as `{path: FILE}`.
fn files(key: &str, value: &Yaml, all: &mut Vec<Named>) -> Result<(), String> {
    for item in each(value) {
        match item {
            Yaml::Hash(map) => {
                all.push(Named::Plain(text(key, get(map, "path").unwrap_or(&Yaml::Null))?));
            }
            Yaml::Null => {}
            other => all.push(Named::Plain(text(key, other)?)),
        }
    }
    Ok(())
}

/// The items of a list, or the value itself.
pub(super) fn each(value: &Yaml) -> &[Yaml] {
    match value {
        Yaml::Array(items) => items,
        one => std::slice::from_ref(one),
    }
}

fn get<'a>(map: &'a Hash, key: &str) -> Option<&'a Yaml> {
    map.get(&Yaml::String(key.to_owned()))
}

fn text(key: &str, value: &Yaml) -> Result<String, String> {
    value.as_str().map(str::to_owned).ok_or_else(|| unclear(key))
}

fn unclear(key: &str) -> String {
    format!("what its {key} names is not understood")
}

/// Nothing that is interpolated, and nothing that is fetched (`oci://`, `https://`, `git@host:`).
fn is_plain(path: &str) -> bool {
    !path.is_empty() && !path.contains(['$', '~', ':', '\0']) && !path.starts_with("github.com/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use Named::{Compose, Directory, Plain};

    #[test]
    fn every_way_to_name_a_file_is_known() {
        let text = r"
x-common: &common {env_file: common.env}
include:
  - one.yaml
  - path: [two.yaml, three.yaml]
    project_directory: sub
    env_file: [in.env]
services:
  a:
    <<: *common
    env_file:
      - a.env
      - {path: /b.env, required: false, format: raw}
    extends: {file: base.yaml, service: base}
    label_file: labels
    environment: {KEY: value}
  b:
    extends: a
    env_file: b.env
";
        let found = named(text, &|_| None).unwrap();
        let own = str::to_owned;
        for file in [
            Plain(own("common.env")),
            Compose(own("one.yaml")),
            Compose(own("two.yaml")),
            Compose(own("three.yaml")),
            Directory(own("sub")),
            Plain(own("in.env")),
            Plain(own("a.env")),
            Plain(own("/b.env")),
            Compose(own("base.yaml")),
            Plain(own("labels")),
            Plain(own("b.env")),
        ] {
            assert!(found.contains(&file), "{file:?} is not in {found:?}");
        }
        assert_eq!(named("services: {}", &|_| None).unwrap(), []);
    }

    #[test]
    fn variables_stand_for_what_is_known() {
        let expand = |path: &str| path.strip_prefix("${X}/").map(|rest| format!("/x/{rest}"));
        let text = |path: &str| format!("services: {{a: {{env_file: '{path}'}}}}");
        let found = named(&text("${X}/a.env"), &expand);
        assert_eq!(found, Ok(vec![Plain("/x/a.env".to_owned())]));
        assert!(named(&text("${Y}/a.env"), &expand).is_err());
        assert!(named(&text("${X}/$$y"), &expand).is_err(), "what comes out has to be plain");
    }

    #[test]
    fn a_byte_order_mark_hides_no_key() {
        let found = named("\u{feff}include: [one.yaml]\n", &|_| None).unwrap();
        assert_eq!(found, [Compose("one.yaml".to_owned())]);
    }

    #[test]
    fn a_project_is_called_as_its_directory() {
        for (folder, name) in [("/opt/My Claw_1", "myclaw_1"), ("/x/-_a.b", "ab"), ("/", "")] {
            assert_eq!(project_name(Path::new(folder)), name);
        }
    }

    #[test]
    fn what_leads_nobody_knows_where_is_refused() {
        for text in [
            "include: oci://registry/x",
            "include: [https://example.org/x.git]",
            "include: [{path: git@host:x.git}]",
            "include: [github.com/a/b]",
            "include: [[a]]",
            "services: {a: {env_file: '${X}/a'}}",
            "services: {a: {env_file: ~/a}}",
            "services: {a: {env_file: ''}}",
            "services: {a: {env_file: [1]}}",
            "services: {a: {extends: {file: $HOME/x}}}",
            "services: {a: {extends: [x]}}",
            "services: [",
            "a: *nothing",
            "services: {a: {provider: {type: /x/run}}}",
            "services: {a: {!!binary ZXh0ZW5kcw==: {file: x}}}",
            "services: {a: {env_file: !!binary \"aHg=\"}}",
            "%TAG !x! tag:yaml.org,2002:bin\n---\na: !x!ary ZQ==",
        ] {
            assert!(named(text, &|_| None).is_err(), "{text}: {:?}", named(text, &|_| None));
        }
    }
}

//! What a compose file hands to the environment of one service.

use yaml_rust2::Yaml;
use yaml_rust2::yaml::Hash;

use crate::domain::compose_file::each;
use crate::domain::expand;
use crate::domain::secret::Secret;
use crate::domain::yaml;

/// How deep merges (`<<`) may lie in each other.
const DEPTH: usize = 8;

/// A file that a service lists under `env_file`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EnvFile {
    /// The path, as it stands in the file.
    pub(crate) path: String,
    /// Whether its values are taken as they stand, quotes and comments with them (`format: raw`).
    pub(crate) is_raw: bool,
}

/// Where `environment` takes a variable's value from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// From the project's variable of its name: `KEY: ${KEY}`, or `KEY` alone.
    OfProject,
    /// From others of the project's variables: these.
    OfOthers(Vec<String>),
    /// It stands there.
    Literal,
}

/// What one compose file says of a service's environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Handed {
    /// What `environment` says of the variable.
    pub(crate) value: Option<Value>,
    /// The files under `env_file`, in their order.
    pub(crate) env_files: Vec<EnvFile>,
    /// Whether it takes more from where this file does not show it: `extends`, `include`.
    pub(crate) has_more: bool,
}

/// Reads what a compose file says of `service` and the variable `key`; `None` if it is not understood.
pub(crate) fn handed(text: &str, service: &str, key: &str) -> Option<Handed> {
    let documents = yaml::documents(text).ok()?;
    let root = documents.first()?.as_hash()?;
    let mut handed = Handed { has_more: get(root, "include").is_some(), ..Handed::default() };
    let services = get(root, "services").and_then(Yaml::as_hash);
    let Some(service) = services.and_then(|all| get(all, service)) else { return Some(handed) };
    let Some(service) = service.as_hash() else { return Some(handed) };
    handed.has_more |= get(service, "extends").is_some();
    handed.value = get(service, "environment").and_then(|value| of_environment(value, key));
    for item in get(service, "env_file").map(each).unwrap_or_default() {
        handed.env_files.push(env_file(item)?);
    }
    Some(handed)
}

/// The environment of `service` in a file that compose has put together, where nothing is interpolated any more;
/// `None` where it is not told.
pub(crate) fn environment(text: &str, service: &str) -> Option<Vec<(String, Secret)>> {
    let documents = yaml::documents(text).ok()?;
    let services = get(documents.first()?.as_hash()?, "services")?.as_hash()?;
    let Some(environment) = get(get(services, service)?.as_hash()?, "environment") else {
        return Some(Vec::new());
    };
    let variable = |(name, value): (&Yaml, &Yaml)| {
        Some((name.as_str()?.to_owned(), Secret::new(scalar(value)?.replace("$$", "$"))))
    };
    Some(environment.as_hash()?.iter().filter_map(variable).collect())
}

/// What a compose file mounts into `service`: `SOURCE:TARGET`, with more behind it perhaps.
pub(crate) fn volumes(text: &str, service: &str) -> Vec<String> {
    let documents = yaml::documents(text).unwrap_or_default();
    let root = documents.first().and_then(Yaml::as_hash);
    let service = root.and_then(|root| {
        get(get(root, "services")?.as_hash()?, service)?.as_hash().and_then(|of| get(of, "volumes"))
    });
    let volume = |volume: &Yaml| match volume {
        Yaml::Hash(map) => {
            Some(format!("{}:{}", get(map, "source")?.as_str()?, get(map, "target")?.as_str()?))
        }
        other => other.as_str().map(str::to_owned),
    };
    service.map(each).unwrap_or_default().iter().filter_map(volume).collect()
}

/// `environment: {KEY: value}`, or a list of `KEY=value`; a value of another variable counts where it is
/// made of this one.
fn of_environment(value: &Yaml, key: &str) -> Option<Value> {
    let entries: Vec<(String, Option<String>)> = match value {
        Yaml::Hash(map) => all(map, DEPTH)
            .into_iter()
            .filter_map(|(name, value)| Some((name.as_str()?.to_owned(), scalar(value))))
            .collect(),
        Yaml::Array(items) => {
            let words = items.iter().filter_map(Yaml::as_str);
            let pair = |word: &str| match word.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (word.to_owned(), None),
            };
            words.map(pair).collect()
        }
        _ => return None,
    };
    let own = entries.iter().rfind(|(name, _)| name == key);
    let is_made_of = |value: &str| uses(value, key);
    match own {
        Some((_, Some(value))) if is_made_of(value) => Some(Value::OfProject),
        Some((_, Some(value))) => {
            let names = names(value);
            Some(if names.is_empty() { Value::Literal } else { Value::OfOthers(names) })
        }
        Some((_, None)) => Some(Value::OfProject),
        None => entries
            .iter()
            .any(|(_, value)| value.as_deref().is_some_and(is_made_of))
            .then_some(Value::OfProject),
    }
}

/// Says whether a value is interpolated from a variable: `$NAME`, `${NAME}`, `${NAME:-default}`.
pub(crate) fn uses(value: &str, name: &str) -> bool {
    names(value).iter().any(|used| used == name)
}

/// The variables that a value is interpolated from; `$$` is a dollar sign.
fn names(value: &str) -> Vec<String> {
    let value = value.replace("$$", "");
    let name = |rest: &str| expand::name(rest.strip_prefix('{').unwrap_or(rest)).0.to_owned();
    value.split('$').skip(1).map(name).filter(|name| !name.is_empty()).collect()
}

fn env_file(item: &Yaml) -> Option<EnvFile> {
    match item {
        Yaml::String(path) => Some(EnvFile { path: path.clone(), is_raw: false }),
        Yaml::Hash(map) => {
            let path = get(map, "path")?.as_str()?.to_owned();
            Some(EnvFile { path, is_raw: get(map, "format").and_then(Yaml::as_str) == Some("raw") })
        }
        _ => None,
    }
}

fn scalar(value: &Yaml) -> Option<String> {
    match value {
        Yaml::String(text) | Yaml::Real(text) => Some(text.clone()),
        Yaml::Integer(number) => Some(number.to_string()),
        Yaml::Boolean(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// A key of a map, or of what is merged into it.
fn get<'a>(map: &'a Hash, key: &str) -> Option<&'a Yaml> {
    all(map, DEPTH)
        .into_iter()
        .rfind(|(name, _)| name.as_str() == Some(key))
        .map(|(_, value)| value)
}

/// The entries of a map, what is merged into it (`<<`) first.
fn all(map: &Hash, depth: usize) -> Vec<(&Yaml, &Yaml)> {
    let Some(depth) = depth.checked_sub(1) else { return Vec::new() };
    let merged = map.get(&Yaml::String("<<".to_owned())).map(each).unwrap_or_default();
    // Of several maps the first one wins.
    let merged = merged.iter().rev().filter_map(Yaml::as_hash).flat_map(|map| all(map, depth));
    merged.chain(map.iter()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_where_a_variable_comes_from() {
        for (text, value, files) in [
            ("{}", None, &[][..]),
            ("environment: {KEY: '${KEY}'}", Some(Value::OfProject), &[]),
            (
                "environment: {KEY: '${OTHER:-x}$A$$'}",
                Some(Value::OfOthers(vec!["OTHER".to_owned(), "A".to_owned()])),
                &[],
            ),
            ("environment: {KEY: '${OTHER:-${KEY}}'}", Some(Value::OfProject), &[]),
            ("environment: {KEY: }", Some(Value::OfProject), &[]),
            ("environment: [A=1, KEY]", Some(Value::OfProject), &[]),
            ("environment: [KEY=$KEY]", Some(Value::OfProject), &[]),
            ("environment: [OTHER=$KEY]", Some(Value::OfProject), &[]),
            ("environment: ['OTHER=${KEY}']", Some(Value::OfProject), &[]),
            ("environment: ['OTHER=${KEYS}', KEYS=1]", None, &[]),
            ("environment: {KEY: sk-1}", Some(Value::Literal), &[]),
            ("environment: {KEY: 'a$$b'}", Some(Value::Literal), &[]),
            ("environment: [KEY=]", Some(Value::Literal), &[]),
            ("env_file: .env", None, &[(".env", false)]),
            (
                "env_file: [a.env, {path: b.env, format: raw}, {path: c.env, required: false}]",
                None,
                &[("a.env", false), ("b.env", true), ("c.env", false)],
            ),
        ] {
            let text = format!("services: {{gw: {{{text}}}, other: {{env_file: no.env}}}}");
            let found = handed(&text, "gw", "KEY").unwrap();
            let named: Vec<(&str, bool)> =
                found.env_files.iter().map(|file| (&*file.path, file.is_raw)).collect();
            assert_eq!((found.value, &named[..]), (value, files), "{text}");
            assert!(!found.has_more);
        }
    }

    #[test]
    fn volumes_are_known_in_both_forms() {
        let text = "services: {gw: {volumes: ['${A:-~/a}:/x:ro', {type: bind, source: ~/b, target: /y}, named]}}";
        assert_eq!(volumes(text, "gw"), ["${A:-~/a}:/x:ro", "~/b:/y", "named"]);
        assert!(volumes(text, "other").is_empty() && volumes("[", "gw").is_empty());
    }

    #[test]
    fn merges_are_followed_and_what_lies_elsewhere_is_named() {
        let text = "x-env: &env {KEY: '${KEY}'}\nx-common: &common {env_file: common.env}\nservices:\n  gw:\n    <<: *common\n    environment: {<<: *env, A: 1}\n";
        let found = handed(text, "gw", "KEY").unwrap();
        assert_eq!(found.value, Some(Value::OfProject));
        assert_eq!(found.env_files[0].path, "common.env");
        for more in ["include: [a.yaml]", "services: {gw: {extends: {file: a.yaml, service: b}}}"] {
            assert!(handed(more, "gw", "KEY").unwrap().has_more);
        }
        for odd in ["services: [", "- a", "", "services: {gw: {env_file: [1]}}"] {
            assert_eq!(handed(odd, "gw", "KEY"), None, "{odd}");
        }
    }
}

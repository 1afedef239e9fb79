//! `$include` in openclaw.json, as OpenClaw 2026.9.6 resolves it (`src/config/includes.ts`).
//!
//! An object with the key `$include` stands for the file that it names, or for the files that it
//! lists, merged in turn; what stands beside the key is merged over them. Arrays are joined, objects
//! merged, of anything else the later one counts.

use std::path::{Component, Path, PathBuf};

use serde_json::{Map, Value};

const KEY: &str = "$include";

/// How many files may include each other in a chain.
const MOST_DEPTH: usize = 10;

/// The longest path, in UTF-16 units as JavaScript counts them.
const MOST_PATH: usize = 4096;

/// The most files that are read for one configuration: OpenClaw has no such limit, but ten levels of
/// lists could make it read for hours.
const MOST_FILES: usize = 256;

/// Keys that a merge leaves out, for they mean something to JavaScript's objects.
const BLOCKED: [&str; 3] = ["__proto__", "prototype", "constructor"];

/// A file that was included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Included {
    /// The file.
    pub(crate) path: PathBuf,
    /// The keys on the way to what it stands for, in the whole configuration.
    pub(crate) at: Vec<String>,
    /// Whether it alone stands there: one file, and no key beside `$include`.
    pub(crate) is_sole: bool,
}

/// A configuration with everything included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resolved {
    /// What it says.
    pub(crate) value: Value,
    /// The files that it is made of, besides its own.
    pub(crate) files: Vec<Included>,
}

/// Puts the included files in their places.
///
/// `file` is the configuration's own absolute path, as it is named, links and all: relative names
/// count from its directory. `load` gives what a file says, and refuses those that may not be read.
pub(crate) fn resolve(
    root: Value,
    file: &Path,
    load: &mut dyn FnMut(&Path) -> Result<Value, String>,
) -> Result<Resolved, String> {
    let mut work = Work { load, files: Vec::new(), chain: vec![file.to_owned()], at: Vec::new() };
    let value = work.process(root)?;
    Ok(Resolved { value, files: work.files })
}

struct Work<'a> {
    load: &'a mut dyn FnMut(&Path) -> Result<Value, String>,
    files: Vec<Included>,
    /// The configuration and the files on the way to the one that is processed.
    chain: Vec<PathBuf>,
    /// The keys on the way to what is processed.
    at: Vec<String>,
}

impl Work<'_> {
    fn process(&mut self, value: Value) -> Result<Value, String> {
        match value {
            Value::Array(items) => {
                let items = items.into_iter().enumerate();
                let items = items.map(|(index, item)| self.below(index.to_string(), item));
                Ok(Value::Array(items.collect::<Result<_, _>>()?))
            }
            Value::Object(mut members) => match members.shift_remove(KEY) {
                Some(value) => self.include(&value, members),
                None => Ok(Value::Object(self.members(members)?)),
            },
            other => Ok(other),
        }
    }

    fn members(&mut self, members: Map<String, Value>) -> Result<Map<String, Value>, String> {
        let members = members.into_iter();
        members.map(|(key, value)| Ok((key.clone(), self.below(key, value)?))).collect()
    }

    fn below(&mut self, key: String, value: Value) -> Result<Value, String> {
        self.at.push(key);
        let processed = self.process(value);
        self.at.pop();
        processed
    }

    fn include(&mut self, value: &Value, beside: Map<String, Value>) -> Result<Value, String> {
        let included = match value {
            Value::String(name) => self.file(name, beside.is_empty())?,
            Value::Array(names) => {
                let mut all = Value::Object(Map::new());
                for name in names {
                    let name = name.as_str();
                    let name = name.ok_or("$include lists something that is no file's name")?;
                    all = merge(all, self.file(name, false)?);
                }
                all
            }
            _ => return Err("$include names neither a file nor a list of files".to_owned()),
        };
        if beside.is_empty() {
            return Ok(included);
        }
        if !included.is_object() {
            let what = "keys stand beside a $include whose file is no object";
            return Err(what.to_owned());
        }
        Ok(merge(included, Value::Object(self.members(beside)?)))
    }

    fn file(&mut self, name: &str, is_sole: bool) -> Result<Value, String> {
        let path = self.path(name)?;
        if self.chain.contains(&path) {
            return Err(format!("'{}' includes itself", path.display()));
        }
        if self.chain.len() > MOST_DEPTH {
            return Err(format!("more than {MOST_DEPTH} files include each other"));
        }
        if self.files.len() == MOST_FILES {
            return Err(format!("it includes more than {MOST_FILES} files"));
        }
        self.files.push(Included { path: path.clone(), at: self.at.clone(), is_sole });
        let value = (self.load)(&path)?;
        self.chain.push(path);
        let processed = self.process(value);
        self.chain.pop();
        processed
    }

    fn path(&self, name: &str) -> Result<PathBuf, String> {
        let folder = self.chain.last().and_then(|file| file.parent()).unwrap_or(Path::new("/"));
        let path = normal(&folder.join(name));
        let too_long = |text: &str| text.encode_utf16().count() >= MOST_PATH;
        if name.contains('\0') || too_long(name) || too_long(&path.to_string_lossy()) {
            return Err("$include names a file by what is no path".to_owned());
        }
        Ok(path)
    }
}

/// Takes `.` and `..` out of a path, without regard to links.
pub(crate) fn normal(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

fn merge(base: Value, over: Value) -> Value {
    match (base, over) {
        (Value::Array(mut base), Value::Array(over)) => {
            base.extend(over);
            Value::Array(base)
        }
        (Value::Object(base), Value::Object(over)) => {
            let mut merged = clean(base);
            for (key, value) in over {
                if BLOCKED.contains(&key.as_str()) {
                    continue;
                }
                let value = match (merged.get_mut(&key).map(Value::take), value) {
                    (Some(base), value) => merge(base, value),
                    (None, Value::Object(members)) => Value::Object(clean(members)),
                    (None, value) => value,
                };
                merged.insert(key, value);
            }
            Value::Object(merged)
        }
        (_, Value::Object(over)) => Value::Object(clean(over)),
        (_, over) => over,
    }
}

fn clean(members: Map<String, Value>) -> Map<String, Value> {
    let members = members.into_iter().filter(|(key, _)| !BLOCKED.contains(&key.as_str()));
    let clean_one = |value| match value {
        Value::Object(members) => Value::Object(clean(members)),
        other => other,
    };
    members.map(|(key, value)| (key, clean_one(value))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Resolves over files in memory, named by their paths below `/s`.
    fn over(root: Value, files: &Value) -> Result<Resolved, String> {
        resolve(root, Path::new("/s/openclaw.json"), &mut |path| {
            let name = path.strip_prefix("/s").map_err(|_| "outside".to_owned())?;
            files.get(name.to_str().unwrap()).cloned().ok_or_else(|| "absent".to_owned())
        })
    }

    fn value(root: Value, files: &Value) -> Value {
        over(root, files).unwrap().value
    }

    #[test]
    fn one_file_several_files_and_what_stands_beside() {
        let files = json!({
            "a": {"x": [1], "o": {"p": 1, "q": 1}, "n": 1},
            "b": {"x": [2], "o": {"q": 2}, "n": {"m": 2}},
            "list": [1, 2],
        });
        let at = |value: Value| json!({"k": value});
        let given = |root| value(at(root), &files);
        assert_eq!(given(json!({"$include": "./a"})), at(files["a"].clone()));
        assert_eq!(given(json!({"$include": "list"})), at(json!([1, 2])));
        let both = json!({"x": [1, 2], "o": {"p": 1, "q": 2}, "n": {"m": 2}});
        assert_eq!(given(json!({"$include": ["a", "/s/b"]})), at(both));
        let beside = json!({"x": [1, 9], "o": {"p": 7, "q": 1}, "n": null});
        let root = json!({"x": [9], "o": {"p": 7}, "$include": "a", "n": null});
        assert_eq!(given(root), at(beside));
        assert_eq!(given(json!({"$include": []})), at(json!({})));
        for wrong in [
            json!({"$include": 1}),
            json!({"$include": ["a", 1]}),
            json!({"$include": "absent"}),
            json!({"$include": "../outside"}),
            json!({"$include": "list", "x": 1}),
            json!({"$include": "a\0"}),
            json!({"$include": "x".repeat(4096)}),
        ] {
            assert!(over(at(wrong.clone()), &files).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_count_from_the_file_that_names() {
        let files = json!({
            "d/a": [{"$include": "b"}, {"$include": "../c"}],
            "d/b": "of d", "c": {"$include": "./d/./b"},
        });
        let found = over(json!({"k": {"$include": "d/a"}}), &files).unwrap();
        assert_eq!(found.value, json!({"k": ["of d", "of d"]}));
        let files: Vec<_> = found.files.iter().map(|file| file.path.to_str().unwrap()).collect();
        assert_eq!(files, ["/s/d/a", "/s/d/b", "/s/c", "/s/d/b"]);
        assert_eq!(found.files[1].at, ["k", "0"]);
    }

    #[test]
    fn a_file_that_owns_its_place_is_told_from_one_that_shares_it() {
        let files = json!({"a": {}});
        let sole = |root| over(root, &files).unwrap().files[0].is_sole;
        assert!(sole(json!({"auth": {"$include": "a"}})));
        assert!(!sole(json!({"auth": {"$include": ["a"]}})));
        assert!(!sole(json!({"auth": {"$include": "a", "order": {}}})));
    }

    #[test]
    fn circles_chains_and_crowds_end() {
        let circle = json!({"a": {"$include": "b"}, "b": {"k": {"$include": "a"}}});
        assert!(over(json!({"$include": "a"}), &circle).is_err());
        assert!(over(json!({"$include": "openclaw.json"}), &json!({})).is_err());
        let chain = |length: usize| {
            let link = |number: usize| match number + 1 {
                next if next < length => json!({"$include": next.to_string()}),
                _ => json!("end"),
            };
            let files = (0..length).map(|number| (number.to_string(), link(number)));
            over(json!({"$include": "0"}), &Value::Object(files.collect()))
        };
        assert_eq!(chain(10).unwrap().value, json!("end"));
        assert!(chain(11).is_err());
        let level = |number: usize| json!({"$include": vec![(number + 1).to_string(); 4]});
        let levels = (0..9).map(|number| (number.to_string(), level(number)));
        let crowd = Value::Object(levels.chain([("9".to_owned(), json!({}))]).collect());
        assert!(over(json!({"$include": "0"}), &crowd).is_err());
    }

    #[test]
    fn keys_that_javascript_reserves_are_left_out() {
        let files = json!({"a": {"constructor": 1, "o": {"__proto__": 1, "x": 1}}});
        let root = json!({"$include": "a", "prototype": 1, "n": {"__proto__": 1}});
        assert_eq!(value(root, &files), json!({"o": {"x": 1}, "n": {}}));
    }
}

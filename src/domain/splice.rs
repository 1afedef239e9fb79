//! Byte-faithful edits of JSON and JSON5 texts: one value changes, every other byte stays.
//!
//! Built on the byte ranges of `jsonc-parser`'s syntax tree, not on its `cst`: that one finds the
//! first of two equal keys, while JavaScript lets the last one win, and lays out what it inserts
//! by rules of its own.

mod guard;
mod layout;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;

use jsonc_parser::ast::{Array, Object, Value as Node};
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use serde::de::IgnoredAny;
use serde_json::Value;

use layout::Layout;

/// Where a text is not what it should be: neither the text nor the parser's words are kept,
/// since both may quote a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// The line, counted from 1.
    pub(crate) line: usize,
    /// The column, counted from 1.
    pub(crate) column: usize,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not as expected at line {}, column {}", self.line, self.column)
    }
}

impl std::error::Error for Malformed {}

/// What a text may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// What `JSON.parse` takes.
    Json,
    /// What the `json5` package takes: comments, trailing commas, bare keys.
    Json5,
}

/// A text under the knife.
pub(crate) struct Splice {
    dialect: Dialect,
    bom: bool,
    text: String,
    changed: bool,
}

/// One cut: these bytes go, this text comes.
type Cut = (Range<usize>, String);

/// What stands at a path.
enum Place<'n, 't> {
    /// The value itself.
    There(&'n Node<'t>),
    /// Its object stands and ends here; the rest of the path is missing.
    Missing(&'n Object<'t>, usize),
    /// Before the path ends there is a `null`, as good as nothing.
    Null(&'n Node<'t>, usize),
    /// Before the path ends there is something that holds no members.
    Blocked(&'n Node<'t>),
}

impl Splice {
    /// Takes a text, a byte order mark included, if it is well-formed.
    pub(crate) fn new(text: &str, dialect: Dialect) -> Result<Self, Malformed> {
        let body = text.strip_prefix(BOM).unwrap_or(text);
        parse(body, dialect)?;
        let bom = body.len() < text.len();
        Ok(Self { dialect, bom, text: body.to_owned(), changed: false })
    }

    /// Reads the value at `path`; of equal keys the last one counts.
    pub(crate) fn get(&self, path: &[&str]) -> Option<Value> {
        let root = read(&self.text, self.dialect).ok()?;
        path.iter().try_fold(root, |mut value, name| Some(value.get_mut(*name)?.take()))
    }

    /// Sets the value at `path`, and adds the objects and members that are missing on the way.
    pub(crate) fn set(&mut self, path: &[&str], value: &Value) -> Result<(), Malformed> {
        let root = tree(&self.text)?;
        let layout = Layout::of(&self.text, &root);
        let cuts = match locate(&root, path) {
            Place::There(node) if guard::same(&to_value(node), value) => return Ok(()),
            Place::There(node) => layout.replacement(node, value),
            Place::Null(node, depth) => layout.replacement(node, &wrap(&path[depth..], value)),
            Place::Missing(object, depth) => {
                layout.addition(object, path[depth], &wrap(&path[depth + 1..], value))
            }
            Place::Blocked(node) => return Err(self.position(node)),
        };
        let next = guard::checked(self, &root, cuts, path, Some(value))?;
        self.take(next);
        Ok(())
    }

    /// Removes the member at `path`, each of them if the key stands there more than once.
    pub(crate) fn remove(&mut self, path: &[&str]) -> Result<(), Malformed> {
        let Some((name, parents)) = path.split_last() else { return Ok(()) };
        loop {
            let root = tree(&self.text)?;
            let Place::There(Node::Object(object)) = locate(&root, parents) else { return Ok(()) };
            let Some(index) = position_of(object, name) else { return Ok(()) };
            let cuts = Layout::of(&self.text, &root).removal(object, index);
            let earlier = object.properties[..index].iter().rev();
            let shadowed = earlier.clone().find(|prop| prop.name.as_str() == *name);
            let expected = shadowed.map(|prop| to_value(&prop.value));
            let next = guard::checked(self, &root, cuts, path, expected.as_ref())?;
            self.take(next);
            if expected.is_none() {
                return Ok(());
            }
        }
    }

    /// Puts `value` at the front of the array at `path`, which is added where there is none.
    pub(crate) fn prepend(&mut self, path: &[&str], value: &Value) -> Result<(), Malformed> {
        let root = tree(&self.text)?;
        let (cuts, expected) = match locate(&root, path) {
            Place::There(Node::Array(array)) => {
                let mut expected: Vec<Value> = array.elements.iter().map(to_value).collect();
                if expected.first().is_some_and(|first| guard::same(first, value)) {
                    return Ok(());
                }
                expected.insert(0, value.clone());
                (Layout::of(&self.text, &root).front(array, value), Value::Array(expected))
            }
            Place::There(node) if !matches!(node, Node::NullKeyword(_)) => {
                return Err(self.position(node));
            }
            _ => return self.set(path, &Value::Array(vec![value.clone()])),
        };
        let next = guard::checked(self, &root, cuts, path, Some(&expected))?;
        self.take(next);
        Ok(())
    }

    /// Gives the new text; `None` if nothing changed.
    pub(crate) fn finish(self) -> Option<String> {
        let mark = if self.bom { BOM } else { "" };
        self.changed.then(|| format!("{mark}{}", self.text))
    }

    fn take(&mut self, next: String) {
        self.text = next;
        self.changed = true;
    }

    fn position(&self, node: &Node<'_>) -> Malformed {
        let before = &self.text[..node.start()];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Malformed {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

const BOM: &str = "\u{feff}";

/// Reads a whole text as a value: of equal keys the last one counts, `Infinity` and `NaN` are null.
pub(crate) fn read(text: &str, dialect: Dialect) -> Result<Value, Malformed> {
    let body = text.strip_prefix(BOM).unwrap_or(text);
    match dialect {
        Dialect::Json => serde_json::from_slice(body.as_bytes()).map_err(|error| at(&error)),
        Dialect::Json5 => tree(body).map(|root| to_value(&root)),
    }
}

fn options() -> ParseOptions {
    // Neither JSON.parse nor json5 takes values without a comma between them.
    ParseOptions { allow_missing_commas: false, ..ParseOptions::default() }
}

fn parse(body: &str, dialect: Dialect) -> Result<Node<'_>, Malformed> {
    if dialect == Dialect::Json {
        // jsonc-parser lets control characters in strings pass even at its strictest.
        serde_json::from_slice::<IgnoredAny>(body.as_bytes()).map_err(|error| at(&error))?;
    }
    tree(body)
}

fn at(error: &serde_json::Error) -> Malformed {
    Malformed { line: error.line(), column: error.column() }
}

/// Parses a text that is known to be well-formed in its dialect, or whose dialect is JSON5.
fn tree(body: &str) -> Result<Node<'_>, Malformed> {
    let parsed = parse_to_ast(body, &CollectOptions::default(), &options()).map_err(|error| {
        Malformed { line: error.line_display(), column: error.column_display() }
    })?;
    parsed.value.ok_or(Malformed { line: 1, column: 1 })
}

fn locate<'n, 't>(root: &'n Node<'t>, path: &[&str]) -> Place<'n, 't> {
    let mut node = root;
    for (depth, name) in path.iter().enumerate() {
        let object = match node {
            Node::Object(object) => object,
            Node::NullKeyword(_) => return Place::Null(node, depth),
            _ => return Place::Blocked(node),
        };
        let Some(index) = position_of(object, name) else { return Place::Missing(object, depth) };
        node = &object.properties[index].value;
    }
    Place::There(node)
}

fn position_of(object: &Object<'_>, name: &str) -> Option<usize> {
    object.properties.iter().rposition(|prop| prop.name.as_str() == name)
}

/// Wraps `value` in an object for each key of `path`.
fn wrap(path: &[&str], value: &Value) -> Value {
    path.iter().rev().fold(value.clone(), |inner, name| {
        Value::Object(std::iter::once(((*name).to_owned(), inner)).collect())
    })
}

fn to_value(node: &Node<'_>) -> Value {
    match node {
        Node::StringLit(text) => Value::String(text.value.clone().into_owned()),
        Node::NumberLit(number) => to_number(number.value),
        Node::BooleanLit(truth) => Value::Bool(truth.value),
        Node::NullKeyword(_) => Value::Null,
        Node::Array(Array { elements, .. }) => elements.iter().map(to_value).collect(),
        Node::Object(Object { properties, .. }) => {
            let members = properties.iter();
            members.map(|prop| (prop.name.as_str().to_owned(), to_value(&prop.value))).collect()
        }
    }
}

fn to_number(text: &str) -> Value {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let hex = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
    let plain = match hex.map(|digits| u64::from_str_radix(digits, 16)) {
        Some(number) => number.map(|number| format!("{sign}{number}")).unwrap_or_default(),
        None => format!("{sign}{digits}"),
    };
    // `.5` and `5.` are numbers of JSON5 alone.
    let number = plain.parse().ok().or_else(|| {
        let number = plain.parse::<f64>().ok().filter(|_| plain.contains('.'))?;
        serde_json::Number::from_f64(number)
    });
    number.map_or(Value::Null, Value::Number)
}

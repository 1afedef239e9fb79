//! The guard against bugs of our own: after each edit the text is parsed again, and only the named
//! value may differ.

use crate::domain::order;
use jsonc_parser::ast::Value as Node;
use jsonc_parser::common::Ranged;
use serde_json::Value;

use super::{Cut, Malformed, Place, Splice, locate, parse, to_value};

/// Makes the cuts and gives the new text, if it holds what is `expected` at `path` and nothing else
/// differs. A text that fails here is a bug of ours and is not written.
pub(super) fn checked(
    splice: &Splice,
    before: &Node<'_>,
    mut cuts: Vec<Cut>,
    path: &[&str],
    expected: Option<&Value>,
) -> Result<String, Malformed> {
    order::sort_by_key(&mut cuts, |(range, _)| range.start);
    let mut next = splice.text.clone();
    for (range, text) in cuts.iter().rev() {
        next.replace_range(range.clone(), text);
    }
    let after = parse(&next, splice.dialect)?;
    let found = match locate(&after, path) {
        Place::There(node) => Some(to_value(node)),
        _ => None,
    };
    let as_wanted = match (&found, expected) {
        (Some(found), Some(expected)) => same(found, expected),
        (None, None) => true,
        _ => false,
    };
    if as_wanted && others(&splice.text, before, path) == others(&next, &after, path) {
        return Ok(next);
    }
    debug_assert!(false, "an edit changed more than it should");
    Err(splice.position(before))
}

/// Compares two values, numbers by what they are worth rather than by how they are written.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            a == b || (a.as_i64().is_none() || b.as_i64().is_none()) && a.as_f64() == b.as_f64()
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            let alike = |(key, a): (&String, &Value)| b.get(key).is_some_and(|b| same(a, b));
            a.len() == b.len() && a.iter().all(alike)
        }
        _ => a == b,
    }
}

/// What lies beside the way to the edited value: how deep, its key, and its own bytes.
type Other<'t> = (usize, &'t str, &'t str);

fn others<'t>(text: &'t str, root: &'t Node<'_>, path: &[&str]) -> Vec<Other<'t>> {
    let mut found = Vec::new();
    collect(text, root, path, 0, &mut found);
    found
}

fn collect<'t>(
    text: &'t str,
    node: &'t Node<'_>,
    path: &[&str],
    depth: usize,
    found: &mut Vec<Other<'t>>,
) {
    let Some(step) = path.get(depth) else { return };
    let Node::Object(object) = node else { return };
    for member in &object.properties {
        let name = member.name.as_str();
        if name == *step {
            collect(text, &member.value, path, depth + 1, found);
        } else {
            found.push((depth, name, member.value.text(text)));
        }
    }
}

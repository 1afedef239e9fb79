//! Where an inserted value goes and how it is laid out: as its neighbours are.

use std::ops::Range;

use jsonc_parser::ast::{Array, Object, Value as Node};
use jsonc_parser::common::Ranged;
use serde_json::Value;

use super::Cut;

/// The hand in which a text is written.
pub(super) struct Layout<'t> {
    text: &'t str,
    newline: &'static str,
    /// One step of indentation; `None` where all stands on one line.
    step: Option<String>,
    colon: &'static str,
}

impl<'t> Layout<'t> {
    /// Reads the hand from the text: its first line break, its first indent, its first colon.
    pub(super) fn of(text: &'t str, root: &Node<'_>) -> Self {
        let newline = match text.find('\n') {
            Some(at) if text[..at].ends_with('\r') => "\r\n",
            _ => "\n",
        };
        let first = match root {
            Node::Object(object) => object.properties.first().map(Ranged::start),
            Node::Array(array) => array.elements.first().map(Ranged::start),
            _ => None,
        };
        let step = match first {
            // An empty file: as OpenClaw writes it, `JSON.stringify(.., null, 2)`.
            None => Some("  ".to_owned()),
            Some(at) if starts_line(text, at) => Some(indent(text, at).to_owned()),
            Some(_) => root.text(text).contains('\n').then(|| "  ".to_owned()),
        };
        let tight = first_colon(root).is_some_and(|range| &text[range] == ":");
        Self { text, newline, step, colon: if tight { ":" } else { ": " } }
    }

    /// Puts `value` where `node` stands.
    pub(super) fn replacement(&self, node: &Node<'_>, value: &Value) -> Vec<Cut> {
        let lines = self.step.is_some().then(|| indent(self.text, node.start()));
        vec![(span(node), self.render(value, lines))]
    }

    /// Adds a member behind the last one, and behind the remark that ends the last one's line.
    pub(super) fn addition(&self, object: &Object<'_>, name: &str, value: &Value) -> Vec<Cut> {
        let name = Value::from(name);
        let member =
            |lines: Option<&str>| format!("{name}{}{}", self.colon, self.render(value, lines));
        let close = object.end() - 1;
        let Some(last) = object.properties.last() else {
            return self.filling(object.start() + 1..close, &member);
        };
        let lines = starts_line(self.text, last.start()).then(|| indent(self.text, last.start()));
        let lead = lines.map_or(self.gap().to_owned(), |lines| format!("{}{lines}", self.newline));
        let comma = comma_between(self.text, last.end()..close);
        let from = comma.map_or(last.end(), |at| at + 1);
        // A member on the same line must not land behind a `//`.
        let at = lines.map_or(from, |_| after_remarks(self.text, from..close));
        let tail = if comma.is_some() { "," } else { "" };
        let mut cuts = vec![(at..at, format!("{lead}{}{tail}", member(lines)))];
        if comma.is_none() {
            cuts.insert(0, (last.end()..last.end(), ",".to_owned()));
        }
        cuts
    }

    /// Puts `value` before the first element.
    pub(super) fn front(&self, array: &Array<'_>, value: &Value) -> Vec<Cut> {
        let Some(first) = array.elements.first() else {
            let inside = array.start() + 1..array.end() - 1;
            return self.filling(inside, &|lines| self.render(value, lines));
        };
        let at = first.start();
        let lines = starts_line(self.text, at).then(|| indent(self.text, at));
        let gap = lines.map_or(self.gap().to_owned(), |lines| format!("{}{lines}", self.newline));
        vec![(at..at, format!("{},{gap}", self.render(value, lines)))]
    }

    /// Takes out a member, the comma that goes with it and the line that it had to itself.
    pub(super) fn removal(&self, object: &Object<'_>, index: usize) -> Vec<Cut> {
        let (text, member) = (self.text, &object.properties[index]);
        let mut cut = span(member);
        let mut cuts = Vec::new();
        let next = object.properties.get(index + 1).map_or(object.end() - 1, Ranged::start);
        let before = index.checked_sub(1).map(|index| object.properties[index].end());
        match comma_between(text, cut.end..next) {
            Some(comma) if is_blank(&text[cut.end..comma]) => cut.end = comma + 1,
            Some(comma) => cuts.push((comma..comma + 1, String::new())),
            None => {
                if let Some(comma) = before.and_then(|at| comma_between(text, at..cut.start)) {
                    cuts.push((comma..comma + 1, String::new()));
                    if is_blank(&text[comma + 1..cut.start]) && !starts_line(text, cut.start) {
                        cut.start = comma + 1;
                    }
                }
            }
        }
        let blanks = text[cut.end..].len() - text[cut.end..].trim_start_matches([' ', '\t']).len();
        let rest = &text[cut.end + blanks..];
        let line_end =
            if rest.starts_with("\r\n") { 2 } else { usize::from(rest.starts_with('\n')) };
        if starts_line(text, cut.start) && line_end > 0 {
            cut = cut.start - indent(text, cut.start).len()..cut.end + blanks + line_end;
        } else if next < object.end() - 1 {
            cut.end += blanks;
        }
        cuts.push((cut, String::new()));
        cuts
    }

    /// Fills an object or array that has nothing, or nothing but comments, inside.
    fn filling(&self, inside: Range<usize>, content: &dyn Fn(Option<&str>) -> String) -> Vec<Cut> {
        let Some(step) = &self.step else {
            return vec![(inside.start..inside.start, content(None))];
        };
        let outer = indent(self.text, inside.start);
        let inner = format!("{outer}{step}");
        let content = format!("{}{inner}{}", self.newline, content(Some(&inner)));
        if is_blank(self.text[inside.clone()].trim()) {
            return vec![(inside, format!("{content}{}{outer}", self.newline))];
        }
        vec![(inside.start..inside.start, content)]
    }

    /// Writes a value, on lines below `lines` or all on one line.
    fn render(&self, value: &Value, lines: Option<&str>) -> String {
        let (open, close, items): (_, _, Vec<(String, &Value)>) = match value {
            Value::Array(items) if !items.is_empty() => {
                ('[', ']', items.iter().map(|item| (String::new(), item)).collect())
            }
            Value::Object(items) if !items.is_empty() => {
                let name = |name: &String| format!("{}{}", Value::from(name.as_str()), self.colon);
                ('{', '}', items.iter().map(|(key, item)| (name(key), item)).collect())
            }
            leaf => return leaf.to_string(),
        };
        let step = self.step.as_deref().unwrap_or_default();
        let inner = lines.map(|outer| format!("{outer}{step}"));
        let items: Vec<String> = items
            .into_iter()
            .map(|(name, item)| format!("{name}{}", self.render(item, inner.as_deref())))
            .collect();
        match (lines, inner) {
            (Some(outer), Some(inner)) => {
                let (newline, between) = (self.newline, format!(",{}{inner}", self.newline));
                format!("{open}{newline}{inner}{}{newline}{outer}{close}", items.join(&between))
            }
            _ => format!("{open}{}{close}", items.join(&format!(",{}", self.gap()))),
        }
    }

    fn gap(&self) -> &'static str {
        if self.colon == ":" { "" } else { " " }
    }
}

fn span(node: &impl Ranged) -> Range<usize> {
    node.start()..node.end()
}

fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | b'\t'))
}

/// The blanks that begin the line of `at`.
fn indent(text: &str, at: usize) -> &str {
    let line = &text[text[..at].rfind('\n').map_or(0, |end| end + 1)..at];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// Says whether only blanks stand before `at` on its line, and a line above it.
fn starts_line(text: &str, at: usize) -> bool {
    text[..at].trim_end_matches([' ', '\t']).ends_with('\n')
}

fn first_colon(node: &Node<'_>) -> Option<Range<usize>> {
    match node {
        Node::Object(object) => {
            object.properties.first().map(|prop| prop.name.end()..prop.value.start())
        }
        Node::Array(array) => array.elements.iter().find_map(first_colon),
        _ => None,
    }
}

/// The comma in a stretch that holds nothing but blanks, comments and at most one comma.
fn comma_between(text: &str, stretch: Range<usize>) -> Option<usize> {
    let mut at = stretch.start;
    while at < stretch.end {
        let rest = &text[at..stretch.end];
        if rest.starts_with(',') {
            return Some(at);
        }
        at += comment(rest).or_else(|| rest.chars().next().map(char::len_utf8))?;
    }
    None
}

/// The end of the comments that follow on the same line; the start of the stretch if there are none.
fn after_remarks(text: &str, stretch: Range<usize>) -> usize {
    let mut end = stretch.start;
    loop {
        let rest = &text[end..stretch.end];
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        match comment(&rest[blanks..]) {
            Some(length) if !rest[..blanks + length].contains('\n') => end += blanks + length,
            _ => return end,
        }
    }
}

/// The length of the comment that `text` begins with, without the end of its line.
fn comment(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find(['\n', '\r']).unwrap_or(text.len()));
    }
    text.strip_prefix("/*").map(|rest| rest.find("*/").map_or(text.len(), |end| end + 4))
}

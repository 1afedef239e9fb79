//! THIRD-PARTY: who made the parts of the program, under which licence, and the licences in full.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::Component;

const HEAD: &str = "\
The program oauth-sync contains parts that others have made. Each is listed with
its licence, as an SPDX expression, and after the list stand the texts that come
with them, each once, with the names of the parts that it comes with.
";

/// The file's text.
pub(crate) fn text(components: &[Component]) -> String {
    let mut all = HEAD.to_owned();
    all.push('\n');
    let mut holders: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for component in components {
        let title = title(component);
        writeln!(all, "{title}: {}", component.licence).expect("a text takes more");
        for (_, text) in &component.texts {
            holders.entry(text).or_default().insert(title.clone());
        }
    }
    let mut texts: Vec<_> = holders.into_iter().collect();
    texts.sort_by(|one, other| (&one.1, one.0).cmp(&(&other.1, other.0)));
    for (text, titles) in texts {
        let titles: Vec<String> = titles.into_iter().collect();
        let rule = "=".repeat(80);
        write!(all, "\n{rule}\n{}\n{rule}\n\n{text}\n", titles.join("\n"))
            .expect("a text takes more");
    }
    all
}

/// Name and version.
pub(crate) fn title(component: &Component) -> String {
    format!("{} {}", component.name, component.version).trim_end().to_owned()
}

/// The licence of the whole: one must keep to those of all its parts.
pub(crate) fn conjunction(own: &str, components: &[Component]) -> String {
    let all = components.iter().flat_map(|component| parts(&component.licence));
    let all: BTreeSet<Vec<String>> = all.chain(parts(own)).collect();
    let words = all.iter().map(|choices| match choices.as_slice() {
        [only] => only.clone(),
        several => format!("({})", several.join(" OR ")),
    });
    words.collect::<Vec<_>>().join(" AND ")
}

/// A licence as the parts that all hold, each a list of choices.
pub(crate) fn parts(licence: &str) -> Vec<Vec<String>> {
    let parts =
        licence.split(" AND ").map(|part| part.trim_start_matches('(').trim_end_matches(')'));
    let choices = |part: &str| {
        let mut choices: Vec<String> =
            part.split(" OR ").map(|one| one.trim().to_owned()).collect();
        choices.sort();
        choices
    };
    parts.map(choices).collect()
}

//! The configuration: one file a link, read all at once, with everything that is wrong in one go.

pub(crate) mod edit;
mod fragment;
pub(crate) mod keys;
mod overlap;
pub(crate) mod settings;
mod validate;
mod values;
pub(crate) mod words;

#[cfg(test)]
mod tests;

use crate::domain::order;
use crate::domain::shell::Hint;
use std::fmt;
use std::path::{Path, PathBuf};

pub(crate) use fragment::unknown;
use fragment::{Fault, Fragment, Given};
use settings::Settings;

/// The link that the packages write, and that is meant where none is named.
pub(crate) const DEFAULT: &str = "default";

/// What all configuration files say together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Config {
    /// The links, in the order of their files.
    pub(crate) links: Vec<Settings>,
    /// What the packages' own file leaves open, if it has some keys and is no link yet.
    pub(crate) unfinished: Vec<Problem>,
    /// Everything that is wrong; a file that is named here yields no link.
    pub(crate) problems: Vec<Problem>,
}

/// Something wrong in a configuration file, for a person to mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The file.
    pub(crate) file: PathBuf,
    /// The line, from 1; 0 for the file as a whole.
    pub(crate) line: usize,
    /// What is wrong; shows no value that could be a secret.
    pub(crate) cause: String,
    /// What to do about it, where that can be said.
    pub(crate) hint: Option<Hint>,
}

impl Problem {
    /// Returns whether it is in the file of the link `name`.
    pub(crate) fn is_of(&self, link: &str) -> bool {
        name(&self.file) == link
    }
}

impl fmt::Display for Problem {
    /// Writes `FILE:LINE: cause`, or `FILE: cause`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            return write!(f, "{}: {}", self.file.display(), self.cause);
        }
        write!(f, "{}:{}: {}", self.file.display(), self.line, self.cause)
    }
}

impl std::error::Error for Problem {}

/// Reads the texts of all configuration files.
pub(crate) fn read(files: &[(PathBuf, String)]) -> Config {
    let mut config = Config::default();
    // The links that stand so far, with the lines that say where they write.
    let mut standing: Vec<(Settings, Fragment)> = Vec::new();
    for (file, text) in files {
        let fragment = fragment::parse(text);
        if fragment.is_empty() {
            continue;
        }
        let mut faults = fragment.faults.clone();
        faults.extend(name_fault(&name(file)));
        let link = validate::validate(&name(file), file.clone(), &fragment);
        let link = link.map_err(|wrong| faults.extend(wrong)).ok();
        if let Some(link) = link.filter(|_| faults.is_empty()) {
            match overlaps(&link, &fragment, &standing) {
                Some(fault) => faults.push(fault),
                None => standing.push((link, fragment)),
            }
        }
        order::sort_by_key(&mut faults, |fault| fault.line);
        // Half of it may have been answered before there was a login: that one waits for the rest.
        let waits = name(file) == DEFAULT && faults.iter().all(|fault| fault.is_gap);
        let list = if waits { &mut config.unfinished } else { &mut config.problems };
        list.extend(faults.into_iter().map(|fault| Problem {
            file: file.clone(),
            line: fault.line,
            cause: fault.cause,
            hint: fault.hint,
        }));
    }
    config.links = standing.into_iter().map(|(link, _)| link).collect();
    config
}

/// Gives the link's name: the file's own, without what follows its last dot.
fn name(file: &Path) -> String {
    file.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// What is wrong with the name of a link, if something is.
pub(crate) fn name_problem(name: &str, file: &Path) -> Option<Problem> {
    let fault = name_fault(name)?;
    let cause = format!("'{name}' is no name of a link");
    Some(Problem { file: file.to_owned(), line: 0, cause, hint: fault.hint })
}

/// The name becomes part of file names in the state directory: it must not lead out of it.
fn name_fault(name: &str) -> Option<Fault> {
    let sound = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if !name.is_empty() && !name.starts_with(['.', '-']) && name.chars().all(sound) {
        return None;
    }
    let fault = Fault::new(1, "the file's name is no name of a link");
    Some(fault.hint("use letters, digits, '.', '_' and '-', beginning with a letter or a digit"))
}

/// Finds a place that the link would write beside another link, or twice itself.
fn overlaps(
    link: &Settings,
    fragment: &Fragment,
    standing: &[(Settings, Fragment)],
) -> Option<Fault> {
    // A path that no line names is a default below the state folder.
    let line_of = |fragment: &Fragment, key: &str| {
        let set = |key: &str| fragment.entry(key).filter(|entry| entry.given != Given::Nothing);
        set(key).or_else(|| set("OPENCLAW_STATE_DIR")).map_or(1, |entry| entry.line)
    };
    if let Some(found) = overlap::within(link) {
        let cause = format!("'{}' is used by {} already", found.ours.path.display(), found.theirs);
        return Some(Fault::new(line_of(fragment, found.ours.key), cause));
    }
    let (found, other, lines) = standing.iter().find_map(|(other, lines)| {
        overlap::between(link, other).map(|found| (found, other, lines))
    })?;
    let place = format!("{}:{}", other.file.display(), line_of(lines, found.theirs));
    let cause = format!("'{}' is used by {place} already", found.ours.path.display());
    let fault = Fault::new(line_of(fragment, found.ours.key), cause);
    let by_default = found.ours.key == "COMPOSE_DIR";
    Some(if by_default { fault.hint("name a file of its own with ENV_FILE") } else { fault })
}

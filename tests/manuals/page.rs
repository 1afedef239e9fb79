//! A manual page in mdoc(7), taken apart as far as the tests need it.

use crate::text_of;

/// One item of a tagged list, or a section: its head line and the lines below.
#[derive(Clone, Debug, Default)]
pub(crate) struct Block {
    pub(crate) head: String,
    pub(crate) lines: Vec<String>,
}

impl Block {
    /// The words of the head, without its macros.
    pub(crate) fn words(&self) -> Vec<&str> {
        self.head.split_whitespace().collect()
    }

    /// The text below the head, macros dropped, in one line.
    pub(crate) fn text(&self) -> String {
        let lines = self.lines.iter().map(|line| plain(line));
        lines.collect::<Vec<_>>().join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The long options that are named here, without their dashes.
    pub(crate) fn options(&self) -> Vec<String> {
        let all = std::iter::once(&self.head).chain(&self.lines);
        let mut options: Vec<String> = all.flat_map(|line| options_in(line)).collect();
        options.sort();
        options.dedup();
        options
    }
}

/// The sections of a page by their titles.
pub(crate) fn sections(page: &str) -> Vec<Block> {
    split(&text_of(page).lines().map(str::to_owned).collect::<Vec<_>>(), ".Sh ")
}

/// The section with a title.
#[track_caller]
pub(crate) fn section(page: &str, title: &str) -> Block {
    let found = sections(page).into_iter().find(|section| section.head == title);
    found.unwrap_or_else(|| panic!("{page} has no section {title}"))
}

/// The items of a section's lists.
pub(crate) fn items(section: &Block) -> Vec<Block> {
    split(&section.lines, ".It ")
}

fn split(lines: &[String], macro_name: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for line in lines {
        match (line.strip_prefix(macro_name), blocks.last_mut()) {
            (Some(head), _) => blocks.push(Block { head: head.to_owned(), lines: Vec::new() }),
            (None, Some(block)) => block.lines.push(line.clone()),
            (None, None) => {}
        }
    }
    blocks
}

/// `.Op Fl -dry-run` and `.It Fl q , -quiet` name `dry-run` and `quiet`.
fn options_in(line: &str) -> Vec<String> {
    if !line.contains("Fl ") {
        return Vec::new();
    }
    let words = line.split_whitespace().filter_map(|word| word.strip_prefix('-'));
    words.filter(|word| word.len() > 1).map(str::to_owned).collect()
}

/// A line of text as it reads: `.Li cli api .` says `cli api.`
fn plain(line: &str) -> String {
    let Some(rest) = line.strip_prefix('.') else { return line.to_owned() };
    let (name, words) = rest.split_once(' ').unwrap_or((rest, ""));
    match name {
        "Li" | "Ev" | "Pa" | "Cm" | "Ic" | "Ar" | "Dl" => {
            words.strip_suffix(" .").map_or(words.to_owned(), |words| format!("{words}."))
        }
        _ => words.to_owned(),
    }
}

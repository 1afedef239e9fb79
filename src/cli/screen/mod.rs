//! `status` on a terminal: a picture, drawn from a value so that it can be looked at in a test.

mod paint;
#[cfg(test)]
mod tests;
mod view;

pub(crate) use view::of;

use crate::domain::health::Level;
use crate::os::terminal::Abilities;
use paint::{Painter, length};

/// What is drawn of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    /// Its name.
    pub(crate) name: String,
    /// How it fares.
    pub(crate) level: Level,
    /// The same in a few words.
    pub(crate) verdict: String,
    /// What stands below it.
    pub(crate) rows: Vec<Row>,
}

/// A line, or a few, with a word in front.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// The word in front; empty where the row belongs to the one above.
    pub(crate) label: &'static str,
    /// What is drawn before the text.
    pub(crate) sign: Sign,
    /// The text.
    pub(crate) text: String,
    /// A path that goes with it.
    pub(crate) path: Option<String>,
}

/// What is drawn before a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    /// Nothing.
    None,
    /// How well it fares.
    Mark(Level),
    /// How much of a time is left, in thousandths, and how well that fares.
    Bar(u16, Level),
    /// What the last days brought, today last.
    Days(Vec<Day>),
}

/// How many days are drawn.
pub(crate) const DAYS: usize = 30;

/// What a day brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Day {
    /// How often the login was renewed.
    pub(crate) renewed: u32,
    /// Whether a renewal failed.
    pub(crate) has_failed: bool,
}

/// The width of the words in front.
const LABEL: usize = 14;

/// Below this width the words in front get lines of their own.
const NARROW: usize = 44;

/// The longest bar, and the shortest that still says something.
const BAR: (usize, usize) = (24, 6);

/// Draws all links.
pub(crate) fn draw(links: &[Link], terminal: Abilities) -> String {
    let painter = Painter { colour: terminal.colour, unicode: terminal.unicode };
    let mut drawn = String::new();
    for (at, link) in links.iter().enumerate() {
        // Links of one line stand close together.
        if at > 0 && !(link.rows.is_empty() && links[at - 1].rows.is_empty()) {
            drawn.push('\n');
        }
        drawn.push_str(&one(link, &painter, terminal.width.max(16)));
    }
    drawn
}

fn one(link: &Link, painter: &Painter, width: usize) -> String {
    let head = format!("{} {}", painter.mark(link.level), painter.bold(&link.name));
    let indent = 2 + length(&link.name) + 2;
    let room = width.saturating_sub(indent).max(12);
    let verdict = if link.rows.is_empty() {
        vec![painter.cut(&link.verdict, room)]
    } else {
        wrapped(&link.verdict, room)
    };
    let mut lines = vec![format!("{head}  {}", painter.level(link.level, &verdict[0]))];
    let rest = verdict.iter().skip(1);
    lines.extend(rest.map(|line| format!("{:indent$}{}", "", painter.level(link.level, line))));
    let bar = bar_width(&link.rows, width);
    for row in &link.rows {
        lines.extend(row_lines(row, painter, width, bar));
    }
    lines.into_iter().map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// The width of all bars, so that they can be compared; 0 where the text of one leaves no room.
fn bar_width(rows: &[Row], width: usize) -> usize {
    let indent = if width < NARROW { 4 } else { 2 + LABEL };
    let bars = rows.iter().filter(|row| matches!(row.sign, Sign::Bar(..)));
    let room = bars.map(|row| width.saturating_sub(indent + length(&row.text) + 1)).min();
    room.map_or(0, |room| if room < BAR.1 { 0 } else { room.min(BAR.0) })
}

fn row_lines(row: &Row, painter: &Painter, width: usize, bar: usize) -> Vec<String> {
    let narrow = width < NARROW;
    let (first, indent) = match (narrow, row.label.is_empty()) {
        (true, true) => (None, 4),
        (true, false) => (Some(format!("  {}", painter.dim(row.label))), 4),
        (false, _) => (None, 2 + LABEL),
    };
    let label = if narrow { String::new() } else { format!("{:<LABEL$}", row.label) };
    let room = width.saturating_sub(indent).max(8);
    let (sign, taken) = sign(row, painter, (bar, room));
    let words = wrapped(&row.text, room.saturating_sub(taken).max(8));
    let mut lines: Vec<String> = first.into_iter().collect();
    for (at, words) in words.iter().enumerate() {
        let front = match (at, narrow) {
            (0, false) => format!("  {}{sign}", painter.dim(&label)),
            (0, true) => format!("{:indent$}{sign}", ""),
            _ => format!("{:1$}", "", indent + taken),
        };
        lines.push(format!("{front}{words}"));
    }
    if let Some(path) = &row.path {
        let last = lines.len() - 1;
        let drawn = indent + taken + words.last().map_or(0, |line| length(line)) + 2;
        if drawn + length(path) <= width {
            lines[last].push_str("  ");
            lines[last].push_str(&painter.dim(path));
        } else {
            let at = indent + taken.min(2);
            let path = painter.shortened(path, width.saturating_sub(at).max(8));
            lines.push(format!("{:at$}{}", "", painter.dim(&path)));
        }
    }
    lines
}

/// The sign and how many columns it takes.
fn sign(row: &Row, painter: &Painter, (bar, room): (usize, usize)) -> (String, usize) {
    match &row.sign {
        Sign::Mark(level) => (format!("{} ", painter.mark(*level)), 2),
        Sign::Bar(left, level) if bar > 0 => {
            (format!("{} ", painter.bar(*left, bar, *level)), bar + 1)
        }
        Sign::Days(days) => (painter.days(&days[days.len().saturating_sub(room)..]), 0),
        Sign::None | Sign::Bar(..) => (String::new(), 0),
    }
}

/// Breaks a text between words; a word that is longer than a line stays whole.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last_mut().expect("there is always one");
        if !last.is_empty() && length(last) + 1 + length(word) > width {
            lines.push(word.to_owned());
        } else {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    lines
}

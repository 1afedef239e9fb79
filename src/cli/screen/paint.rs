//! Colours, marks and bars, as far as the terminal shows them.

use crate::cli::screen::Day;
use crate::domain::health::Level;

/// How things are painted.
pub(super) struct Painter {
    /// Whether in colour.
    pub(super) colour: bool,
    /// Whether with more than ASCII.
    pub(super) unicode: bool,
}

/// How many columns a text takes.
pub(super) fn length(text: &str) -> usize {
    text.chars().count()
}

impl Painter {
    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour && !text.is_empty() {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    pub(super) fn bold(&self, text: &str) -> String {
        self.paint("1", text)
    }

    pub(super) fn dim(&self, text: &str) -> String {
        self.paint("2", text)
    }

    pub(super) fn level(&self, level: Level, text: &str) -> String {
        self.paint(code(level), text)
    }

    /// A sign that says the same without its colour.
    pub(super) fn mark(&self, level: Level) -> String {
        let mark = match (level, self.unicode) {
            (Level::Fine, true) => "✓",
            (Level::Fine, false) => "+",
            (Level::Soon, _) => "!",
            (Level::Wrong, true) => "✗",
            (Level::Wrong, false) => "x",
            (Level::Unknown, _) => "?",
        };
        self.level(level, mark)
    }

    /// A bar of `width` columns, `left` thousandths of it full.
    pub(super) fn bar(&self, left: u16, width: usize, level: Level) -> String {
        let full = (usize::from(left.min(1000)) * width).div_ceil(1000).min(width);
        let (on, off) = if self.unicode { ("█", "░") } else { ("#", "-") };
        self.level(level, &on.repeat(full)) + &self.dim(&off.repeat(width - full))
    }

    /// A column a day: the higher the more renewals, with failures marked.
    pub(super) fn days(&self, days: &[Day]) -> String {
        let heights = if self.unicode { "▁▂▃▄▅▆▇█" } else { "12345678" };
        let top = heights.chars().count();
        let column = |day: &Day| match usize::try_from(day.renewed).unwrap_or(top) {
            _ if day.has_failed => self.mark_of_failure(),
            0 => self.dim("."),
            count => {
                let height = heights.chars().nth(count.min(top) - 1);
                self.level(Level::Fine, &height.into_iter().collect::<String>())
            }
        };
        days.iter().map(column).collect()
    }

    /// Nothing is wrong any more, but it was.
    fn mark_of_failure(&self) -> String {
        self.level(Level::Soon, if self.unicode { "✗" } else { "x" })
    }

    /// The end of a path that does not fit: its name says more than where it begins.
    pub(super) fn shortened(&self, path: &str, room: usize) -> String {
        let count = length(path);
        if count <= room {
            return path.to_owned();
        }
        let kept = path.chars().skip(count - room.saturating_sub(length(self.dots())));
        self.dots().chars().chain(kept).collect()
    }

    /// The beginning of a text that does not fit.
    pub(super) fn cut(&self, text: &str, room: usize) -> String {
        if length(text) <= room {
            return text.to_owned();
        }
        let kept = text.chars().take(room.saturating_sub(length(self.dots())));
        kept.chain(self.dots().chars()).collect()
    }

    fn dots(&self) -> &'static str {
        if self.unicode { "…" } else { "..." }
    }
}

fn code(level: Level) -> &'static str {
    match level {
        Level::Fine => "32",
        Level::Soon => "33",
        Level::Wrong => "31",
        Level::Unknown => "35",
    }
}

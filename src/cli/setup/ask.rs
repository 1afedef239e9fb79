//! Questions at the terminal, and what may be answered.

use crate::cli::render::{answer, ask};
use crate::os::terminal;

/// What somebody said to a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// Do it.
    Yes,
    /// Do not, and go on.
    No,
    /// Go back to the step before.
    Back,
    /// Leave.
    Quit,
}

/// What somebody typed, or one of the ways out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// This.
    Text(String),
    /// Go back to the step before.
    Back,
    /// Leave.
    Quit,
}

/// Asks, or takes every proposal by itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker {
    /// Whether all proposals are taken without asking.
    pub(super) yes: bool,
}

impl Asker {
    /// Asks whether something is to be done; only a yes is a yes, and Enter is none.
    pub(super) fn may(self, question: &str) -> Said {
        self.ask(question, true)
    }

    /// As [`Asker::may`], for what costs or loses something: `--yes` does not mean it.
    pub(super) fn may_costly(self, question: &str) -> Said {
        self.ask(question, false)
    }

    fn ask(self, question: &str, proposed: bool) -> Said {
        if self.yes {
            let said = if proposed { "yes" } else { "no" };
            answer([format!("  {question} {said}")]);
            return if proposed { Said::Yes } else { Said::No };
        }
        loop {
            let Some(line) = prompt(&format!("  {question} [y/n, b back, q quit] ")) else {
                return Said::Quit;
            };
            match said(&line) {
                Some(said) => return said,
                None => answer(["  y does it, n or s skips it, b goes back, q leaves"]),
            }
        }
    }

    /// Asks for a text; Enter takes what is proposed.
    pub(super) fn text(self, question: &str, proposed: &str) -> Typed {
        if self.yes {
            answer([format!("  {question} {proposed}")]);
            return Typed::Text(proposed.to_owned());
        }
        answer([format!("  {question}")]);
        let proposal = if proposed.is_empty() { String::new() } else { format!("{proposed}, ") };
        match prompt(&format!("  [{proposal}b back, q quit] ")).as_deref() {
            None | Some("q" | "quit") => Typed::Quit,
            Some("b" | "back") => Typed::Back,
            Some("") => Typed::Text(proposed.to_owned()),
            Some(line) => Typed::Text(line.to_owned()),
        }
    }
}

fn said(line: &str) -> Option<Said> {
    match line.to_ascii_lowercase().as_str() {
        "y" | "yes" => Some(Said::Yes),
        "n" | "no" | "s" | "skip" => Some(Said::No),
        "b" | "back" => Some(Said::Back),
        "q" | "quit" => Some(Said::Quit),
        _ => None,
    }
}

fn prompt(question: &str) -> Option<String> {
    ask(question);
    let line = terminal::read_line();
    if line.is_none() {
        answer([""]);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_a_yes() {
        for (line, means) in [
            ("y", Some(Said::Yes)),
            ("YES", Some(Said::Yes)),
            ("skip", Some(Said::No)),
            ("b", Some(Said::Back)),
            ("quit", Some(Said::Quit)),
            ("", None),
            ("yy", None),
            ("ok", None),
        ] {
            assert_eq!(said(line), means, "{line}");
        }
    }
}

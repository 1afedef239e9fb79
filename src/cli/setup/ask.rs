//! Questions at the terminal, and what may be answered.

use crate::cli::output::{answer, ask};
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

/// How often a question is put to somebody who answers something else.
const ATTEMPTS: u32 = 3;

/// Asks, or takes every proposal by itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker {
    /// Whether all proposals are taken without asking.
    pub(super) yes: bool,
}

impl Asker {
    /// Asks whether something is to be done; Enter takes what stands in capitals, here the yes.
    pub(super) fn may(self, question: &str) -> Said {
        self.ask(question, true)
    }

    /// As [`Asker::may`], for what costs or loses something: neither Enter nor `--yes` means it.
    pub(super) fn may_costly(self, question: &str) -> Said {
        self.ask(question, false)
    }

    fn ask(self, question: &str, proposed: bool) -> Said {
        if self.yes {
            let said = if proposed { "yes" } else { "no" };
            answer([format!("  {question} {said}")]);
            return if proposed { Said::Yes } else { Said::No };
        }
        let choice = if proposed { "Y/n" } else { "y/N" };
        for _ in 0..ATTEMPTS {
            let Some(line) = prompt(&format!("  {question} [{choice}, b back, q quit] ")) else {
                return Said::Quit;
            };
            match said(&line, proposed) {
                Some(said) => return said,
                None => answer(["  y does it, n or s skips it, b goes back, q leaves"]),
            }
        }
        answer(["  that is no answer: it is skipped"]);
        Said::No
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

fn said(line: &str, proposed: bool) -> Option<Said> {
    match line.trim().to_ascii_lowercase().as_str() {
        "" => Some(if proposed { Said::Yes } else { Said::No }),
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
    fn enter_takes_the_default_and_nothing_else_is_a_yes() {
        assert_eq!((said("", true), said(" ", false)), (Some(Said::Yes), Some(Said::No)));
        for (line, means) in [
            ("y", Some(Said::Yes)),
            ("YES", Some(Said::Yes)),
            ("skip", Some(Said::No)),
            ("b", Some(Said::Back)),
            ("quit", Some(Said::Quit)),
            ("yy", None),
            ("ok", None),
        ] {
            assert_eq!(said(line, true), means, "{line}");
        }
    }
}

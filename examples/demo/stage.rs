//! What the onlooker sees: headings, tables, and claims that were checked. Plain text, so that it reads
//! the same on a terminal, in a pipe and aloud; bold only on a terminal that wants colour.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::time::Duration;

/// How long anything that is waited for may take; the whole ends within 30 s.
pub(crate) const PATIENCE: Duration = Duration::from_secs(6);

/// Says what is about to be shown.
pub(crate) fn opening(root: &Path) {
    println!("oauth-sync, demonstrated on invented tokens in {}", root.display());
    println!("Tokens are never shown: eight digits of a keyed fingerprint tell them apart.");
}

/// Says that everything was shown.
pub(crate) fn closing() {
    println!("\nAll of it happened as claimed, and the scratch folder is gone.");
}

/// Begins a part.
pub(crate) fn part(title: &str) {
    let wants_colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let (bold, plain) =
        if io::stdout().is_terminal() && wants_colour { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
    println!("\n{bold}{title}{plain}");
}

/// Says one thing.
pub(crate) fn say(text: &str) {
    println!("  {text}");
}

/// Says something that was checked; ends the demonstration if it is not so.
pub(crate) fn claim(holds: bool, text: &str) -> io::Result<()> {
    if holds {
        println!("  ok  {text}");
        return Ok(());
    }
    Err(io::Error::other(format!("this did not happen: {text}")))
}

/// Shows each sink before and after.
pub(crate) fn table(rows: &[(String, String, String)]) {
    let width = rows.iter().map(|(name, ..)| name.len()).max().unwrap_or(0);
    println!("      {:width$}  before    after", "sink");
    for (name, before, after) in rows {
        println!("      {name:width$}  {before:8}  {after}");
    }
}

/// Shows what the program said, without the name of the scratch folder.
pub(crate) fn quote(said: &str, root: &Path) {
    let root = format!("{}/", root.display());
    for line in said.lines() {
        println!("      | {}", line.replace(&root, ""));
    }
}

/// A time as a person reads it.
pub(crate) fn ms(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

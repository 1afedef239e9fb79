//! What a person is told to do: commands that are safe to paste as they stand, whatever the names
//! and paths in them are.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::visible::{is_plain, visible_bytes};

/// A command, or advice with words of a shell in it.
///
/// Only the program's own text gets into it as it is; everything else becomes one word, quoted. With
/// a word that a terminal does not take as it is there is no command at all, but the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hint {
    text: String,
    /// Why no command is shown.
    refusal: Option<String>,
    /// Whether it is more than one program and its words.
    is_compound: bool,
}

/// A user as whom a command has to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    /// The user id; root's commands stay as they are.
    pub(crate) uid: u32,
    /// The primary group.
    pub(crate) gid: u32,
    /// The name of the account, if there is one.
    pub(crate) name: Option<String>,
    /// What is the home of a user without an account.
    pub(crate) home: PathBuf,
}

impl Hint {
    /// Begins with words of our own, which may be any shell syntax.
    pub(in crate::domain) fn new(words: &'static str) -> Self {
        Self { text: words.to_owned(), refusal: None, is_compound: is_syntax(words) }
    }

    /// Goes on with words of our own.
    pub(in crate::domain) fn then(mut self, words: &'static str) -> Self {
        self.is_compound |= is_syntax(words);
        self.push(words)
    }

    /// Goes on with words of our own, without a blank before them.
    pub(in crate::domain) fn glued(mut self, words: &'static str) -> Self {
        self.is_compound |= is_syntax(words);
        self.text += words;
        self
    }

    /// Adds a word that anybody may have written; one that would be taken for an option is refused.
    pub(in crate::domain) fn arg(self, word: impl AsRef<OsStr>) -> Self {
        let word = word.as_ref();
        if word.as_encoded_bytes().starts_with(b"-") {
            return self.refused(word, "begins with '-'");
        }
        self.quoted(word, "", "")
    }

    /// Adds several such words.
    pub(in crate::domain) fn args<T: AsRef<OsStr>>(
        self,
        words: impl IntoIterator<Item = T>,
    ) -> Self {
        words.into_iter().fold(self, Self::arg)
    }

    /// Adds several such words with commas between them.
    pub(in crate::domain) fn list<T: AsRef<OsStr>>(
        self,
        words: impl IntoIterator<Item = T>,
    ) -> Self {
        let add = |(hint, between): (Self, _), word| (hint.glued(between).arg(word), ",");
        words.into_iter().fold((self, ""), add).0
    }

    /// Adds a path; a relative one cannot be taken for an option.
    pub(in crate::domain) fn path(self, path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        let is_option = path.as_os_str().as_encoded_bytes().starts_with(b"-");
        if is_option { self.arg(Path::new(".").join(path)) } else { self.arg(path) }
    }

    /// Adds such a word after words of our own and without a blank between: `NAME=word`.
    pub(in crate::domain) fn glue(self, before: &'static str, word: impl AsRef<OsStr>) -> Self {
        self.quoted(word.as_ref(), before, "")
    }

    /// Adds such a word with words of our own right after it: `user@`.
    pub(in crate::domain) fn glue_after(
        self,
        word: impl AsRef<OsStr>,
        after: &'static str,
    ) -> Self {
        self.quoted(word.as_ref(), "", after)
    }

    /// The same on both sides: `x/word/y`.
    pub(in crate::domain) fn glue_both(
        self,
        before: &'static str,
        word: impl AsRef<OsStr>,
        after: &'static str,
    ) -> Self {
        let is_compound = self.is_compound || is_syntax(after);
        Self { is_compound, ..self.quoted(word.as_ref(), before, after) }
    }

    /// Goes on with all words of another command, as a program does that runs it.
    pub(in crate::domain) fn followed_by(self, other: Self) -> Self {
        other.after(self)
    }

    /// Puts words of the configuration in the place of the program's name.
    pub(in crate::domain) fn instead_of(self, name: &str, words: &[String]) -> Self {
        let rest = self.text.strip_prefix(name).unwrap_or(&self.text).trim_start().to_owned();
        let words = words.iter().fold(Self::new(""), |hint, word| hint.glue("", word));
        let refusal = words.refusal.clone().or(self.refusal);
        Self { refusal, ..words.push(&rest) }
    }

    /// Adds a number right after words of our own.
    pub(in crate::domain) fn number(self, before: &'static str, number: impl Into<u64>) -> Self {
        self.push(&format!("{before}{}", number.into()))
    }

    /// Adds a user as chown(1) takes one, with the group.
    pub(in crate::domain) fn owner(self, user: &User) -> Self {
        match &user.name {
            // The group of the account.
            Some(name) => self.glue_after(name, ":"),
            None => self.push(&format!("{}:{}", user.uid, user.gid)),
        }
    }

    /// Goes on with another command after this one has been successful.
    pub(crate) fn and(self, other: Self) -> Self {
        let refusal = self.refusal.or(other.refusal);
        Self { text: format!("{} && {}", self.text, other.text), refusal, is_compound: true }
    }

    /// Has it run in a directory that somebody else may move meanwhile, and nowhere else: `real` is
    /// its path without links, and names below it begin with `./`.
    pub(crate) fn within(self, real: &Path) -> Self {
        let entered = Self::new("( cd -P").path(real);
        let proven = Self::new("test \"$(pwd -P)\" =").path(real);
        let mut all = entered.and(proven).and(self);
        all.text += " )";
        all
    }

    /// Has it run with the rights of a user, by `sh`, whatever the user's shell is.
    pub(crate) fn run_by(self, user: &User) -> Self {
        self.run_after("runuser --pty -s /bin/sh -l", user)
    }

    /// Has it run as if the user had logged in: with the user's own `PATH` and shell.
    pub(crate) fn run_at_login_of(self, user: &User) -> Self {
        self.run_after("runuser --pty -l", user)
    }

    /// A login gets nothing of root's environment, and `--pty` a terminal of its own: a process or a
    /// profile of the user's that types, or reads on, does so there and not at root's.
    fn run_after(self, login: &'static str, user: &User) -> Self {
        match &user.name {
            _ if user.uid == 0 => self,
            Some(name) => Self::new(login).arg(name).then("-c").before_text(&self),
            None => self.run_by_number(user),
        }
    }

    /// runuser(1) knows no user without an account.
    fn run_by_number(self, user: &User) -> Self {
        let User { uid, gid, home, .. } = user;
        let prefix = "runuser --pty -u root -- env -i TERM=\"$TERM\" PATH=\"$PATH\"";
        let drop = format!("setpriv --reuid={uid} --regid={gid} --clear-groups");
        Self::new(prefix).quoted(home.as_os_str(), "HOME=", "").push(&drop).before(self)
    }

    fn after(self, first: Self) -> Self {
        let refusal = first.refusal.clone().or(self.refusal);
        let is_compound = first.is_compound || self.is_compound;
        Self { refusal, is_compound, ..first.push(&self.text) }
    }

    /// Puts a program in front that runs another one.
    fn before(self, run: Self) -> Self {
        if run.is_compound {
            return self.then("sh -c").before_text(&run);
        }
        let refusal = run.refusal.or(self.refusal.clone());
        Self { refusal, is_compound: false, ..self.push(&run.text) }
    }

    /// Puts a shell in front that gets a command as one word.
    fn before_text(self, run: &Self) -> Self {
        let refusal = run.refusal.clone().or(self.refusal.clone());
        Self { refusal, is_compound: false, ..self.quoted(OsStr::new(&run.text), "", "") }
    }

    fn push(mut self, words: &str) -> Self {
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.text += words;
        self
    }

    fn quoted(self, word: &OsStr, before: &str, after: &str) -> Self {
        match word.to_str().filter(|_| is_plain(word)).and_then(|word| shlex::try_quote(word).ok())
        {
            Some(quoted) => self.push(&format!("{before}{quoted}{after}")),
            None if word.to_str().is_some() => self.refused(word, "has control characters in it"),
            None => self.refused(word, "has bytes in it that are no text"),
        }
    }

    fn refused(mut self, word: &OsStr, why: &str) -> Self {
        let refusal = || format!("no command is shown: '{}' {why}", visible_bytes(word));
        self.refusal.get_or_insert_with(refusal);
        self
    }
}

impl From<&'static str> for Hint {
    fn from(words: &'static str) -> Self {
        Self::new(words)
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.refusal.as_deref().unwrap_or(&self.text))
    }
}

impl Serialize for Hint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What was remembered was a hint before.
impl<'de> Deserialize<'de> for Hint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(Self { text, refusal: None, is_compound: true })
    }
}

/// Says whether words are more than a program's name and its arguments.
fn is_syntax(words: &str) -> bool {
    words.contains(['&', ';', '|', '<', '>', '$', '*', '"', '\'', '('])
}

//! Which OpenClaw this is, as far as its stores are concerned.
//!
//! The ranges were found by running or reading the programs of 2026.1.30 to 2026.9.6.

mod rules;

use std::fmt;

pub(crate) use rules::{Choice, Need, Trace, auto_sinks, gateway_need, refusal};

/// A version of OpenClaw: year, month, and a number that was the day until 2026.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Version {
    year: u16,
    month: u16,
    number: u16,
    build: Build,
}

/// What stands behind the three numbers, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Build {
    /// `-beta.1`, `-alpha.2`, `-rc.3`.
    Pre(u16),
    /// Nothing, or a word that names no version, as in an image's `-slim`.
    Release,
    /// `-1`: the same release, packed again.
    Again(u16),
}

impl Version {
    /// The first version with file `SecretRef`s, `secrets reload` and a snapshot of the stores.
    pub(crate) const SNAPSHOT: Self = Self::release(2026, 2, 26);
    /// The first version that takes no credentials from the `.env` of its working directory (2026.3.13 does).
    pub(crate) const OWN_DOTENV: Self = Self::release(2026, 4, 1);
    /// The first version that keeps profiles in `SQLite`.
    pub(crate) const SQLITE: Self = Self::release(2026, 6, 1);
    /// The first version that refuses to work beside a JSON store.
    pub(crate) const GUARDED: Self = Self::release(2026, 8, 1);
    /// The first version whose `paste-token` is known to tell the running gateway
    /// (`models.authRefresh`; absent in 2026.9.1, those between were not seen).
    pub(crate) const AUTH_REFRESH: Self = Self::release(2026, 9, 6);

    const fn release(year: u16, month: u16, number: u16) -> Self {
        Self { year, month, number, build: Build::Release }
    }

    /// Finds the version in `2026.2.25`, `v2026.9.6`, `OpenClaw 2026.9.6 (eb377ac)`, an image's
    /// name or a package's.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        text.split([' ', '\t', '\n', '\r', '@', ':', '/', '(', ')']).find_map(Self::parse_word)
    }

    fn parse_word(word: &str) -> Option<Self> {
        let word = word.strip_prefix('v').unwrap_or(word);
        let (numbers, suffix) = word.split_once(['-', '+']).unwrap_or((word, ""));
        let mut numbers = numbers.split('.').map(number);
        let (year, month, number) = (numbers.next()??, numbers.next()??, numbers.next()??);
        let sane = (2020..2100).contains(&year) && (1..=12).contains(&month);
        (sane && numbers.next().is_none()).then(|| Self {
            year,
            month,
            number,
            build: Build::parse(suffix),
        })
    }

    /// The era of this version; one before a release counts as that release, since what makes the
    /// difference is already in it.
    pub(crate) fn era(self) -> Era {
        let Self { year, month, number, .. } = self;
        match Self::release(year, month, number) {
            base if base >= Self::GUARDED => Era::Guarded,
            base if base >= Self::SQLITE => Era::Imported,
            base if base >= Self::SNAPSHOT => Era::Snapshot,
            _ => Era::Live,
        }
    }
}

impl Build {
    fn parse(suffix: &str) -> Self {
        let mut parts = suffix.split(['.', '-']);
        let first = parts.next().unwrap_or_default();
        match first {
            "alpha" | "beta" | "rc" => Self::Pre(parts.next().and_then(number).unwrap_or(0)),
            _ => number(first).map_or(Self::Release, Self::Again),
        }
    }
}

fn number(text: &str) -> Option<u16> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.year, self.month, self.number)?;
        match self.build {
            Build::Pre(number) => write!(f, "-beta.{number}"),
            Build::Release => Ok(()),
            Build::Again(number) => write!(f, "-{number}"),
        }
    }
}

/// A range of versions that treat their stores alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Era {
    /// Up to 2026.2.25: `auth-profiles.json` is the store, reread at each turn.
    Live,
    /// 2026.2.26 to 2026.5.x: the same store, but a running gateway keeps a snapshot of it.
    Snapshot,
    /// 2026.6.1 to 2026.7.x: profiles are in `SQLite`; the JSON files are at most imported once.
    Imported,
    /// From 2026.8.1 on: a JSON store that stands there makes OpenClaw refuse to work.
    Guarded,
    /// No evidence at all.
    Unknown,
}

/// Who names a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Witness {
    /// `openclaw --version`.
    Program,
    /// The program's package.json.
    Package,
    /// The image of its container.
    Image,
    /// `meta.lastTouchedVersion` in openclaw.json.
    LastTouched,
    /// An `SQLite` store under the state folder.
    SqliteStore,
    /// `OPENCLAW_VERSION` in our own configuration.
    Configured,
}

/// One version that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Evidence {
    /// The version.
    pub(crate) version: Version,
    /// Whether it may be newer than that.
    pub(crate) at_least: bool,
    /// Who names it.
    pub(crate) by: Witness,
}

/// Which OpenClaw it is, and why we think so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// The era.
    pub(crate) era: Era,
    /// The version behind it, if any is known.
    pub(crate) version: Option<Version>,
    /// The reason, for a person.
    pub(crate) because: String,
    /// Whether the program itself, or the administrator for it, named a version: traces in files
    /// alone do not prove that the program is still that old.
    pub(crate) program_says: bool,
}

/// Weighs the evidence: the newest version that any of it names wins.
///
/// `OPENCLAW_VERSION` wins over all of it, but for one case: it never makes the JSON stores
/// writable where anything names 2026.6 or later. A setting that was forgotten through an upgrade
/// looks just so, and one JSON store beside a current OpenClaw takes it down.
pub(crate) fn decide(evidence: &[Evidence]) -> Verdict {
    let configured = evidence.iter().rfind(|item| item.by == Witness::Configured);
    let found = evidence.iter().filter(|item| item.by != Witness::Configured);
    let found = found.max_by_key(|item| (item.version, item.by.is_program()));
    let (winner, because) = match (configured, found) {
        (None, None) => {
            let because = "nothing tells its version".to_owned();
            return Verdict { era: Era::Unknown, version: None, because, program_says: false };
        }
        (Some(set), Some(found)) if opens_json(set.version, found.version) => {
            let why = "not followed, since JSON stores would break it or be ignored";
            (found, format!("{found}; {set}: {why}"))
        }
        (Some(winner), _) | (None, Some(winner)) => (winner, winner.to_string()),
    };
    Verdict {
        era: winner.version.era(),
        version: Some(winner.version),
        because,
        program_says: evidence.iter().any(|item| item.by.is_program()),
    }
}

/// Says whether following `set` would write JSON stores that `found` ignores or chokes on.
fn opens_json(set: Version, found: Version) -> bool {
    set.era() < Era::Imported && found.era() >= Era::Imported
}

impl Witness {
    fn is_program(self) -> bool {
        matches!(self, Self::Program | Self::Package | Self::Image | Self::Configured)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Program => "openclaw --version",
            Self::Package => "the program's package.json",
            Self::Image => "the image",
            Self::LastTouched => "lastTouchedVersion in openclaw.json",
            Self::SqliteStore => "an SQLite store",
            Self::Configured => "OPENCLAW_VERSION",
        }
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = if self.at_least { " or later" } else { "" };
        write!(f, "{} says {}{more}", self.by.name(), self.version)
    }
}

#[cfg(test)]
mod tests;

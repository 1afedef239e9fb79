//! Tokens that cannot be printed by accident, and the fingerprints that stand for them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A token, or any other text that must reach no log, argv, environment or error message.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    /// Takes a text into custody.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Gives the text to the one place that has to write or send it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// Says whether there is no text at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// How a token goes from a child process of this program to its parent: through memory that both have open,
/// and nowhere else.
pub(crate) mod in_memory {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Secret;

    /// A token, or one that need not be there.
    pub(crate) trait Token: Sized {
        /// Its text.
        fn text(&self) -> Option<&str>;

        /// The token of this text.
        fn of(text: Option<String>) -> Option<Self>;
    }

    impl Token for Secret {
        fn text(&self) -> Option<&str> {
            Some(self.expose())
        }

        fn of(text: Option<String>) -> Option<Self> {
            text.map(Self)
        }
    }

    impl Token for Option<Secret> {
        fn text(&self) -> Option<&str> {
            self.as_ref().map(Secret::expose)
        }

        fn of(text: Option<String>) -> Option<Self> {
            Some(text.map(Secret))
        }
    }

    /// Writes a token.
    pub(crate) fn serialize<T: Token, S: Serializer>(token: &T, to: S) -> Result<S::Ok, S::Error> {
        token.text().serialize(to)
    }

    /// Reads what [`serialize`] wrote.
    pub(crate) fn deserialize<'de, T: Token, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
        T::of(Option::deserialize(from)?).ok_or_else(|| D::Error::custom("there is no token"))
    }
}

/// A keyed digest of a token: tells two tokens apart and gives nothing of either away.
///
/// Made by `os::fingerprint` (HMAC-SHA256 under this installation's own key, cut to 64 bits).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(crate) struct Fingerprint(pub(crate) u64);

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.to_hex()
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::from_hex(&text).ok_or("it is no fingerprint")
    }
}

impl Fingerprint {
    /// Reads what [`Fingerprint::to_hex`] wrote.
    pub(crate) fn from_hex(text: &str) -> Option<Self> {
        let digits = text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
        digits.then(|| u64::from_str_radix(text, 16).ok().map(Self)).flatten()
    }

    /// Writes all 16 hexadecimal digits, for the state files.
    pub(crate) fn to_hex(self) -> String {
        format!("{:016x}", self.0)
    }
}

impl fmt::Display for Fingerprint {
    /// Shows the first 8 of the 16 digits: enough for a person to tell two tokens apart.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0 >> 32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Some(Secret::new("sk-secret"))), "Some(Secret(..))");
    }

    #[test]
    fn a_fingerprint_survives_the_state_file() {
        let mark = Fingerprint(0x0123_4567_89ab_cdef);
        assert_eq!(Fingerprint::from_hex(&mark.to_hex()), Some(mark));
        assert_eq!(mark.to_string(), "01234567");
        assert_eq!(Fingerprint::from_hex("+123456789abcdef"), None);
        assert_eq!(Fingerprint::from_hex("xyz"), None);
    }
}

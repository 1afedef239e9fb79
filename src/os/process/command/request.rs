//! What the helper process is asked to run: bytes of a socket, so that nothing of it can be read in a
//! process list or reaches the dynamic linker of a process that is still root's.

use std::ffi::{OsStr, OsString};
use std::io::{Error, ErrorKind};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::os::user::identity::Identity;

/// One program to run, without its descriptors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    /// Whose rights it gets.
    pub(super) identity: Identity,
    /// Whether its standard input or output is the slave of a terminal that becomes its own.
    pub(super) terminal: bool,
    /// The program and its arguments.
    pub(super) argv: Vec<OsString>,
    /// All of its environment.
    pub(super) environment: Vec<(OsString, OsString)>,
}

impl Request {
    /// Every field with a NUL after it, which exec(3) takes in none of them.
    pub(super) fn encode(&self) -> std::io::Result<Vec<u8>> {
        let Identity { uid, gid, groups } = &self.identity;
        let groups: Vec<String> = groups.iter().map(u32::to_string).collect();
        let count = self.argv.len();
        let numbers = [uid.to_string(), gid.to_string(), groups.join(" ")];
        let shape = [u8::from(self.terminal).to_string(), count.to_string()];
        let words = self.argv.iter().map(OsString::as_os_str);
        let variables = self.environment.iter().flat_map(|(name, value)| [name, value]);
        let fields: Vec<&[u8]> = numbers
            .iter()
            .chain(&shape)
            .map(String::as_bytes)
            .chain(words.map(OsStr::as_bytes))
            .chain(variables.map(|word| word.as_bytes()))
            .collect();
        if fields.iter().any(|field| field.contains(&0)) {
            return Err(Error::new(ErrorKind::InvalidInput, "an argument contains a NUL byte"));
        }
        let mut bytes = fields.join(&0);
        bytes.push(0);
        Ok(bytes)
    }

    /// Reads what [`Request::encode`] has written.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = bytes.strip_suffix(&[0])?.split(|byte| *byte == 0);
        let mut number = || std::str::from_utf8(fields.next()?).ok()?.parse::<u32>().ok();
        let (uid, gid) = (number()?, number()?);
        let groups = std::str::from_utf8(fields.next()?).ok()?;
        let groups = groups.split_whitespace().map(|group| group.parse().ok());
        let groups = groups.collect::<Option<Vec<u32>>>()?;
        let terminal = fields.next()? == b"1";
        let count: usize = std::str::from_utf8(fields.next()?).ok()?.parse().ok()?;
        let mut words = fields.map(|field| OsString::from_vec(field.to_vec()));
        let argv: Vec<OsString> = words.by_ref().take(count).collect();
        let mut environment = Vec::new();
        while let Some(name) = words.next() {
            environment.push((name, words.next()?));
        }
        let identity = Identity { uid, gid, groups };
        (argv.len() == count).then_some(Self { identity, terminal, argv, environment })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn word() -> impl Strategy<Value = OsString> {
        prop::collection::vec(1u8.., 0..9).prop_map(OsString::from_vec)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            (uid, gid, terminal) in any::<(u32, u32, bool)>(),
            groups in prop::collection::vec(any::<u32>(), 0..4),
            argv in prop::collection::vec(word(), 1..5),
            environment in prop::collection::vec((word(), word()), 0..5),
        ) {
            let identity = Identity { uid, gid, groups };
            let request = Request { identity, terminal, argv, environment };
            prop_assert_eq!(Request::decode(&request.encode().unwrap()), Some(request));
        }

        #[test]
        fn nothing_else_is_a_fault(bytes in prop::collection::vec(0u8..4, 0..40)) {
            let _ = Request::decode(&bytes);
        }
    }

    #[test]
    fn a_nul_byte_is_refused() {
        let argv = vec![OsString::from("a\0b")];
        let identity = Identity::root();
        let request = Request { identity, terminal: false, argv, environment: Vec::new() };
        assert_eq!(request.encode().unwrap_err().kind(), ErrorKind::InvalidInput);
    }
}

//! Keyed fingerprints of tokens: HMAC-SHA256 under a key that never leaves this installation.

use ring::{digest, hmac};

use crate::domain::secret::{Fingerprint, Secret};
use crate::os::error::Error;
use crate::os::fs::atomic_write;
use crate::os::fs::dir::Folder;
use crate::os::fs::preallocated::Reserved;

const KEY_FILE: &str = "fingerprint.key";
const KEY_BYTES: usize = 32;

/// Turns tokens into fingerprints.
#[derive(Clone, Debug)]
pub(crate) struct Fingerprinter {
    key: hmac::Key,
}

impl Fingerprinter {
    /// Loads the key from the state folder; makes one on first use.
    pub(crate) fn load(state: &Folder) -> Result<Self, Error> {
        if let Some(found) = Self::find(state)? {
            return Ok(found);
        }
        let mut fresh = [0u8; KEY_BYTES];
        rustix::rand::getrandom(&mut fresh, rustix::rand::GetRandomFlags::empty())
            .map_err(|source| Error::new("make a key in", &state.path, source))?;
        Self::establish(state, &fresh)?;
        // The key that counts is the one on the disk, whoever put it there.
        Self::find(state)?
            .ok_or_else(|| Error::odd("use", &state.path.join(KEY_FILE), "it is no key"))
    }

    /// Puts a key in its place unless another process was faster.
    fn establish(state: &Folder, fresh: &[u8]) -> Result<(), Error> {
        // One name, so that what a killed run leaves is found again; the caller holds a lock.
        let temp = atomic_write::temp_name(KEY_FILE);
        state.remove(&temp)?;
        Reserved::make(state, &temp, fresh, 0)?;
        // One that is too short is left of a crash, and nothing was ever made with it.
        let short = state
            .stat(KEY_FILE)?
            .is_some_and(|stat| usize::try_from(stat.st_size) != Ok(KEY_BYTES));
        let placed =
            if short { state.rename(&temp, KEY_FILE) } else { state.place(&temp, KEY_FILE) };
        if placed.is_err() {
            state.remove(&temp)?;
        }
        match placed {
            Err(error) if error.kind() == Some(std::io::ErrorKind::AlreadyExists) => Ok(()),
            other => other,
        }
    }

    /// Loads the key without making one; before the first sync any key serves.
    pub(crate) fn load_existing(state: &Folder) -> Result<Self, Error> {
        Ok(Self::find(state)?.unwrap_or_else(Self::passing))
    }

    /// Loads the key, if there is one.
    pub(crate) fn find(state: &Folder) -> Result<Option<Self>, Error> {
        let found = state.read(KEY_FILE, 1024)?.map(|file| file.bytes);
        Ok(found.filter(|bytes| bytes.len() == KEY_BYTES).map(|bytes| Self::with_key(&bytes)))
    }

    /// A key that lives only as long as this process, for commands that may write nothing.
    pub(crate) fn passing() -> Self {
        let mut fresh = [0u8; KEY_BYTES];
        // Fingerprints are then only compared with each other; even a key of zeros would serve.
        let _ = rustix::rand::getrandom(&mut fresh, rustix::rand::GetRandomFlags::empty());
        Self::with_key(&fresh)
    }

    fn with_key(bytes: &[u8]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, bytes) }
    }

    /// The fingerprint of a token: the first 64 bits of its HMAC.
    pub(crate) fn of(&self, token: &Secret) -> Fingerprint {
        Fingerprint(first_64_bits(hmac::sign(&self.key, token.expose().as_bytes()).as_ref()))
    }
}

/// Stands for a file's name in the names of our own files, where not every text may stand: the
/// first 64 bits of its SHA-256, without a key, so that they are found again whatever is lost.
pub(crate) fn of_name(name: &str) -> String {
    format!("{:016x}", first_64_bits(digest::digest(&digest::SHA256, name.as_bytes()).as_ref()))
}

fn first_64_bits(digest: &[u8]) -> u64 {
    digest.iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

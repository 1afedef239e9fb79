//! A link's memory on disk: `links/NAME.json` in the state directory.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::app::state::record;
use crate::domain::acceptance::{EnvFile, Mark, Memory};
use crate::domain::secret::Fingerprint;
use crate::domain::time::Timestamp;
use crate::os::error::Error;
use crate::os::fs::atomic_write::{self, Durability};
use crate::os::fs::dir::Folder;

/// The most that is read of a state file, in bytes; ours stay below 64 KiB.
pub(crate) const STATE_LIMIT: u64 = 1 << 20;

/// A state file is filled up with line ends to a multiple of this, in bytes.
const BLOCK: usize = 1024;

#[derive(Serialize, Deserialize)]
struct File {
    /// A new source starts with an empty memory.
    source: String,
    accepted: Option<Accepted>,
    superseded: Vec<String>,
    handed_over: Option<String>,
    told_readable: Option<String>,
    /// Not in files of 1.0.0.
    #[serde(default)]
    owners: BTreeMap<String, u32>,
    #[serde(default)]
    env_files: Vec<EnvFile>,
}

#[derive(Serialize, Deserialize)]
struct Accepted {
    fingerprint: String,
    expiry: i64,
}

/// Loads what the link `name` remembers of `source`; nothing where there is no usable file.
pub(crate) fn load(links: &Folder, name: &str, source: &str) -> Result<Memory, Error> {
    let Some(file) = read(links, name)? else { return Ok(Memory::default()) };
    if file.source != source {
        // Where tokens of the other source stand is not forgotten with it.
        return Ok(Memory { env_files: file.env_files, ..Memory::default() });
    }
    let accepted = file.accepted.and_then(|accepted| {
        let fingerprint = Fingerprint::from_hex(&accepted.fingerprint)?;
        Some(Mark { fingerprint, expiry: Timestamp(accepted.expiry) })
    });
    let superseded = file.superseded.iter().filter_map(|text| Fingerprint::from_hex(text));
    let handed_over = file.handed_over.as_deref().and_then(Fingerprint::from_hex);
    let (superseded, told_readable) = (superseded.collect(), file.told_readable);
    let File { owners, env_files, .. } = file;
    Ok(Memory { accepted, superseded, handed_over, told_readable, env_files, owners })
}

/// The `.env` files that the link `name` remembers.
pub(crate) fn env_files(links: &Folder, name: &str) -> Vec<EnvFile> {
    read(links, name).ok().flatten().map(|file| file.env_files).unwrap_or_default()
}

fn read(links: &Folder, name: &str) -> Result<Option<File>, Error> {
    let seen = links.read(&file_name(name), STATE_LIMIT)?;
    Ok(seen.and_then(|seen| record::read(&seen.bytes)))
}

/// Saves what the link `name` remembers of `source`.
///
/// Not flushed: a killed process loses nothing, and after a loss of power the worst is that the last
/// credential is unknown again.
pub(crate) fn save(links: &Folder, name: &str, source: &str, memory: &Memory) -> Result<(), Error> {
    let accepted = memory
        .accepted
        .map(|mark| Accepted { fingerprint: mark.fingerprint.to_hex(), expiry: mark.expiry.0 });
    let superseded = memory.superseded.iter().map(|mark| mark.to_hex()).collect();
    let handed_over = memory.handed_over.map(Fingerprint::to_hex);
    let (source, told_readable) = (source.to_owned(), memory.told_readable.clone());
    let (owners, env_files) = (memory.owners.clone(), memory.env_files.clone());
    let file = File { source, accepted, superseded, handed_over, told_readable, owners, env_files };
    let mut bytes = serde_json::to_vec(&file).unwrap_or_default();
    // Of the same length as before, it is written over in place: that costs a tenth of a new file, and
    // every sink waits for it.
    bytes.resize(bytes.len().next_multiple_of(BLOCK), b'\n');
    if atomic_write::overwrite(links, &file_name(name), &bytes)? {
        return Ok(());
    }
    atomic_write::replace(links, &file_name(name), &bytes, Durability::Lazy)
}

/// Removes what a killed run may have left beside the memory of the link `name`.
pub(crate) fn tidy(links: &Folder, name: &str) {
    let _ = atomic_write::sweep(links, &file_name(name));
}

fn file_name(link: &str) -> String {
    format!("{link}.json")
}

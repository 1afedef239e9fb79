//! Writing over a small file of ours that need not survive a loss of power.

use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::os::error::Error;
use crate::os::fs::dir::Folder;

/// What lies within one page of memory on every machine.
const PAGE: usize = 4096;

/// Writes over a file of the very length of `bytes`; says whether there was one.
///
/// Only for what need not survive a loss of power. A killed process leaves the old text or the new
/// one, since write(2) copies what lies in one page without stopping for a signal.
pub(crate) fn overwrite(folder: &Folder, name: &str, bytes: &[u8]) -> Result<bool, Error> {
    let failed = |source| Error::new("write", &folder.path.join(name), source);
    let acting = folder.acting()?;
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let fd = match folder.open_at(name, flags, Mode::empty()) {
        Ok(fd) => fd,
        Err(Errno::NOENT | Errno::LOOP | Errno::NXIO) => return Ok(false),
        Err(source) => return Err(failed(source)),
    };
    drop(acting);
    let stat = rustix::fs::fstat(&fd).map_err(failed)?;
    let is_plain = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    let fits = bytes.len() <= PAGE && usize::try_from(stat.st_size) == Ok(bytes.len());
    if !is_plain || !fits || stat.st_nlink != 1 {
        return Ok(false);
    }
    let written = rustix::io::pwrite(&fd, bytes, 0).map_err(failed)?;
    Ok(written == bytes.len())
}

//! Making a file under its own name, where a file system renames none.

use std::fs::File;
use std::io::Write;

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::NEW_MODE;
use crate::os::error::{Cause, Error};
use crate::os::fs::dir::Folder;

/// Writes and flushes a file that is not there yet; of one that cannot be written whole nothing stays.
pub(super) fn make(folder: &Folder, name: &str, bytes: &[u8]) -> Result<(), Error> {
    let path = folder.path.join(name);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let acting = folder.acting()?;
    let made = rustix::fs::openat(&folder.fd, name, flags, NEW_MODE);
    drop(acting);
    let mut file = match made {
        Ok(fd) => File::from(fd),
        Err(Errno::EXIST) => {
            return Err(Error { verb: "write", object: path, cause: Cause::Changed });
        }
        Err(source) => return Err(Error::new("write", &path, source)),
    };
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|source| {
        let _ = file.set_len(0);
        let _ = folder.remove(name);
        Error::new("write", &path, source)
    })
}

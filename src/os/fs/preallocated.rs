//! A file whose room is on the disk before there is anything to put into it.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;

use rustix::fs::{Mode, OFlags};

use crate::os::error::Error;
use crate::os::fs::dir::Folder;

/// What fills the room; JSON takes no notice of it.
const FILL: u8 = b' ';

/// A reserved file; what is written into it is in the kernel's hands after one system call.
#[derive(Debug)]
pub(crate) struct Reserved {
    file: File,
    at: u64,
    end: u64,
}

impl Reserved {
    /// Makes the file `name` (0600), which must not be there, with `head` and room for `room` bytes
    /// after it; all of it is flushed, and so is the folder.
    pub(crate) fn make(
        folder: &Folder,
        name: &str,
        head: &[u8],
        room: usize,
    ) -> Result<Self, Error> {
        let path = folder.path.join(name);
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let make = || {
            let fd: OwnedFd = rustix::fs::openat(&folder.fd, name, flags, Mode::RUSR | Mode::WUSR)?;
            Ok((fd, folder.readable()?))
        };
        let (fd, parent) = folder.acting()?.and(make, "make", &path)?;
        let mut text = head.to_vec();
        text.resize(head.len() + room, FILL);
        let mut file = File::from(fd);
        let written = file.write_all(&text).and_then(|()| file.sync_all());
        let settled = written.and_then(|()| Ok(rustix::fs::fsync(&parent)?));
        if let Err(source) = settled {
            let _ = folder.remove(name);
            return Err(Error::new("reserve", &path, source));
        }
        Ok(Self { file, at: head.len() as u64, end: text.len() as u64 })
    }

    /// Waits until what was written is on the disk.
    pub(crate) fn flush_to_disk(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

impl Write for Reserved {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
        let length = self.file.write_at(&bytes[..bytes.len().min(room)], self.at)?;
        self.at += length as u64;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

//! Flushing many files at once: fsync(2) waits for the disk each time, but those that wait at the
//! same moment share one write of the journal and one flush of the disk's cache.

use std::os::fd::BorrowedFd;
use std::thread;

use rustix::io::Errno;

/// As many are flushed one after the other before threads pay.
const IN_TURN: usize = 4;

/// How many wait at the same moment.
const AT_ONCE: usize = 32;

/// The stack of a thread that does nothing but wait, in bytes; stacks of the usual size are mapped anew
/// each time, and cost as much as the flush.
const STACK: usize = 64 << 10;

/// Flushes all of `files`; one result for each, in their order.
pub(in crate::os) fn all(files: &[BorrowedFd<'_>]) -> Vec<Result<(), Errno>> {
    if files.len() <= IN_TURN {
        return in_turn(files);
    }
    thread::scope(|scope| {
        let start = |part| {
            thread::Builder::new().stack_size(STACK).spawn_scoped(scope, move || in_turn(part))
        };
        let parts = files.chunks(files.len().div_ceil(AT_ONCE));
        let waiting: Vec<_> = parts.map(|part| (part, start(part).ok())).collect();
        // Where no thread could be had, or it died, the flush is done here.
        let results = waiting.into_iter().flat_map(|(part, thread)| {
            thread.and_then(|thread| thread.join().ok()).unwrap_or_else(|| in_turn(part))
        });
        results.collect()
    })
}

fn in_turn(files: &[BorrowedFd<'_>]) -> Vec<Result<(), Errno>> {
    files.iter().map(rustix::fs::fsync).collect()
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn each_file_has_its_own_result() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = std::io::pipe().unwrap();
        let files: Vec<File> = (0..100)
            .map(|number| File::create(folder.path().join(number.to_string())).unwrap())
            .collect();
        let mut fds: Vec<BorrowedFd<'_>> = files.iter().map(AsFd::as_fd).collect();
        fds[42] = pipe.0.as_fd();
        for count in [0, 1, 4, 43, 100] {
            let results = all(&fds[..count]);
            let failed: Vec<usize> =
                (0..count).filter(|number| results[*number] == Err(Errno::INVAL)).collect();
            assert_eq!(results.len(), count);
            assert_eq!(failed, if count > 42 { vec![42] } else { vec![] });
        }
    }
}

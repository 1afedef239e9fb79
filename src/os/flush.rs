//! Flushing many files at once: fsync(2) waits for the disk each time, but those that wait at the
//! same moment share one write of the journal and one flush of the disk's cache.

use std::iter;
use std::os::fd::AsFd;
use std::panic::resume_unwind;
use std::sync::{Mutex, mpsc};
use std::thread;

use rustix::io::Errno;

/// As many are flushed one after the other before threads pay.
const IN_TURN: usize = 4;

/// How many wait at the same moment.
const AT_ONCE: usize = 32;

/// Flushes what `files` gives, many of them while the next ones are still made; each in its order, as
/// it came or as `failed` has it.
pub(super) fn all<T: AsFd + Send, E>(
    files: impl ExactSizeIterator<Item = Result<T, E>>,
    failed: impl Fn(T, Errno) -> E,
) -> Vec<Result<T, E>> {
    if files.len() > IN_TURN {
        return in_threads(files, failed);
    }
    // All of them first, so that the flush of one also carries the next one's blocks.
    let made: Vec<_> = files.collect();
    let flushed = made.into_iter().map(|file| {
        let file = file?;
        let result = rustix::fs::fsync(&file);
        settled(file, result, &failed)
    });
    flushed.collect()
}

fn settled<T, E>(
    file: T,
    result: Result<(), Errno>,
    failed: impl Fn(T, Errno) -> E,
) -> Result<T, E> {
    match result {
        Ok(()) => Ok(file),
        Err(source) => Err(failed(file, source)),
    }
}

fn in_threads<T: AsFd + Send, E>(
    files: impl ExactSizeIterator<Item = Result<T, E>>,
    failed: impl Fn(T, Errno) -> E,
) -> Vec<Result<T, E>> {
    let (sender, receiver) = mpsc::channel();
    let receiver = Mutex::new(receiver);
    let next = || receiver.lock().ok()?.recv().ok();
    let work = || -> Vec<(usize, T, Result<(), Errno>)> {
        let files = iter::from_fn(next);
        let flush = |(place, file)| {
            let result = rustix::fs::fsync(&file);
            (place, file, result)
        };
        files.map(flush).collect()
    };
    thread::scope(|scope| {
        let (mut results, mut threads) = (Vec::with_capacity(files.len()), Vec::new());
        for (place, file) in files.enumerate() {
            results.push(file.map(|file| sender.send((place, file)).ok()).err().map(Err));
            if threads.len() < AT_ONCE {
                threads.extend(thread::Builder::new().spawn_scoped(scope, work));
            }
        }
        drop(sender);
        // Here too: no thread may have been had.
        let mut flushed = work();
        for thread in threads {
            flushed.extend(thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        for (place, file, result) in flushed {
            results[place] = Some(settled(file, result, &failed));
        }
        results.into_iter().flatten().collect()
    })
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::OwnedFd;

    use super::*;

    #[test]
    fn each_file_has_its_own_result() {
        let folder = tempfile::tempdir().unwrap();
        let make = |number: usize| -> Result<OwnedFd, usize> {
            match number {
                // Cannot be flushed.
                42 => Ok(std::io::pipe().unwrap().0.into()),
                // Could not be made.
                77 => Err(77),
                _ => Ok(File::create(folder.path().join(number.to_string())).unwrap().into()),
            }
        };
        for count in [0, 1, 4, 43, 100] {
            let results = all((0..count).map(make), |_, source| {
                assert_eq!(source, Errno::INVAL);
                42
            });
            let failed: Vec<(usize, usize)> = results
                .iter()
                .enumerate()
                .filter_map(|(place, result)| Some((place, *result.as_ref().err()?)))
                .collect();
            assert_eq!(results.len(), count);
            let expected = [(42, 42), (77, 77)].into_iter().filter(|(place, _)| *place < count);
            assert_eq!(failed, expected.collect::<Vec<_>>());
        }
    }
}

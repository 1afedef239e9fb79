#![expect(clippy::disallowed_methods, reason = "a test lays its scratch directory out itself")]

use super::*;

/// What comes of `wakes` waits while a directory is changed before every one of them.
fn beside_a_flood(events: &mut Events, directory: &Path, wakes: usize) -> Vec<Wake> {
    let wake = |number: usize| {
        std::fs::write(directory.join(number.to_string()), "").unwrap();
        events.wait().unwrap()
    };
    (0..wakes).map(wake).collect()
}

#[test]
fn a_directory_that_changes_without_end_delays_nothing_by_more_than_a_turn() {
    let scratch = tempfile::tempdir().unwrap();
    let mut events = Events::open().unwrap();
    events.forget().unwrap();
    events.watch(&Folder::reach(scratch.path()).unwrap(), "", 7).unwrap();
    events.arm(Some(Timestamp(1))).unwrap();
    let child = Offspring::start_silent(&["--no-such-option"]).unwrap();
    crate::os::debounce::wait_for(child.fd(), std::time::Duration::from_secs(60));
    events.adopt(Child::Queue(3), child);
    let wakes = beside_a_flood(&mut events, scratch.path(), 4);
    let is_files = |wake: &Wake| matches!(wake, Wake::Files(changes) if changes.names == [7]);
    assert!(wakes.iter().any(is_files), "{wakes:?}");
    assert!(wakes.contains(&Wake::Clock), "{wakes:?}");
    assert!(wakes.iter().any(|wake| matches!(wake, Wake::Ended(_))), "{wakes:?}");
}

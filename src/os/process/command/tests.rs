use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use rustix::process::{Signal, geteuid};

use super::*;

const LIMIT: Duration = Duration::from_secs(20);

/// A folder that anybody may enter, below one that only its owner may.
struct Place {
    _parent: tempfile::TempDir,
    folder: Folder,
    identity: Identity,
}

/// A folder that only its owner may enter.
fn closed() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    folder
}

impl Place {
    fn new() -> Self {
        let parent = closed();
        let path = parent.path().join("empty");
        std::fs::create_dir(&path).unwrap();
        let folder = Folder::reach(&path).unwrap();
        let nobody = Identity { uid: 65534, gid: 65534, groups: vec![65534, 4711] };
        let identity = if geteuid().is_root() { nobody } else { Identity::own() };
        Self { _parent: parent, folder, identity }
    }

    fn call(&self, argv: &[&str]) -> Call<'_> {
        Call::new(argv, &self.folder, &self.identity).env("PATH", "/usr/bin:/bin")
    }

    fn say(&self, argv: &[&str]) -> String {
        let ended = self.call(argv).run(LIMIT).unwrap();
        assert!(ended.is_success(), "{ended:?}");
        String::from_utf8(ended.stdout).unwrap()
    }
}

#[test]
fn nothing_of_roots_is_left_in_the_child() {
    let place = Place::new();
    let status = place.say(&["cat", "/proc/self/status"]);
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    let Identity { uid, gid, groups } = &place.identity;
    assert_eq!(field("Uid:"), vec![uid.to_string(); 4]);
    assert_eq!(field("Gid:"), vec![gid.to_string(); 4]);
    let mut groups: Vec<String> = groups.iter().map(u32::to_string).collect();
    groups.sort_by_key(|group| group.parse::<u32>().unwrap());
    assert_eq!(field("Groups:"), groups);
    for set in ["CapInh:", "CapPrm:", "CapEff:", "CapAmb:"] {
        assert_eq!(field(set), ["0000000000000000"], "{set}");
    }
    assert_eq!(geteuid().as_raw(), Identity::own().uid, "the caller stays who it was");
}

#[test]
fn it_gets_the_listed_environment_folder_and_group_and_no_more() {
    let place = Place::new();
    let call = place.call(&["env"]).env("A", "b c\nd");
    assert_eq!(call.run(LIMIT).unwrap().stdout, b"A=b c\nd\nPATH=/usr/bin:/bin\n");
    assert_eq!(place.say(&["pwd"]).trim_end(), place.folder.path.to_str().unwrap());
    let ids = place.say(&["sh", "-c", "echo $$; cut -d' ' -f5 /proc/$$/stat"]);
    let (pid, group) = ids.trim_end().split_once('\n').unwrap();
    assert_eq!(pid, group);
}

#[test]
fn more_than_a_pipe_holds_goes_both_ways_and_is_kept_up_to_the_limit() {
    let place = Place::new();
    let mut call = place.call(&["tee", "/dev/stderr"]).input(vec![b'x'; 1 << 20]);
    call.output_limit = 100_000;
    let ended = call.run(LIMIT).unwrap();
    assert_eq!((ended.stdout.len(), ended.stderr.len()), (100_000, 100_000));
    assert!(ended.is_success() && !ended.overdue);
    let unread = place.call(&["true"]).input(vec![b'x'; 1 << 20]).run(LIMIT).unwrap();
    assert!(unread.is_success());
}

#[test]
fn its_whole_group_is_ended_when_its_time_is_over() {
    let place = Place::new();
    let call = place.call(&["sh", "-c", "sleep 1000 & echo $!; wait"]);
    let ended = call.run(Duration::from_millis(300)).unwrap();
    assert!(ended.overdue);
    assert_eq!(ended.how(), "it was ended by signal 15");
    let grandchild = String::from_utf8(ended.stdout).unwrap();
    let stat = format!("/proc/{}/stat", grandchild.trim_end());
    // The signal was sent to the group; only the group's leader is ours to wait for.
    let begun = Instant::now();
    while std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z ")) {
        assert!(begun.elapsed() < LIMIT, "{grandchild} still runs");
        std::thread::yield_now();
    }
}

#[test]
fn one_that_is_stopped_is_killed_when_its_time_is_over() {
    let place = Place::new();
    let ended = place.call(&["sh", "-c", "kill -STOP $$"]).run(Duration::from_millis(300)).unwrap();
    assert!(ended.overdue);
    assert_eq!(ended.how(), "it was ended by signal 9");
}

#[test]
fn a_file_that_is_no_program_is_given_to_no_shell() {
    let place = Place::new();
    let closed = closed();
    std::fs::set_permissions(closed.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let file = closed.path().join("text");
    std::fs::write(&file, ": no program\n").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    let refused = place.call(&[file.to_str().unwrap()]).start(LIMIT).unwrap_err();
    assert!(refused.to_string().contains("Exec format error"), "{refused}");
}

#[test]
fn what_stays_in_the_background_is_not_waited_for() {
    let place = Place::new();
    let call = place.call(&["sh", "-c", "sleep 30 & echo $!; exit 7"]);
    let mut running = call.start(LIMIT).unwrap();
    assert_eq!(running.wait(None, LIMIT).unwrap(), Step::Ended);
    running.signal(Signal::KILL);
    let ended = running.finish().unwrap();
    assert_eq!(ended.how(), "it exited with status 7");
    assert!(ended.stdout.ends_with(b"\n"));
}

#[test]
fn a_missing_program_a_refused_one_and_a_refused_folder_are_told_apart() {
    let place = Place::new();
    let missing = place.call(&["/nonexistent/claude"]).start(LIMIT).unwrap_err();
    assert!(missing.is_absent(), "{missing}");
    assert_eq!(
        missing.to_string(),
        "cannot run '/nonexistent/claude': No such file or directory (os error 2)"
    );
    let refused = place.call(&["/etc/passwd"]).start(LIMIT).unwrap_err();
    assert!(refused.is_denied() && refused.verb == "run", "{refused}");
    let closed = closed();
    let closed = Folder::reach(closed.path()).unwrap();
    let call = Call::new(["true"], &closed, &place.identity);
    if geteuid().is_root() {
        assert_eq!(call.start(LIMIT).unwrap_err().verb, "enter");
    }
}

#[test]
fn the_callers_own_event_wakes_the_wait() {
    use std::io::Write;
    use std::os::fd::AsFd;
    let place = Place::new();
    let mut running = place.call(&["sleep", "1000"]).start(LIMIT).unwrap();
    let (reader, mut writer) = std::io::pipe().unwrap();
    assert_eq!(running.wait(Some(reader.as_fd()), Duration::ZERO).unwrap(), Step::Time);
    writer.write_all(b"!").unwrap();
    assert_eq!(running.wait(Some(reader.as_fd()), LIMIT).unwrap(), Step::Woken);
    running.signal(Signal::TERM);
    assert_eq!(running.finish().unwrap().how(), "it was ended by signal 15");
}

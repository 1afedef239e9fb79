//! The doctor's findings, counted: what makes each of them is in `as_root/doctor`.

use std::fs;

/// Each cause that the doctor knows is made on purpose somewhere in these tests.
#[test]
fn no_finding_is_left_out() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = |folder: &str| -> String {
        let files = fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|path| path.is_file()).map(|path| fs::read_to_string(path).unwrap()).collect()
    };
    let program = text("src/app/doctor");
    // What needs a hostile user, or an engine, is made beside the other tests of that kind.
    let folders = [
        "tests/people",
        "tests/people/as_root",
        "tests/people/as_root/doctor",
        "tests/hostile",
        "tests/docker",
    ];
    let tests: String = folders.iter().map(|folder| text(folder)).collect();
    let ends = ["Finding::error(", "Finding::warning(", "Finding::note(", "kind(", "dead(", "("];
    let mut known = 0;
    for (at, _) in program.match_indices('"') {
        let (before, rest) = program.split_at(at);
        let id = rest[1..].split('"').next().unwrap();
        let is_id = id.contains('-') && id.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
        if is_id
            && !["openclaw-gateway", "oauth-sync"].contains(&id)
            && ends.iter().any(|end| before.trim_end().ends_with(end))
            && id.len() > 5
        {
            known += 1;
            assert!(tests.contains(id), "nobody makes {id}");
        }
    }
    assert!(known > 30, "only {known} were found");
}

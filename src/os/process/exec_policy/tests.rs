use std::os::unix::fs::{PermissionsExt, chown, symlink};

use super::*;

/// A directory that root alone can write, with all that is above it; `None` without root.
fn roots_own() -> Option<tempfile::TempDir> {
    geteuid().is_root().then(|| tempfile::tempdir_in("/var/cache").unwrap())
}

fn install(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn why(program: &Path, path: &str) -> String {
    resolve(program.as_os_str(), path.as_ref()).unwrap_err().to_string()
}

#[test]
fn a_program_of_the_host_is_found_and_admitted() {
    if roots_own().is_none() {
        return;
    }
    let found = resolve("sh".as_ref(), "relative::/nonexistent:/usr/bin:/bin".as_ref()).unwrap();
    assert!(found.is_absolute() && found.ends_with("sh"), "{}", found.display());
    assert!(resolve("./sh".as_ref(), "/bin".as_ref()).is_err());
    assert!(resolve("no-such-program".as_ref(), "/bin".as_ref()).unwrap_err().is_absent());
}

#[test]
fn every_component_counts_and_is_named() {
    let Some(own) = roots_own() else { return };
    let at = |path: &str| own.path().join(path);
    std::fs::create_dir_all(at("a/b")).unwrap();
    install(&at("a/b/run"), "#!/bin/sh\n");
    symlink("../a/b/run", at("a/link")).unwrap();
    symlink(at("a/link"), at("far")).unwrap();
    for program in ["a/b/run", "a/link", "far"] {
        assert!(resolve(at(program).as_os_str(), OsStr::new("")).is_ok(), "{program}");
    }
    let mode = |path: &str, mode| {
        std::fs::set_permissions(at(path), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    for (path, wrong, right) in [
        ("a", 0o1755, 0o755),
        ("a", 0o757, 0o755),
        ("a/b", 0o1777, 0o755),
        ("a/b", 0o702, 0o755),
        ("a/b/run", 0o757, 0o755),
    ] {
        mode(path, wrong);
        for program in ["a/b/run", "a/link", "far"] {
            let why = why(&at(program), "");
            assert!(why.contains(at(path).to_str().unwrap()), "{program}, {wrong:o} {path}: {why}");
        }
        mode(path, right);
    }
    for path in ["a", "a/b", "a/b/run"] {
        chown(at(path), Some(4711), None).unwrap();
        assert!(why(&at("far"), "").contains("belongs to 4711"), "{path}");
        chown(at(path), Some(0), None).unwrap();
    }
    // A link of somebody else's, and a group with members that nobody can tell.
    std::os::unix::fs::lchown(at("far"), Some(4711), None).unwrap();
    assert!(why(&at("far"), "").contains("far' belongs to 4711"));
    chown(at("a"), None, Some(47_114_711)).unwrap();
    mode("a", 0o775);
    assert!(why(&at("a/b/run"), "").contains("members are not known"));
}

#[test]
fn a_shared_directory_is_none_for_programs_and_on_the_way_to_data() {
    let Some(own) = roots_own() else { return };
    let shared = own.path().join("shared");
    std::fs::create_dir_all(shared.join("mine")).unwrap();
    std::fs::set_permissions(&shared, std::fs::Permissions::from_mode(0o1777)).unwrap();
    install(&shared.join("file"), "");
    install(&shared.join("mine/file"), "");
    symlink("mine", shared.join("link")).unwrap();
    for (path, is_data) in [("mine/file", true), ("file", false), ("link/file", false), ("", false)]
    {
        assert!(hold(&shared.join(path), Rule::Program).is_err(), "{path}");
        assert_eq!(hold(&shared.join(path), Rule::Data).is_ok(), is_data, "{path}");
    }
}

#[test]
fn what_containers_write_is_not_roots_alone() {
    let Some(own) = roots_own() else { return };
    let volume = own.path().join("volumes/x/_data");
    std::fs::create_dir_all(volume.join("y")).unwrap();
    install(&volume.join("y/run"), "");
    symlink("volumes/x/_data/y", own.path().join("far")).unwrap();
    for path in ["volumes/x/_data", "volumes/x/_data/y", "volumes/x/_data/y/run", "far/run"] {
        for rule in [Rule::Program, Rule::Data, Rule::Word] {
            let why = hold(&own.path().join(path), rule).unwrap_err().to_string();
            assert!(why.contains("containers can write below"), "{path}: {why}");
        }
    }
    for (path, is_one) in [
        ("/var/lib/docker", true),
        ("/var/lib/containers", true),
        ("/srv/docker/volumes/x/_data", true),
        ("/srv/volumes/x/data", false),
        ("/srv/_data", false),
        ("/var/lib", false),
    ] {
        assert_eq!(walk::is_engines(Path::new(path)), is_one, "{path}");
    }
}

#[test]
fn what_cannot_be_resolved_is_refused() {
    let Some(own) = roots_own() else { return };
    let loops = own.path().join("loop");
    symlink(&loops, &loops).unwrap();
    std::fs::create_dir(own.path().join("directory")).unwrap();
    for path in [
        loops,
        own.path().join("nothing"),
        own.path().join("directory"),
        "/proc/self/exe".into(),
        "/proc/self/root/bin/sh".into(),
        "/dev/null".into(),
    ] {
        assert!(resolve(path.as_os_str(), OsStr::new("")).is_err(), "{}", path.display());
    }
}

#[test]
fn a_script_is_its_interpreters_owners() {
    let Some(own) = roots_own() else { return };
    let at = |path: &str| own.path().join(path);
    std::fs::create_dir(at("user")).unwrap();
    install(&at("user/node"), "#!/bin/sh\n");
    install(&at("user/data.js"), "");
    chown(at("user"), Some(4711), None).unwrap();
    symlink("/usr/bin/env", at("start")).unwrap();
    symlink(at("user/node"), at("node")).unwrap();
    install(&at("chain"), &format!("#!{}\n", at("user/node").display()));
    let path = format!("{}:/usr/bin:/bin", at("user").display());
    let users = at("user").display().to_string();
    for (line, wrong) in [
        ("/bin/sh", false),
        ("/bin/sh -e", false),
        ("  /usr/bin/env\tsh -e", false),
        ("/usr/bin/env -S sh -e", false),
        ("USER/node", true),
        ("OWN/node", true),
        ("OWN/chain", true),
        ("/usr/bin/env node", true),
        ("/usr/bin/env -S node --x", true),
        ("/usr/bin/env -Snode", true),
        ("OWN/start node", true),
        ("/usr/bin/env PATH=/home sh", true),
        ("/usr/bin/env -u X sh", true),
        ("/usr/bin/env", true),
        ("/bin/sh USER/data.js", true),
        ("/bin/sh --rcfile=USER/data.js", true),
        ("sh", true),
        ("", true),
    ] {
        let own = own.path().to_str().unwrap();
        let line = line.replace("USER", &users).replace("OWN", own);
        install(&at("script"), &format!("#!{line}\necho\n"));
        let found = resolve(at("script").as_os_str(), path.as_ref());
        assert_eq!(found.is_err(), wrong, "{line}: {found:?}");
    }
    install(&at("script"), &format!("#!/bin/sh {}\n", "x".repeat(300)));
    assert!(why(&at("script"), "").contains("too long"));
}

#[test]
fn a_call_of_roots_gets_what_was_judged_and_no_path_of_others() {
    let Some(own) = roots_own() else { return };
    let users = own.path().join("user");
    std::fs::create_dir(&users).unwrap();
    chown(&users, Some(4711), None).unwrap();
    let path = format!("{}:.:/usr/bin:/tmp", users.display());
    let judged = |identity: Identity| admit(&identity, "true".as_ref(), path.as_ref()).unwrap();
    let admitted = judged(Identity::root()).unwrap();
    assert_eq!(admitted.program, Path::new("/usr/bin/true"));
    assert_eq!(admitted.path, "/usr/bin");
    assert!(judged(Identity::of(4711, 4711)).is_none());
}

//! The one consent that a first paste waits for: noted ahead of it, and taken up by a running `watch`.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::bed::{Bed, CONF, ENV, STATE};

/// An `openclaw.json` whose comments the first paste would take away.
const COMMENTED: &str = "// mine\n{ meta: { lastTouchedVersion: '2026.9.6' } }\n";

const NOTED: &str = "lib/consent-default";

#[test]
fn it_is_noted_ahead_and_nothing_else_is_done() {
    let bed = Bed::new();
    bed.login("A").run(["gateway", "--consent"]).exit(0).says("nothing waits for a consent");
    assert!(!bed.exists(NOTED));
    // A fault of another link keeps nobody from it.
    bed.write("etc/other.conf", "REFRESH=nonsense\n");
    let ran = bed.run(["gateway", "--consent", "--delegate", "--link", "default"]).exit(0);
    ran.err(&["default: agreed: OpenClaw may rewrite openclaw.json, and a copy is kept beside it"]);
    assert!(bed.exists(NOTED) && !bed.exists(ENV));
    bed.run(["gateway", "--consent", "--delegate", "--link", "nowhere"]).exit(2);
    bed.run(["gateway", "--delegate"]).exit(2);
}

#[test]
fn it_is_noted_for_the_link_that_is_still_to_come() {
    let bed = Bed::new();
    fs::remove_file(bed.at(CONF)).unwrap();
    bed.run(["gateway", "--consent", "--delegate"]).exit(2);
    assert!(!bed.exists(NOTED));
    bed.run(["gateway", "--consent", "--delegate", "--link", "default"]).exit(0);
    assert!(bed.exists(NOTED));
}

#[test]
fn a_running_watch_takes_it_up() {
    let bed = Bed::new();
    bed.login("A").write(&format!("{STATE}/openclaw.json"), COMMENTED);
    let pasted = bed.at("pasted");
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in --version) echo 2026.9.6 ;; *paste-token*) wc -l >>'{}' ;; esac\n",
        pasted.display()
    );
    bed.write("bin/openclaw", script);
    fs::set_permissions(bed.at("bin/openclaw"), PermissionsExt::from_mode(0o755)).unwrap();
    bed.conf("OPENCLAW_COMMAND", bed.at("bin/openclaw").to_str().unwrap());
    let watch = bed.watch();
    watch.says("default: the token cannot be pasted: the first paste-token makes OpenClaw rewrite");
    watch.holds(ENV, "A");
    assert!(!pasted.exists());
    bed.run(["gateway", "--consent", "--delegate"]).exit(0);
    watch.until("the token is pasted", || pasted.exists());
    assert_eq!(bed.read(&format!("{STATE}/openclaw.json.before-oauth-sync")), COMMENTED);
}

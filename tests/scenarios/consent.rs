//! The one consent that a first paste waits for: foretold before a link is written, noted ahead of it,
//! and taken up by a running `watch`.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::bed::{Bed, CONF, ENV, STATE};
use crate::detect::Host;

/// An `openclaw.json` whose comments the first paste would take away.
const COMMENTED: &str = "// mine\n{ meta: { lastTouchedVersion: '2026.9.6' } }\n";

const NOTED: &str = "lib/consent-default";

fn host(config: &str) -> Host {
    Host::new().login("home/ann/.claude", 8).file("home/ann/.openclaw/openclaw.json", config)
}

/// Says what the packages' question depends on: whether the link of these answers would wait.
#[track_caller]
fn foretold(host: &Host, answers: &str) -> bool {
    let answers = host.0.write("answers", answers).at("answers");
    let root = host.0.at("host");
    let args = ["detect", "--lacks-consent", "--set-stdin", "--root", root.to_str().unwrap()];
    let mut command = host.0.command(&[], &args);
    let ran = host.0.ran(command.stdin(fs::File::open(answers).unwrap()).output().unwrap());
    let said = ran.exit(0).out.lines().count();
    assert!(said < 2 && !host.0.exists("lib"), "it makes nothing");
    said == 1
}

const ANNS: &str = "CLAUDE_CREDENTIALS=/home/ann/.claude/.credentials.json\nOPENCLAW_STATE_DIR=/home/ann/.openclaw\n";

#[test]
fn a_paste_that_would_wait_is_foretold() {
    let host = host(COMMENTED);
    assert!(foretold(&host, ""), "what would be written unasked");
    assert!(foretold(&host, ANNS), "what was answered");
    assert!(!host.0.exists(CONF));
    host.0.write(CONF, ANNS);
    assert!(foretold(&host, ""), "what is configured");
    assert!(!foretold(&host, "SINKS=env\n"), "what is not pasted");
    assert!(!foretold(&host, "OPENCLAW_STATE_DIR=/home/bob/.openclaw\n"), "what is not there");
    assert!(!foretold(&host, "REFRESH=nonsense\n"), "what cannot be used");
}

#[test]
fn nothing_is_foretold_where_nothing_would_wait() {
    for config in [
        "{ meta: { lastTouchedVersion: '2026.9.6' } }",
        "// mine\n{ meta: { lastTouchedVersion: '2026.2.25' } }",
        "// mine\n{}",
        "// mine\n{ meta: { lastTouchedVersion: '2026.9.6' }, auth: { profiles: { 'anthropic:oauth-sync': {} } } }",
    ] {
        assert!(!foretold(&host(config), ""), "{config}");
    }
    let two = host(COMMENTED).login("home/bob/.claude", 8).claw("home/bob/.openclaw");
    assert!(!foretold(&two, ""), "nothing is linked unasked");
    assert!(foretold(&two, ANNS));
}

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

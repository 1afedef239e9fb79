//! The one consent that a first paste waits for: foretold before a link is written, noted ahead of it,
//! and taken up by a running `watch`.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

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

/// A link whose `openclaw` does with openclaw.json what 2026.9.6 was seen to do at its first paste.
fn pasting() -> Bed {
    let bed = Bed::new();
    bed.login("A");
    let script = r#"#!/bin/sh
cd "$OPENCLAW_STATE_DIR"
case "$*" in
--version) echo 2026.9.6 ;;
*paste-token*)
    tail -c 9 | tr -d '\n' >pasted
    f=openclaw.json
    if grep -q 'auth:{$include' "$f"; then f=auth.json5; fi
    sed 's://.*$::' "$f" >new && mv -f new "$f"
    ;;
*'models status'*)
    echo '{"auth":{"providers":[{"provider":"anthropic","profiles":{"labels":["anthropic:oauth-sync=token:…'"$(cat pasted)"'"]}}],"oauth":{"providers":[{"provider":"anthropic","effectiveProfiles":[{"profileId":"anthropic:oauth-sync"}]}]}}}' ;;
esac
"#;
    bed.write("bin/openclaw", script);
    fs::set_permissions(bed.at("bin/openclaw"), PermissionsExt::from_mode(0o755)).unwrap();
    bed.conf("OPENCLAW_COMMAND", bed.at("bin/openclaw").to_str().unwrap());
    bed
}

/// Runs the gateway's part until it waits for the consent, and gives what it asks.
#[track_caller]
fn asked(bed: &Bed) -> String {
    bed.run(["sync"]);
    let said = format!("{:?}", bed.run(["gateway"]));
    assert!(!bed.exists(&format!("{STATE}/pasted")), "pasted unasked: {said}");
    let status = bed.run(["status"]).out;
    assert!(status.contains("the first paste-token makes OpenClaw rewrite"), "{status}");
    status
}

#[test]
fn a_link_is_cut_only_after_a_consent_that_names_it() {
    let bed = pasting();
    // No comments: the link alone is enough to ask.
    let text = "{meta:{lastTouchedVersion:'2026.9.6'}}\n";
    bed.write("home/repo/openclaw.json", text);
    let config = format!("{STATE}/openclaw.json");
    symlink("../repo/openclaw.json", bed.at(&config)).unwrap();
    let said = asked(&bed);
    let (file, target) = (bed.at(&config), bed.at("home/repo/openclaw.json"));
    let both = format!(
        "rewrite '{}': a file takes the place of the link to '{}'",
        file.display(),
        target.display()
    );
    assert!(said.contains(&both), "{said}");
    let both = bed.plain(&both);
    // Who agreed to a loss of comments did not agree to that.
    bed.run(["gateway", "--consent", "--delegate"]).exit(0);
    asked(&bed);
    bed.run(["gateway", "--consent"]).says("agreed: ").says(&both);
    assert!(bed.exists(&format!("{STATE}/pasted")) && bed.at(&config).is_file());
    assert_eq!(bed.read(&format!("{STATE}/openclaw.json.before-oauth-sync")), text);
    assert_eq!(bed.read("home/repo/openclaw.json"), text);
}

#[test]
fn an_included_file_is_rewritten_only_after_a_consent_that_names_it() {
    let bed = pasting();
    let text = "{meta:{lastTouchedVersion:'2026.9.6'},auth:{$include:'auth.json5'}}\n";
    bed.write(&format!("{STATE}/openclaw.json"), text);
    let auth = format!("{STATE}/auth.json5");
    bed.write(&auth, "{} // mine\n");
    let said = asked(&bed);
    assert!(said.contains(&format!("rewrite '{}'", bed.at(&auth).display())), "{said}");
    // Another file was named to whoever agrees before this one changes.
    bed.run(["gateway", "--consent"]).says("auth.json5");
    assert_eq!(bed.read(&format!("{auth}.before-oauth-sync")), "{} // mine\n");
    assert_eq!(bed.read(&format!("{STATE}/openclaw.json")), text);
}

#[test]
fn what_was_agreed_to_holds_for_nothing_else() {
    let bed = pasting();
    let config = format!("{STATE}/openclaw.json");
    bed.write(&config, COMMENTED);
    asked(&bed);
    let status = bed.run(["gateway", "--consent", "--delegate"]).exit(0);
    drop(status);
    // In the meantime the file has become a link, or one that is not understood.
    fs::rename(bed.at(&config), bed.at("home/openclaw.json")).unwrap();
    symlink("../openclaw.json", bed.at(&config)).unwrap();
    asked(&bed);
    fs::remove_file(bed.at(&config)).unwrap();
    bed.write(&config, "{").openclaw("2026.9.6");
    asked(&bed);
}

/// What only root can set up or see.
mod as_root {
    use super::{ANNS, COMMENTED, CONF, foretold, host};

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
        assert!(foretold(&host, "REFRESH=nonsense\n"), "what cannot be used is left out");
    }
}

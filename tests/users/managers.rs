//! `openclaw` where a version manager, npm or a unit of the user's has it: it is found, and pasted into.
//! The bed's home is laid over root's in a mount namespace, since an account's home counts.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::bed::{Bed, STATE, is_root};

/// Stands for OpenClaw 2026.9.6 as far as it is called.
const OPENCLAW: &str = r#"#!/bin/sh
s=$OPENCLAW_STATE_DIR
case "$*" in
--version) echo "OpenClaw 2026.9.6 (stub)" ;;
*paste-token*) cat >"$s/pasted" ;;
*"models status"*)
    t=$(tail -c 9 "$s/pasted" | tr -d '\n')
    echo '{"auth":{"providers":[{"provider":"anthropic","profiles":{"labels":["anthropic:oauth-sync=token:…'"$t"'"]}}],"oauth":{"providers":[{"provider":"anthropic","effectiveProfiles":[{"profileId":"anthropic:oauth-sync"}]}]}}}' ;;
*) exit 1 ;;
esac
"#;

/// Pastes with an `openclaw` at `place` below the home, and with further files there.
#[track_caller]
fn is_found(place: &str, files: &[(&str, &str)]) {
    assert!(is_root(), "this test lays a home over root's");
    let bed = Bed::new();
    bed.login("new").write(&format!("{STATE}/openclaw.json"), "{}");
    bed.write("etc/default.conf", "CLAUDE_CREDENTIALS=\"/root/.claude/.credentials.json\"\nOPENCLAW_STATE_DIR=\"/root/.openclaw\"\nGATEWAY=\"none\"\nREFRESH=\"off\"\n");
    let program = format!("home/{place}/openclaw");
    bed.write(&program, OPENCLAW);
    fs::set_permissions(bed.at(&program), PermissionsExt::from_mode(0o755)).unwrap();
    for (path, text) in files {
        bed.write(&format!("home/{path}"), text);
    }
    let mut command = Command::new("unshare");
    command.args(["-m", "--propagation", "private", "sh", "-c"]);
    command.arg("mount --bind \"$0\" /root && exec \"$@\"").arg(bed.at("home"));
    let ran = bed.ran(command.args(bed.args(&["sync"])).output().unwrap());
    let ran = ran.exit(0).says("the token was handed to OpenClaw");
    let pasted = fs::read_to_string(bed.at(&format!("{STATE}/pasted"))).unwrap_or_default();
    assert_eq!(pasted.trim(), "access-new", "{place}: {}", ran.err);
}

#[test]
fn openclaw_is_found_below_every_version_manager() {
    for place in [
        ".nvm/versions/node/v22.19.0/bin",
        ".nvm/versions/node/v9.11.2/bin",
        ".config/nvm/versions/node/v22.19.0/bin",
        ".local/share/fnm/node-versions/v22.19.0/installation/bin",
        ".volta/bin",
        ".asdf/shims",
        ".asdf/installs/nodejs/22.19.0/bin",
        ".local/share/mise/installs/node/22.19.0/bin",
        ".local/share/pnpm",
        ".npm-global/bin",
        ".npm/bin",
        ".fnm/node-versions/v22.19.0/installation/bin",
        ".local/state/fnm_multishells/71_1767225600000/bin",
        ".nodenv/versions/22.19.0/bin",
        ".nodebrew/current/bin",
        "n/bin",
        ".linuxbrew/bin",
        ".local/share/pnpm/global/5/node_modules/.bin",
    ] {
        is_found(place, &[]);
    }
    is_found("node/bin", &[(".bashrc", "export N_PREFIX=\"$HOME/node\"; PATH+=:x\n")]);
    is_found("own/bin", &[(".npmrc", "prefix = ${HOME}/own\n")]);
}

#[test]
fn openclaw_is_found_where_the_owners_unit_starts_it() {
    let unit = ".config/systemd/user/openclaw-gateway.service";
    let start = "[Service]\nExecStart=/root/a/b/openclaw gateway --port 18789\n";
    is_found("a/b", &[(unit, start)]);
    let other = "[Service]\nExecStart=/usr/bin/false gateway\n";
    let drop_in = format!("{unit}.d/override.conf");
    is_found(
        "a/b",
        &[
            (unit, other),
            (&drop_in, "[Service]\nExecStart=\nExecStart=\"%h/a/b/openclaw\" \\\n  gateway\n"),
        ],
    );
}

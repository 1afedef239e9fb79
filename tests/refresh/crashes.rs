//! probe
use crate::rig::Rig;
#[test]
fn probe() {
    let rig = Rig::new(80);
    rig.refresh(&["--dry-run"]);
    let out = rig
        .command(&["/usr/bin/strace", "-f", "-o", "/tmp/api.trace"], &["refresh"])
        .output()
        .unwrap();
    assert!(out.status.success(), "{out:?}");
}

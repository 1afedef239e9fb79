//! That each program is the version its folder says.

use crate::claude::Claude;
use crate::endpoint;
use crate::openclaw::OpenClaw;

#[test]
fn each_program_is_the_version_asked_for() {
    let (endpoint, _folder) = endpoint();
    for version in ["2026.2.25", "2026.4.15", "2026.6.1", "2026.8.1", "2026.9.6"] {
        let openclaw = OpenClaw::version(version, &endpoint);
        let ran = openclaw.run(&["--version"], "");
        assert!(ran.stdout.contains(version), "{}: {ran:?}", openclaw.program().display());
    }
    for version in ["2.1.197", "2.1.330"] {
        let claude = Claude::version(version, &endpoint);
        let ran = claude.run(&["--version"]);
        assert!(ran.stdout.contains(version), "{}: {ran:?}", claude.program().display());
    }
}

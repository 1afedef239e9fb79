//! Sixteen of us and four real CLIs on one login.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::claude::Claude;
use crate::endpoint;
use crate::endpoint::{Answer, TOKEN};
use crate::oauth_sync::OauthSync;

#[test]
fn all_at_once_they_spend_one_token_and_every_later_refresh_works() {
    for (version, methods) in [("2.1.197", "api"), ("2.1.330", "cli api")] {
        let (endpoint, _folder) = endpoint();
        // So slow that every one of them wants to renew before the first one has.
        endpoint.once(TOKEN, Answer::usual().after(Duration::from_secs(4)));
        // In its last minutes the CLI renews by itself.
        let claude = Claude::version(version, &endpoint).signed_in(&endpoint.sign_in(), 200);
        let sync = OauthSync::new(&claude, &endpoint, methods);
        let real = || {
            let mut command = Command::new(claude.program());
            command.env_clear().env("HOME", sync.home()).env("PATH", "/usr/bin:/bin");
            command.envs(claude.environment()).args(["-p", "say ok"]).current_dir(sync.home());
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().expect("the program starts")
        };
        let ours = || sync.command(&["refresh"]).spawn().expect("the program starts");
        let mut children = Vec::new();
        for _ in 0..4 {
            children.push((false, real()));
            children.extend((0..4).map(|_| (true, ours())));
        }
        for (is_ours, child) in children {
            let ended = child.wait_with_output().expect("it ends");
            let said = String::from_utf8_lossy(&ended.stderr).into_owned();
            assert!(!said.contains("sk-ant-"), "{version}: {said}");
            // Who finds the login in somebody else's hands tries again later.
            let expected = if is_ours { [Some(0), Some(75)] } else { [Some(0), Some(0)] };
            assert!(expected.contains(&ended.status.code()), "{version}: {ended:?}");
        }
        assert_eq!((endpoint.grants().len(), endpoint.refused()), (1, 0), "{version}");
        let holds_last = || {
            let grants = endpoint.grants();
            let grant = grants.last().expect("there is one");
            let stored = &claude.credentials()["claudeAiOauth"];
            assert_eq!(stored["accessToken"], grant.access_token, "{version}");
            assert_eq!(stored["refreshToken"], grant.refresh_token, "{version}");
        };
        holds_last();
        for round in 2..4 {
            let ran = sync.refresh(&["--force"]);
            assert_eq!(ran.code, Some(0), "{version}: {ran:?}");
            assert_eq!((endpoint.grants().len(), endpoint.refused()), (round, 0), "{version}");
            holds_last();
        }
        assert_eq!(claude.run(&["-p", "say ok"]).code, Some(0), "{version}");
    }
}

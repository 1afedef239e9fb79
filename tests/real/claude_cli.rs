//! When the Claude CLI renews its credentials by itself.

use crate::claude::Claude;
use crate::endpoint::{MESSAGES, PROFILE, Readers, TOKEN};
use crate::{endpoint, token};

const VERSIONS: [&str; 2] = ["2.1.197", "2.1.330"];

#[test]
fn four_minutes_before_the_end_it_renews_once() {
    for version in VERSIONS {
        let (endpoint, _folder) = endpoint();
        let claude = Claude::version(version, &endpoint).signed_in(&endpoint.sign_in(), 240);
        let ran = claude.run(&["-p", "say ok"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "ok\n"), "{version}: {ran:?}");
        assert_eq!(endpoint.requests_to(TOKEN).len(), 1, "{version}");
        assert_eq!(endpoint.requests_to(TOKEN)[0].host, "platform.claude.com");
        let [grant] = endpoint.grants().try_into().expect("one grant");
        let stored = &claude.credentials()["claudeAiOauth"];
        assert_eq!(stored["accessToken"], grant.access_token, "{version}");
        assert_eq!(stored["refreshToken"], grant.refresh_token, "{version}");
        assert_eq!(endpoint.requests_to(PROFILE)[0].bearer(), grant.access_token);
        assert_eq!(endpoint.requests_to(MESSAGES)[0].bearer(), grant.access_token);
    }
}

#[test]
fn ninety_minutes_before_the_end_it_does_not() {
    for version in VERSIONS {
        let (endpoint, _folder) = endpoint();
        let pair = endpoint.sign_in();
        let claude = Claude::version(version, &endpoint).signed_in(&pair, 90 * 60);
        let ran = claude.run(&["-p", "say ok"]);
        assert_eq!(ran.code, Some(0), "{version}: {ran:?}");
        assert_eq!(endpoint.requests_to(TOKEN).len(), 0, "{version}");
        assert_eq!(claude.credentials()["claudeAiOauth"]["accessToken"], pair.access_token);
        assert_eq!(endpoint.requests_to(MESSAGES)[0].bearer(), pair.access_token);
    }
}

#[test]
fn a_refused_access_token_makes_it_renew_at_any_time() {
    let (endpoint, _folder) = endpoint();
    endpoint.readers(Readers::Newest);
    let claude = Claude::version("2.1.330", &endpoint).signed_in(&endpoint.sign_in(), 90 * 60);
    let ran = claude.run(&["-p", "say ok"]);
    assert_eq!((ran.code, endpoint.grants().len()), (Some(0), 1), "{ran:?}");
}

#[test]
fn a_spent_refresh_token_blanks_its_file() {
    let (endpoint, _folder) = endpoint();
    let mut pair = endpoint.sign_in();
    pair.refresh_token = token("spent");
    let claude = Claude::version("2.1.330", &endpoint).signed_in(&pair, -60);
    claude.run(&["-p", "say ok"]);
    assert_eq!(endpoint.refused(), 1);
    let stored = &claude.credentials()["claudeAiOauth"];
    assert_eq!((&stored["accessToken"], &stored["expiresAt"]), (&"".into(), &0.into()));
    assert!(claude.source().exists());
}

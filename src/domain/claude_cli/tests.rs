use super::*;

#[test]
fn the_version_is_read_where_installers_leave_it() {
    let native = Path::new("/home/claw/.local/share/claude/versions/2.1.330");
    assert_eq!(Version::of_path(native), Some(Version([2, 1, 330])));
    assert_eq!(Version::of_path(Path::new("/usr/lib/2.1.330")), None);
    let npm = r#"{"name":"@anthropic-ai/claude-code","version":"2.0.76"}"#;
    assert_eq!(Version::of_package(npm), Some(Version([2, 0, 76])));
    assert_eq!(Version::of_package(r#"{"name":"claude","version":"2.0.76"}"#), None);
    assert_eq!(Version::parse("2.1.330-beta"), None);
}

#[test]
fn an_unknown_version_gets_no_option_that_could_stop_it() {
    assert!(options(None, true).is_empty());
    assert_eq!(options(Some(Version([1, 0, 44])), true), ["--strict-mcp-config"]);
    let newest = options(Some(Version([2, 1, 330])), true);
    assert_eq!(newest.len(), 4);
    assert!(newest[2].contains("disableAllHooks") && newest[2].contains(BASE_URL));
}

#[test]
fn settings_that_stop_the_renewal_are_found() {
    let env = |text: &str| format!(r#"{{"env":{{{text}}}}}"#);
    for (text, found) in [
        (r#""CLAUDE_CODE_OAUTH_TOKEN":"x""#, Some("CLAUDE_CODE_OAUTH_TOKEN")),
        (r#""CLAUDE_CODE_OAUTH_TOKEN":"""#, None),
        (r#""CLAUDE_CODE_USE_BEDROCK":"1""#, Some("CLAUDE_CODE_USE_BEDROCK")),
        (r#""CLAUDE_CODE_USE_VERTEX":0"#, None),
        (r#""ANTHROPIC_API_KEY":"k""#, None),
    ] {
        assert_eq!(blocker(&env(text)), found, "{text}");
    }
    assert_eq!(blocker("not JSON"), None);
    assert!(names_base_url(&env(r#""ANTHROPIC_BASE_URL":"http://127.0.0.1:1""#)));
    assert!(!names_base_url(&env(r#""ANTHROPIC_BASE_URL":"https://api.anthropic.com/""#)));
    assert!(!names_base_url("{}"));
}

#[test]
fn three_calls_an_hour_and_no_more() {
    let minute = |minute: i64| Timestamp(1_800_000_000_000 + minute * 60_000);
    let mut runs = Vec::new();
    for (now, next) in [
        (0, None),
        (10, None),
        (20, None),
        (30, Some(60)),
        (59, Some(60)),
        (60, None),
        (61, Some(70)),
        (-600, None),
    ] {
        let now = minute(now);
        assert_eq!(runs_allowed_at(&runs, now), next.map(minute), "{now}");
        if next.is_none() {
            note_run(&mut runs, now);
        }
    }
}

#[test]
fn a_cause_quotes_nothing() {
    let said = "API Error: 401 OAuth token has expired. sk-ant-oat01-secret";
    assert_eq!(cause(said), Some("the server did not renew the login"));
    assert_eq!(cause("ok"), None);
}

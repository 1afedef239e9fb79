//! The rule of the profile, on stores as OpenClaw writes them.

use super::*;

const NOW: Timestamp = Timestamp(1_772_000_000_000);

/// The store of 2026.2.25 after its import of an `oauth.json`, with another provider beside it.
const IMPORTED: &str = r#"{
  "version": 1,
  "profiles": {
    "openai:default": {
      "type": "api_key",
      "provider": "openai",
      "key": "sk-openai"
    },
    "anthropic:default": {
      "type": "oauth",
      "provider": "anthropic",
      "access": "access-A",
      "refresh": "refresh-A",
      "expires": 1771999000000,
      "email": "claw@example.org"
    }
  },
  "lastGood": {
    "anthropic": "anthropic:default"
  },
  "usageStats": {
    "anthropic:default": {
      "lastUsed": 1771990000000,
      "errorCount": 2,
      "cooldownUntil": 1772000300000,
      "failureCounts": {
        "auth": 2
      },
      "lastFailureAt": 1771999990000
    }
  }
}
"#;

fn credential() -> Credential {
    Credential {
        access_token: Secret::new("access-B"),
        refresh_token: Some(Secret::new("refresh-B")),
        expiry: Timestamp(1_772_020_000_000),
        login_end: None,
    }
}

fn is_ours(token: &Secret) -> bool {
    token.expose() == "access-A"
}

/// An edit beside an `auth-state.json` and an openclaw.json; made twice, to see that it is done.
fn edit_with(text: &str, state: Option<&str>, config: &str) -> Edit {
    let config = crate::domain::json5::read(config.as_bytes()).expect("it is well-formed");
    let config = OpenclawConfig::read(&config.value);
    let context = Context { now: NOW, config: &config, auth_state: state, is_ours: &is_ours };
    let first = edit(Some(text), &context, &credential()).expect("the store is well-formed");
    let text = first.text.as_deref().unwrap_or(text);
    let context = Context { auth_state: first.auth_state.as_deref().or(state), ..context };
    let second = edit(Some(text), &context, &credential()).expect("we wrote it");
    assert_eq!((&second.text, &second.auth_state), (&None, &None), "a second time: {text}");
    assert_eq!(second.profile_id, first.profile_id);
    first
}

fn edited(text: &str) -> Edit {
    edit_with(text, None, "{}")
}

/// A store on one line, with these profiles and this rest.
fn store(profiles: &str, rest: &str) -> String {
    format!(r#"{{"version":1,"profiles":{{{profiles}}}{rest}}}"#)
}

const KEY: &str = r#""anthropic:key":{"type":"api_key","provider":"anthropic","key":"sk-key"}"#;
const OAUTH: &str = r#""anthropic:me":{"type":"oauth","provider":"anthropic","access":"a","refresh":"r","expires":1}"#;
const REWRITTEN: &str = r#""anthropic:me":{"type":"token","provider":"anthropic","expires":1772020000000,"token":"access-B"}"#;
const OWN: &str = r#""anthropic:oauth-sync":{"type":"token","provider":"anthropic","token":"access-B","expires":1772020000000}"#;

#[test]
fn an_oauth_profile_becomes_a_token_and_keeps_the_rest() {
    let after = edited(IMPORTED);
    let wanted = IMPORTED
        .replace("\"type\": \"oauth\"", "\"type\": \"token\"")
        .replace("      \"access\": \"access-A\",\n      \"refresh\": \"refresh-A\",\n", "")
        .replace("1771999000000", "1772020000000")
        .replace("\"claw@example.org\"", "\"claw@example.org\",\n      \"token\": \"access-B\"")
        .replace("      \"cooldownUntil\": 1772000300000,\n", "")
        .replace("\"errorCount\": 2", "\"errorCount\": 0")
        .replace("      \"failureCounts\": {\n        \"auth\": 2\n      },\n", "");
    assert_eq!(after.text, Some(wanted));
    assert_eq!(after.profile_id, "anthropic:default");
    assert!(after.cleared_cooldown);
}

#[test]
fn a_new_store_begins_as_openclaw_begins_it() {
    let config = OpenclawConfig::default();
    let context = Context { now: NOW, config: &config, auth_state: None, is_ours: &is_ours };
    let after = edit(None, &context, &credential()).expect("there is nothing to misread");
    assert_eq!(
        after.text.as_deref(),
        Some(
            "{\n  \"version\": 1,\n  \"profiles\": {\n    \"anthropic:oauth-sync\": {\n      \"type\": \"token\",\n      \"provider\": \"anthropic\",\n      \"token\": \"access-B\",\n      \"expires\": 1772020000000\n    }\n  }\n}\n"
        )
    );
}

#[test]
fn the_profile_is_the_one_that_openclaw_picks() {
    let token = r#""anthropic:t":{"type":"token","provider":"anthropic","token":"t"}"#;
    let all = format!("{KEY},{token},{OAUTH}");
    for (rest, config, picked) in [
        ("", "{}", "anthropic:me"),
        (r#","order":{"anthropic":["anthropic:t","anthropic:key"]}"#, "{}", "anthropic:t"),
        (
            r#","order":{"Anthropic":[" anthropic:t "]}"#,
            "{auth:{order:{anthropic:['anthropic:me']}}}",
            "anthropic:t",
        ),
        ("", "{auth:{order:{anthropic:['anthropic:gone','anthropic:t']}}}", "anthropic:t"),
        (
            "",
            "{auth:{profiles:{'anthropic:t':{provider:'anthropic',mode:'token'}}}}",
            "anthropic:t",
        ),
        (
            "",
            "{auth:{profiles:{'anthropic:gone':{provider:'anthropic',mode:'token'}}}}",
            "anthropic:me",
        ),
        (
            "",
            "{auth:{profiles:{'anthropic:me':{provider:'anthropic',mode:'api_key'},'anthropic:t':{provider:'anthropic',mode:'oauth'}}}}",
            "anthropic:t",
        ),
        (r#","order":{"anthropic":[]}"#, "{}", "anthropic:me"),
    ] {
        assert_eq!(
            edit_with(&store(&all, rest), None, config).profile_id,
            picked,
            "{rest} {config}"
        );
    }
}

#[test]
fn among_profiles_of_a_type_ours_and_then_the_oldest_use_counts() {
    let used = |id: &str, at: u8| format!(r#""{id}":{{"lastUsed":{at}}}"#);
    let two = |first: &str, second: &str| {
        let one = |id, token| {
            format!(r#""{id}":{{"type":"token","provider":"anthropic","token":"{token}"}}"#)
        };
        let stats = format!("{},{}", used("anthropic:1", 9), used("anthropic:2", 5));
        store(
            &format!("{},{}", one("anthropic:1", first), one("anthropic:2", second)),
            &format!(r#","usageStats":{{{stats}}}"#),
        )
    };
    assert_eq!(edited(&two("x", "y")).profile_id, "anthropic:2");
    assert_eq!(edited(&two("access-A", "y")).profile_id, "anthropic:1");
    let both = edited(&two("access-A", "access-A")).text.expect("it changed");
    assert_eq!(both.matches("access-B").count(), 2, "no copy of the old token is left");
}

#[test]
fn no_oauth_profile_is_left_before_ours() {
    let other = OAUTH.replace("anthropic:me", "anthropic:you");
    let edit = edited(&store(&format!("{OAUTH},{other}"), ""));
    let after = REWRITTEN.replace("anthropic:me", "anthropic:you");
    assert_eq!(edit.text, Some(store(&format!("{REWRITTEN},{after}"), "")));
    assert_eq!(edit.hidden_by, None);
}

#[test]
fn an_api_key_is_never_touched() {
    let by_name = r#","order":{"anthropic":["anthropic:key"]}"#;
    let with_own = r#","order":{"anthropic":["anthropic:oauth-sync","anthropic:key"]}"#;
    let configured = "{auth:{order:{anthropic:['anthropic:key']}}}";
    let named = "{auth:{profiles:{'anthropic:key':{provider:'anthropic',mode:'api_key'}}}}";
    let both = format!("{KEY},{OWN}");
    for (rest, config, after) in [
        // The type order takes a token before an API key.
        ("", "{}", store(&both, "")),
        (by_name, "{}", store(&both, with_own)),
        ("", configured, store(&both, with_own)),
        ("", named, store(&both, with_own)),
    ] {
        let edit = edit_with(&store(KEY, rest), None, config);
        assert_eq!((edit.text, edit.hidden_by), (Some(after), None), "{rest} {config}");
    }
}

#[test]
fn what_a_person_put_before_ours_stays_there() {
    let order = r#","order":{"anthropic":["anthropic:key","anthropic:oauth-sync"]}"#;
    let old = OWN.replace("access-B", "access-A");
    let edit = edited(&store(&format!("{KEY},{old}"), order));
    assert_eq!(edit.text, Some(store(&format!("{KEY},{OWN}"), order)));
    assert_eq!(edit.hidden_by.as_deref(), Some("anthropic:key"));
}

#[test]
fn the_order_in_force_is_what_somebody_set_or_all_of_anthropics() {
    let set = r#","order":{"anthropic":["anthropic:key"]}"#;
    let other = r#""openai:x": {"type": "api_key", "provider": "openai", "key": "k"}"#;
    for (rest, ids) in
        [(set, &["anthropic:key"][..]), ("", &["anthropic:key", "anthropic:oauth-sync"])]
    {
        let text = store(&format!("{KEY},{OWN},{other}"), rest);
        let config = OpenclawConfig::default();
        let context = Context { now: NOW, config: &config, auth_state: None, is_ours: &|_| false };
        assert_eq!(order(&text, &context), ids, "{rest}");
    }
}

#[test]
fn a_mode_that_forbids_ours_is_told() {
    let config = "{auth:{profiles:{'anthropic:oauth-sync':{provider:'anthropic',mode:'api_key'}}}}";
    let edit = edit_with(&store("", ""), None, config);
    assert_eq!(edit.hidden_by.as_deref(), Some(OWN_PROFILE));
}

#[test]
fn a_reference_is_foreign() {
    let by_reference = r#""anthropic:ref":{"type":"token","provider":"anthropic","tokenRef":{"source":"file","provider":"oauthsync","id":"/anthropic/access"}}"#;
    let edit = edited(&store(by_reference, r#","order":{"anthropic":["anthropic:ref"]}"#));
    let order = r#","order":{"anthropic":["anthropic:oauth-sync","anthropic:ref"]}"#;
    assert_eq!(edit.text, Some(store(&format!("{by_reference},{OWN}"), order)));
}

#[test]
fn an_order_in_the_state_file_counts_and_is_edited_there() {
    let state = r#"{"version":1,"order":{"anthropic":["anthropic:key"]}}"#;
    let edit =
        edit_with(&store(KEY, r#","order":{"anthropic":["anthropic:me"]}"#), Some(state), "{}");
    assert_eq!(
        edit.auth_state.as_deref(),
        Some(r#"{"version":1,"order":{"anthropic":["anthropic:oauth-sync","anthropic:key"]}}"#)
    );
    let broken = edit_with(&store(OAUTH, ""), Some("{"), "{}");
    assert_eq!((broken.text, broken.auth_state), (Some(store(REWRITTEN, "")), None));
}

/// `usageStats` of `anthropic:me` after its token changed, if they changed too.
fn cooled(before: &str) -> Option<String> {
    let state = format!(r#"{{"usageStats":{{"anthropic:me":{{{before}}}}}}}"#);
    let edit = edit_with(&store(OAUTH, ""), Some(&state), "{}");
    assert_eq!(edit.cleared_cooldown, edit.auth_state.is_some());
    let after = edit.auth_state?;
    let after = after.strip_prefix(r#"{"usageStats":{"anthropic:me":{"#)?.strip_suffix("}}}")?;
    Some(after.to_owned())
}

#[test]
fn only_a_cool_down_by_a_rejected_token_is_cleared() {
    for (before, after) in [
        (
            r#""cooldownUntil":1772000030000,"cooldownReason":"auth","errorCount":1,"failureCounts":{"auth":1}"#,
            r#""errorCount":0"#,
        ),
        (
            r#""errorCount":3,"failureCounts":{"auth_permanent":3},"disabledUntil":1772000600000,"disabledReason":"auth_permanent""#,
            r#""errorCount":0"#,
        ),
        (
            r#""errorCount":3,"failureCounts":{"auth":1,"billing":2},"cooldownUntil":1772000030000,"disabledUntil":1772018000000,"disabledReason":"billing""#,
            r#""errorCount":2,"failureCounts":{"billing":2},"disabledUntil":1772018000000,"disabledReason":"billing""#,
        ),
        (
            r#""errorCount":3,"failureCounts":{"auth":1,"auth_permanent":9223372036854775807,"billing":9223372036854775807},"cooldownUntil":1772000030000"#,
            r#""errorCount":9223372036854775807,"failureCounts":{"auth_permanent":9223372036854775807,"billing":9223372036854775807}"#,
        ),
    ] {
        assert_eq!(cooled(before).as_deref(), Some(after));
    }
    for kept in [
        r#""cooldownUntil":1772000030000,"cooldownReason":"rate_limit","cooldownModel":"m","errorCount":1,"failureCounts":{"rate_limit":1}"#,
        r#""cooldownUntil":1772000030000,"errorCount":2,"failureCounts":{"rate_limit":1,"auth":1}"#,
        r#""cooldownUntil":1772000030000,"cooldownReason":"auth","errorCount":2,"failureCounts":{"rate_limit":1,"auth":1}"#,
        r#""cooldownUntil":1771999999999,"errorCount":1,"failureCounts":{"auth":1}"#,
        r#""cooldownUntil":1772000030000,"errorCount":1"#,
        r#""disabledUntil":1772018000000,"disabledReason":"billing","failureCounts":{"billing":1,"auth":1}"#,
    ] {
        assert_eq!(cooled(kept), None, "{kept}");
    }
}

#[test]
fn a_token_that_stands_already_clears_nothing() {
    let text = store(
        REWRITTEN,
        r#","usageStats":{"anthropic:me":{"cooldownUntil":1772000030000,"failureCounts":{"auth":1}}}"#,
    );
    let edit = edited(&text);
    assert_eq!((edit.text, edit.cleared_cooldown), (None, false));
}

#[test]
fn what_is_held_is_what_would_be_rewritten() {
    let config = OpenclawConfig::default();
    let context = Context { now: NOW, config: &config, auth_state: None, is_ours: &is_ours };
    let (id, held) = held(IMPORTED, &context).unwrap().expect("a profile stands there");
    assert_eq!((id.as_str(), held.token), ("anthropic:default", Secret::new("access-A")));
    assert_eq!(held.expiry, Some(Timestamp(1_771_999_000_000)));
    assert_eq!(super::held(&store(KEY, ""), &context), Ok(None));
}

#[test]
fn a_store_lives_by_an_unexpired_profile_or_one_of_ours() {
    let token = |token: &str, expires: &str| {
        store(
            &format!(r#""a":{{"type":"token","provider":"anthropic","token":"{token}"{expires}}}"#),
            "",
        )
    };
    assert!(living(IMPORTED, NOW, &is_ours), "expired, but ours");
    assert!(!living(IMPORTED, NOW, &|_| false));
    assert!(living(&token("x", r#","expires":1772000000001"#), NOW, &is_ours));
    assert!(!living(&token("x", r#","expires":1772000000000"#), NOW, &is_ours));
    assert!(living(&token("x", ""), NOW, &is_ours));
    assert!(!living(&store(KEY, ""), NOW, &is_ours));
    assert!(!living("{", NOW, &is_ours));
}

#[test]
fn a_store_that_cannot_be_read_is_told_by_place() {
    let config = OpenclawConfig::default();
    let context = Context { now: NOW, config: &config, auth_state: None, is_ours: &is_ours };
    let error = edit(Some("{\n  \"profiles\": {sk-secret}\n}"), &context, &credential());
    assert_eq!(error, Err(Malformed { line: 2, column: 16 }));
    let error = edit(Some("{\"profiles\": []}"), &context, &credential());
    assert_eq!(error, Err(Malformed { line: 1, column: 14 }));
}

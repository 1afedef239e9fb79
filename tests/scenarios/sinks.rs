//! What each sink holds after a sync, byte for byte, and what each era of OpenClaw allows.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};

use crate::bed::{Bed, ENV, MAIN, OAUTH, SECRET, SOURCE, STATE, is_root, profiles};

const COMPOSE: &str = "home/compose/.env";

fn bed(version: &str, sinks: &str) -> Bed {
    let bed = Bed::new();
    bed.openclaw(version).conf("SINKS", sinks).login("new");
    bed
}

/// Syncs over `before` and compares the whole text of the file afterwards.
#[track_caller]
fn becomes(bed: &Bed, path: &str, before: &str, after: &str) {
    bed.write(path, before);
    bed.run(["sync"]).exit(0);
    assert_eq!(bed.read(path), after);
    let print = bed.print(path);
    bed.run(["sync"]).exit(0).err(&[]);
    assert_eq!(bed.print(path), print, "the second sync wrote again");
}

#[test]
fn an_env_changes_in_one_value() {
    let at = |text: &str, after: &str| {
        let bed = bed("2026.2.25", "env");
        becomes(&bed, ENV, text, after);
    };
    at("", "ANTHROPIC_OAUTH_TOKEN=access-new\n");
    at("A=1", "A=1\nANTHROPIC_OAUTH_TOKEN=access-new\n");
    at("A=1\r\n", "A=1\r\nANTHROPIC_OAUTH_TOKEN=access-new\r\n");
    at(
        "# head\n\n  export ANTHROPIC_OAUTH_TOKEN = \"old\"  # mine\nB='x y'\nC=\"two\nlines\"",
        "# head\n\n  export ANTHROPIC_OAUTH_TOKEN = \"access-new\"  # mine\nB='x y'\nC=\"two\nlines\"",
    );
    at(
        "ANTHROPIC_OAUTH_TOKEN=first\nX=1\r\nANTHROPIC_OAUTH_TOKEN='last'\n#ANTHROPIC_OAUTH_TOKEN=no\n",
        "ANTHROPIC_OAUTH_TOKEN=first\nX=1\r\nANTHROPIC_OAUTH_TOKEN='access-new'\n#ANTHROPIC_OAUTH_TOKEN=no\n",
    );
    at("\u{feff}ANTHROPIC_OAUTH_TOKEN=old\n", "\u{feff}ANTHROPIC_OAUTH_TOKEN=access-new\n");
}

#[test]
fn an_env_on_which_readers_disagree_stays_as_it_is() {
    let bed = bed("2026.2.25", "env");
    let text = "A=\"open\nANTHROPIC_OAUTH_TOKEN=old\nB=\"x\"\n";
    bed.write(ENV, text);
    bed.run(["sync"]).exit(1).err(&[
        "default: cannot edit 'BED/home/.openclaw/.env': line 1: a quote is opened and not closed, so env keeps its old token",
    ]);
    assert_eq!(bed.read(ENV), text);
}

#[test]
fn an_env_is_bytes_of_which_only_our_line_has_to_be_text() {
    let bed = bed("2026.2.25", "env");
    for odd in
        [&b"# Schl\xfcssel f\xfcr Claude"[..], b"A=\xff\\", b"A=it's", b"B='\x80\xfe'", b"C=1\rD=2"]
    {
        bed.write(ENV, [odd, b"\nANTHROPIC_OAUTH_TOKEN=old # \xe9\n", odd].concat());
        bed.run(["sync"]).exit(0);
        let new = [odd, b"\nANTHROPIC_OAUTH_TOKEN=access-new # \xe9\n", odd].concat();
        assert_eq!(fs::read(bed.at(ENV)).unwrap(), new, "{odd:?}");
        bed.run(["sync"]).exit(0).err(&[]);
    }
    bed.write(ENV, "ANTHROPIC_OAUTH_TOKEN=old\nA=\"open\nB=1\n");
    bed.run(["sync"]).exit(0);
    assert_eq!(bed.read(ENV), "ANTHROPIC_OAUTH_TOKEN=access-new\nA=\"open\nB=1\n");
    bed.write(ENV, b"\xff\xfeA\0=\x001\0");
    bed.run(["sync"]).exit(1).err(&[
        "default: cannot edit 'BED/home/.openclaw/.env': it has NUL bytes in it, as UTF-16 has: save it as UTF-8, so env keeps its old token",
    ]);
}

#[test]
fn a_state_folders_env_is_made_and_a_composes_never() {
    let bed = bed("2026.2.25", "env");
    bed.run(["sync"]).exit(0);
    assert_eq!(bed.read(ENV), "ANTHROPIC_OAUTH_TOKEN=access-new\n");
    fs::remove_file(bed.at(ENV)).unwrap();
    fs::create_dir(bed.at("home/compose")).unwrap();
    let compose = bed.at("home/compose").display().to_string();
    bed.conf("COMPOSE_DIR", &compose).conf("ENV_FILE", &format!("{compose}/.env"));
    bed.run(["sync"]).exit(0).err(&[]);
    assert!(!bed.exists(COMPOSE) && !bed.exists(ENV));
    // One that stands there gets the line.
    becomes(&bed, COMPOSE, "PORT=1\n", "PORT=1\nANTHROPIC_OAUTH_TOKEN=access-new\n");
}

#[test]
fn a_composes_env_is_found_by_itself() {
    let bed = bed("2026.2.25", "env");
    bed.write(COMPOSE, "ANTHROPIC_OAUTH_TOKEN=\n");
    bed.conf("COMPOSE_DIR", &bed.at("home/compose").display().to_string());
    bed.run(["sync"]).exit(0);
    assert_eq!(bed.read(COMPOSE), "ANTHROPIC_OAUTH_TOKEN=access-new\n");
    assert!(!bed.exists(ENV));
}

#[test]
fn oauth_json_changes_in_the_anthropic_entry_only() {
    let bed = bed("2026.2.25", "oauth-json");
    let expiry = bed.hence(8);
    becomes(
        &bed,
        OAUTH,
        "{\r\n\t\"openai\": {\"access\":\"o\",\"n\":1.50e3},\r\n\t\"anthropic\": {\"x\":[1 , 2], \"access\":\"a\",\"expires\":1, \"refresh\":\"r\"}\r\n}",
        &format!(
            "{{\r\n\t\"openai\": {{\"access\":\"o\",\"n\":1.50e3}},\r\n\t\"anthropic\": {{\"x\":[1 , 2], \"access\":\"access-new\",\"expires\":{expiry}, \"refresh\":\"refresh-new\"}}\r\n}}"
        ),
    );
    fs::remove_dir_all(bed.at("home/.openclaw/credentials")).unwrap();
    bed.run(["sync"]).exit(0);
    let made: serde_json::Value = serde_json::from_str(&bed.read(OAUTH)).unwrap();
    let entry =
        serde_json::json!({"access": "access-new", "refresh": "refresh-new", "expires": expiry});
    assert_eq!(made, serde_json::json!({"anthropic": entry}));
}

#[test]
fn a_malformed_sink_stays_as_it_is() {
    for (kind, path) in [("oauth-json", OAUTH), ("secret-file", SECRET), ("auth-profiles", MAIN)] {
        let bed = bed(if kind == "secret-file" { "2026.4.1" } else { "2026.2.25" }, kind);
        for text in ["{\"anthropic\": ", "[]", "nonsense"] {
            bed.write(path, text);
            let ran = bed.run(["sync"]).exit(1);
            let named = format!("default: cannot edit 'BED/{path}': ");
            assert!(bed.plain(&ran.err).contains(&named), "{}", ran.err);
            assert!(ran.err.contains(&format!(", so {kind} keeps its old token")), "{}", ran.err);
            assert_eq!(bed.read(path), text);
        }
    }
}

#[test]
fn a_secret_file_is_the_same_json_under_another_name() {
    let bed = bed("2026.9.6", "secret-file");
    bed.run(["sync"]).exit(0);
    let made: serde_json::Value = serde_json::from_str(&bed.read(SECRET)).unwrap();
    assert_eq!(made["anthropic"]["access"], "access-new");
    let print = bed.print(SECRET);
    bed.run(["sync"]).exit(0).err(&[]);
    assert_eq!(bed.print(SECRET), print);
}

#[test]
fn every_agent_gets_the_token_as_type_token_without_a_refresh_token() {
    let bed = bed("2026.2.25", "auth-profiles");
    let expiry = bed.hence(8);
    let before = r#"{"version":1,
  "note": "kept",
  "profiles":{"openai:x":{"type":"api_key","provider":"openai","key":"k"},
    "anthropic:default":{"type":"oauth","provider":"anthropic","access":"a","refresh":"r","expires":5,"email":"e@x"}},
  "lastGood":{"anthropic":"anthropic:default"}}
"#;
    for id in ["main", "work", "Third one"] {
        bed.write(&format!("{STATE}/agents/{id}/agent/auth-profiles.json"), before);
    }
    bed.write(&format!("{STATE}/agents/fourth/agent/other.json"), "{}");
    bed.run(["sync"]).exit(0).err(&[
        "default: auth-profiles 'BED/home/.openclaw/agents/Third one/agent/auth-profiles.json' holds the new token FP, which ends at WHEN",
        "default: auth-profiles 'BED/home/.openclaw/agents/main/agent/auth-profiles.json' holds the new token FP, which ends at WHEN",
        "default: auth-profiles 'BED/home/.openclaw/agents/work/agent/auth-profiles.json' holds the new token FP, which ends at WHEN",
    ]);
    for id in ["main", "work", "Third one"] {
        let text = bed.read(&format!("{STATE}/agents/{id}/agent/auth-profiles.json"));
        let root: serde_json::Value = serde_json::from_str(&text).unwrap();
        let profile = serde_json::json!({"type": "token", "provider": "anthropic",
            "token": "access-new", "expires": expiry, "email": "e@x"});
        assert_eq!(root["profiles"]["anthropic:default"], profile);
        assert!(text.starts_with("{\"version\":1,\n  \"note\": \"kept\",\n  \"profiles\":{\"openai:x\":{\"type\":\"api_key\",\"provider\":\"openai\",\"key\":\"k\"},\n"));
        assert!(text.ends_with("\n  \"lastGood\":{\"anthropic\":\"anthropic:default\"}}\n"));
    }
    assert!(!bed.exists("home/.openclaw/agents/fourth/agent/auth-profiles.json"));
    assert!(bed.litter(STATE).is_empty());
}

#[test]
fn an_api_key_is_foreign_and_ours_is_added_in_front() {
    let bed = bed("2026.2.25", "auth-profiles");
    bed.write(MAIN, r#"{"version":1,"profiles":{"anthropic:key":{"type":"api_key","provider":"anthropic","key":"k"}},"order":{"anthropic":["anthropic:key"]}}"#);
    bed.run(["sync"]).exit(0);
    let root: serde_json::Value = serde_json::from_str(&bed.read(MAIN)).unwrap();
    assert_eq!(
        root["order"]["anthropic"],
        serde_json::json!(["anthropic:oauth-sync", "anthropic:key"])
    );
    assert_eq!(root["profiles"]["anthropic:key"]["key"], "k");
    assert_eq!(root["profiles"]["anthropic:oauth-sync"]["token"], "access-new");
}

#[test]
fn only_a_cool_down_that_a_401_caused_is_cleared() {
    let bed = bed("2026.2.25", "auth-profiles");
    let until = bed.hence(1);
    let text = |reason: &str| {
        format!(
            r#"{{"version":1,"profiles":{{"anthropic:default":{{"type":"token","provider":"anthropic","token":"t","expires":1}}}},"usageStats":{{"anthropic:default":{{"cooldownUntil":{until},"errorCount":1,"failureCounts":{{"{reason}":1}}}}}}}}"#
        )
    };
    for (reason, cleared) in [("auth", true), ("rate_limit", false)] {
        bed.write(MAIN, text(reason));
        bed.run(["sync"]).exit(0);
        assert_eq!(!bed.read(MAIN).contains("cooldownUntil"), cleared, "{reason}");
    }
}

#[test]
fn openclaws_own_lock_is_honoured() {
    let bed = bed("2026.2.25", "auth-profiles env");
    bed.agent("main", "old");
    let lock = "home/.openclaw/agents/main/agent/auth-profiles.json.lock";
    bed.write(lock, "{\"pid\":1,\"createdAt\":\"2026-01-01T00:00:00.000Z\"}");
    let print = bed.print(MAIN);
    bed.run(["sync"]).exit(75);
    assert_eq!(bed.print(MAIN), print);
    assert!(bed.exists(lock) && bed.read(ENV).contains("access-new"));
    // An abandoned one is taken over, and gone afterwards.
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(40);
    fs::File::options().write(true).open(bed.at(lock)).unwrap().set_modified(old).unwrap();
    bed.run(["sync"]).exit(0);
    assert!(bed.read(MAIN).contains("access-new") && !bed.exists(lock));
    // Up to 2026.1.30 it is a folder.
    bed.openclaw("2026.1.30").login_for("next", 9);
    fs::create_dir(bed.at(lock)).unwrap();
    bed.run(["sync"]).exit(75);
    assert!(!bed.read(MAIN).contains("access-next"));
    fs::remove_dir(bed.at(lock)).unwrap();
    bed.run(["sync"]).exit(0);
    assert!(bed.read(MAIN).contains("access-next") && !bed.exists(lock));
}

#[test]
fn auto_writes_what_the_era_reads() {
    let kinds = |bed: &Bed| {
        let status = bed.run(["status", "--json"]).exit(0).json();
        let sinks = status["links"][0]["sinks"].as_array().unwrap().clone();
        sinks.iter().map(|sink| sink["kind"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for version in ["2026.1.30", "2026.2.25", "2026.2.26", "2026.5.12"] {
        let fresh = bed(version, "auto");
        assert_eq!(kinds(&fresh), ["oauth-json", "env"], "{version}");
        fresh.agent("main", "old");
        assert_eq!(kinds(&fresh), ["auth-profiles", "env"], "{version}");
        fresh.write(OAUTH, "{}");
        assert_eq!(kinds(&fresh), ["auth-profiles", "oauth-json", "env"], "{version}");
    }
    for version in ["2026.6.1", "2026.7.35", "2026.8.1", "2026.9.6"] {
        let fresh = bed(version, "auto");
        assert_eq!(kinds(&fresh), ["paste-token"], "{version}");
        fresh.write(ENV, "ANTHROPIC_OAUTH_TOKEN=x\n");
        assert_eq!(kinds(&fresh), ["paste-token", "env"], "{version}");
    }
    let unknown = bed("auto", "auto");
    assert_eq!(kinds(&unknown), ["env"]);
    // Traces alone do not prove that the program is still that old; a living profile does.
    unknown.write("home/.openclaw/openclaw.json", r#"{"meta":{"lastTouchedVersion":"2026.2.25"}}"#);
    assert_eq!(kinds(&unknown), ["env"]);
    unknown.agent("main", "old");
    assert_eq!(kinds(&unknown), ["auth-profiles", "env"]);
}

#[test]
fn where_a_profile_carries_the_token_no_env_line_is_added() {
    let bed = bed("2026.2.25", "auto");
    bed.agent("main", "old").write(ENV, "PORT=1\n");
    bed.run(["sync"]).exit(0);
    assert_eq!(bed.read(ENV), "PORT=1\n");
    bed.write(ENV, "ANTHROPIC_OAUTH_TOKEN=old\n");
    bed.run(["sync"]).exit(0);
    assert_eq!(bed.read(ENV), "ANTHROPIC_OAUTH_TOKEN=access-new\n");
}

#[test]
fn where_nothing_can_be_pasted_env_carries_the_token() {
    let bed = bed("2026.9.6", "auto");
    bed.run(["sync"]).exit(0).says(
        "default: the token cannot be pasted: the version of OpenClaw could not be asked for: openclaw --version said '",
    );
    assert!(bed.read(ENV).contains("access-new"));
    bed.run(["sync"]).exit(0).err(&[]);
}

#[test]
fn json_stores_are_refused_from_2026_8_1_on_even_when_listed() {
    for version in ["2026.8.1", "2026.9.6"] {
        let bed = bed(version, "oauth-json auth-profiles env");
        let because = format!("(OPENCLAW_VERSION says {version})");
        bed.run(["sync"]).exit(1).err(&[
            &format!("default: oauth-json 'BED/home/.openclaw/credentials/oauth.json' is not written: OpenClaw 2026.8.1 and later refuses every provider while credentials/oauth.json stands: use paste-token {because}"),
            &format!("default: auth-profiles is not written: OpenClaw 2026.8.1 and later refuses the providers that an auth-profiles.json names: use paste-token {because}"),
            "default: env 'BED/home/.openclaw/.env' holds the new token FP, which ends at WHEN",
        ]);
        assert!(!bed.exists(OAUTH) && !bed.exists("home/.openclaw/credentials"));
        assert!(bed.read(ENV).contains("access-new"));
    }
}

#[test]
fn a_forgotten_version_opens_no_json_store() {
    let bed = bed("2026.2.25", "oauth-json");
    bed.write("home/.openclaw/openclaw.json", "// mine\n{meta: {lastTouchedVersion: '2026.9.6'}}");
    bed.run(["sync"]).exit(1).says(
        "(lastTouchedVersion in openclaw.json says 2026.9.6; OPENCLAW_VERSION says 2026.2.25: not followed, since JSON stores would break it or be ignored)",
    );
    assert!(!bed.exists(OAUTH));
}

#[test]
fn any_evidence_of_a_newer_era_wins() {
    for (path, text, named) in [
        (
            "home/.openclaw/openclaw.json",
            r#"{"meta":{"lastTouchedVersion":"2026.8.1"}}"#,
            "openclaw.json says 2026.8.1",
        ),
        ("home/.openclaw/state/openclaw.sqlite", "", "an SQLite store says 2026.6.1 or later"),
        ("home/.openclaw/agents/main/agent/openclaw-agent.sqlite", "", "an SQLite store says"),
        (
            "home/compose/package.json",
            r#"{"name":"openclaw","version":"2026.9.6"}"#,
            "package.json says 2026.9.6",
        ),
    ] {
        let bed = bed("2026.2.25", "oauth-json");
        fs::create_dir(bed.at("home/compose")).unwrap();
        bed.conf("COMPOSE_DIR", &bed.at("home/compose").display().to_string());
        bed.run(["sync"]).exit(0);
        bed.login_for("after", 9).write(path, text);
        bed.run(["sync"]).exit(1).says(named);
        assert!(!bed.exists(OAUTH), "{path}");
    }
}

#[test]
fn a_retired_file_of_ours_is_moved_aside_at_once() {
    let bed = bed("2026.2.25", "oauth-json auth-profiles env");
    bed.agent("main", "old");
    bed.run(["sync"]).exit(0);
    let watch = bed.watch();
    bed.write("home/.openclaw/openclaw.json", r#"{"meta":{"lastTouchedVersion":"2026.9.6"}}"#);
    let gone = || !bed.exists(OAUTH) && !bed.exists(MAIN);
    watch.until("our files are moved aside", gone);
    let aside = format!("{OAUTH}.retired-by-oauth-sync");
    assert!(bed.read(&aside).contains("access-new"));
    watch.says("default: moved 'BED/home/.openclaw/credentials/oauth.json' aside, since this OpenClaw has retired it: restart the gateway if it refuses to work\n");
    watch.says("default: moved 'BED/home/.openclaw/agents/main/agent/auth-profiles.json' aside");
    assert_eq!(watch.end().0, Some(0));
    assert!(bed.litter(STATE).is_empty());
}

#[test]
fn it_is_moved_aside_also_while_nobody_is_signed_in() {
    let bed = bed("2026.2.25", "oauth-json");
    bed.run(["sync"]).exit(0);
    fs::remove_file(bed.at(SOURCE)).unwrap();
    bed.write("home/.openclaw/openclaw.json", r#"{"meta":{"lastTouchedVersion":"2026.9.6"}}"#);
    bed.run(["sync", "--dry-run"]).exit(1);
    assert!(bed.exists(OAUTH));
    bed.run(["sync"]);
    assert!(!bed.exists(OAUTH));
}

#[test]
fn a_foreign_harmful_file_is_named_with_its_cure() {
    let bed = bed("2026.9.6", "env");
    bed.write(OAUTH, r#"{"anthropic":{"access":"theirs","refresh":"r","expires":1}}"#);
    bed.write(MAIN, profiles("theirs", 1));
    let (oauth, main) = (bed.print(OAUTH), bed.print(MAIN));
    let hint = "hint: run 'openclaw doctor --fix' as its user: it imports the file and renames it; it may also switch skills off in openclaw.json";
    bed.run(["sync"]).exit(1).err(&[
        "default: 'BED/home/.openclaw/credentials/oauth.json' makes this OpenClaw refuse to work, and it holds more than our token",
        hint,
        "default: 'BED/home/.openclaw/agents/main/agent/auth-profiles.json' makes this OpenClaw refuse to work, and it holds more than our token",
        hint,
        "default: env 'BED/home/.openclaw/.env' holds the new token FP, which ends at WHEN",
    ]);
    assert_eq!((bed.print(OAUTH), bed.print(MAIN)), (oauth, main));
}

#[test]
fn a_file_that_cannot_be_moved_aside_is_said_once_by_watch() {
    let bed = bed("2026.2.25", "oauth-json env");
    bed.run(["sync"]).exit(0);
    // A folder stands where the file would go.
    bed.write(&format!("{OAUTH}.retired-by-oauth-sync/x"), "");
    bed.openclaw("2026.9.6").conf("SINKS", "env");
    let watch = bed.watch();
    for name in ["b", "c", "d"] {
        bed.login_for(name, 9 + i64::from(name.as_bytes()[0]));
        watch.holds(ENV, name);
    }
    let (_, said) = watch.end();
    assert_eq!(said.matches("OpenClaw refuses to work while it is there").count(), 1, "{said}");
}

/// A link with an `.env` of its own in `home/other`, of which the user's lines stay.
fn moved_env(bed: &Bed) {
    bed.write("home/other/.env", "B=2\n");
    bed.write(ENV, "A=1\n");
    bed.run(["sync"]).exit(0);
    assert_eq!(bed.read(ENV), "A=1\nANTHROPIC_OAUTH_TOKEN=access-new\n");
    bed.conf("ENV_FILE", bed.at("home/other/.env").to_str().unwrap());
}

#[test]
fn an_env_that_is_no_sink_any_more_is_cleaned_of_our_token_and_of_nothing_else() {
    let bed = bed("2026.2.25", "env");
    bed.conf("GATEWAY", "none");
    if is_root() {
        chown(bed.at(STATE), Some(4711), Some(4711)).unwrap();
        chown(bed.write(ENV, "").at(ENV), Some(4711), Some(4711)).unwrap();
    }
    moved_env(&bed);
    let before = fs::metadata(bed.at(ENV)).unwrap();
    bed.run(["sync"])
        .exit(0)
        .says("took the token out of 'BED/home/.openclaw/.env', which is no sink any more");
    assert_eq!(bed.read(ENV), "A=1\n");
    assert_eq!(bed.read("home/other/.env"), "B=2\nANTHROPIC_OAUTH_TOKEN=access-new\n");
    let after = fs::metadata(bed.at(ENV)).unwrap();
    assert_eq!((after.uid(), after.mode()), (before.uid(), before.mode()));
    bed.run(["sync"]).exit(0).err(&[]);
    // A value of the user's own is none of our business, there or in a sink of before.
    bed.write(ENV, "ANTHROPIC_OAUTH_TOKEN=mine\n");
    bed.run(["sync"]).exit(0).err(&[]);
    bed.write("home/other/.env", "ANTHROPIC_OAUTH_TOKEN=mine\n");
    bed.conf("SINKS", "none");
    bed.run(["sync"]).exit(0).err(&[]);
    assert_eq!(bed.read(ENV), "ANTHROPIC_OAUTH_TOKEN=mine\n");
    assert_eq!(bed.read("home/other/.env"), "ANTHROPIC_OAUTH_TOKEN=mine\n");
}

#[test]
fn every_way_in_which_an_env_stops_being_a_sink_cleans_it() {
    let changes: [fn(&Bed) -> &Bed; 4] = [
        |bed| bed.conf("SINKS", "none"),
        |bed| bed.conf("SINKS", "secret-file"),
        |bed| bed.conf("ENV_KEY", "OTHER_KEY"),
        |bed| {
            bed.write(COMPOSE, "B=2\n").write("home/compose/compose.yaml", "services: {}\n");
            bed.conf("COMPOSE_DIR", bed.at("home/compose").to_str().unwrap())
        },
    ];
    for (at, change) in changes.into_iter().enumerate() {
        let bed = bed("2026.4.15", "env");
        bed.conf("GATEWAY", "none");
        bed.write(ENV, "A=1\n").run(["sync"]).exit(0);
        assert!(bed.read(ENV).contains("access-new"));
        change(&bed);
        // A rotation in between changes nothing of it.
        bed.login_for("later", 9);
        let watch = bed.watch();
        watch.says("took the token out of");
        watch.end();
        assert!(!bed.read(ENV).contains("ANTHROPIC_OAUTH_TOKEN"), "{at}: {}", bed.read(ENV));
        assert!(bed.read(ENV).starts_with("A=1\n"), "{at}");
    }
}

#[test]
fn a_former_env_keeps_the_token_until_the_new_sink_has_it() {
    let bed = bed("2026.2.25", "env");
    bed.conf("GATEWAY", "none");
    moved_env(&bed);
    bed.write("home/other/.env", "A=\"open\nANTHROPIC_OAUTH_TOKEN=x\nB=\"x\"\n");
    bed.run(["sync"]).exit(1);
    assert_eq!(bed.read(ENV), "A=1\nANTHROPIC_OAUTH_TOKEN=access-new\n");
    let status = bed.run(["status"]).out;
    let text = "is no sink any more, and holds the token until the sinks are up to date";
    assert!(status.contains(text), "{status}");
    bed.write("home/other/.env", "");
    bed.run(["sync"]).exit(0).says("took the token out of");
    assert_eq!(bed.read(ENV), "A=1\n");
}

#[test]
fn what_another_link_writes_to_now_is_left_to_it() {
    let bed = bed("2026.2.25", "env");
    bed.conf("GATEWAY", "none");
    bed.write(ENV, "").run(["sync"]).exit(0);
    let conf = bed.read("etc/default.conf");
    bed.conf("SINKS", "none");
    bed.write("etc/another.conf", format!("{conf}ENV_FILE=\"{}\"\n", bed.at(ENV).display()));
    bed.run(["--link", "another", "sync"]).exit(0);
    bed.run(["sync"]).exit(0);
    assert_eq!(bed.read(ENV), "ANTHROPIC_OAUTH_TOKEN=access-new\n");
}

/// What needs a program that not every host has.
mod with_tools {
    use super::bed;

    #[test]
    fn a_store_is_not_written_without_the_lock() {
        // An observer sees the lock for as long as the new text is on its way: strace names the order.
        let bed = bed("2026.2.25", "auth-profiles");
        bed.agent("main", "old");
        let trace = ["strace", "-f", "-e", "trace=openat,renameat,renameat2,unlinkat,mkdirat"];
        let ran = bed.ran(bed.command(&trace, &["sync"]).output().unwrap()).exit(0);
        let at = |part: &str| {
            let line =
                ran.err.lines().position(|line| line.contains(part) && !line.contains("ENOENT"));
            line.unwrap_or_else(|| panic!("{part} is not in:\n{}", ran.err))
        };
        let taken = at("\"auth-profiles.json.lock\"");
        let renamed = at("\"auth-profiles.json\")");
        let lines: Vec<&str> = ran.err.lines().collect();
        let given =
            lines.iter().rposition(|line| line.contains("auth-profiles.json.lock")).unwrap();
        assert!(taken < renamed && renamed < given, "{}", ran.err);
    }
}

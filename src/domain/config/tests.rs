//! The configuration as a whole: files in, links and problems out.

use std::time::Duration;

use jiff::civil::Time;

use super::settings::{ClaudeCli, Gateway, Method, Sinks};
use super::*;
use crate::domain::quiet_hours::QuietHours;
use crate::domain::sink::SinkKind;

/// Two lines that suffice.
const BASE: &str = "CLAUDE_CREDENTIALS=/c\nOPENCLAW_STATE_DIR=/o\n";

fn read_all(files: &[(&str, &str)]) -> Config {
    let path = |name: &str| PathBuf::from(format!("/etc/{name}.conf"));
    let files: Vec<_> = files.iter().map(|(name, text)| (path(name), (*text).to_owned())).collect();
    read(&files)
}

fn problems(text: &str) -> Vec<String> {
    let config = read_all(&[("a", text)]);
    assert_eq!(config.links.is_empty(), !config.problems.is_empty(), "{text}");
    let said = |problem: &Problem| problem.to_string().replacen("/etc/a.conf:", "", 1);
    config.problems.iter().map(said).collect()
}

fn link(text: &str) -> Settings {
    let mut config = read_all(&[("a", text)]);
    assert_eq!(config.problems, [], "{text}");
    config.links.remove(0)
}

#[test]
fn two_lines_make_a_link() {
    let link = link(BASE);
    assert_eq!((&*link.name, link.file), ("a", PathBuf::from("/etc/a.conf")));
    assert_eq!(link.claude_cli, ClaudeCli::Host { path: None });
    assert_eq!(link.refresh, [Method::Cli, Method::Api]);
    assert_eq!((link.refresh_margin, link.max_agents), (Duration::from_secs(5400), 1000));
    assert_eq!((link.sinks, link.gateway), (Sinks::Auto, Gateway::Auto));
    assert_eq!(link.oauth_json, Some("/o/credentials/oauth.json".into()));
    assert_eq!(link.secret_file, Some("/o/oauth-sync.json".into()));
    assert_eq!((link.env_file, &*link.env_key), (None, "ANTHROPIC_OAUTH_TOKEN"));
    assert_eq!(&*link.compose_service, "openclaw-gateway");
    assert_eq!(&*link.token_url, "https://platform.claude.com/v1/oauth/token");
    assert_eq!(&*link.client_id, "9d1c250a-e61b-44d9-88ed-5944d1962f5e");
    assert_eq!((link.user_agent, link.openclaw_version), (None, None));
}

#[test]
fn every_key_can_be_set() {
    let link = link(
        "CLAUDE_CREDENTIALS=//c/./d/\nMAX_CREDENTIALS_SIZE=16M\nCLAUDE_CLI=container\nCLAUDE_CONTAINER=box\nCLAUDE_CLI_PATH=/x
CLAUDE_BASE_URL_OVERRIDE=no\nCONTAINER_ENGINE=podman\nDOCKER_HOST=unix:///run/d.sock\nREFRESH=api
REFRESH_MARGIN=1h30m\nOPENCLAW_STATE_DIR=/o\nOPENCLAW_VERSION=v2026.8.1-beta.2\nOPENCLAW_COMMAND='a \"b c\"'\nOPENCLAW_COMMAND_USER=root
SINKS=\"env secret-file\"\nOAUTH_JSON=/j\nENV_FILE=/e\nENV_KEY=K\nSECRET_FILE=/s\nGATEWAY=command
COMPOSE_DIR=/p\nCOMPOSE_SERVICE=gw\nCOMPOSE_RECREATE=project\nGATEWAY_COMMAND=\"svc restart\"
RECREATE_QUIET_HOURS=23:00-7:00\nRECREATE_IDLE_COMMAND=/idle\nNOTIFY_WEBHOOK=https://h/x\nNOTIFY_FORMAT=ntfy
TOKEN_URL=https://t/x\nCLIENT_ID=i\nUSER_AGENT='u 1'\n",
    );
    assert_eq!(link.claude_credentials, PathBuf::from("/c/d"));
    assert_eq!(link.max_credentials_size, 16 << 20);
    assert_eq!(link.claude_cli, ClaudeCli::Container { name: "box".into() });
    assert_eq!(link.openclaw_version.as_deref(), Some("2026.8.1-beta.2"));
    let command = link.openclaw_command.clone().unwrap();
    assert_eq!((command.words, command.as_root), (vec!["a".into(), "b c".into()], true));
    assert_eq!(link.sinks, Sinks::Listed(vec![SinkKind::Env, SinkKind::SecretFile]));
    assert_eq!(
        link.recreate_quiet_hours,
        Some(QuietHours { from: Time::constant(23, 0, 0, 0), to: Time::constant(7, 0, 0, 0) })
    );
    assert!(!format!("{link:?}").contains("https://h"));
}

#[test]
fn no_key_of_the_table_is_forgotten() {
    for key in &keys::KEYS {
        let said = problems(&format!("{}=\"\t\"\n", key.name));
        assert!(
            said.iter().any(|said| said.starts_with(&format!("1: {} must", key.name))),
            "{said:?}"
        );
    }
}

#[test]
fn each_bad_value_is_named_and_said() {
    for (line, cause) in [
        (
            "CLAUDE_CLI=hots",
            "CLAUDE_CLI 'hots' must be host, container or none, did you mean 'host'?",
        ),
        ("CLAUDE_CLI=container", "CLAUDE_CLI 'container' needs CLAUDE_CONTAINER"),
        ("CLAUDE_CONTAINER=x", "CLAUDE_CONTAINER is set, but CLAUDE_CLI is not"),
        ("OAUTH_JSON=x/y", "OAUTH_JSON 'x/y' must be an absolute path"),
        ("ENV_FILE=~/.env", "ENV_FILE '~/.env' must be an absolute path; '~' is not expanded"),
        ("COMPOSE_DIR=/a/../b", "COMPOSE_DIR '/a/../b' must not have '..' in it"),
        ("COMPOSE_DIR=/", "COMPOSE_DIR '/' must name more than '/'"),
        ("MAX_CREDENTIALS_SIZE=1K", "MAX_CREDENTIALS_SIZE '1K' must be between 64K and 64M"),
        ("MAX_CREDENTIALS_SIZE=M", "MAX_CREDENTIALS_SIZE 'M' must be a size such as 8M or 512K"),
        ("REFRESH_MARGIN=30s", "REFRESH_MARGIN '30s' must be between 1m and 24h"),
        ("MAX_AGENTS=0", "MAX_AGENTS '0' must be a number between 1 and 100000"),
        ("REFRESH_MARGIN=90", "REFRESH_MARGIN '90' must be a duration such as 90m or 1h30m"),
        (
            "REFRESH='api off'",
            "REFRESH 'api off' must be off, or a list of cli, api, did you mean 'off'?",
        ),
        ("REFRESH='api api'", "REFRESH 'api api' must name api only once"),
        (
            "OPENCLAW_VERSION=latest",
            "OPENCLAW_VERSION 'latest' must be auto, or a version such as 2026.8.1",
        ),
        ("ENV_KEY=A-B", "ENV_KEY 'A-B' must be the name of a variable: letters, digits and '_'"),
        ("GATEWAY=command", "GATEWAY 'command' needs GATEWAY_COMMAND"),
        ("GATEWAY=compose", "GATEWAY 'compose' needs COMPOSE_DIR"),
        ("GATEWAY_COMMAND=\"a 'b\"", "GATEWAY_COMMAND must close each quote"),
        (
            "RECREATE_QUIET_HOURS=7-8",
            "RECREATE_QUIET_HOURS '7-8' must be two times of the day such as 23:00-07:00",
        ),
        ("NOTIFY_WEBHOOK=hidden", "NOTIFY_WEBHOOK must be an http:// or https:// address"),
        (
            "NOTIFY_FORMAT=https://h/hidden",
            "NOTIFY_FORMAT must be auto, slack, ntfy, discord, telegram, gotify, matrix or json",
        ),
        ("TOKEN_URL=http://127.0.0.1/", "TOKEN_URL must be an https:// address"),
        (
            "DOCKER_HOST=/run/d.sock",
            "DOCKER_HOST '/run/d.sock' must be an address such as unix:///run/user/1000/docker.sock",
        ),
        ("USER_AGENT='a\u{e4}'", "USER_AGENT must be printable ASCII"),
    ] {
        assert_eq!(problems(&format!("{BASE}{line}\n")), [format!("3: {cause}")], "{line}");
    }
}

#[test]
fn the_keys_have_to_agree() {
    let hidden = "CLAUDE_CREDENTIALS=/c\n";
    for (lines, cause) in [
        ("", "1: SINKS 'auto' needs OPENCLAW_STATE_DIR or ENV_FILE"),
        ("SINKS=paste-token", "2: SINKS 'paste-token' needs OPENCLAW_STATE_DIR"),
        ("SINKS='oauth-json'", "2: SINKS 'oauth-json' needs OPENCLAW_STATE_DIR or OAUTH_JSON"),
        (
            "SINKS=none\nCLAUDE_CLI=none\nREFRESH=cli",
            "4: REFRESH 'cli' needs a CLI, but CLAUDE_CLI is none",
        ),
        ("SINKS=env\nENV_FILE=/c", "3: '/c' is used by CLAUDE_CREDENTIALS already"),
        (
            "SINKS='env secret-file'\nENV_FILE=/e\nSECRET_FILE=/e/",
            "4: '/e' is used by ENV_FILE already",
        ),
    ] {
        assert_eq!(problems(&format!("{hidden}{lines}")), [cause], "{lines}");
    }
    for lines in ["SINKS=none", "ENV_FILE=/e", "SINKS=oauth-json\nOAUTH_JSON=/j"] {
        link(&format!("{hidden}{lines}"));
    }
    assert_eq!(link(&format!("{BASE}CLAUDE_CLI=none")).refresh, [Method::Api]);
    assert_eq!(problems("SINKS=none"), ["1: CLAUDE_CREDENTIALS is not set"]);
}

#[test]
fn everything_wrong_is_said_at_once_and_costs_only_its_file() {
    let bad = "GATEWAY=x\nhello\nCLAUDE_CREDENTIALS='/c\nFOO=1\n";
    let config =
        read_all(&[("bad", bad), ("empty", "# x\nSINKS=\n"), ("a b", BASE), ("good", BASE)]);
    let lines: Vec<_> = config
        .problems
        .iter()
        .map(|problem| (problem.file.to_str().unwrap(), problem.line))
        .collect();
    let bad = "/etc/bad.conf";
    assert_eq!(lines, [(bad, 1), (bad, 1), (bad, 2), (bad, 3), (bad, 4), ("/etc/a b.conf", 1)]);
    assert_eq!(config.links.iter().map(|link| &*link.name).collect::<Vec<_>>(), ["good"]);
}

#[test]
fn the_packages_own_file_may_wait_for_its_other_half() {
    let gaps =
        ["CLAUDE_CREDENTIALS is not set", "SINKS 'auto' needs OPENCLAW_STATE_DIR or ENV_FILE"];
    for (lines, open) in [
        ("REFRESH=api", &gaps[..]),
        ("OPENCLAW_STATE_DIR=/o", &gaps[..1]),
        ("CLAUDE_CREDENTIALS=/c", &gaps[1..]),
    ] {
        let config = read_all(&[("default", lines), ("good", BASE)]);
        let causes: Vec<_> = config.unfinished.iter().map(|gap| &*gap.cause).collect();
        assert_eq!(causes, open, "{lines}");
        assert_eq!((config.problems.len(), config.links.len()), (0, 1), "{lines}");
        // Another file is a person's, and so is one with anything else that is wrong.
        assert_eq!(problems(lines).len(), open.len(), "{lines}");
        let config = read_all(&[("default", &format!("{lines}\nREFRESH_MARGIN=x\n"))]);
        assert_eq!((config.problems.len(), config.unfinished.len()), (open.len() + 1, 0));
    }
}

#[test]
fn no_message_shows_a_token_or_the_webhook() {
    let text = format!(
        "{BASE}ENV_KEY=sk-ant-oat01-hidden\nNOTIFY_WEBHOOK=\"https://h/hidden\nsk-ant-hidden\n"
    );
    let said = format!("{:?}", read_all(&[("a", &text)]));
    assert!(!said.contains("hidden"), "{said}");
    assert_eq!(problems(&text).len(), 3);
}

#[test]
fn two_links_never_write_the_same_file() {
    let other = |lines: &str| format!("CLAUDE_CREDENTIALS=/c\n{lines}");
    for (lines, place) in [
        ("OPENCLAW_STATE_DIR=/o", Some("2: '/o' is used by /etc/a.conf:2 already")),
        ("SINKS=env\nENV_FILE=/o//.env", Some("3: '/o/.env' is used by /etc/a.conf:2 already")),
        (
            "SINKS=paste-token\nOPENCLAW_STATE_DIR=/o/",
            Some("3: '/o' is used by /etc/a.conf:2 already"),
        ),
        ("SINKS=secret-file\nOPENCLAW_STATE_DIR=/o", None),
        ("SINKS=none\nOPENCLAW_STATE_DIR=/o", None),
        ("OPENCLAW_STATE_DIR=/other", None),
    ] {
        let config = read_all(&[("a", BASE), ("b", &other(lines))]);
        let said: Vec<_> = config.problems.iter().map(ToString::to_string).collect();
        let place: Vec<_> = place.iter().map(|text| format!("/etc/b.conf:{text}")).collect();
        assert_eq!(said, place, "{lines}");
        assert_eq!(config.links.len(), if said.is_empty() { 2 } else { 1 }, "{lines}");
    }
}

//! `metrics`: what Prometheus' own tools make of it, and of the rules that come with it.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::bed::{Bed, epoch_ms, refresh};
use crate::endpoint::{Answer, Endpoint, TOKEN};
use crate::{bed, sign_in_until};

fn promtool(folder: &Path, args: &[&str], stdin: Stdio) {
    let mut command = Command::new("promtool");
    command.args(args).current_dir(folder).stdin(stdin);
    let ran = command.output().expect("promtool of Debian's prometheus is installed");
    let said = String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned();
    assert!(ran.status.success(), "promtool {args:?}: {said}");
}

#[test]
fn it_counts_what_the_issue_is_about() {
    let bed = bed();
    bed.run(["sync"]).exit(0);
    let text = bed.run(["metrics"]).exit(0).out;
    for line in [
        "oauth_sync_up 1".to_owned(),
        "oauth_sync_status{link=\"default\"} 0".to_owned(),
        format!(
            "oauth_sync_access_token_expiry_timestamp_seconds{{link=\"default\"}} {}",
            bed.hence(8) / 1000
        ),
        "oauth_sync_sign_in_needed{link=\"default\"} 0".to_owned(),
        format!(
            "oauth_sync_sink_in_step{{link=\"default\",sink=\"env\",path=\"{}\"}} 1",
            bed.at("home/.openclaw/.env").display()
        ),
    ] {
        assert!(text.lines().any(|said| said == line), "'{line}' is not in\n{text}");
    }
}

#[test]
fn the_textfile_is_replaced_whole_and_readable_for_the_collector() {
    let bed = bed();
    let out = bed.at("out.prom");
    bed.run(["metrics", "--output", out.to_str().unwrap()]).exit(0);
    let mode = out.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o644);
    let before = bed.print("out.prom");
    bed.run(["metrics", "--output", out.to_str().unwrap()]).exit(0);
    assert_ne!(bed.print("out.prom"), before, "it was written in place");
}

#[test]
fn a_broken_configuration_is_a_metric_too() {
    let bed = bed();
    bed.write("etc/default.conf", "NO_SUCH_KEY=1\n");
    let ran = bed.run(["metrics"]).exit(2);
    assert!(ran.out.contains("\noauth_sync_up 0\n") && !ran.out.contains("link="), "{}", ran.out);
}

#[test]
fn the_documents_name_every_metric_and_no_other() {
    let names = |text: &str| {
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        words.filter(|word| word.starts_with("oauth_sync_")).map(str::to_owned).collect()
    };
    let told: BTreeSet<String> = names(include_str!("../../docs/monitoring.md"));
    let made: BTreeSet<String> = names(include_str!("../../src/cli/metrics.rs"));
    assert_eq!(told, made);
}

#[test]
fn an_env_that_a_profile_hides_is_not_out_of_step() {
    let bed = bed();
    bed.conf("SINKS", "auto").agent("main", "old");
    bed.write(crate::bed::ENV, "ANTHROPIC_OAUTH_TOKEN=old\n");
    bed.login("A").run(["sync"]).exit(0).says("is unused");
    let metrics = bed.run(["metrics"]).exit(0).out;
    let states: Vec<&str> =
        metrics.lines().filter(|line| line.starts_with("oauth_sync_sink_in_step{")).collect();
    assert!(states.len() == 2 && states.iter().all(|line| line.ends_with(" 1")), "{states:?}");
}

#[test]
fn the_alert_rules_ask_for_metrics_that_there_are() {
    let rules = include_str!("../../docs/examples/alerts.yml");
    let bed = bed();
    sign_in_until(&bed, 4_102_444_800_000);
    bed.run(["sync"]).exit(0);
    let metrics = bed.run(["metrics"]).exit(0).out;
    let words = rules.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let names: Vec<&str> = words.filter(|word| word.starts_with("oauth_sync_")).collect();
    assert!(names.len() > 5);
    for name in names {
        assert!(metrics.contains(&format!("# TYPE {name} ")), "{name} is not in\n{metrics}");
    }
}

#[test]
fn the_dashboard_shows_every_metric_and_no_other() {
    let names = |text: &str| -> BTreeSet<String> {
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        words.filter(|word| word.starts_with("oauth_sync_")).map(str::to_owned).collect()
    };
    let dashboard = include_str!("../../docs/examples/grafana.json");
    let known = names(include_str!("../../src/cli/metrics.rs"));
    assert!(known.len() > 10, "{known:?}");
    assert_eq!(names(dashboard), known);
    let json: serde_json::Value = serde_json::from_str(dashboard).unwrap();
    for panel in json["panels"].as_array().unwrap() {
        let title = panel["title"].as_str().unwrap();
        let asked = &panel["targets"][0];
        assert!(asked["expr"].as_str().unwrap().contains("oauth_sync_"), "{title}");
        assert_eq!(asked["datasource"]["uid"], "${datasource}", "{title}: no server of one's own");
    }
}

/// What stands behind a metric with these labels.
fn value(text: &str, metric: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(metric)?.strip_prefix(' ')?.parse().ok())
}

#[test]
fn the_gap_of_the_gateway_is_the_last_one_that_was_measured() {
    let bed = bed();
    let metric = "oauth_sync_gateway_gap_seconds{link=\"default\"}";
    bed.conf("GATEWAY", "command").conf("GATEWAY_COMMAND", "/bin/sleep 0.2");
    let told = |bed: &Bed| value(&bed.run(["metrics"]).exit(0).out, metric);
    assert_eq!(told(&bed), None, "nothing was done to it yet");
    bed.run(["sync"]).exit(0);
    let path = "lib/gateway/default.json";
    let mut ledger: serde_json::Value = serde_json::from_str(&bed.read(path)).unwrap();
    let gap_ms = ledger["history"][0]["gap_ms"].as_u64().unwrap();
    assert!(gap_ms >= 200, "{gap_ms} ms");
    let gap = Some(f64::from(u32::try_from(gap_ms).unwrap()) / 1000.0);
    assert_eq!(told(&bed), gap);
    // What was not measured takes nothing back.
    let mut act = ledger["history"][0].clone();
    act["gap_ms"] = serde_json::Value::Null;
    ledger["history"].as_array_mut().unwrap().push(act);
    bed.write(path, ledger.to_string());
    assert_eq!(told(&bed), gap);
}

#[test]
fn the_last_success_is_told_by_method() {
    let bed = bed();
    let endpoint = Endpoint::start(&bed.at("."));
    endpoint.accept(&refresh("A"));
    bed.conf("TOKEN_URL", &endpoint.token_url());
    let metric = "oauth_sync_last_success_timestamp_seconds{link=\"default\",method=\"api\"}";
    let told = || value(&bed.run(["metrics"]).exit(0).out, metric);
    assert_eq!(told(), None);
    let before = epoch_ms() / 1000;
    let mut command = bed.command(&[], &["refresh", "--force"]);
    bed.ran(command.env("SSL_CERT_FILE", endpoint.certificate()).output().unwrap()).exit(0);
    let after = epoch_ms() / 1000;
    let at = told().expect("it was renewed");
    assert!((before..=after).any(|second| at.to_string() == second.to_string()), "{at}");
    // A failure is no success.
    endpoint.always(TOKEN, Answer::status(500));
    let mut command = bed.command(&[], &["refresh", "--force"]);
    bed.ran(command.env("SSL_CERT_FILE", endpoint.certificate()).output().unwrap()).exit(75);
    assert_eq!(told(), Some(at));
}

#[test]
fn renewals_are_counted_by_method_and_class() {
    let bed = bed();
    bed.conf("TOKEN_URL", "https://127.0.0.1:1/").conf("REFRESH", "api").login_for("A", 1);
    bed.run(["refresh", "--force"]).exit(75);
    let text = bed.run(["metrics"]).exit(0).out;
    let line = "oauth_sync_recent_failures{link=\"default\",class=\"deferred\"} 1";
    assert!(text.lines().any(|said| said == line), "{text}");
    bed.run(["check"]).exit(1);
}

/// What needs a program that not every host has.
mod with_tools {
    use super::{Path, Stdio, bed, promtool};

    #[test]
    fn promtool_finds_no_fault_in_it() {
        let bed = bed();
        bed.run(["sync"]).exit(0);
        bed.run(["metrics", "--output", bed.at("out.prom").to_str().unwrap()])
            .exit(0)
            .err(&[])
            .out(&[]);
        let file = std::fs::File::open(bed.at("out.prom")).unwrap();
        promtool(&bed.at("."), &["check", "metrics"], file.into());
    }

    #[test]
    fn the_alert_rules_ring_when_they_should() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = tempfile::tempdir().unwrap();
        for file in ["docs/examples/alerts.yml", "tests/people/alerts_test.yml"] {
            let name = Path::new(file).file_name().unwrap();
            std::fs::copy(root.join(file), folder.path().join(name)).unwrap();
        }
        promtool(folder.path(), &["check", "rules", "alerts.yml"], Stdio::null());
        promtool(folder.path(), &["test", "rules", "alerts_test.yml"], Stdio::null());
    }
}

//! OpenClaw's stores, its compose project and its gateway.

use std::fs;

use crate::as_root::doctor::renewals;
use crate::bed::{MAIN, OAUTH, STATE, access, refresh};
use crate::host::{Host, UID};

#[test]
fn retired_files_beside_a_new_openclaw() {
    let host = Host::new();
    host.bed.openclaw("2026.9.6").conf("SINKS", "env");
    host.finds_and_mends("retired-file");
    host.bed
        .write(OAUTH, r#"{"anthropic":{"access":"access-X","refresh":"refresh-X","expires":1}}"#);
    host.own();
    host.program("bin/openclaw", &format!("mv {0} {0}.migrated", host.at(OAUTH).display()));
    host.finds_and_mends("harmful-file");
    assert!(host.ids().is_empty());
}

/// Gives the main agent a store with this beside the profile of the login A.
fn store(host: &Host, more: &str) {
    let expires = host.bed.hence(8);
    host.bed.write(MAIN, format!(
        r#"{{"version":1,"profiles":{{"anthropic:default":{{"type":"token","provider":"anthropic","token":"{}","expires":{expires}}},"anthropic:key":{{"type":"api_key","provider":"anthropic","key":"sk-invented"}}}},{more}}}"#,
        access("A")
    ));
    host.bed.conf("SINKS", "auth-profiles");
    host.own();
}

#[test]
fn a_profile_before_ours() {
    let host = Host::new();
    store(&host, r#""order":{"anthropic":["anthropic:key","anthropic:default"]}"#);
    let main = host.at(MAIN);
    host.program("bin/openclaw", &format!(
        "[ \"$*\" = 'models auth order set --provider anthropic anthropic:default anthropic:key' ] && sed -i 's/\"anthropic:key\",\"anthropic:default\"/\"anthropic:default\",\"anthropic:key\"/' {0} && chown {UID} {0}",
        main.display()
    ));
    host.finds_and_mends("profile-shadowed");
    assert!(host.ids().is_empty());
}

#[test]
fn a_cool_down() {
    let (host, endpoint) = renewals::host();
    endpoint.accept(&refresh("A"));
    let until = host.bed.hence(1);
    store(
        &host,
        &format!(
            r#""usageStats":{{"anthropic:default":{{"errorCount":1,"cooldownUntil":{until},"failureCounts":{{"auth":1}}}}}}"#
        ),
    );
    let found = host.finds_and_mends("cool-down");
    assert_eq!(found.command, "oauth-sync refresh --force --link default");
    assert!(host.ids().is_empty(), "{:?}", host.doctor());
    store(
        &host,
        &format!(
            r#""usageStats":{{"anthropic:default":{{"disabledUntil":{until},"disabledReason":"billing"}}}}"#
        ),
    );
    host.bed.login("A");
    host.own();
    let found = host.finds_also("cool-down");
    assert!(found.command.contains("openclaw models status"), "{}", found.command);
}

#[test]
fn a_refresh_token_in_openclaws_store() {
    let host = Host::new();
    host.bed.conf("SINKS", "auth-profiles");
    let expires = host.bed.hence(8);
    host.bed.write(MAIN, format!(
        r#"{{"version":1,"profiles":{{"anthropic:default":{{"type":"oauth","provider":"anthropic","access":"{}","refresh":"{}","expires":{expires}}}}}}}"#,
        access("A"), refresh("A")
    ));
    host.own();
    host.mends(&host.finds_also("login-copied-to-openclaw"));
    assert!(host.ids().is_empty());
}

#[test]
fn a_compose_owner_outside_the_docker_group() {
    let host = Host::new();
    compose(&host, "    environment:\n      - ANTHROPIC_OAUTH_TOKEN\n");
    host.bed.write("host/run/docker.sock", "");
    let root = host.at("host");
    let said = host.bed.run(["doctor", "--root", root.to_str().unwrap()]).out;
    let meaning = "but is not in the group docker: the gateway cannot be recreated as claw; who is in it can do on this host whatever root can\n";
    assert!(said.contains(meaning), "{said}");
    host.finds_and_mends("docker-group");
    assert!(host.ids().is_empty());
}

/// Puts a compose project with a `.env` that holds the token beside the state folder.
fn compose(host: &Host, service: &str) {
    let folder = host.at("home/compose");
    host.bed.write(
        "home/compose/compose.yaml",
        format!("services:\n  openclaw-gateway:\n    image: openclaw\n{service}"),
    );
    host.bed.write("home/compose/.env", format!("ANTHROPIC_OAUTH_TOKEN={}\n", access("A")));
    host.bed.conf("COMPOSE_DIR", folder.to_str().unwrap());
    host.own();
}

#[test]
fn a_container_without_the_variable() {
    let host = Host::new();
    compose(&host, "");
    host.finds_and_mends("variable-not-in-container");
    let written = host.bed.read("home/compose/compose.override.yaml");
    assert_eq!(
        written,
        "services:\n  openclaw-gateway:\n    environment:\n      ANTHROPIC_OAUTH_TOKEN: ${ANTHROPIC_OAUTH_TOKEN}\n"
    );
    assert!(host.ids().is_empty(), "{:?}", host.doctor());
    assert!(
        host.bed.read("docker.log").ends_with("home/compose: compose up -d openclaw-gateway\n")
    );
}

#[test]
fn an_override_that_is_there_is_kept() {
    for (name, more) in [
        ("compose.override.yml", ""),
        ("docker-compose.override.yml", ""),
        ("deploy/own.yaml", "COMPOSE_FILE=compose.yaml:deploy/own.yaml\n"),
    ] {
        let host = Host::new();
        compose(&host, "");
        // Compose takes the first override by name, or what the `.env` lists, and leaves the others.
        let late = "services:\n  openclaw-gateway:\n    env_file: .env\n";
        host.bed.write("home/compose/docker-compose.override.yaml", late);
        let mine = "services:\n  openclaw-gateway:\n    init: true\n";
        host.bed.write(&format!("home/compose/{name}"), mine);
        host.bed.write("home/compose/.env", host.bed.read("home/compose/.env") + more);
        host.own();
        host.program("bin/editor", "printf '    env_file: .env\\n' >>\"$1\"");
        let found = host.finds("variable-not-in-container");
        assert!(
            found.command.contains(&format!(
                "\"${{EDITOR:-vi}}\" {}",
                host.at("home/compose").join(name).display()
            )),
            "{}",
            found.command
        );
        host.shell(&format!("export EDITOR=editor; {}", found.command));
        assert!(host.ids().is_empty(), "{:?}", host.doctor());
        let written = host.bed.read(&format!("home/compose/{name}"));
        assert_eq!(written, format!("{mine}    env_file: .env\n"));
        assert_eq!(host.bed.read("home/compose/docker-compose.override.yaml"), late);
        assert!(!host.bed.exists("home/compose/compose.override.yaml"));
    }
}

#[test]
fn an_idle_command_that_cannot_be_run() {
    let host = Host::new();
    host.bed.conf("GATEWAY", "command").conf("GATEWAY_COMMAND", "/bin/true");
    host.bed.conf("RECREATE_IDLE_COMMAND", "/nonexistent/idle now");
    host.finds_and_mends("idle-command-unusable");
    assert!(host.ids().is_empty(), "{:?}", host.doctor());
    // One that is there and cannot be run either; the gateway waits for it.
    host.bed
        .write("home/idle", "no program\n")
        .conf("RECREATE_IDLE_COMMAND", host.at("home/idle").to_str().unwrap());
    host.shell(&format!("chmod 755 {}", host.at("home/idle").display()));
    host.bed.login_for("B", 9);
    host.own();
    host.bed.run(["sync"]).exit(75).says("RECREATE_IDLE_COMMAND cannot be run: ");
    host.finds_and_mends("idle-command-unusable");
    assert!(host.ids().is_empty(), "{:?}", host.doctor());
}

#[test]
fn a_provider_in_the_place_of_the_built_in_models() {
    let host = Host::new();
    host.bed.write(
        &format!("{STATE}/openclaw.json"),
        "{\n  \"agents\": { \"defaults\": { \"model\": \"anthropic/claude-sonnet-4-6\" } },\n  \"models\": { \"providers\": { \"anthropic\": { \"models\": [] } } }\n}\n",
    );
    host.own();
    let found = host.finds("own-provider");
    assert_eq!(found.severity, "note");
    host.mends(&found);
    let text = host.bed.read(&format!("{STATE}/openclaw.json"));
    assert!(text.contains("{ \"model\": \"anthropic/claude-sonnet-4-6\" } }"), "{text}");
    assert!(!text.contains("claude-opus"), "nobody asked for other models: {text}");
}

#[test]
fn a_configuration_that_is_not_understood() {
    let host = Host::new();
    host.bed.write(&format!("{STATE}/openclaw.json"), "{ \"meta\": ");
    host.own();
    let found = host.finds_also("openclaw-config");
    assert_eq!(found.severity, "error");
    assert!(found.command.contains("openclaw config validate"), "{}", found.command);
    let text = "{ \"meta\": { \"lastTouchedVersion\": \"2026.2.25\" } }\n";
    host.bed.write(&format!("{STATE}/openclaw.json"), text);
    host.own();
    assert!(!host.ids().contains(&"openclaw-config".to_owned()), "{:?}", host.doctor());
}

#[test]
fn a_gateway_that_could_not_be_seen_to() {
    let host = Host::new();
    host.bed.conf("GATEWAY", "command").conf("GATEWAY_COMMAND", "/bin/false");
    host.bed.login_for("B", 9);
    host.own();
    host.bed.run(["sync"]);
    // What has just failed is not printed; why it may have failed is.
    let found = host.finds_also("gateway-waits");
    assert!(found.command.contains("GATEWAY_COMMAND_USER root # if "), "{}", found.command);
    host.bed.conf("GATEWAY_COMMAND", "/bin/true");
    host.shell("oauth-sync sync");
    assert!(host.ids().is_empty(), "{:?}", host.doctor());
}

#[test]
fn a_first_paste_that_waits_for_a_consent() {
    let host = Host::new();
    fs::remove_file(host.at(OAUTH)).unwrap();
    host.bed.openclaw("2026.9.6").conf("SINKS", "auto").conf("GATEWAY", "auto");
    host.bed.write(
        &format!("{STATE}/openclaw.json"),
        "{\n  // mine\n  \"meta\": { \"lastTouchedVersion\": \"2026.9.6\" }\n}\n",
    );
    host.own();
    // As the program of that version answers to --version.
    host.program("bin/openclaw", "echo 'OpenClaw 2026.9.6 (eb377ac)'");
    host.bed.conf("OPENCLAW_COMMAND", host.at("bin/openclaw").to_str().unwrap());
    host.bed.run(["sync"]);
    assert_eq!(
        host.finds_also("paste-consent").command,
        "oauth-sync gateway --consent --link default"
    );
}

#[test]
fn a_state_folder_behind_a_folder_of_roots() {
    let host = Host::new();
    let folder = host.at("home/behind");
    fs::create_dir(&folder).unwrap();
    fs::rename(host.at(STATE), folder.join(".openclaw")).unwrap();
    host.bed.conf("OPENCLAW_STATE_DIR", folder.join(".openclaw").to_str().unwrap());
    host.own();
    host.shell("oauth-sync sync");
    assert!(host.ids().is_empty(), "{:?}", host.doctor());
    host.shell(&format!("chown 0:0 {0} && chmod 700 {0}", folder.display()));
    host.mends(&host.finds_also("openclaw-unreachable"));
    assert!(host.ids().is_empty(), "{:?}", host.doctor());
}

#[test]
fn a_command_of_roots_that_a_user_can_change() {
    let host = Host::new();
    host.program("home/restart", "exit 0");
    host.own();
    host.bed.conf("GATEWAY", "command").conf("GATEWAY_COMMAND_USER", "root");
    host.bed.conf("GATEWAY_COMMAND", host.at("home/restart").to_str().unwrap());
    let found = host.finds("program-refused");
    assert_eq!(found.command, "oauth-sync set --link default GATEWAY_COMMAND_USER ''");
    host.mends(&found);
    assert!(host.ids().is_empty(), "{:?}", host.doctor());
}

#[test]
fn a_command_that_1_0_0_ran_as_root() {
    let host = Host::new();
    host.bed.conf("GATEWAY", "command").conf("GATEWAY_COMMAND", "/bin/true");
    assert!(host.ids().is_empty(), "{:?}", host.doctor());
    let act = r#"{"time":1,"deed":"restarted","outcome":"done","why":null,"fingerprint":null,"gap_ms":1}"#;
    host.bed.write("lib/gateway/default.json", format!(r#"{{"history":[{act}]}}"#));
    let found = host.finds_and_mends("command-not-as-root");
    assert_eq!(found.command, "oauth-sync set --link default GATEWAY_COMMAND_USER root");
    // Where it has worked as the owner nobody has to say so.
    host.bed.conf("GATEWAY_COMMAND_USER", "owner");
    assert!(host.ids().is_empty(), "{:?}", host.doctor());
    host.shell("oauth-sync set --link default GATEWAY_COMMAND_USER ''");
    host.finds("command-not-as-root");
    host.bed.login_for("B", 9);
    host.own();
    host.shell("oauth-sync sync");
    assert!(host.ids().is_empty(), "{:?}", host.doctor());
}

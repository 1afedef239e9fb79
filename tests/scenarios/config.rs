//! The configuration: every fault at once, and no fault that stops the other links.

use crate::bed::{Bed, CONF, ENV, SOURCE};

#[test]
fn without_a_link_it_says_how_to_make_one() {
    let bed = Bed::new();
    let said = ["no link is configured in 'BED/etc'", "hint: oauth-sync setup"];
    for text in ["", "# nothing yet\n\nCLAUDE_CREDENTIALS=\nOPENCLAW_STATE_DIR=\"\"\n"] {
        bed.write(CONF, text);
        bed.run(["sync"]).exit(2).err(&said);
        bed.run(["status"]).exit(2).err(&said);
    }
    std::fs::remove_file(bed.at(CONF)).unwrap();
    bed.run(["sync"]).exit(2).err(&said);
    std::fs::remove_dir(bed.at("etc")).unwrap();
    bed.run(["sync", "--dry-run"]).exit(2).err(&said);
    assert!(!bed.exists("lib"), "a wrong call makes nothing");
}

#[test]
fn a_gateway_without_a_link_says_how_to_make_one() {
    let bed = Bed::new();
    bed.run(["gateway", "--link", "none"]).exit(2).says("there is no link 'none'");
    std::fs::remove_file(bed.at(CONF)).unwrap();
    bed.run(["gateway"]).exit(2).says("no link is configured in").says("hint: oauth-sync setup");
}

#[test]
fn the_packages_own_file_may_wait_for_a_login() {
    let bed = Bed::new();
    let link = bed.openclaw("2026.2.25").conf("SINKS", "env").read(CONF);
    let said = [
        "no link is configured in 'BED/etc': BED/etc/default.conf:1: CLAUDE_CREDENTIALS is not set",
        "hint: oauth-sync setup",
    ];
    bed.write(CONF, "REFRESH=api\nNOTIFY_WEBHOOK=\"https://chat.example.org/x\"\n");
    bed.run(["sync"]).exit(2).err(&said);
    bed.run(["status"]).exit(2).err(&said);
    let watch = bed.watch();
    watch.heard(&format!(
        "STATUS=no link is configured, waiting for one: {}:1: CLAUDE_CREDENTIALS is not set",
        bed.at(CONF).display()
    ));
    watch
        .says("default.conf:1: CLAUDE_CREDENTIALS is not set: no link is configured yet; it waits");
    assert_eq!(watch.end().0, Some(0));
    assert!(!bed.exists("lib/linked"), "it was no link");
    // Beside a link it keeps nothing, and is told of.
    bed.login("A").write("etc/other.conf", link);
    bed.run(["sync"]).exit(0);
    bed.run(["status"])
        .exit(0)
        .says("BED/etc/default.conf:1: CLAUDE_CREDENTIALS is not set: no link is configured");
    let found = bed.run(["doctor", "--json"]).json();
    let found = found["findings"].as_array().unwrap();
    assert!(found.iter().any(|finding| finding["id"] == "link-unfinished"), "{found:?}");
    // Anything else that is wrong is a person's doing.
    bed.write(CONF, "REFRESH=never\n");
    bed.run(["sync"]).exit(2).says("BED/etc/default.conf:1: CLAUDE_CREDENTIALS is not set");
}

#[test]
fn every_fault_of_every_file_is_said_at_once() {
    let bed = Bed::new();
    bed.login("A");
    bed.write(
        CONF,
        "CLAUDE_CREDENTAILS=\"/x\"\nSINKS=\"env, cloud\"\nnonsense\nREFRESH_MARGIN=\"3 days\"\nCLAUDE_CREDENTIALS=\"relative/x\"\nOPENCLAW_STATE_DIR=\"/a/../b\"\nENV_KEY=\"A\"\nENV_KEY=\"B\"\n",
    );
    bed.write("etc/second.conf", "OPENCLAW_STATE_DIR=/srv/x y\nGATEWAY=\"compose\"\n");
    bed.write("etc/third.conf", b"\xff\xfe");
    let ran = bed.run(["sync"]).exit(2);
    let said = ran.bed().plain(&bed.run(["sync"]).err);
    for part in [
        "BED/etc/default.conf:1: unknown key 'CLAUDE_CREDENTAILS', did you mean 'CLAUDE_CREDENTIALS'?",
        "BED/etc/default.conf:2: SINKS",
        "BED/etc/default.conf:3: this line is not of the form KEY=\"value\"",
        "BED/etc/default.conf:4: REFRESH_MARGIN '3 days'",
        "BED/etc/default.conf:5: CLAUDE_CREDENTIALS 'relative/x'",
        "BED/etc/default.conf:6: OPENCLAW_STATE_DIR '/a/../b'",
        "BED/etc/default.conf:8: ENV_KEY stands on line 7 already",
        "BED/etc/second.conf:1: OPENCLAW_STATE_DIR: a value with blanks needs quotes",
        "BED/etc/second.conf:1: CLAUDE_CREDENTIALS is not set",
        "BED/etc/second.conf:2: GATEWAY 'compose' needs COMPOSE_DIR",
        "BED/etc/third.conf:1: it is not UTF-8 text",
    ] {
        assert!(said.contains(part), "'{part}' is not in:\n{said}");
    }
    bed.run(["status"]).exit(2);
    assert!(!bed.exists("lib"));
}

#[test]
fn two_links_with_one_sink_file_are_refused() {
    let bed = Bed::new();
    bed.login("A");
    let text = bed.read(CONF);
    bed.write("etc/other.conf", text);
    let ran = bed.run(["sync"]).exit(2);
    assert!(bed.plain(&ran.err).contains("BED/etc/other.conf:2:"), "{}", ran.err);
    assert!(!bed.exists(ENV));
}

#[test]
fn a_token_in_the_configuration_is_never_repeated() {
    let bed = Bed::new();
    bed.write(
        CONF,
        "sk-ant-oat01-access-x=1\nENV_KEY=\"sk-ant-oat01-access-x\"\nsk-ant-oat01-access-y\n",
    );
    let ran = bed.run(["sync"]).exit(2);
    assert!(!ran.err.contains("sk-ant"), "{}", ran.err);
    ran.says("BED/etc/default.conf:3: this looks like a token, and values never hold a token");
}

#[test]
fn files_that_package_managers_leave_are_no_links() {
    let bed = Bed::new();
    bed.openclaw("2026.2.25").conf("SINKS", "env").login("A");
    for name in
        ["default.conf.dpkg-dist", "default.conf~", ".hidden.conf", "README", "x.conf.rpmnew"]
    {
        bed.write(&format!("etc/{name}"), "garbage");
    }
    std::fs::create_dir(bed.at("etc/hooks.d")).unwrap();
    bed.run(["sync"]).exit(0);
}

#[test]
fn a_bad_link_stops_a_one_shot_command_but_not_watch() {
    let bed = Bed::new();
    bed.openclaw("2026.2.25").conf("SINKS", "env").login("A");
    bed.write("etc/bad.conf", "SINK=\"env\"\n");
    bed.run(["sync"]).exit(2);
    bed.run(["sync", "--link", "default"]).exit(2);
    assert!(!bed.exists(ENV));
    let watch = bed.watch();
    watch
        .holds(ENV, "A")
        .says("oauth-sync: BED/etc/bad.conf:1: unknown key 'SINK', did you mean 'SINKS'?\n");
    watch.says("BED/etc/bad.conf:1: CLAUDE_CREDENTIALS is not set");
    bed.login_for("B", 9);
    watch.holds(ENV, "B");
    let (code, said) = watch.end();
    assert_eq!(code, Some(0));
    assert_eq!(said.matches("did you mean").count(), 1, "said once:\n{said}");
}

#[test]
fn watch_waits_for_the_first_link() {
    let bed = Bed::new();
    bed.login("A");
    let text = bed.openclaw("2026.2.25").conf("SINKS", "env").read(CONF);
    std::fs::remove_file(bed.at(CONF)).unwrap();
    let watch = bed.watch();
    watch.heard("STATUS=no link is configured, waiting for one");
    bed.write(CONF, &text);
    watch.holds(ENV, "A").heard("STATUS=watching 1 link");
    // And it goes, and comes again by rename.
    std::fs::remove_file(bed.at(CONF)).unwrap();
    watch.heard("STATUS=no link is configured, waiting for one");
    bed.login_for("B", 9).replace(CONF, &text);
    watch.holds(ENV, "B");
    assert_eq!(watch.end().0, Some(0));
}

#[test]
fn watch_waits_for_its_configuration_folder_too() {
    let bed = Bed::new();
    bed.login("A");
    let text = bed.openclaw("2026.2.25").conf("SINKS", "env").read(CONF);
    std::fs::remove_dir_all(bed.at("etc")).unwrap();
    let watch = bed.watch();
    bed.write(CONF, &text);
    watch.holds(ENV, "A");
    assert_eq!(watch.end().0, Some(0));
}

#[test]
fn sighup_rereads_the_configuration() {
    let bed = Bed::new();
    bed.openclaw("2026.2.25").conf("SINKS", "env").login("A");
    let watch = bed.watch();
    watch.holds(ENV, "A");
    bed.conf("ENV_KEY", "OTHER_KEY");
    watch.signal("HUP");
    watch.until("the new key stands there", || bed.read(ENV).contains("OTHER_KEY=access-A"));
    watch.until("the old key's token is taken out", || {
        !bed.read(ENV).contains("ANTHROPIC_OAUTH_TOKEN=access-A")
    });
    bed.conf("ENV_KEY", "no key");
    watch.signal("HUP").says("BED/etc/default.conf:");
    bed.conf("ENV_KEY", "THIRD").login_for("B", 9);
    watch.signal("HUP");
    watch.until("it recovers", || bed.read(ENV).contains("THIRD=access-B"));
    assert_eq!(watch.end().0, Some(0));
}

#[test]
fn link_names_one_of_several() {
    let bed = Bed::new();
    bed.openclaw("2026.2.25").conf("SINKS", "env").login("A");
    let credentials = bed.at(SOURCE).display().to_string();
    let env = bed.at("home/other/.env").display().to_string();
    std::fs::create_dir_all(bed.at("home/other")).unwrap();
    bed.write("home/other/.env", "ANTHROPIC_OAUTH_TOKEN=x\n");
    bed.write(
        "etc/other.conf",
        format!("CLAUDE_CREDENTIALS=\"{credentials}\"\nSINKS=\"env\"\nENV_FILE=\"{env}\"\nGATEWAY=\"none\"\n"),
    );
    bed.run(["sync", "--link", "other"]).exit(0);
    assert!(bed.read("home/other/.env").contains("access-A") && !bed.exists(ENV));
    bed.run(["sync", "--link", "third"])
        .exit(2)
        .err(&["there is no link 'third'", "hint: the links are: default, other"]);
    bed.run(["sync"]).exit(0);
    assert!(bed.read(ENV).contains("access-A"));
}

#[test]
fn set_writes_one_key_and_leaves_the_rest() {
    let bed = Bed::new();
    let text = bed.read(CONF) + "# mine\n export REFRESH_MARGIN = 80m # why\n";
    bed.write(CONF, &text);
    let wrote = ["wrote 'BED/etc/default.conf'"];
    bed.run(["set", "REFRESH_MARGIN", "70m"]).exit(0).err(&wrote);
    assert_eq!(bed.read(CONF), text.replace("80m", "\"70m\""));
    let unchanged = ["unchanged: 'BED/etc/default.conf' has this value already"];
    bed.run(["set", "REFRESH_MARGIN", "70m"]).exit(0).err(&unchanged);
    bed.run(["set", "REFRESH_MARGIN", ""]).exit(0).err(&wrote);
    assert_eq!(bed.read(CONF), text.replace(" export REFRESH_MARGIN = 80m # why\n", ""));
    // A link that is not there is made.
    bed.run(["set", "--link", "other", "CLAUDE_CREDENTIALS", "/x/.credentials.json"])
        .exit(0)
        .says("hint")
        .says("still to be set or corrected: BED/etc/other.conf:1: ");
    bed.run(["set", "--link", "other", "OPENCLAW_STATE_DIR", "/x/.openclaw"]).exit(0);
    let other =
        "CLAUDE_CREDENTIALS=\"/x/.credentials.json\"\nOPENCLAW_STATE_DIR=\"/x/.openclaw\"\n";
    assert_eq!(bed.read("etc/other.conf"), other);
    let several = ["there are several links", "hint: --link NAME, one of default, other"];
    bed.run(["set", "REFRESH_MARGIN", "70m"]).exit(2).err(&several);
}

#[test]
fn set_writes_no_fault() {
    let bed = Bed::new();
    let text = bed.read(CONF);
    for (key, value, status, said) in [
        ("REFRESH_MARGIN", "never", 2, "BED/etc/default.conf:"),
        ("CLAUDE_CREDENTIALS", "near/by", 2, "CLAUDE_CREDENTIALS"),
        ("CLAUDE_CREDENTIALS", "", 2, "CLAUDE_CREDENTIALS"),
        ("REFRESHED", "off", 2, "REFRESH"),
        ("ENV_KEY", "A\nSINKS=none", 1, "ENV_KEY cannot be set"),
        ("NOTIFY_WEBHOOK", "https://canary.example", 1, "is a secret"),
    ] {
        bed.run(["set", key, value]).exit(status).says(said);
    }
    let elsewhere = ["set", "--link", "../etc/default", "REFRESH_MARGIN", "70m"];
    bed.run(elsewhere).exit(2).says("'../etc/default' is no name of a link");
    assert_eq!(bed.read(CONF), text);
    // What was wrong before is mended one by one.
    bed.write(CONF, format!("{text}REFRESH_MARGIN=never\nNOTIFY_FORMAT=nonsense\n"));
    bed.run(["set", "NOTIFY_FORMAT", "auto"]).exit(0).says("still to be set or corrected");
    bed.run(["set", "--link", "default", "REFRESH_MARGIN", "70m"]).exit(0);
    let mended = format!("{text}REFRESH_MARGIN=\"70m\"\nNOTIFY_FORMAT=\"auto\"\n");
    assert_eq!(bed.read(CONF), mended);
}

/// Whatever is wrong with a file in the form KEY=VALUE, `set` leads out of it, one key at a time.
#[test]
fn set_leads_out_of_every_fault() {
    let bed = Bed::new();
    let text = bed.read(CONF);
    for (fault, key, value) in [
        ("CLAUDE_CREDENTALS=\"/x\"\n", "CLAUDE_CREDENTALS", ""),
        ("SINKS=env\nSINKS=secret-file\n", "SINKS", "env"),
        ("SINKS=\"env\n", "SINKS", "env"),
        ("GATEWAY=\"compose\"\n", "GATEWAY", "none"),
        ("OAUTH_JSON=near\n", "OAUTH_JSON", ""),
        ("CLAUDE_CLI=\"container\"\n", "CLAUDE_CONTAINER", "claude"),
        ("CLAUDE_CLI=\"container\"\nSINKS=no\nENV_KEY=1\n", "ENV_KEY", "A"),
    ] {
        let base: String = text
            .split_inclusive('\n')
            .filter(|line| !fault.starts_with(line.split('=').next().unwrap()))
            .collect();
        bed.write(CONF, base + fault);
        bed.run(["status"]).exit(2);
        bed.run(["set", key, value]).exit(0).says("wrote");
        if !fault.contains("ENV_KEY") {
            // Without faults; nobody is signed in.
            bed.run(["status"]).exit(3);
        }
    }
    // No file, and then no directory at all.
    std::fs::remove_file(bed.at(CONF)).unwrap();
    bed.run(["set", "CLAUDE_CREDENTIALS", "/x"]).exit(0).says("wrote 'BED/etc/default.conf'");
    std::fs::remove_dir_all(bed.at("etc")).unwrap();
    bed.run(["set", "--link", "new", "CLAUDE_CREDENTIALS", "/x"]).exit(0);
    bed.run(["set", "--link", "new", "CLAUDE_CREDENTALS", "/x"])
        .exit(2)
        .says("unknown key 'CLAUDE_CREDENTALS', did you mean 'CLAUDE_CREDENTIALS'?");
}

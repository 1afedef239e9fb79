//! `NOTIFY_WEBHOOK`: both forms, a server that is down or slow, and an address that shows nowhere.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::bed::SOURCE;
use crate::listener::{Letter, Listener};
use crate::{age, bed, blanked, heard, hook, no_token_is_kept, waiting};

/// The one letter that a webhook gets when a login was emptied; neither its address nor a token shows anywhere.
fn the_letter(path: &str, format: &str) -> Letter {
    let bed = bed();
    let server = Listener::new(200);
    let address = format!("http://{}/{path}", server.address);
    bed.conf("NOTIFY_WEBHOOK", &address).conf("NOTIFY_FORMAT", format);
    blanked(&bed);
    let ran = bed.run(["notify"]).exit(0).err(&[]);
    assert!(!ran.err.contains("canary"));
    let mut letters = server.letters();
    assert_eq!(letters.len(), 1, "{format}");
    assert!(!crate::bed::leaks(&letters[0].body));
    letters.remove(0)
}

#[test]
fn slack_and_ntfy_are_told_in_their_own_form() {
    for (path, format, body) in [
        (
            "hooks/canary-address",
            "auto",
            "{\"text\":\":rotating_light: oauth-sync default on HOST: Claude CLI emptied the login in",
        ),
        ("canary-address", "auto", "Claude CLI emptied the login in"),
        ("hooks/canary-address", "ntfy", "Claude CLI emptied the login in"),
    ] {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        let host = host.trim();
        let letter = the_letter(path, format);
        assert!(letter.head.starts_with(&format!("post /{path} http/1.1\r\n")), "{letter:?}");
        assert!(letter.body.starts_with(&body.replace("HOST", host)), "{letter:?}");
        assert!(letter.body.contains("; run: sudo oauth-sync "));
        assert!(letter.body.contains(" login --link default"), "{letter:?}");
        if !body.starts_with('{') {
            let title = format!("title: oauth-sync: default on {}\r\n", host.to_lowercase());
            assert!(letter.head.contains(&title), "{letter:?}");
            assert!(letter.head.contains("priority: high\r\n"), "{letter:?}");
        }
    }
}

#[test]
fn each_other_service_is_told_in_the_form_that_it_reads() {
    for (path, format, field, extra) in [
        ("api/webhooks/1/canary", "discord", "content", ("allowed_mentions", json!({"parse": []}))),
        ("botcanary/sendMessage?chat_id=-100", "telegram", "text", ("chat_id", json!("-100"))),
        ("message?token=canary", "auto", "message", ("priority", json!(8))),
        ("canary", "json", "message", ("event", json!("blanked"))),
        ("canary?access_token=canary", "matrix", "body", ("msgtype", json!("m.text"))),
    ] {
        let letter = the_letter(path, format);
        assert!(letter.head.contains("content-type: application/json\r\n"), "{letter:?}");
        let body: Value = serde_json::from_str(&letter.body).unwrap();
        let text = body[field].as_str().unwrap();
        assert!(text.contains("Claude CLI emptied the login in"), "{format}: {text}");
        assert_eq!(body[extra.0], extra.1, "{format}");
    }
}

#[test]
fn a_server_that_fails_is_told_later_and_the_hooks_only_once() {
    let bed = bed();
    let server = Listener::new(503);
    bed.conf("NOTIFY_WEBHOOK", &format!("http://{}/hooks/canary-address", server.address));
    hook(&bed, "10-first", "echo $OAUTH_SYNC_EVENT >> heard");
    blanked(&bed);
    bed.run(["-v", "notify"]).exit(75).says(
        "default: the webhook was not told: it answered with status 503: trying again at WHEN",
    );
    let ran = bed.run(["notify"]).exit(75).err(&[]);
    assert!(!ran.err.contains("canary"));
    assert_eq!(server.letters().len(), 1, "its time has not come");
    age(&bed, &waiting(&bed), 1);
    server.answers(200, Duration::ZERO);
    // `watch` keeps the time and asks for the next try.
    let watch = bed.watch();
    watch.until("it was told", || std::fs::read_dir(bed.at("lib/notify")).unwrap().count() == 0);
    let (_, said) = watch.end();
    assert!(!said.contains("canary"));
    assert_eq!(server.letters().len(), 2);
    assert_eq!(heard(&bed), "blanked\n");
    no_token_is_kept(&bed);
}

#[test]
fn a_slow_server_and_a_closed_port_cost_ten_seconds_at_most() {
    let bed = bed();
    let server = Listener::new(200);
    server.answers(200, Duration::from_secs(300));
    bed.conf("NOTIFY_WEBHOOK", &format!("http://{}/hooks/canary-address", server.address));
    blanked(&bed);
    let watch = bed.watch_as(&[], &["--delegate"]);
    bed.replace(SOURCE, bed.login_text("B", 9));
    watch.says("valid login found");
    watch.end();
    let begun = Instant::now();
    bed.run(["notify"]).exit(75).says("the webhook was not told: the time limit is over");
    let took = begun.elapsed();
    assert!(took > Duration::from_secs(9) && took < Duration::from_secs(40), "{took:?}");
    assert_eq!(server.letters().len(), 1, "the second message waits with the first");
}

#[test]
fn what_nobody_took_for_days_is_tried_on_and_shown_until_it_is_taken() {
    let bed = bed();
    bed.conf("NOTIFY_WEBHOOK", "http://127.0.0.1:9/hooks/canary-address");
    blanked(&bed);
    bed.run(["notify"]).exit(75).says("connection refused");
    age(&bed, &waiting(&bed), 50);
    let ran = bed.run(["notify"]).exit(75).says("connection refused");
    assert!(!ran.err.contains("canary"));
    for command in ["status", "check", "doctor"] {
        let out = bed.plain(&bed.run([command]).out);
        let text = "the webhook of link 'default' was not notified of 'blanked': ";
        assert!(out.contains(text) && out.contains("tried 2 times"), "{command}: {out}");
        assert!(!out.contains("canary"), "{command}: {out}");
    }
    bed.write("etc/default.conf", format!("{}\nBROKEN\n", bed.read("etc/default.conf")));
    bed.run(["notify", "--now"]).exit(75);
    assert_eq!(std::fs::read_dir(bed.at("lib/notify")).unwrap().count(), 1, "it may come back");
    bed.write("etc/default.conf", "");
    bed.run(["notify", "--now"]).exit(0);
    assert_eq!(std::fs::read_dir(bed.at("lib/notify")).unwrap().count(), 0, "the link is gone");
}

#[test]
fn people_are_told_of_each_kind_once_in_ten_minutes_and_then_how_often_it_happened() {
    let bed = bed();
    let server = Listener::new(200);
    bed.conf("NOTIFY_WEBHOOK", &format!("http://{}/hooks/canary-address", server.address));
    blanked(&bed);
    bed.run(["notify"]).exit(0);
    assert_eq!(server.letters().len(), 1);
    for name in ["B", "C", "D"] {
        let watch = bed.watch_as(&[], &["--delegate"]);
        watch.heard("READY=1");
        bed.replace(SOURCE, bed.login_text(name, 9));
        watch.says("valid login found");
        bed.replace(SOURCE, crate::BLANK);
        watch.says("emptied the login");
        watch.end();
        bed.run(["notify"]);
    }
    let letters = server.letters();
    assert_eq!(letters.len(), 2, "one of each kind: {letters:?}");
    // What was overtaken is not told afterwards: the newest state alone waits.
    let waits = waiting(&bed);
    std::fs::remove_dir_all(bed.at("lib/told")).unwrap();
    age(&bed, &waits, 1);
    bed.run(["notify"]).exit(0);
    let letters = server.letters();
    assert_eq!(letters.len(), 3);
    let last = &letters[2].body;
    assert!(last.contains("emptied the login") && last.contains("more times"), "{last}");
    no_token_is_kept(&bed);
}

#[test]
fn a_test_goes_through_every_channel_and_says_what_came_back() {
    let bed = bed();
    bed.run(["notify", "--test"]).exit(1).says("no link has a webhook, and there is no hook");
    let server = Listener::new(204);
    let address = format!("http://{}/hooks/canary-address", server.address);
    bed.conf("NOTIFY_WEBHOOK", &address).conf("NOTIFY_FORMAT", "json");
    hook(&bed, "10-first", "cat > heard");
    let ran = bed.run(["notify", "--test"]).exit(0);
    let ran = ran.says("default: webhook: it was taken with status 204");
    ran.says("hook '10-first': it succeeded");
    let event: Value = serde_json::from_str(&server.letters()[0].body).unwrap();
    assert_eq!((&event["event"], &event["link"]), (&json!("test"), &json!("default")));
    assert_eq!(serde_json::from_str::<Value>(&heard(&bed)).unwrap(), event, "hooks get the same");
    server.answers(403, Duration::ZERO);
    hook(&bed, "10-first", "echo why >&2; exit 7");
    let ran = bed.run(["notify", "--test"]).exit(1);
    let ran = ran.says("default: webhook: the test was not taken: it answered with status 403");
    let ran = ran.says("hook '10-first': the test was not taken: it exited with status 7: why");
    assert!(!ran.err.contains("canary"));
    bed.run(["notify"]).exit(0).err(&[]);
}

#[test]
fn a_server_that_wants_to_be_left_alone_is() {
    let bed = bed();
    let server = Listener::new(200);
    bed.conf("NOTIFY_WEBHOOK", &format!("http://{}/hooks/canary-address", server.address));
    let wait = |bed: &crate::bed::Bed| {
        let item: Value = serde_json::from_str(&bed.read(&waiting(bed))).unwrap();
        let (_, only) = item["webhooks"].as_object().unwrap().iter().next().unwrap();
        (only["next"].as_i64().unwrap() - crate::bed::epoch_ms()) / 1000
    };
    blanked(&bed);
    for (header, text, least) in [
        ("retry-after: 7200\r\n", "", 7200),
        ("", r#"{"message":"slow","retry_after":1800.5}"#, 1800),
        ("", r#"{"ok":false,"parameters":{"retry_after":3000}}"#, 3000),
        ("", r#"{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":2400000}"#, 2400),
    ] {
        server.says(429, header, text);
        bed.run(["notify", "--now"]).exit(75).says("it answered with status 429");
        let wait = wait(&bed);
        assert!((least - 120..=least).contains(&wait), "{text}: {wait} s");
    }
    let count = server.letters().len();
    // What else happens to the link waits with it.
    let watch = bed.watch_as(&[], &["--delegate"]);
    bed.replace(SOURCE, bed.login_text("B", 9));
    watch.says("valid login found");
    watch.end();
    bed.run(["notify"]).exit(75);
    assert_eq!(server.letters().len(), count, "it is left alone");
}

#[test]
fn several_webhooks_are_told_each_in_its_form_and_each_until_it_took_it() {
    let bed = bed();
    let (chat, room) = (Listener::new(503), Listener::new(200));
    let path = "_matrix/client/v3/rooms/!r:example.org/send/m.room.message";
    let addresses = format!(
        "http://{}/hooks/canary-address http://{}/{path}?access_token=canary",
        chat.address, room.address
    );
    bed.conf("NOTIFY_WEBHOOK", &addresses);
    blanked(&bed);
    let ran = bed.run(["notify"]).exit(75);
    let ran =
        ran.says("default: the webhook 1 was not told: it answered with status 503: trying again");
    assert!(!ran.err.contains("canary"));
    let letters = room.letters();
    assert_eq!(letters.len(), 1);
    let head = &letters[0].head;
    assert!(head.starts_with(&format!("put /{path}/").to_lowercase()), "{head}");
    assert!(head.contains("authorization: bearer canary\r\n") && !head.contains("access_token"));
    let out = bed.plain(&bed.run(["status"]).out);
    assert!(out.contains("the webhook 1 of link 'default' was not notified"), "{out}");
    chat.answers(200, Duration::ZERO);
    bed.run(["notify", "--now"]).exit(0);
    let told = chat.letters();
    assert_eq!((told.len(), room.letters().len()), (2, 1), "nobody is told twice");
    assert!(told[1].body.starts_with("{\"text\":"), "{told:?}");
    bed.conf("NOTIFY_FORMAT", "slack ntfy json");
    let why = "NOTIFY_FORMAT has 3 words, and NOTIFY_WEBHOOK 2 addresses";
    assert!(bed.run(["status"]).err.contains(why));
    bed.conf("NOTIFY_FORMAT", "json slack");
    bed.run(["notify", "--test"]).exit(0).says("default: webhook 2: it was taken with status 200");
    assert!(chat.letters()[2].body.contains("\"schema\":1"));
}

#[test]
fn links_with_one_server_leave_it_alone_together() {
    let bed = bed();
    let server = Listener::new(200);
    bed.conf("NOTIFY_WEBHOOK", &format!("http://{}/hooks/canary-address", server.address));
    server.says(429, "retry-after: 7200\r\n", "");
    blanked(&bed);
    bed.run(["notify"]).exit(75);
    let name = waiting(&bed);
    let mut item: Value = serde_json::from_str(&bed.read(&name)).unwrap();
    item["event"]["link"] = json!("second");
    item["webhooks"] = json!({});
    bed.write("lib/notify/000000000000001-1-0-0123456789abcdef.json", item.to_string());
    bed.write("etc/second.conf", bed.read("etc/default.conf").replace("claw", "claw2"));
    bed.run(["notify"]).exit(75);
    assert_eq!(server.letters().len(), 1, "it is left alone");
}

//! What a webhook is sent, in the form that the other side reads.

use std::time::Duration;

use serde_json::{Value, json};

use crate::domain::config::settings::NotifyFormat;
use crate::domain::grant;
use crate::domain::incident::Severity;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;

/// The version of the form `json`.
const SCHEMA: u32 = 1;

/// The longest that a service may have us wait.
const LONGEST_WISH: Duration = Duration::from_secs(24 * 3600);

/// The most characters of a message's text that Discord takes, and Telegram.
const DISCORD_LIMIT: usize = 2000;
const TELEGRAM_LIMIT: usize = 4096;

/// What is to be said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Notice<'a> {
    /// Tells it apart from every other one; the same at each try.
    pub(crate) id: &'a str,
    /// The event's name, as hooks get it.
    pub(crate) event: &'a str,
    /// The link.
    pub(crate) link: &'a str,
    /// The name of this host.
    pub(crate) host: &'a str,
    /// How much it matters.
    pub(crate) severity: Severity,
    /// What happened, what follows, and the command that helps.
    pub(crate) message: &'a str,
    /// When the access token that agents work with ends, in RFC 3339.
    pub(crate) expires_at: Option<&'a str>,
}

/// How a letter is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// `POST`.
    Post,
    /// `PUT`: sent again, it is the same message.
    Put,
}

/// A message to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Letter {
    /// How it is sent.
    pub(crate) method: Method,
    /// Where it goes.
    pub(crate) address: Secret,
    /// What the server knows us by, where that is no part of the address.
    pub(crate) bearer: Option<Secret>,
    /// The headers besides those that every request has.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// The body.
    pub(crate) body: String,
}

impl Letter {
    fn new(address: &str, headers: Vec<(&'static str, String)>, body: String) -> Self {
        Self { method: Method::Post, address: Secret::new(address), bearer: None, headers, body }
    }

    fn json(address: &str, body: &Value) -> Self {
        let headers = vec![("Content-Type", "application/json".to_owned())];
        Self::new(address, headers, body.to_string())
    }
}

/// Writes the letter for an address.
pub(crate) fn letter(format: NotifyFormat, address: &str, notice: &Notice<'_>) -> Letter {
    match format {
        NotifyFormat::Auto => letter(suggested(address), address, notice),
        NotifyFormat::Slack => Letter::json(address, &slack(notice)),
        NotifyFormat::Ntfy => Letter::new(address, ntfy(notice), notice.message.to_owned()),
        NotifyFormat::Discord => Letter::json(&versioned(address), &discord(notice)),
        NotifyFormat::Telegram => Letter::json(address, &telegram(address, notice)),
        NotifyFormat::Gotify => Letter::json(address, &gotify(notice)),
        NotifyFormat::Matrix => matrix(address, notice),
        NotifyFormat::Json => Letter::json(address, &own(notice)),
    }
}

/// Discord's addresses name no version of its API, and what it answers depends on that.
fn versioned(address: &str) -> String {
    let unversioned = ["https://discord.com/api/", "https://discordapp.com/api/"];
    let found = unversioned.iter().find_map(|api| Some((api, address.strip_prefix(api)?)));
    match found.filter(|(_, rest)| rest.starts_with("webhooks/")) {
        Some((api, rest)) => format!("{api}v10/{rest}"),
        None => address.to_owned(),
    }
}

/// How long a service wants to be left alone: by its text, where Discord has `retry_after` in seconds with a fraction,
/// Telegram `parameters.retry_after`, and Matrix `retry_after_ms`; else by its header.
pub(crate) fn wish(header: Option<&str>, body: &[u8], now: Timestamp) -> Option<Duration> {
    let of_body = || {
        let body: Value = serde_json::from_slice(body).ok()?;
        if let Some(ms) = body.get("retry_after_ms") {
            return Some(Duration::from_millis(ms.as_u64()?));
        }
        let seconds = body.get("retry_after").or_else(|| body.pointer("/parameters/retry_after"));
        Duration::try_from_secs_f64(seconds?.as_f64()?).ok()
    };
    let wish = of_body().or_else(|| grant::retry_after(header?, now))?;
    Some(wish.min(LONGEST_WISH))
}

/// The event as programs get it: hooks on their standard input, and a webhook of the form `json`.
pub(crate) fn event(notice: &Notice<'_>) -> String {
    own(notice).to_string()
}

/// The form that an address suggests.
fn suggested(address: &str) -> NotifyFormat {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.rsplit('@').next().unwrap_or_default();
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let path = path.split('#').next().unwrap_or_default().trim_matches('/');
    if ["discord.com", "discordapp.com"].contains(&host) && path.starts_with("api/webhooks/") {
        return NotifyFormat::Discord;
    }
    if host == "api.telegram.org" {
        return NotifyFormat::Telegram;
    }
    if path.contains("_matrix/client/") {
        return NotifyFormat::Matrix;
    }
    if path.ends_with("message") && query.starts_with("token=") {
        return NotifyFormat::Gotify;
    }
    // A topic stands alone behind ntfy's address; the addresses of the others are longer
    // (`/services/A/B/C` of Slack, `/hooks/ID` of Mattermost).
    let named = host.starts_with("ntfy.") || host.contains(".ntfy.");
    if named || (!path.is_empty() && !path.contains('/')) {
        NotifyFormat::Ntfy
    } else {
        NotifyFormat::Slack
    }
}

/// What stands first: the link and its host.
fn title(notice: &Notice<'_>) -> String {
    format!("oauth-sync: {} on {}", notice.link, notice.host)
}

/// The title and the message, as far as `limit` characters go.
fn text(notice: &Notice<'_>, limit: usize) -> String {
    format!("{}\n{}", title(notice), notice.message).chars().take(limit).collect()
}

fn slack(notice: &Notice<'_>) -> Value {
    let sign = match notice.severity {
        Severity::Error => ":rotating_light:",
        Severity::Warning => ":warning:",
        Severity::Info => ":white_check_mark:",
    };
    // The three characters that Slack reads as mark-up, so that a path cannot call a whole channel.
    let plain = notice.message.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let text = format!("{sign} oauth-sync {} on {}: {plain}", notice.link, notice.host);
    json!({ "text": text })
}

fn ntfy(notice: &Notice<'_>) -> Vec<(&'static str, String)> {
    let (priority, tag) = match notice.severity {
        Severity::Error => ("high", "rotating_light"),
        Severity::Warning => ("default", "warning"),
        Severity::Info => ("default", "white_check_mark"),
    };
    let title = title(notice);
    let title = title.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' });
    vec![
        ("Content-Type", "text/plain; charset=utf-8".to_owned()),
        ("Title", title.collect()),
        ("Priority", priority.to_owned()),
        ("Tags", tag.to_owned()),
    ]
}

/// Discord's "Execute Webhook"; without `allowed_mentions` a path could call everybody.
fn discord(notice: &Notice<'_>) -> Value {
    json!({
        "content": text(notice, DISCORD_LIMIT),
        "allowed_mentions": { "parse": [] },
    })
}

/// `sendMessage` of Telegram's Bot API: the chat stands in the address, where the whole is kept secret.
fn telegram(address: &str, notice: &Notice<'_>) -> Value {
    let query = address.split_once('?').map_or("", |(_, query)| query);
    let chat = query.split('&').find_map(|pair| pair.strip_prefix("chat_id="));
    let mut body = json!({
        "text": text(notice, TELEGRAM_LIMIT),
        "link_preview_options": { "is_disabled": true },
    });
    if let Some(chat) = chat {
        body["chat_id"] = json!(chat.replace("%40", "@"));
    }
    body
}

/// Gotify's `POST /message`; its priorities from 4 on make a sound, from 8 on they stay in sight.
fn gotify(notice: &Notice<'_>) -> Value {
    let priority = match notice.severity {
        Severity::Error => 8,
        Severity::Warning => 5,
        Severity::Info => 2,
    };
    json!({
        "title": title(notice),
        "message": notice.message,
        "priority": priority,
    })
}

/// Matrix's `PUT …/send/m.room.message/{txnId}`: the access token stands in the address that we are given, and goes
/// into the header, as the specification asks for since 1.11. A message, and no `m.notice`, which notifies nobody.
fn matrix(address: &str, notice: &Notice<'_>) -> Letter {
    let (room, query) = address.split_once('?').unwrap_or((address, ""));
    let token = query.split('&').find_map(|pair| pair.strip_prefix("access_token="));
    let address = format!("{}/{}", room.trim_end_matches('/'), notice.id);
    let body = json!({ "msgtype": "m.text", "body": text(notice, usize::MAX) });
    Letter { method: Method::Put, bearer: token.map(Secret::new), ..Letter::json(&address, &body) }
}

/// The event in a form of our own, for programs.
fn own(notice: &Notice<'_>) -> Value {
    json!({
        "schema": SCHEMA,
        "event": notice.event,
        "link": notice.link,
        "host": notice.host,
        "severity": notice.severity.name(),
        "message": notice.message,
        "expires_at": notice.expires_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTICE: Notice<'_> = Notice {
        id: "0123-1",
        event: "blanked",
        link: "b\u{e4}r",
        host: "claw1",
        severity: Severity::Error,
        message: "a <!channel> & \"b\" @everyone",
        expires_at: Some("2026-11-30T16:00:00Z"),
    };

    const MATRIX: &str = "https://m.example.org/_matrix/client/v3/rooms/!r:example.org/send/m.room.message?access_token=syt_x";

    fn body(format: NotifyFormat, address: &str) -> Value {
        serde_json::from_str(&letter(format, address, &NOTICE).body).unwrap()
    }

    #[test]
    fn the_address_tells_the_form() {
        for (address, format) in [
            ("https://ntfy.sh/topic", NotifyFormat::Ntfy),
            ("https://ntfy.example.org", NotifyFormat::Ntfy),
            ("http://10.0.0.1:8080/topic?x=1", NotifyFormat::Ntfy),
            ("https://hooks.slack.com/services/T0/B0/x", NotifyFormat::Slack),
            ("https://chat.example.org/hooks/abc", NotifyFormat::Slack),
            ("https://example.org", NotifyFormat::Slack),
            ("https://discord.com/api/webhooks/1/x", NotifyFormat::Discord),
            ("https://discordapp.com/api/webhooks/1/x", NotifyFormat::Discord),
            ("https://api.telegram.org/bot1:x/sendMessage?chat_id=2", NotifyFormat::Telegram),
            ("https://push.example.org/message?token=x", NotifyFormat::Gotify),
            ("https://example.org/gotify/message?token=x", NotifyFormat::Gotify),
            (MATRIX, NotifyFormat::Matrix),
        ] {
            assert_eq!(suggested(address), format, "{address}");
        }
    }

    #[test]
    fn slack_and_ntfy_carry_the_message() {
        let slack = letter(NotifyFormat::Auto, "https://h/hooks/x", &NOTICE);
        let text = r#"{"text":":rotating_light: oauth-sync bär on claw1: a &lt;!channel&gt; &amp; \"b\" @everyone"}"#;
        assert_eq!(slack.body, text);
        let ntfy = letter(NotifyFormat::Ntfy, "https://h/hooks/x", &NOTICE);
        assert_eq!(ntfy.body, NOTICE.message);
        assert_eq!(ntfy.headers[1], ("Title", "oauth-sync: b?r on claw1".to_owned()));
        assert_eq!(ntfy.headers[2], ("Priority", "high".to_owned()));
    }

    #[test]
    fn discord_is_asked_in_the_version_whose_answers_are_known() {
        for (address, goes_to) in [
            ("https://discord.com/api/webhooks/1/x", "https://discord.com/api/v10/webhooks/1/x"),
            ("https://discord.com/api/v9/webhooks/1/x", "https://discord.com/api/v9/webhooks/1/x"),
            ("https://example.org/api/webhooks/1/x", "https://example.org/api/webhooks/1/x"),
        ] {
            let letter = letter(NotifyFormat::Discord, address, &NOTICE);
            assert_eq!(letter.address.expose(), goes_to);
        }
    }

    #[test]
    fn a_service_says_how_long_it_wants_to_be_left_alone() {
        let wish = |header, body: &str| {
            wish(header, body.as_bytes(), Timestamp(0)).map(|wish| wish.as_millis())
        };
        assert_eq!(wish(Some("7"), ""), Some(7000));
        assert_eq!(
            wish(Some("7"), r#"{"message":"slow","retry_after":0.25,"global":false}"#),
            Some(250)
        );
        assert_eq!(wish(None, r#"{"ok":false,"parameters":{"retry_after":31}}"#), Some(31_000));
        assert_eq!(wish(Some("999999999"), ""), Some(86_400_000));
        assert_eq!(
            wish(None, r#"{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":2000}"#),
            Some(2000)
        );
        for odd in [
            r#"{"retry_after":-1}"#,
            r#"{"retry_after_ms":"1"}"#,
            r#"{"retry_after":"soon"}"#,
            "[]",
            "no JSON",
        ] {
            assert_eq!(wish(None, odd), None, "{odd}");
        }
    }

    /// The names and limits of the public documentation of each.
    #[test]
    fn the_other_forms_have_the_fields_that_each_reads() {
        let text = "oauth-sync: b\u{e4}r on claw1\na <!channel> & \"b\" @everyone";
        let discord = body(NotifyFormat::Discord, "https://discord.com/api/webhooks/1/x");
        assert_eq!(discord, json!({"content": text, "allowed_mentions": {"parse": []}}));
        let telegram =
            body(NotifyFormat::Telegram, "https://h/bot1/sendMessage?a=b&chat_id=%40ops");
        assert_eq!((&telegram["chat_id"], &telegram["text"]), (&json!("@ops"), &json!(text)));
        let gotify = body(NotifyFormat::Gotify, "https://h/message?token=x");
        assert_eq!(gotify["title"], "oauth-sync: b\u{e4}r on claw1");
        assert_eq!((&gotify["message"], &gotify["priority"]), (&json!(NOTICE.message), &json!(8)));
        let own = body(NotifyFormat::Json, "https://h/x");
        assert_eq!((&own["schema"], &own["event"]), (&json!(1), &json!("blanked")));
        assert_eq!((&own["severity"], &own["host"]), (&json!("error"), &json!("claw1")));
        let long = "\u{e4}".repeat(5000);
        let long = Notice { message: &long, ..NOTICE };
        for (format, limit) in [(NotifyFormat::Discord, 2000), (NotifyFormat::Telegram, 4096)] {
            let body: Value = serde_json::from_str(&letter(format, "", &long).body).unwrap();
            let text = body.get("content").or_else(|| body.get("text")).unwrap();
            assert_eq!(text.as_str().unwrap().chars().count(), limit);
        }
    }

    #[test]
    fn matrix_gets_a_message_of_its_room_that_is_one_however_often_it_is_sent() {
        let letter = letter(NotifyFormat::Auto, MATRIX, &NOTICE);
        assert_eq!(letter.method, Method::Put);
        let room = MATRIX.split_once('?').unwrap().0;
        assert_eq!(letter.address.expose(), format!("{room}/0123-1"));
        assert_eq!(letter.bearer, Some(Secret::new("syt_x")));
        let body: Value = serde_json::from_str(&letter.body).unwrap();
        let text = "oauth-sync: b\u{e4}r on claw1\na <!channel> & \"b\" @everyone";
        assert_eq!(body, json!({"msgtype": "m.text", "body": text}));
    }
}

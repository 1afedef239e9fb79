//! What a webhook is sent, in the form that the other side reads.

use std::time::Duration;

use serde_json::{Value, json};

use crate::domain::config::settings::NotifyFormat;
use crate::domain::grant;
use crate::domain::incident::Severity;
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

/// A message to be posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Letter {
    /// The headers besides those that every request has.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// The body.
    pub(crate) body: String,
}

impl Letter {
    fn json(body: &serde_json::Value) -> Self {
        let headers = vec![("Content-Type", "application/json".to_owned())];
        Self { headers, body: body.to_string() }
    }
}

/// Writes the letter for an address.
pub(crate) fn letter(format: NotifyFormat, address: &str, notice: &Notice<'_>) -> Letter {
    match format {
        NotifyFormat::Auto => letter(suggested(address), address, notice),
        NotifyFormat::Slack => slack(notice),
        NotifyFormat::Ntfy => ntfy(notice),
        NotifyFormat::Discord => discord(notice),
        NotifyFormat::Telegram => telegram(address, notice),
        NotifyFormat::Gotify => gotify(notice),
        NotifyFormat::Json => own(notice),
    }
}

/// Where a letter for an address goes: Discord's addresses name no version of its API, and what it answers depends on
/// that.
pub(crate) fn destination(address: &str) -> String {
    let unversioned = ["https://discord.com/api/", "https://discordapp.com/api/"];
    let found = unversioned.iter().find_map(|api| Some((api, address.strip_prefix(api)?)));
    match found.filter(|(_, rest)| rest.starts_with("webhooks/")) {
        Some((api, rest)) => format!("{api}v10/{rest}"),
        None => address.to_owned(),
    }
}

/// How long a service wants to be left alone: by its header, else by its text, where Discord has `retry_after` in
/// seconds with a fraction, and Telegram `parameters.retry_after`.
pub(crate) fn wish(header: Option<&str>, body: &[u8], now: Timestamp) -> Option<Duration> {
    let of_body = || {
        let body: Value = serde_json::from_slice(body).ok()?;
        let seconds = body.get("retry_after").or_else(|| body.pointer("/parameters/retry_after"));
        Duration::try_from_secs_f64(seconds?.as_f64()?).ok()
    };
    let wish = of_body().or_else(|| grant::retry_after(header?, now))?;
    Some(wish.min(LONGEST_WISH))
}

/// The event as programs get it: hooks on their standard input, and a webhook of the form `json`.
pub(crate) fn event(notice: &Notice<'_>) -> String {
    own(notice).body
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

fn slack(notice: &Notice<'_>) -> Letter {
    let sign = match notice.severity {
        Severity::Error => ":rotating_light:",
        Severity::Warning => ":warning:",
        Severity::Info => ":white_check_mark:",
    };
    // The three characters that Slack reads as mark-up, so that a path cannot call a whole channel.
    let plain = notice.message.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let text = format!("{sign} oauth-sync {} on {}: {plain}", notice.link, notice.host);
    Letter::json(&json!({ "text": text }))
}

fn ntfy(notice: &Notice<'_>) -> Letter {
    let (priority, tag) = match notice.severity {
        Severity::Error => ("high", "rotating_light"),
        Severity::Warning => ("default", "warning"),
        Severity::Info => ("default", "white_check_mark"),
    };
    let title = title(notice);
    let title = title.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' });
    let headers = vec![
        ("Content-Type", "text/plain; charset=utf-8".to_owned()),
        ("Title", title.collect()),
        ("Priority", priority.to_owned()),
        ("Tags", tag.to_owned()),
    ];
    Letter { headers, body: notice.message.to_owned() }
}

/// Discord's "Execute Webhook"; without `allowed_mentions` a path could call everybody.
fn discord(notice: &Notice<'_>) -> Letter {
    let body = json!({
        "content": text(notice, DISCORD_LIMIT),
        "allowed_mentions": { "parse": [] },
    });
    Letter::json(&body)
}

/// `sendMessage` of Telegram's Bot API: the chat stands in the address, where the whole is kept secret.
fn telegram(address: &str, notice: &Notice<'_>) -> Letter {
    let query = address.split_once('?').map_or("", |(_, query)| query);
    let chat = query.split('&').find_map(|pair| pair.strip_prefix("chat_id="));
    let mut body = json!({
        "text": text(notice, TELEGRAM_LIMIT),
        "link_preview_options": { "is_disabled": true },
    });
    if let Some(chat) = chat {
        body["chat_id"] = json!(chat.replace("%40", "@"));
    }
    Letter::json(&body)
}

/// Gotify's `POST /message`; its priorities from 4 on make a sound, from 8 on they stay in sight.
fn gotify(notice: &Notice<'_>) -> Letter {
    let priority = match notice.severity {
        Severity::Error => 8,
        Severity::Warning => 5,
        Severity::Info => 2,
    };
    let body = json!({
        "title": title(notice),
        "message": notice.message,
        "priority": priority,
    });
    Letter::json(&body)
}

/// The event in a form of our own, for programs.
fn own(notice: &Notice<'_>) -> Letter {
    let body = json!({
        "schema": SCHEMA,
        "event": notice.event,
        "link": notice.link,
        "host": notice.host,
        "severity": notice.severity.name(),
        "message": notice.message,
        "expires_at": notice.expires_at,
    });
    Letter::json(&body)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTICE: Notice<'_> = Notice {
        event: "blanked",
        link: "b\u{e4}r",
        host: "claw1",
        severity: Severity::Error,
        message: "a <!channel> & \"b\" @everyone",
        expires_at: Some("2026-11-30T16:00:00Z"),
    };

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
            assert_eq!(destination(address), goes_to);
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
        for odd in [r#"{"retry_after":-1}"#, r#"{"retry_after":"soon"}"#, "[]", "no JSON"] {
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
}

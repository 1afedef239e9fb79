//! What a webhook is sent, in the form that the other side reads.

use serde_json::json;

use crate::domain::config::settings::NotifyFormat;
use crate::domain::incident::Severity;

/// A message to be posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Letter {
    /// The headers besides those that every request has.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// The body.
    pub(crate) body: String,
}

/// Writes the letter for a message about a link of a host.
pub(crate) fn letter(
    format: NotifyFormat,
    address: &str,
    about: &str,
    severity: Severity,
    message: &str,
) -> Letter {
    let is_ntfy = match format {
        NotifyFormat::Slack => false,
        NotifyFormat::Ntfy => true,
        NotifyFormat::Auto => looks_like_ntfy(address),
    };
    if is_ntfy { ntfy(about, severity, message) } else { slack(about, severity, message) }
}

/// A topic stands alone behind ntfy's address; the addresses of the others are longer
/// (`/services/A/B/C` of Slack, `/hooks/ID` of Mattermost).
fn looks_like_ntfy(address: &str) -> bool {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.rsplit('@').next().unwrap_or_default();
    let path = path.split(['?', '#']).next().unwrap_or_default().trim_matches('/');
    let named = host.starts_with("ntfy.") || host.contains(".ntfy.");
    named || (!path.is_empty() && !path.contains('/'))
}

fn slack(about: &str, severity: Severity, message: &str) -> Letter {
    let sign = match severity {
        Severity::Error => ":rotating_light:",
        Severity::Warning => ":warning:",
        Severity::Info => ":white_check_mark:",
    };
    // The three characters that Slack reads as mark-up, so that a path cannot call a whole channel.
    let plain = message.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let body = json!({"text": format!("{sign} oauth-sync {about}: {plain}")}).to_string();
    Letter { headers: vec![("Content-Type", "application/json".to_owned())], body }
}

fn ntfy(about: &str, severity: Severity, message: &str) -> Letter {
    let (priority, tag) = match severity {
        Severity::Error => ("high", "rotating_light"),
        Severity::Warning => ("default", "warning"),
        Severity::Info => ("default", "white_check_mark"),
    };
    let title = format!("oauth-sync: {about}");
    let title = title.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' });
    let headers = vec![
        ("Content-Type", "text/plain; charset=utf-8".to_owned()),
        ("Title", title.collect()),
        ("Priority", priority.to_owned()),
        ("Tags", tag.to_owned()),
    ];
    Letter { headers, body: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_tells_the_form() {
        for (address, is_ntfy) in [
            ("https://ntfy.sh/topic", true),
            ("https://ntfy.example.org", true),
            ("http://10.0.0.1:8080/topic?x=1", true),
            ("https://hooks.slack.com/services/T0/B0/x", false),
            ("https://chat.example.org/hooks/abc", false),
            ("https://example.org", false),
        ] {
            assert_eq!(looks_like_ntfy(address), is_ntfy, "{address}");
        }
    }

    #[test]
    fn both_forms_carry_the_message() {
        let address = "https://h/hooks/x";
        let say =
            |format| letter(format, address, "b\u{e4}r", Severity::Error, "a <!channel> & \"b\"");
        let slack = say(NotifyFormat::Auto);
        assert_eq!(
            slack.body,
            r#"{"text":":rotating_light: oauth-sync bär: a &lt;!channel&gt; &amp; \"b\""}"#
        );
        let ntfy = say(NotifyFormat::Ntfy);
        assert_eq!(ntfy.body, "a <!channel> & \"b\"");
        assert_eq!(ntfy.headers[1], ("Title", "oauth-sync: b?r".to_owned()));
        assert_eq!(ntfy.headers[2], ("Priority", "high".to_owned()));
    }
}

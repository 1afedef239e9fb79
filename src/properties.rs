//! What holds for every parser of bytes that users, servers and other programs write, whatever they
//! write: for the property tests, which make bytes up, and for fuzzers, which search for them.
//!
//! No parser panics; what is edited holds what was put into it, and everything else as it was; what
//! cannot be edited is refused. The texts to begin with lie in `tests/properties/NAME/`, and what once
//! failed is kept there.

mod host;
mod logins;
mod records;
#[cfg(test)]
mod run;
mod stores;

/// A property: it panics where it does not hold.
type Property = fn(&[u8]);

/// Every parser of bytes that are not our own, by name.
const ALL: [(&str, Property); 28] = [
    ("auth-profiles", stores::auth_profiles),
    ("auth-state", stores::auth_state),
    ("claude-settings", host::claude_settings),
    ("configuration", host::configuration),
    ("containers", host::engines),
    ("credentials", logins::credentials),
    ("debconf-answers", host::debconf_answers),
    ("env-file", stores::env_file),
    ("gateway-answers", host::gateway_answers),
    ("group", host::group),
    ("json-edits", stores::json_edits),
    ("json5-edits", stores::json5_edits),
    ("models", stores::models),
    ("mountinfo", host::mountinfo),
    ("notice", records::notice),
    ("oauth-json", stores::oauth_json),
    ("openclaw-json", stores::openclaw_json),
    ("output", host::output),
    ("over-records", records::over),
    ("package-json", host::package_json),
    ("passwd", host::passwd),
    ("proxies", host::proxies),
    ("saved-answers", records::saved_answers),
    ("shell-words", host::shell_words),
    ("state-files", records::state_files),
    ("times", logins::times),
    ("token-answers", logins::token_answers),
    ("unit-files", host::unit_files),
];

/// Checks the property of that name.
///
/// # Panics
/// Where it does not hold, and where there is none of that name.
pub fn check(name: &str, bytes: &[u8]) {
    let property = ALL.iter().find(|(known, _)| *known == name);
    let (_, property) = property.unwrap_or_else(|| panic!("there is no property '{name}'"));
    property(bytes);
}

/// The bytes as text, where they are UTF-8; nearly all parsers take nothing else.
fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

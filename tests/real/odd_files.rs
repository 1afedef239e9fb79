//! Which credentials files the real CLI takes for a login, and that we take the same ones for one.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::claude::Claude;
use crate::endpoint;
use crate::endpoint::MESSAGES;
use crate::oauth_sync::OauthSync;

const ACCESS: &str = "sk-ant-oat01-odd-A";

/// The oldest that is known to be used, and the newest.
const VERSIONS: [&str; 2] = ["2.1.197", "2.1.332"];

/// A file, and whether the CLI goes on with the token in it.
type Odd = (&'static str, Vec<u8>, bool);

/// The members of a sound login.
struct Login {
    access: String,
    refresh: String,
    expiry: String,
    scopes: String,
}

impl Login {
    fn sound() -> Self {
        let end = SystemTime::now() + Duration::from_secs(8 * 3600);
        let end = end.duration_since(UNIX_EPOCH).expect("it is after 1970").as_millis();
        Self {
            access: format!("\"accessToken\":\"{ACCESS}\""),
            refresh: "\"refreshToken\":\"sk-ant-ort01-odd\"".to_owned(),
            expiry: format!("\"expiresAt\":{end}"),
            scopes: "\"scopes\":[\"user:inference\",\"user:profile\"],\"subscriptionType\":\"max\""
                .to_owned(),
        }
    }

    fn text(&self) -> String {
        let Self { access, refresh, expiry, scopes } = self;
        let parts = [access, refresh, expiry, scopes].map(String::as_str);
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        format!("{{{}}}", parts.join(","))
    }

    fn file(&self) -> Vec<u8> {
        format!("{{\"claudeAiOauth\":{}}}", self.text()).into_bytes()
    }
}

/// A sound file with more members behind the login.
fn beside(more: &[u8]) -> Vec<u8> {
    let mut file = Login::sound().file();
    file.pop();
    [&file, &b","[..], more, b"}"].concat()
}

/// A sound file around which there is something.
fn around(before: &[u8], after: &[u8]) -> Vec<u8> {
    [before, &Login::sound().file(), after].concat()
}

/// A file whose login is changed.
fn with(change: impl FnOnce(&mut Login)) -> Vec<u8> {
    let mut login = Login::sound();
    change(&mut login);
    login.file()
}

/// A file with more members in its login.
fn inside(more: &str) -> Vec<u8> {
    with(|login| login.scopes = format!("{},{more}", login.scopes))
}

fn root(text: &str) -> Vec<u8> {
    text.replace("LOGIN", &Login::sound().text()).into_bytes()
}

fn syntax() -> Vec<Odd> {
    let utf_16 = String::from_utf8(Login::sound().file()).expect("it is ASCII");
    let utf_16 = utf_16.encode_utf16().flat_map(u16::to_le_bytes);
    vec![
        ("as it should be", around(b"", b""), true),
        ("blanks around", around(b" \r\n\t", b"\r\n \t"), true),
        ("a byte order mark", around(b"\xef\xbb\xbf", b""), false),
        ("a no-break space", around("\u{a0}".as_bytes(), b""), false),
        ("a form feed", around(b"\x0c", b""), false),
        ("a letter behind it", around(b"", b"x"), false),
        ("NUL behind it", around(b"", b"\0"), false),
        ("a second value", around(b"", b"{}"), false),
        ("UTF-16", [0xff, 0xfe].into_iter().chain(utf_16).collect(), false),
        ("a comment", around(b"// x\n", b""), false),
        ("a block comment", around(b"/* x */", b""), false),
        ("a comma at the end", beside(b""), false),
        ("a bare key", beside(b"n:1"), false),
        ("single quotes", beside(b"'n':1"), false),
        ("nothing", Vec::new(), false),
        ("blanks alone", b" \n".to_vec(), false),
        ("cut off", around(b"", b"")[..90].to_vec(), false),
        ("an array of it", root(r#"[{"claudeAiOauth":LOGIN}]"#), false),
        ("text", b"\"x\"".to_vec(), false),
        ("null", b"null".to_vec(), false),
    ]
}

fn strings_and_numbers() -> Vec<Odd> {
    vec![
        ("Latin-1 in a value", beside(b"\"mcpOAuth\":{\"x\":\"\xfc\xe9\"}"), true),
        ("Latin-1 in a key", beside(b"\"\xfc\":1"), true),
        ("a surrogate in bytes", beside(b"\"x\":\"\xed\xa0\x80\""), true),
        ("an overlong NUL", beside(b"\"x\":\"\xc0\x80\""), true),
        ("a lone high surrogate", beside(br#""x":"\ud800""#), true),
        ("a lone low surrogate", beside(br#""x":"\udc00x""#), true),
        ("a lone surrogate in a key", beside(br#""\ud83d":1"#), true),
        ("a surrogate pair", beside(br#""x":"\ud83d\ude00""#), true),
        ("an escaped NUL", beside(br#""x":"a\u0000b""#), true),
        ("DEL", beside(b"\"x\":\"a\x7fb\""), true),
        ("a line separator", beside("\"x\":\"a\u{2028}b\"".as_bytes()), true),
        ("a raw newline", beside(b"\"x\":\"a\nb\""), false),
        ("a raw tab", beside(b"\"x\":\"a\tb\""), false),
        ("a raw NUL", beside(b"\"x\":\"a\0b\""), false),
        ("an unknown escape", beside(br#""x":"a\xb""#), false),
        ("a short escape", beside(br#""x":"a\u12""#), false),
        ("a number beyond all bounds", beside(b"\"x\":1e999"), true),
        ("a number of 400 digits", beside(format!("\"x\":{}", "9".repeat(400)).as_bytes()), true),
        ("minus zero", beside(b"\"x\":-0.0E+5"), true),
        ("a leading zero", beside(b"\"x\":01"), false),
        ("a plus", beside(b"\"x\":+1"), false),
        ("no digit before the point", beside(b"\"x\":.5"), false),
        ("no digit behind the point", beside(b"\"x\":5."), false),
        ("NaN", beside(b"\"x\":NaN"), false),
        (
            "5,000 arrays in each other",
            beside(&[&b"\"x\":"[..], &b"[".repeat(5000), &b"]".repeat(5000)].concat()),
            true,
        ),
        (
            "500 objects in each other",
            beside(&[&b"\"x\":"[..], &b"{\"a\":".repeat(500), b"1", &b"}".repeat(500)].concat()),
            true,
        ),
        ("a megabyte", beside(format!("\"x\":\"{}\"", "a".repeat(1 << 20)).as_bytes()), true),
        ("seven megabytes", beside(format!("\"x\":\"{}\"", "a".repeat(7 << 20)).as_bytes()), true),
    ]
}

fn keys() -> Vec<Odd> {
    let old = r#"{"accessToken":"sk-ant-oat01-odd-old","expiresAt":1}"#;
    vec![
        (
            "the login twice",
            root(&format!(r#"{{"claudeAiOauth":{old},"claudeAiOauth":LOGIN}}"#)),
            true,
        ),
        (
            "the login twice, the last null",
            root(r#"{"claudeAiOauth":LOGIN,"claudeAiOauth":null}"#),
            false,
        ),
        (
            "the login twice, the last empty",
            root(r#"{"claudeAiOauth":LOGIN,"claudeAiOauth":{}}"#),
            false,
        ),
        (
            "the token twice",
            with(|login| login.access = format!("\"accessToken\":\"x\",{}", login.access)),
            true,
        ),
        ("the token twice, the last empty", inside(r#""accessToken":"""#), false),
        ("the token twice, the last null", inside(r#""accessToken":null"#), false),
        (
            "the expiry twice",
            with(|login| login.expiry = format!("\"expiresAt\":1,{}", login.expiry)),
            true,
        ),
        (
            "an escape in a key",
            with(|login| login.access = login.access.replace("acc", "\\u0061cc")),
            true,
        ),
        (
            "an escape in the token",
            with(|login| login.access = login.access.replace("-A", "\\u002d\\u0041")),
            true,
        ),
        ("an escape in the login's key", root(r#"{"claude\u0041iOauth":LOGIN}"#), true),
        ("an empty key", beside(b"\"\":1"), true),
        ("a prototype", root(r#"{"__proto__":{"claudeAiOauth":LOGIN}}"#), false),
    ]
}

fn values() -> Vec<Odd> {
    vec![
        ("no login", b"{\"mcpOAuth\":{}}".to_vec(), false),
        ("an array for a login", b"{\"claudeAiOauth\":[]}".to_vec(), false),
        ("text for a login", b"{\"claudeAiOauth\":\"x\"}".to_vec(), false),
        ("null for a login", b"{\"claudeAiOauth\":null}".to_vec(), false),
        ("no token", with(|login| login.access.clear()), false),
        ("null for a token", with(|login| login.access = "\"accessToken\":null".into()), false),
        ("an empty token", with(|login| login.access = "\"accessToken\":\"\"".into()), false),
        (
            "a blank behind the token",
            with(|login| login.access.insert(login.access.len() - 1, ' ')),
            true,
        ),
        (
            "a line end behind the token",
            with(|login| login.access.insert_str(login.access.len() - 1, "\\n")),
            true,
        ),
        ("odd bytes in the login", inside(r#""x":"\udfff""#), true),
        (
            "an expiry as text",
            with(|login| login.expiry = "\"expiresAt\":\"4102444800000\"".into()),
            true,
        ),
        ("an expiry with a fraction", with(|login| login.expiry.push_str(".5")), true),
        (
            "an expiry with an exponent",
            with(|login| login.expiry = "\"expiresAt\":4.1e12".into()),
            true,
        ),
        ("no refresh token", with(|login| login.refresh.clear()), true),
        (
            "null for a refresh token",
            with(|login| login.refresh = "\"refreshToken\":null".into()),
            true,
        ),
        (
            "an odd refresh token",
            with(|login| login.refresh = "\"refreshToken\":\"\\ud800\"".into()),
            true,
        ),
    ]
}

/// The access token that the CLI sends with a file.
fn sent(version: &str, file: &[u8]) -> (Option<String>, String) {
    let (endpoint, _folder) = endpoint();
    let claude = Claude::version(version, &endpoint);
    claude.write_bytes(file);
    claude.run(&["-p", "say ok"]);
    let first = endpoint.requests_to(MESSAGES).first().map(|request| request.bearer().to_owned());
    // Newer ones add a key at each start.
    claude.write_bytes(file);
    let sync = OauthSync::new(&claude, &endpoint, "off");
    let ours = sync.command(&["token"]).output().expect("the program starts");
    let ours = String::from_utf8_lossy(&ours.stdout).trim().to_owned();
    (first.filter(|bearer| !bearer.is_empty()), ours)
}

#[track_caller]
fn agree(files: &[Odd]) {
    for version in VERSIONS {
        for (name, file, is_login) in files {
            let wanted = is_login.then(|| ACCESS.to_owned());
            let (sent, ours) = sent(version, file);
            assert_eq!(sent, wanted, "{version}: {name}");
            assert_eq!(Some(ours).filter(|ours| !ours.is_empty()), wanted, "ours: {name}");
        }
    }
}

#[test]
fn what_is_json_to_the_cli_is_so_to_us() {
    agree(&syntax());
}

#[test]
fn odd_strings_and_numbers_are_no_reason_to_refuse_a_login() {
    agree(&strings_and_numbers());
}

#[test]
fn of_equal_keys_the_cli_and_we_take_the_last() {
    agree(&keys());
}

#[test]
fn odd_values_in_place_of_a_login_or_token_are_taken_as_the_cli_takes_them() {
    agree(&values());
}

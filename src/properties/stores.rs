//! OpenClaw's stores: what is edited holds the token, and everything else as it was.

use std::path::Path;

use serde_json::{Value, json};

use crate::domain::auth_profiles::{self, Context};
use crate::domain::credential::Credential;
use crate::domain::openclaw_config::{OpenclawConfig, include};
use crate::domain::secret::Secret;
use crate::domain::splice::{Dialect, Splice, read};
use crate::domain::time::Timestamp;
use crate::domain::{envfile, json5, models, oauth_json};

fn credential() -> Credential {
    Credential {
        access_token: Secret::new("sk-ant-oat01-new"),
        refresh_token: Some(Secret::new("sk-ant-ort01-new")),
        expiry: Timestamp(4_102_444_800_000),
        login_end: None,
    }
}

fn is_ours(token: &Secret) -> bool {
    token.expose().starts_with("sk-ant-oat01-ours")
}

fn config() -> OpenclawConfig {
    OpenclawConfig::read(&json!({}))
}

fn context<'a>(config: &'a OpenclawConfig, auth_state: Option<&'a str>) -> Context<'a> {
    Context { now: Timestamp(1_800_000_000_000), config, auth_state, is_ours: &is_ours }
}

/// The store carries the token under the profile that is said, and a second edit changes nothing.
pub(super) fn auth_profiles(bytes: &[u8]) {
    let Some(text) = super::text(bytes) else { return };
    let (config, credential) = (config(), credential());
    let context = context(&config, None);
    let _ = auth_profiles::held(text, &context);
    let _ = auth_profiles::living(text, context.now, &is_ours);
    let _ = auth_profiles::only(text, &is_ours);
    let _ = auth_profiles::refresh_tokens(text);
    let Ok(edit) = auth_profiles::edit(Some(text), &context, &credential) else { return };
    let new = edit.text.as_deref().unwrap_or(text);
    let id = &edit.profile_id;
    let mut store = Splice::new(new, Dialect::Json).expect("it is a text");
    assert_eq!(store.get(&["profiles", id, "token"]), Some(json!("sk-ant-oat01-new")));
    assert!(store.set(&["profiles", id, "token"], &json!("sk-ant-oat01-new")).is_ok());
    assert!(store.finish().is_none());
    assert!(!new.contains("sk-ant-ort01-new"), "OpenClaw never gets the refresh token");
    let again = auth_profiles::edit(Some(new), &context, &credential).expect("as before");
    assert_eq!(again.text, None, "a second time changes nothing");
}

/// The same of the file beside it, which is edited together with a store.
pub(super) fn auth_state(bytes: &[u8]) {
    const STORE: &str = r#"{"profiles":{"anthropic:a":{"type":"token","provider":"anthropic","token":"sk-ant-oat01-ours","expires":5},"anthropic:b":{"type":"token","provider":"anthropic","token":"x"}}}"#;
    let Some(text) = super::text(bytes) else { return };
    let (config, credential) = (config(), credential());
    let context = context(&config, Some(text));
    let _ = auth_profiles::held(STORE, &context);
    let _ = auth_profiles::cool_down(STORE, Some(text), "anthropic:a", context.now);
    let Ok(edit) = auth_profiles::edit(Some(STORE), &context, &credential) else { return };
    if let Some(state) = &edit.auth_state {
        assert!(read(state, Dialect::Json).is_ok());
        let new = edit.text.as_deref().unwrap_or(STORE);
        let context = Context { auth_state: Some(state), ..context };
        let again = auth_profiles::edit(Some(new), &context, &credential).expect("as before");
        assert_eq!(again.auth_state, None, "a second time changes nothing");
    }
}

/// The entry holds the credential, and the other entries are as they were.
pub(super) fn oauth_json(bytes: &[u8]) {
    let Some(text) = super::text(bytes) else { return };
    let credential = credential();
    let _ = (oauth_json::held(text), oauth_json::only(text, &is_ours));
    let Ok(edit) = oauth_json::edit(Some(text), &credential) else { return };
    let new = edit.unwrap_or_else(|| text.to_owned());
    let held = oauth_json::held(&new).expect("it holds the token");
    assert!(held.token == credential.access_token && held.expiry == Some(credential.expiry));
    assert_eq!(beside(text, &["anthropic"]), beside(&new, &["anthropic"]));
    assert_eq!(oauth_json::edit(Some(&new), &credential), Ok(None));
}

/// What stands beside some keys of the root.
fn beside(text: &str, keys: &[&str]) -> Value {
    let mut root = read(text, Dialect::Json).unwrap_or_default();
    if let Some(root) = root.as_object_mut() {
        for key in keys {
            root.remove(*key);
        }
        if root.is_empty() {
            return Value::Null;
        }
    }
    root
}

/// What is read of OpenClaw's configuration, whatever stands there.
pub(super) fn openclaw_json(bytes: &[u8]) {
    let Ok(document) = json5::read(bytes) else { return };
    // A file that includes itself under ever new names comes to an end, too.
    let root = document.value.clone();
    let resolved = include::resolve(document.value, Path::new("/s/openclaw.json"), &mut |path| {
        let is_odd = path.as_os_str().len() % 2 == 1;
        Ok(if is_odd { root.clone() } else { json!({"auth": {}}) })
    });
    let Ok(resolved) = resolved else { return };
    assert!(resolved.files.iter().all(|file| file.path.is_absolute()));
    let config = OpenclawConfig::read(&resolved.value);
    for profile in &config.profiles {
        assert!(config.profile(&profile.id).is_some());
    }
    let context = context(&config, None);
    let edit = auth_profiles::edit(Some("{}"), &context, &credential());
    assert!(edit.is_ok_and(|edit| edit.text.is_some()), "an empty store takes the token");
}

/// The models that are wished for stand there afterwards, and a second edit changes nothing.
pub(super) fn models(bytes: &[u8]) {
    let Some(text) = super::text(bytes) else { return };
    let Ok(root) = read(text, Dialect::Json5) else { return };
    for wish in [models::Wish::usual(), models::Wish::no_providers()] {
        let edits = models::edits(&root, &wish);
        let Ok(Some(new)) = models::apply(text, &edits.iter().collect::<Vec<_>>(), 0) else {
            continue;
        };
        let root = read(&new, Dialect::Json5).expect("it is a text");
        let now = models::read(&root);
        assert!(wish.primary.is_none() || now.primary == wish.primary);
        assert!(!wish.drop_providers || now.providers.is_empty());
        assert_eq!(models::edits(&root, &wish), [], "a second time changes nothing");
    }
}

/// The variable holds the value, and every other one what it held.
pub(super) fn env_file(bytes: &[u8]) {
    const KEY: &str = "ANTHROPIC_OAUTH_TOKEN";
    let value = Secret::new("sk-ant-oat01-new");
    let others = ["A", "B", "KEYS", "ANTHROPIC_API_KEY"];
    let held = |bytes: &[u8]| others.map(|key| envfile::get(bytes, key));
    let _ = envfile::get(bytes, KEY);
    match envfile::set(bytes, KEY, &value) {
        Ok(Some(new)) => {
            assert!(envfile::has(&new, KEY) && envfile::get(&new, KEY).as_ref() == Some(&value));
            // Odd bytes in the old value alone have every other one read as Latin-1 before.
            let is_utf8 = |bytes: &[u8]| std::str::from_utf8(bytes).is_ok();
            if is_utf8(bytes) == is_utf8(&new) {
                assert_eq!(held(bytes), held(&new));
            }
            assert_eq!(envfile::set(&new, KEY, &value), Ok(None));
        }
        Ok(None) => assert_eq!(envfile::get(bytes, KEY).as_ref(), Some(&value)),
        Err(_) => {}
    }
}

/// One value changes in strict JSON.
pub(super) fn json_edits(bytes: &[u8]) {
    edits(bytes, Dialect::Json);
}

/// One value changes in JSON5.
pub(super) fn json5_edits(bytes: &[u8]) {
    edits(bytes, Dialect::Json5);
}

fn edits(bytes: &[u8], dialect: Dialect) {
    let Some(text) = super::text(bytes) else { return };
    let fresh = || Splice::new(text, dialect);
    let Ok(mut splice) = fresh() else { return };
    let before = splice.get(&["b"]);
    if splice.set(&["a", "t"], &json!("new \u{1f600} \"")).is_ok() {
        assert_eq!(splice.get(&["a", "t"]), Some(json!("new \u{1f600} \"")));
        assert_eq!(splice.get(&["b"]), before);
        let new = splice.finish().unwrap_or_else(|| text.to_owned());
        let mut again = Splice::new(&new, dialect).expect("it is a text");
        assert!(again.set(&["a", "t"], &json!("new \u{1f600} \"")).is_ok());
        assert_eq!(again.finish(), None);
    }
    if let Ok(mut splice) = fresh()
        && splice.remove(&["a"]).is_ok()
    {
        assert_eq!((splice.get(&["a"]), splice.get(&["b"])), (None, before.clone()));
    }
    if let Ok(mut splice) = fresh()
        && splice.prepend(&["c"], &json!("first")).is_ok()
    {
        let list = splice.get(&["c"]);
        let first = list.as_ref().and_then(|list| list.get(0));
        assert_eq!(first, Some(&json!("first")));
        assert_eq!(splice.get(&["b"]), before);
    }
}

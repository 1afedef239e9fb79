//! Which models of Anthropic's OpenClaw uses: what openclaw.json says, and the edit that sets it.

use serde_json::{Value, json};

use crate::domain::openclaw_config::is_anthropic;
use crate::domain::splice::{self, Dialect, Malformed, Splice};

/// The model that agents use where nothing else is wished.
pub(crate) const PRIMARY: &str = "anthropic/claude-opus-4-6";

/// The models and the names that a person sees, where nothing else is wished.
pub(crate) const ALIASES: [(&str, &str); 2] = [
    ("anthropic/claude-opus-4-6", "Claude Opus 4.6 (Max)"),
    ("anthropic/claude-sonnet-4-6", "Claude Sonnet 4.6 (Max)"),
];

/// What openclaw.json says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Models {
    /// `agents.defaults.model.primary`, or the model itself where only one is named.
    pub(crate) primary: Option<String>,
    /// `agents.defaults.models`: each model with its alias.
    pub(crate) aliases: Vec<(String, Option<String>)>,
    /// Providers of one's own in the place of Anthropic's: they take the built-in models away.
    pub(crate) providers: Vec<String>,
}

/// What it should say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    /// The model that agents use; nothing leaves it as it is.
    pub(crate) primary: Option<String>,
    /// Models, each with its alias.
    pub(crate) aliases: Vec<(String, String)>,
    /// Whether providers in the place of Anthropic's go.
    pub(crate) drop_providers: bool,
}

impl Wish {
    /// Both models, with the usual primary one, where nothing else is named.
    pub(crate) fn usual() -> Self {
        let aliases = ALIASES.map(|(id, alias)| (id.to_owned(), alias.to_owned())).to_vec();
        Self { primary: Some(PRIMARY.to_owned()), aliases, drop_providers: false }
    }

    /// That providers in the place of Anthropic's go, and nothing else.
    pub(crate) fn no_providers() -> Self {
        Self { primary: None, aliases: Vec::new(), drop_providers: true }
    }
}

/// Reads the file's text.
pub(crate) fn read(text: &str) -> Result<Models, Malformed> {
    let root = splice::read(text, Dialect::Json5)?;
    let object = |pointer: &str| root.pointer(pointer).and_then(Value::as_object);
    let model = root.pointer("/agents/defaults/model");
    let primary = model.map(|model| model.get("primary").unwrap_or(model));
    let primary = primary.and_then(Value::as_str).map(str::to_owned);
    let aliases = object("/agents/defaults/models").into_iter().flatten();
    let alias = |value: &Value| value.get("alias").and_then(Value::as_str).map(str::to_owned);
    let providers = object("/models/providers").into_iter().flatten();
    Ok(Models {
        primary,
        aliases: aliases.map(|(id, value)| (id.clone(), alias(value))).collect(),
        providers: providers.map(|(id, _)| id.clone()).filter(|id| is_anthropic(id)).collect(),
    })
}

/// Sets what is wished and leaves every other byte alone; `None` if it is so already.
pub(crate) fn edit(text: &str, wish: &Wish) -> Result<Option<String>, Malformed> {
    let mut splice = Splice::new(text, Dialect::Json5)?;
    let model = ["agents", "defaults", "model"];
    if let Some(primary) = wish.primary.as_ref().map(|primary| json!(primary)) {
        match splice.get(&model) {
            Some(Value::String(_)) => splice.set(&model, &primary)?,
            _ => splice.set(&["agents", "defaults", "model", "primary"], &primary)?,
        }
    }
    for (id, alias) in &wish.aliases {
        splice.set(&["agents", "defaults", "models", id, "alias"], &json!(alias))?;
    }
    if wish.drop_providers {
        for id in read(text)?.providers {
            splice.remove(&["models", "providers", &id])?;
        }
    }
    Ok(splice.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_values_change() {
        let text = "{\n  // mine\n  agents: { defaults: { model: { primary: 'openai/x', fallbacks: ['a/b'] } } }, // end\n}\n";
        let new = edit(text, &Wish::usual()).unwrap().unwrap();
        assert!(new.contains("// mine\n") && new.contains("fallbacks: ['a/b']"), "{new}");
        assert!(new.ends_with("}, // end\n}\n"), "{new}");
        let models = read(&new).unwrap();
        assert_eq!(models.primary.as_deref(), Some(PRIMARY));
        assert_eq!(models.aliases.len(), 2);
        assert_eq!(edit(&new, &Wish::usual()).unwrap(), None, "it is so already");
    }

    #[test]
    fn a_single_model_stays_a_single_model() {
        let new = edit("{agents:{defaults:{model:'x/y'}}}", &Wish::usual()).unwrap().unwrap();
        assert_eq!(read(&new).unwrap().primary.as_deref(), Some(PRIMARY));
        assert!(new.contains("model:\"anthropic/claude-opus-4-6\""), "{new}");
    }

    #[test]
    fn a_provider_goes_only_when_asked() {
        let text = "{models:{providers:{anthropic:{baseUrl:'x'},other:{}}}}";
        assert_eq!(read(text).unwrap().providers, ["anthropic"]);
        let kept = edit(text, &Wish::usual()).unwrap().unwrap();
        assert_eq!(read(&kept).unwrap().providers, ["anthropic"]);
        let gone = edit(text, &Wish::no_providers()).unwrap().unwrap();
        assert_eq!(gone, "{models:{providers:{other:{}}}}", "and nothing else is set");
    }
}

//! Which models of Anthropic's OpenClaw uses: what openclaw.json says, and the edit that sets it.

use serde_json::{Value, json};

use crate::domain::openclaw_config::include::Included;
use crate::domain::openclaw_config::is_anthropic;
use crate::domain::splice::{Dialect, Malformed, Splice};

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

/// One change of what openclaw.json says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Edit {
    /// The keys on the way to the value, in the whole configuration.
    pub(crate) path: Vec<String>,
    /// The value; `None` takes it out.
    value: Option<Value>,
}

impl Edit {
    fn new(path: &[&str], value: Option<Value>) -> Self {
        Self { path: path.iter().map(|key| (*key).to_owned()).collect(), value }
    }
}

/// Reads a configuration, with the files that it includes.
pub(crate) fn read(root: &Value) -> Models {
    let object = |pointer: &str| root.pointer(pointer).and_then(Value::as_object);
    let model = root.pointer("/agents/defaults/model");
    let primary = model.map(|model| model.get("primary").unwrap_or(model));
    let primary = primary.and_then(Value::as_str).map(str::to_owned);
    let aliases = object("/agents/defaults/models").into_iter().flatten();
    let alias = |value: &Value| value.get("alias").and_then(Value::as_str).map(str::to_owned);
    let providers = object("/models/providers").into_iter().flatten();
    Models {
        primary,
        aliases: aliases.map(|(id, value)| (id.clone(), alias(value))).collect(),
        providers: providers.map(|(id, _)| id.clone()).filter(|id| is_anthropic(id)).collect(),
    }
}

/// What has to change in a configuration, with the files that it includes; nothing if it is so already.
pub(crate) fn edits(root: &Value, wish: &Wish) -> Vec<Edit> {
    let now = read(root);
    let mut edits = Vec::new();
    if let Some(primary) =
        wish.primary.as_ref().filter(|wanted| now.primary.as_ref() != Some(wanted))
    {
        let is_single = root.pointer("/agents/defaults/model").is_some_and(Value::is_string);
        let model: &[&str] = if is_single {
            &["agents", "defaults", "model"]
        } else {
            &["agents", "defaults", "model", "primary"]
        };
        edits.push(Edit::new(model, Some(json!(primary))));
    }
    let is_news =
        |(id, alias): &&(String, String)| !now.aliases.contains(&(id.clone(), Some(alias.clone())));
    edits.extend(wish.aliases.iter().filter(is_news).map(|(id, alias)| {
        Edit::new(&["agents", "defaults", "models", id, "alias"], Some(json!(alias)))
    }));
    let gone = now.providers.iter().filter(|_| wish.drop_providers);
    edits.extend(gone.map(|id| Edit::new(&["models", "providers", id], None)));
    edits
}

/// The place among the included files of the one that holds a value, `None` for the configuration's own
/// file; where several files make the value up, or one holds nothing else, their places.
pub(crate) fn holder(edit: &Edit, included: &[Included]) -> Result<Option<usize>, Vec<usize>> {
    let is_on_way = |file: &Included| edit.path.starts_with(&file.at);
    let on_way: Vec<usize> =
        included.iter().enumerate().filter(|(_, file)| is_on_way(file)).map(|(at, _)| at).collect();
    let is_shared =
        |at: &usize| !included[*at].is_sole || included[*at].at.len() == edit.path.len();
    if on_way.iter().any(is_shared) { Err(on_way) } else { Ok(on_way.last().copied()) }
}

/// Makes the changes in the text of a file that stands for the value behind the first `depth` keys, and
/// leaves every other byte alone; `None` if it is so already.
pub(crate) fn apply(
    text: &str,
    edits: &[&Edit],
    depth: usize,
) -> Result<Option<String>, Malformed> {
    let mut splice = Splice::new(text, Dialect::Json5)?;
    for edit in edits {
        let path: Vec<&str> = edit.path[depth..].iter().map(String::as_str).collect();
        match &edit.value {
            Some(value) => splice.set(&path, value)?,
            None => splice.remove(&path)?,
        }
    }
    Ok(splice.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::json5;

    fn value(text: &str) -> Value {
        json5::read(text.as_bytes()).unwrap().value
    }

    fn edit(text: &str, wish: &Wish) -> Option<String> {
        let edits = edits(&value(text), wish);
        apply(text, &edits.iter().collect::<Vec<_>>(), 0).unwrap()
    }

    #[test]
    fn only_the_values_change() {
        let text = "{\n  // mine\n  agents: { defaults: { model: { primary: 'openai/x', fallbacks: ['a/b'] } } }, // end\n}\n";
        let new = edit(text, &Wish::usual()).unwrap();
        assert!(new.contains("// mine\n") && new.contains("fallbacks: ['a/b']"), "{new}");
        assert!(new.ends_with("}, // end\n}\n"), "{new}");
        let models = read(&value(&new));
        assert_eq!(models.primary.as_deref(), Some(PRIMARY));
        assert_eq!(models.aliases.len(), 2);
        assert_eq!(edits(&value(&new), &Wish::usual()), [], "it is so already");
    }

    #[test]
    fn a_single_model_stays_a_single_model() {
        let new = edit("{agents:{defaults:{model:'x/y'}}}", &Wish::usual()).unwrap();
        assert_eq!(read(&value(&new)).primary.as_deref(), Some(PRIMARY));
        assert!(new.contains("model:\"anthropic/claude-opus-4-6\""), "{new}");
    }

    #[test]
    fn a_provider_goes_only_when_asked() {
        let text = "{models:{providers:{anthropic:{baseUrl:'x'},other:{}}}}";
        assert_eq!(read(&value(text)).providers, ["anthropic"]);
        let kept = edit(text, &Wish::usual()).unwrap();
        assert_eq!(read(&value(&kept)).providers, ["anthropic"]);
        let gone = edit(text, &Wish::no_providers()).unwrap();
        assert_eq!(gone, "{models:{providers:{other:{}}}}", "and nothing else is set");
    }

    #[test]
    fn a_value_is_set_in_the_file_that_alone_holds_it() {
        let file = |at: &[&str], is_sole| Included {
            path: "/f".into(),
            at: at.iter().map(|key| (*key).to_owned()).collect(),
            is_sole,
        };
        let provider = Edit::new(&["models", "providers", "anthropic"], None);
        let held = |files: &[Included]| holder(&provider, files);
        assert_eq!(held(&[]), Ok(None));
        assert_eq!(held(&[file(&["agents"], false)]), Ok(None));
        assert_eq!(held(&[file(&[], true), file(&["models"], true)]), Ok(Some(1)));
        // It is made up of several, or the file is nothing but the value.
        let two = [file(&["models"], false), file(&["models"], false)];
        assert_eq!(held(&two), Err(vec![0, 1]));
        let alone = [file(&["models", "providers", "anthropic"], true)];
        assert_eq!(held(&alone), Err(vec![0]));
        let text = "{anthropic: {}, /* mine */ other: {}}";
        let new = apply(text, &[&provider], 2).unwrap().unwrap();
        assert!(new.contains("mine") && !new.contains("anthropic"), "{new}");
    }
}

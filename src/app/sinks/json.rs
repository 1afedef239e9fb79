//! A sink that is one JSON file of its own: `oauth.json` or the secret file.
//!
//! Both have one form: OpenClaw imports the first, and its configuration refers to the second.

use std::path::Path;

use crate::app::look::Look;
use crate::app::sinks::file::File;
use crate::app::wanted::Wanted;
use crate::domain::credential::Credential;
use crate::domain::era::Choice;
use crate::domain::oauth_json;

/// Looks at the file.
pub(super) fn look(path: &Path, choice: Choice, wanted: &Wanted<'_>) -> Look {
    let kind = choice.kind;
    let absent = |path| Look::absent(kind, Some(path), "there is no such file");
    let edit = |text: Option<&str>, credential: &Credential| {
        oauth_json::edit(text, credential).map_err(|fault| fault.to_string())
    };
    match File::open(path, choice.may_create, wanted.may_write) {
        Ok(Some(file)) if file.is_new() && !choice.may_create => absent(file.path()),
        Ok(Some(file)) => file.compare(kind, oauth_json::held, edit, wanted),
        Ok(None) if choice.may_create && wanted.would_make(path) => {
            Look::to_be_made(kind, path.to_owned())
        }
        Ok(None) => absent(path.to_owned()),
        Err(error) => Look::failed(kind, path.to_owned(), &error),
    }
}

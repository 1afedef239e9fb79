//! A sink that is one JSON file of its own: `oauth.json` or the secret file.
//!
//! Both have one form: OpenClaw imports the first, and its configuration refers to the second.

use std::path::Path;

use crate::app::sync::sink_plan::Look;
use crate::app::sync::sinks::file::{File, Links};
use crate::app::sync::target::Wanted;
use crate::domain::credential::Credential;
use crate::domain::era::Choice;
use crate::domain::oauth_json;

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// Looks at the file.
pub(super) fn look(path: &Path, choice: Choice, wanted: &Wanted<'_>) -> Look {
    let kind = choice.kind;
    let absent = |path| Look::absent(kind, Some(path), "there is no such file");
    let held = |bytes: &[u8]| text(bytes).and_then(oauth_json::held);
    let edit = |bytes: Option<&[u8]>, credential: &Credential| {
        let new = oauth_json::edit(bytes.and_then(text), credential);
        new.map(|new| new.map(String::into_bytes)).map_err(|fault| fault.to_string())
    };
    match File::open(path, Links::Refused, choice.may_create, wanted.may_write) {
        Ok(Some(file)) if file.is_new() && !choice.may_create => absent(file.path()),
        Ok(Some(file)) => match file.text() {
            Ok(_) => file.compare(kind, held, edit, wanted),
            Err(error) => Look::failed(kind, file.path(), &error),
        },
        Ok(None) if choice.may_create && wanted.would_make(path) => {
            Look::to_be_made(kind, path.to_owned())
        }
        Ok(None) => absent(path.to_owned()),
        Err(error) => Look::failed(kind, path.to_owned(), &error),
    }
}

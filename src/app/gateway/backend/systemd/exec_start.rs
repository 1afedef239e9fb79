//! The `openclaw` that a unit starts as the gateway.

use std::path::Path;

use crate::app::gateway::backend::systemd::names;
use crate::app::gateway::backend::systemd::unit_environment::Text;
use crate::app::gateway::backend::systemd::unit_files;
use crate::app::gateway::job::Work;
use crate::domain::config::words;
use crate::domain::unit_text;
use crate::os::process::executables;
use crate::os::user::account;

/// The `openclaw` that the owner's own unit, or the host's, starts as the gateway: the words before
/// `gateway` in its `ExecStart=`, for a program that is there.
pub(crate) fn exec_start(work: &Work<'_>) -> Option<Vec<String>> {
    let state = work.openclaw.folder()?;
    let owner = account::of(state.identity.uid)?;
    let names = names(work);
    let home = std::slice::from_ref(&owner.home);
    let of_user = names.iter().map(|name| unit_files::of_user(state, home, name));
    let of_host = names.iter().map(|name| unit_files::of_host(name));
    of_user.chain(of_host).find_map(|texts| {
        let words = started(&texts)?;
        executables::is_runnable(&state.identity, Path::new(&words[0])).then_some(words)
    })
}

/// The words before `gateway` of the command that a unit's texts start.
fn started(texts: &[Text]) -> Option<Vec<String>> {
    let mut all = texts.iter().flat_map(|(_, text)| unit_text::assignments(text, "Service"));
    let line = all.rfind(|(key, _)| key == "ExecStart")?.1;
    let line = line.trim_start_matches(['@', '-', ':', '+', '!', '|']);
    let mut words = words::split(line).ok()?;
    let end = words.iter().position(|word| word == "gateway")?;
    words.truncate(end);
    let is_plain = |word: &String| !word.contains(['%', '$', '\\']);
    // A wrapper before it, or an option of its own, is no call that others can be made from.
    let is_call = match &words[..] {
        [program] => program.ends_with("/openclaw"),
        [node, script] => node.ends_with("/node") && script.starts_with('/'),
        _ => false,
    };
    (is_call && words.iter().all(is_plain)).then_some(words)
}

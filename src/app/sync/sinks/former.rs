//! A `.env` that was a sink and is one no more: our token is taken out of it.
//!
//! Only lines of our key that hold a token of ours are touched, with the rights of the directory's owner; a
//! value of the user's own stays.

use std::path::Path;

use log::Level;

use crate::app::context::{self, Ground};
use crate::app::report::{Line, SinkReport, SinkState};
use crate::app::state::link_state;
use crate::app::sync::sink_plan::Look;
use crate::app::sync::sinks::file::{File, Links};
use crate::domain::acceptance::{EnvFile, Mark, Memory};
use crate::domain::config::settings::Settings;
use crate::domain::envfile;
use crate::domain::secret::Secret;
use crate::domain::sink::SinkKind;
use crate::os::fs::in_place::Keep;
use crate::os::fs::replacement;

/// What became of a former sink.
enum Cleaned {
    /// Nothing of ours stands there.
    Nothing,
    /// The token is taken out, or would be.
    Done,
    /// It cannot be taken out now; why.
    Not(SinkState),
}

/// Remembers the `.env` files that hold the token of `passed`, or are about to.
pub(crate) fn remember(
    ground: &Ground,
    settings: &Settings,
    (looks, passed): (&[Look], Option<Mark>),
    memory: &mut Memory,
) {
    let Some(mark) = passed else { return };
    let mut is_news = false;
    for path in looks.iter().filter_map(|look| look.holding(SinkKind::Env)) {
        let (path, key) = (path.to_string_lossy().into_owned(), settings.env_key.clone());
        is_news |= memory.remember_env(EnvFile { path, key, token: mark.fingerprint });
    }
    if is_news {
        ground.save(settings, memory);
    }
}

/// How former sinks are cleaned.
#[derive(Clone, Copy)]
pub(crate) struct Means<'a> {
    /// What the link stands on.
    pub(crate) ground: &'a Ground,
    /// The link.
    pub(crate) settings: &'a Settings,
    /// Where a file's old text is kept that is written over in place.
    pub(crate) over: Option<Keep<'a>>,
    /// Whether anything may be written, since nothing has to wait for the gateway.
    pub(crate) may_write: bool,
}

/// Cleans the files that are no sinks any more, once the sinks of now are up to date and the gateway uses
/// them; what was done, or waits.
pub(crate) fn clean(means: Means<'_>, memory: &mut Memory, sinks: &[SinkReport]) -> Vec<Line> {
    let Means { ground, settings, .. } = means;
    let is_now = |file: &EnvFile| {
        let paths = sinks.iter().filter(|sink| sink.kind == SinkKind::Env);
        let mut paths = paths.filter_map(|sink| sink.path.as_deref());
        file.key == settings.env_key && paths.any(|path| path == Path::new(&file.path))
    };
    let former: Vec<EnvFile> =
        memory.env_files.iter().filter(|file| !is_now(file)).cloned().collect();
    let holds = |sink: &SinkReport| !matches!(sink.state, SinkState::Absent(_));
    let is_nowhere = !sinks.is_empty() && !sinks.iter().any(holds);
    let waits = is_nowhere || sinks.iter().any(is_open);
    let means = Means { may_write: means.may_write && !waits, ..means };
    let mut lines = Vec::new();
    for file in former {
        let cleaned = if is_of_another_link(ground, settings, &file) {
            Cleaned::Nothing
        } else {
            one(means, &file, memory)
        };
        lines.extend(line(&file, &cleaned, means.may_write));
        if means.may_write && !matches!(cleaned, Cleaned::Not(_)) {
            memory.env_files.retain(|other| *other != file);
            ground.save(settings, memory);
        }
    }
    lines
}

/// Returns whether a sink does not hold the token that it should.
fn is_open(sink: &SinkReport) -> bool {
    !matches!(
        sink.state,
        SinkState::InStep | SinkState::Unused(_) | SinkState::Unsettled(_) | SinkState::Absent(_)
    )
}

/// Returns whether another link writes there now.
fn is_of_another_link(ground: &Ground, settings: &Settings, file: &EnvFile) -> bool {
    let config = context::configuration(&ground.places.config_dir).unwrap_or_default();
    let mut others = config.links.iter().filter(|link| link.name != settings.name);
    others.any(|link| {
        let files = ground.links.as_ref().map(|links| link_state::env_files(links, &link.name));
        files.unwrap_or_default().iter().any(|other| other.is_same(file))
    })
}

fn one(means: Means<'_>, file: &EnvFile, memory: &Memory) -> Cleaned {
    let path = Path::new(&file.path);
    let found = match File::open(path, Links::Followed, false, means.may_write) {
        Ok(Some(found)) => found,
        // What it lies on may be mounted again.
        Ok(None) => return Cleaned::Not(SinkState::Absent(String::new())),
        Err(error) => return Cleaned::Not(SinkState::Failed(error.to_string(), None)),
    };
    let is_ours = |value: &Secret| {
        let token = means.ground.fingerprinter.of(value);
        token == file.token || memory.knows(token)
    };
    let Some(bytes) = found.bytes() else {
        return Cleaned::Not(SinkState::Absent(String::new()));
    };
    let change = match envfile::remove(bytes, &file.key, is_ours) {
        Ok(None) => return Cleaned::Nothing,
        Ok(Some(bytes)) => found.change(bytes),
        Err(refusal) => return Cleaned::Not(SinkState::Failed(refusal.to_string(), None)),
    };
    if !means.may_write {
        return Cleaned::Done;
    }
    let mut look = Look::stale(SinkKind::Env, path.to_owned(), vec![change]);
    let results = replacement::replace_all(look.replacements(), means.over, || {});
    look.settle(results.into_iter());
    match look.done().state {
        SinkState::InStep | SinkState::Unsettled(_) => Cleaned::Done,
        other => Cleaned::Not(other),
    }
}

fn line(file: &EnvFile, cleaned: &Cleaned, may_write: bool) -> Option<Line> {
    let path = &file.path;
    match cleaned {
        Cleaned::Nothing | Cleaned::Not(SinkState::Absent(_)) => None,
        Cleaned::Done if may_write => {
            let text = format!("took the token out of '{path}', which is no sink any more");
            Some(Line { is_deed: true, ..Line::remark(Level::Info, "cleaned", text) })
        }
        Cleaned::Done => {
            let text = format!(
                "'{path}' is no sink any more, and holds the token until the sinks are up to date and the gateway uses them"
            );
            Some(Line::remark(Level::Info, "former", text))
        }
        Cleaned::Not(state) => {
            let why = state.why().unwrap_or("it is being written");
            let text = format!(
                "the token cannot be taken out of '{path}', which is no sink any more: {why}"
            );
            let line = Line::remark(Level::Warn, "failed", text);
            Some(Line { sink: Some(SinkKind::Env), ..line })
        }
    }
}

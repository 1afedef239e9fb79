//! `notify`: sends what waits, or a test.

use crate::app;
use crate::app::context::{self, Places};
use crate::app::error::Error;
use crate::cli::exit::Exit;
use crate::domain::health::published::ServiceEntry;

/// Runs hooks and posts to webhooks, and publishes what failed.
pub(super) fn send(places: &Places, at_once: bool) -> Result<Exit, Error> {
    let was_idle = app::notify::is_idle(places);
    let done = app::notify::run(places, at_once)?;
    let troubles = app::notify::troubles(places, None);
    app::status::health_file::service(places, &troubles, ServiceEntry::is_of_messages);
    if was_idle && let Some(error) = context::absent_link(&places.config_dir, None) {
        return Err(error);
    }
    Ok(if done { Exit::Done } else { Exit::Deferred })
}

/// Sends a test by every channel, and says what came of it.
pub(super) fn test(places: &Places, only: Option<&str>) -> Result<Exit, Error> {
    let tried = app::notify::test(places, only)?;
    if tried.is_empty() {
        let hint = "set NOTIFY_WEBHOOK, see oauth-sync.conf(5), or put a program into hooks.d";
        log::error!(hint; "nothing was sent: no link has a webhook, and there is no hook");
        return Ok(Exit::Failed);
    }
    for one in &tried {
        match &one.outcome {
            Ok(how) => log::info!("{}: {how}", one.channel),
            Err(why) => log::error!("{}: the test was not taken: {why}", one.channel),
        }
    }
    let all_taken = tried.iter().all(|one| one.outcome.is_ok());
    Ok(if all_taken { Exit::Done } else { Exit::Failed })
}

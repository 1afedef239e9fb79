//! The wall clock, which every expiry is measured by.

use std::sync::Once;
use std::time::{Duration, SystemTime};

use jiff::tz::TimeZone;
use rustix::time::Timespec;

use crate::domain::time::Timestamp;
use crate::os::progress;

/// Reads the wall clock.
pub(crate) fn now() -> Timestamp {
    from_system(SystemTime::now())
}

/// Turns a file's time stamp into ours.
pub(crate) fn from_system(time: SystemTime) -> Timestamp {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(span) => Timestamp(0).after(span),
        Err(error) => Timestamp(0).before(error.duration()),
    }
}

/// Reads the host's time zone; UTC where none can be read, which is said once.
pub(crate) fn zone() -> TimeZone {
    static SAID: Once = Once::new();
    TimeZone::try_system().unwrap_or_else(|error| {
        SAID.call_once(|| {
            log::warn!("the host's time zone cannot be read, so hours are UTC: {error}");
        });
        TimeZone::UTC
    })
}

/// Lets a moment pass, for what nothing tells the end of.
pub(crate) fn rest(span: Duration) {
    progress::show();
    let span = Timespec::try_from(span).unwrap_or_default();
    // A signal may end the rest early; whoever rests looks again anyway.
    let _ = rustix::event::poll(&mut [], Some(&span));
}

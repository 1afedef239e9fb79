//! Tells systemd how the service is: `sd_notify(3)` over `NOTIFY_SOCKET`.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use crate::os::environment;
use crate::os::journal::detail;

/// Sends `state` (`READY=1`, `STATUS=…`, several joined by newlines); outside systemd it does nothing.
pub(crate) fn send(state: &str) {
    let Some(name) = environment::get("NOTIFY_SOCKET") else { return };
    let address = match name.as_bytes() {
        [b'@', abstract_name @ ..] => SocketAddr::from_abstract_name(abstract_name),
        _ => SocketAddr::from_pathname(&name),
    };
    let sent = address
        .and_then(|address| UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address));
    if let Err(error) = sent {
        detail!("cannot notify systemd: {error}");
    }
}

//! The `oauth-sync` program: hands its arguments to the library and returns its exit status.

use std::process::ExitCode;

fn main() -> ExitCode {
    oauth_sync::run(std::env::args_os())
}

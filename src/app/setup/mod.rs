//! What runs once: detection, configuration, installation, signing in, and removal.

pub(crate) mod config_set;
pub(crate) mod detect;
pub(crate) mod model;
pub(crate) mod npm_install;
pub(crate) mod setup_token;
pub(crate) mod sign_in;
pub(crate) mod uninstall;

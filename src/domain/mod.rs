//! Pure rules: text and `now` in, values out.
//!
//! Nothing here reads a clock, a file, the environment or a process.
#![forbid(unsafe_code)]

pub(crate) mod acceptance;
pub(crate) mod auth_profiles;
pub(crate) mod claude_cli;
pub(crate) mod claude_file;
pub(crate) mod compose_file;
pub(crate) mod compose_service;
pub(crate) mod config;
pub(crate) mod container;
pub(crate) mod credential;
pub(crate) mod detection;
pub(crate) mod envfile;
pub(crate) mod era;
pub(crate) mod expand;
pub(crate) mod gateway;
pub(crate) mod glob;
pub(crate) mod grant;
pub(crate) mod health;
pub(crate) mod hints;
pub(crate) mod incident;
pub(crate) mod json5;
pub(crate) mod login;
pub(crate) mod messages;
pub(crate) mod models;
pub(crate) mod oauth_json;
pub(crate) mod openclaw_config;
pub(crate) mod order;
pub(crate) mod outcome;
pub(crate) mod pace;
pub(crate) mod pause;
pub(crate) mod program_dirs;
pub(crate) mod quiet_hours;
pub(crate) mod raw_json;
pub(crate) mod retry;
pub(crate) mod schedule;
pub(crate) mod secret;
pub(crate) mod setup_token;
pub(crate) mod shell;
pub(crate) mod sign_in;
pub(crate) mod sink;
pub(crate) mod skew;
pub(crate) mod source;
pub(crate) mod splice;
pub(crate) mod time;
pub(crate) mod unit_paths;
pub(crate) mod unit_text;
pub(crate) mod units;
pub(crate) mod visible;
pub(crate) mod webhook;
pub(crate) mod yaml;

//! HTTP: renewals, webhooks, and whether a gateway answers.

pub(crate) mod http;
pub(crate) mod probe;
pub(crate) mod proxy;
pub(crate) mod webhook;

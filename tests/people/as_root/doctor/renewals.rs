//! How the renewals went, against an endpoint on loopback.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::bed::{SOURCE, refresh};
use crate::endpoint::{Answer, Endpoint, TOKEN};
use crate::host::Host;

/// A host that renews by the method `api` alone, at an endpoint of its own.
pub(super) fn host() -> (Host, Endpoint) {
    let host = Host::new();
    let endpoint = Endpoint::start(&host.at("."));
    host.bed.conf("REFRESH", "api").conf("TOKEN_URL", &endpoint.token_url());
    let program = host.bed.args(&[]).join(" ");
    let trusted = endpoint.certificate().display();
    host.program("bin/oauth-sync", &format!("SSL_CERT_FILE={trusted} exec {program} \"$@\""));
    (host, endpoint)
}

/// Renews, whatever becomes of it.
fn renew(host: &Host) {
    host.shell("oauth-sync refresh --force || true");
}

#[test]
fn a_login_that_the_server_refuses() {
    let (host, _endpoint) = host();
    renew(&host);
    let found = host.finds_also("login-rejected");
    assert_eq!(found.command, "oauth-sync login --link default");
    // What that comes to, see login.rs.
    host.bed.login_for("B", 9);
    host.own();
    host.shell("oauth-sync sync");
    assert!(host.ids().is_empty(), "{:?}", host.doctor());
}

#[test]
fn an_ended_token_wants_a_renewal() {
    let (host, endpoint) = host();
    host.bed.login_for("B", -1);
    host.own();
    endpoint.accept(&refresh("B"));
    let found = host.finds_also("token-expired");
    assert_eq!(found.command, "oauth-sync refresh --link default");
    host.mends(&found);
    assert!(host.ids().is_empty(), "{:?}", host.doctor());
}

#[test]
fn renewals_that_keep_failing() {
    let (host, endpoint) = host();
    endpoint.accept(&refresh("A"));
    endpoint.once(TOKEN, Answer::status(529));
    renew(&host);
    let found = host.finds_and_mends("renewal-failing");
    assert_eq!(found.severity, "warning");
    assert!(host.ids().is_empty(), "{:?}", host.doctor());
}

#[test]
fn a_renewed_login_that_cannot_be_saved() {
    let (host, endpoint) = host();
    endpoint.accept(&refresh("A"));
    let folder = host.at(SOURCE).parent().unwrap().to_owned();
    fs::set_permissions(&folder, PermissionsExt::from_mode(0o500)).unwrap();
    renew(&host);
    let found = host.finds_also("renewal-unsaved");
    fs::set_permissions(&folder, PermissionsExt::from_mode(0o700)).unwrap();
    host.mends(&found);
    assert!(host.ids().is_empty(), "{:?}", host.doctor());
}

//! One blocking POST over TLS, whose answer is handed on byte by byte as it arrives.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::CertificateError;
use ureq::tls::{PemItem, RootCerts, TlsConfig, TlsProvider};
use ureq::{Agent, Body, http};

use crate::os::environment;
use crate::os::net::proxy;

/// The certificate bundles of the distributions: Debian, Fedora and RHEL, SUSE.
const BUNDLES: [&str; 3] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
];

/// The most that is taken of an answer, in bytes; those of a token endpoint have 1 KiB.
pub(crate) const ANSWER_LIMIT: usize = 64 * 1024;

/// What is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Post<'a> {
    /// The address.
    pub(crate) url: &'a str,
    /// The `Content-Type`.
    pub(crate) kind: &'a str,
    /// The body.
    pub(crate) body: &'a [u8],
    /// The `User-Agent`, where it is not this program's own.
    pub(crate) user_agent: Option<&'a str>,
    /// How long all of it may take, from looking up the name to the last byte.
    pub(crate) limit: Duration,
}

/// What an answer says before its body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    /// The status.
    pub(crate) status: u16,
    /// `Retry-After`, as it stands there.
    pub(crate) retry_after: Option<String>,
    /// `Date`, as it stands there.
    pub(crate) date: Option<String>,
    /// Why the body ends early, if it does.
    pub(crate) cut: Option<String>,
}

/// Sends a POST and writes the body of the answer into `sink`, each piece before the next is read.
///
/// # Errors
/// In words fit for a message, if there was no answer at all, or `sink` refused it.
pub(crate) fn post(post: Post<'_>, sink: &mut impl Write) -> Result<Head, String> {
    let agent = agent(post)?;
    let request = agent.post(post.url).header("Content-Type", post.kind);
    let answer =
        request.header("Accept", "application/json").send(post.body).map_err(|e| words(&e))?;
    receive(answer, sink)
}

/// Writes the body of an answer into `sink`, each piece before the next is read.
///
/// # Errors
/// In words fit for a message, if `sink` refused it.
pub(super) fn receive(answer: http::Response<Body>, sink: &mut impl Write) -> Result<Head, String> {
    let header = |name| Some(answer.headers().get(name)?.to_str().ok()?.to_owned());
    let (retry_after, date) = (header(http::header::RETRY_AFTER), header(http::header::DATE));
    let status = answer.status().as_u16();
    let cut = carry(answer.into_body(), sink)?;
    Ok(Head { status, retry_after, date, cut })
}

fn carry(body: Body, sink: &mut impl Write) -> Result<Option<String>, String> {
    let mut reader = body.into_reader();
    let mut buffer = [0u8; 16 * 1024];
    let mut room = ANSWER_LIMIT;
    loop {
        let length = match reader.read(&mut buffer) {
            Ok(0) => return Ok(None),
            Ok(length) => length,
            Err(error) => return Ok(Some(words(&ureq::Error::from(error)))),
        };
        let kept = length.min(room);
        sink.write_all(&buffer[..kept]).map_err(|error| format!("cannot keep it: {error}"))?;
        if kept < length {
            return Ok(Some(format!("it has more than {} KiB", ANSWER_LIMIT / 1024)));
        }
        room -= kept;
    }
}

/// The only place where an agent is made: without roots and a provider of its own ureq panics.
///
/// Proxies are those of the environment: see [`proxy`].
pub(in crate::os) fn agent(post: Post<'_>) -> Result<Agent, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(provider)
        .root_certs(roots()?)
        .build();
    let own = concat!("openclaw-oauth-sync/", env!("CARGO_PKG_VERSION"));
    let config = Agent::config_builder()
        .tls_config(tls)
        .proxy(proxy::of(post.url, environment::get)?)
        .https_only(true)
        .max_redirects(0)
        .http_status_as_error(false)
        .timeout_global(Some(post.limit))
        .max_idle_connections(0)
        .user_agent(post.user_agent.unwrap_or(own))
        .build();
    Ok(config.new_agent())
}

/// The system's certificates: what `SSL_CERT_FILE` names, else the distribution's bundle.
fn roots() -> Result<RootCerts, String> {
    let named = environment::get("SSL_CERT_FILE").map(PathBuf::from);
    let known = || BUNDLES.iter().map(PathBuf::from).find(|path| path.exists());
    let none = "there are no certificates on this system: install 'ca-certificates'";
    let bundle = named.or_else(known).ok_or(none)?;
    let pem = std::fs::read(&bundle)
        .map_err(|error| format!("cannot read '{}': {error}", bundle.display()))?;
    let certificates: Vec<_> = ureq::tls::parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        return Err(format!("'{}' holds no certificates", bundle.display()));
    }
    Ok(RootCerts::Specific(Arc::new(certificates)))
}

/// Says what went wrong; texts of the other side are left out, since they could quote anything.
pub(in crate::os) fn words(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Io(error) => match error.get_ref().and_then(|inner| inner.downcast_ref()) {
            Some(inner) => words(inner),
            None => tls(error).unwrap_or_else(|| error.kind().to_string()),
        },
        ureq::Error::Timeout(_) => "the time limit is over".to_owned(),
        ureq::Error::HostNotFound => "its name cannot be resolved".to_owned(),
        ureq::Error::Rustls(error) => format!("TLS: {}", tls_words(error)),
        ureq::Error::Tls(what) => format!("TLS: {what}"),
        ureq::Error::RequireHttpsOnly(_) => "its address is not https".to_owned(),
        ureq::Error::ConnectProxyFailed(_) => "the proxy refuses".to_owned(),
        ureq::Error::InvalidProxyUrl => {
            "the proxy's address in the environment is wrong".to_owned()
        }
        ureq::Error::BadUri(_) => "its address is wrong".to_owned(),
        _ => "it does not speak HTTP".to_owned(),
    }
}

fn tls(error: &std::io::Error) -> Option<String> {
    let inner = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    Some(format!("TLS: {}", tls_words(inner)))
}

fn tls_words(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "its certificate comes from an authority that this system does not trust".to_owned()
        }
        rustls::Error::InvalidCertificate(
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. },
        ) => "by this host's clock its certificate is not valid now".to_owned(),
        rustls::Error::InvalidCertificate(_) => "its certificate is not valid".to_owned(),
        _ => "no connection could be agreed on".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_exactly_the_limit_is_whole() {
        for (size, is_whole) in
            [(ANSWER_LIMIT - 1, true), (ANSWER_LIMIT, true), (ANSWER_LIMIT + 1, false)]
        {
            let (body, mut kept) = (Body::builder().data(vec![b' '; size]), Vec::new());
            let cut = carry(body, &mut kept).unwrap();
            assert_eq!((cut.is_none(), kept.len()), (is_whole, size.min(ANSWER_LIMIT)));
        }
    }
}

//! The proxy of the environment: one that is named and cannot be used is an error, never a reason to
//! connect without it.

use std::ffi::OsString;

use ureq::{Proxy, ProxyProtocol, http};

/// The variables that name a proxy for https, the most specific first, as curl(1) reads them.
const NAMES: [&str; 6] =
    ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy"];

/// The variables that name the hosts to reach without one.
const EXEMPT: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// The proxy by which `url` is to be reached; `get` reads a variable that is set and not empty.
///
/// # Errors
/// Names the variable and says what is wrong, without its value: that may hold a password.
pub(crate) fn of(
    url: &str,
    get: impl Fn(&str) -> Option<OsString>,
) -> Result<Option<Proxy>, String> {
    let set = |names: &[&'static str]| names.iter().find_map(|name| Some((*name, get(name)?)));
    let Some((name, value)) = set(&NAMES) else { return Ok(None) };
    let host = url.parse::<http::Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
    let exempt = set(&EXEMPT).map(|(_, hosts)| hosts.to_string_lossy().into_owned());
    if host.zip(exempt).is_some_and(|(host, exempt)| is_exempt(&host, &exempt)) {
        return Ok(None);
    }
    let refused = |why: &str| {
        format!("the proxy in {name} cannot be used, and nothing is sent without it: {why}")
    };
    let value = value.to_str().ok_or_else(|| refused("its address is not UTF-8 text"))?;
    let proxy = Proxy::new(value.trim()).map_err(|_| refused("its address is wrong"))?;
    if proxy.host().is_empty() {
        return Err(refused("its address is wrong"));
    }
    // A port that is none would be taken for the usual one.
    let end = proxy.uri().authority().and_then(|a| Some(a.as_str().rsplit('@').next()?.len()));
    if proxy.uri().port_u16().is_none() && end.is_none_or(|end| end > proxy.host().len() + 1) {
        return Err(refused("its port is wrong"));
    }
    match proxy.protocol() {
        ProxyProtocol::Http | ProxyProtocol::Https => Ok(Some(proxy)),
        _ => Err(refused("it has to be an http:// or https:// proxy, SOCKS is not supported")),
    }
}

/// Says whether `NO_PROXY` names the host: itself, a domain above it, its beginning before a `*`.
fn is_exempt(host: &str, exempt: &str) -> bool {
    let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
    exempt.split(',').map(|entry| entry.trim().to_ascii_lowercase()).any(|entry| {
        if let Some(start) = entry.strip_suffix('*') {
            return host.starts_with(start);
        }
        let entry = entry.strip_prefix('*').unwrap_or(&entry);
        let name = entry.strip_prefix('.').unwrap_or(entry).trim_matches(['[', ']']);
        let above = host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'));
        !name.is_empty() && (host == name || above)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_these(variables: &[(&str, &str)]) -> Result<Option<String>, String> {
        let get = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value)).filter(|value| !value.is_empty())
        };
        let proxy = of("https://platform.example.com/v1/oauth/token", get)?;
        Ok(proxy.map(|proxy| format!("{}:{}", proxy.host(), proxy.port())))
    }

    #[test]
    fn the_most_specific_variable_counts() {
        assert_eq!(of_these(&[]), Ok(None));
        assert_eq!(of_these(&[("HTTPS_PROXY", "")]), Ok(None));
        let found = |host: &str| Ok(Some(host.to_owned()));
        assert_eq!(of_these(&[("https_proxy", "http://a:1")]), found("a:1"));
        assert_eq!(of_these(&[("ALL_PROXY", "a:1"), ("HTTPS_PROXY", "b:2")]), found("b:2"));
        assert_eq!(of_these(&[("all_proxy", "http://u:p@a:1/")]), found("a:1"));
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_an_error_that_names_the_variable_alone() {
        for name in NAMES {
            for value in [
                "socks5://user:hunter2@127.0.0.1:1080",
                "socks5h://user:hunter2@127.0.0.1:1080",
                "socks4://hunter2",
                "ftp://user:hunter2@host",
                "http://",
                "http://user:hunter2@host:99999",
                "http://hunter2 host",
                "://hunter2",
                "http://user:%ff@hunter2",
            ] {
                let why = of_these(&[(name, value)]).expect_err(value);
                assert!(why.contains(name), "{why}");
                assert!(!why.contains("hunter2") && !why.contains("user"), "{why}");
            }
        }
    }

    #[test]
    fn no_proxy_is_heeded_in_either_case() {
        for name in EXEMPT {
            for exempt in [
                "*",
                "platform.example.com",
                "a, .Example.com",
                "*.example.com",
                "example.com",
                "plat*",
            ] {
                let proxy = [("ALL_PROXY", "socks5://a"), (name, exempt)];
                assert_eq!(of_these(&proxy), Ok(None), "{exempt}");
            }
            for other in ["", ",", ".", "ample.com", "com.example", "localhost"] {
                let proxy = [("ALL_PROXY", "http://a"), (name, other)];
                assert_eq!(of_these(&proxy), Ok(Some("a:80".to_owned())), "{other}");
            }
        }
    }
}

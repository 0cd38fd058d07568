//! The URLs that secrets and tokens may be sent to: `https`, and plain `http` on this machine only, unless
//! the caller's code allows it.

use reqwest::Url;
use url::{Host, Origin};

use crate::config_error::ConfigError;

/// Whether a connection to the URL stays on this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Whether no other party can read the bytes on their way.
pub(crate) fn is_private(url: &Url, allow_plain_http: bool) -> bool {
    match url.scheme() {
        "https" => true,
        "http" => allow_plain_http || is_loopback(url),
        _ => false,
    }
}

/// A URL of a server, by the name of the value that holds it.
pub(crate) fn server_url(name: &str, text: &str, allow_plain_http: bool) -> Result<Url, ConfigError> {
    let url: Url =
        text.parse().map_err(|error| ConfigError::wrong(name, text, format!("is no URL: {error}")))?;
    // The text may hold a password, so the message does not repeat it.
    if !url.username().is_empty() || url.password().is_some() {
        return Err(ConfigError::wrong(
            name,
            url.host_str().unwrap_or_default(),
            "has a user or password in its URL",
        ));
    }
    if url.fragment().is_some() {
        return Err(ConfigError::wrong(name, text, "has a fragment (`#`)"));
    }
    if !is_private(&url, allow_plain_http) {
        return Err(ConfigError::wrong(
            name,
            text,
            "is not https; plain http is for this machine only, unless `allow_plain_http` is set",
        ));
    }
    Ok(url)
}

/// The origins that a token may be sent to.
#[derive(Debug, Clone)]
pub(crate) enum Origins {
    /// Every URL that the caller's code names.
    Any,
    /// Only these.
    Listed(Vec<Origin>),
}

impl Origins {
    pub(crate) fn allow(&self, url: &Url, allow_plain_http: bool) -> bool {
        is_private(url, allow_plain_http)
            && match self {
                Self::Any => true,
                Self::Listed(origins) => origins.contains(&url.origin()),
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_only_allowed_for_localhost() {
        let good = "https://id.example.com http://127.0.0.1:3000/x http://127.9.9.9 http://[::1]:80 http://localhost \
            http://api.localhost:1";
        let bad = "http://localhost.example.com http://127.0.0.1.example.com http://10.0.0.1 ftp://localhost";
        for (texts, private) in [(good, true), (bad, false)] {
            for text in texts.split(' ') {
                let url: Url = text.parse().unwrap();
                assert_eq!(is_private(&url, false), private, "{text}");
                assert_eq!(server_url("issuer", text, false).is_ok(), private, "{text}");
            }
        }
        assert!(is_private(&"http://10.0.0.1".parse().unwrap(), true));
    }

    #[test]
    fn error_message_hides_the_password() {
        let refused = server_url("issuer", "https://me:hunter2@id.example.com", false).unwrap_err();
        assert_eq!(refused.to_string(), "issuer `id.example.com` has a user or password in its URL");
    }

    #[test]
    fn token_is_sent_only_to_its_origins() {
        let url = |text: &str| text.parse::<Url>().unwrap();
        let listed = Origins::Listed(vec![url("https://orders.example.com/v1").origin()]);
        for (text, allowed) in [
            ("https://orders.example.com/v2?x", true),
            ("https://orders.example.com:443/", true),
            ("https://orders.example.com:8443/", false),
            ("http://orders.example.com/", false),
            ("https://orders.example.com.evil.example/", false),
            ("https://orders.example.com@evil.example/", false),
        ] {
            assert_eq!(listed.allow(&url(text), false), allowed, "{text}");
        }
        assert!(Origins::Any.allow(&url("https://anywhere.example"), false));
        assert!(!Origins::Any.allow(&url("http://anywhere.example"), false));
    }
}

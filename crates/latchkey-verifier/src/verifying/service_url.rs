//! URLs that the verifier fetches: https, or http to this machine. Otherwise an attacker in the network could
//! replace the keys.

use url::{Host, Url};

/// Reads such a URL.
pub(crate) fn service_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
    (is_plain && is_safe).then_some(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_only_allowed_for_localhost() {
        let good =
            "https://id.example.com/jwks http://127.0.0.1:3000/jwks http://[::1]/jwks http://localhost:3000/";
        for text in good.split(' ') {
            assert!(service_url(text).is_some(), "{text}");
        }
        let bad = "http://id.example.com/jwks http://localhost.example.com/ http://127.0.0.1.example.com/ \
            https://user@id.example.com/ https://id.example.com/#a file:///etc/passwd id.example.com";
        for text in bad.split(' ') {
            assert!(service_url(text).is_none(), "{text}");
        }
    }
}

//! The host names for the paths of administration, against DNS rebinding: a page in an operator's
//! browser can point its own host name to this machine, and could then read what is served on
//! loopback. Its requests contain that host name.

use std::net::{Ipv4Addr, Ipv6Addr};

use actix_web::dev::ServiceRequest;
use actix_web::http::Uri;
use actix_web::http::header::HOST;

const LOCALHOST: &str = "localhost";

/// The host names of one listener. IP addresses are always accepted, because a page of another site
/// cannot have one as its host name.
#[derive(Debug)]
pub(crate) struct HostNames(Vec<String>);

impl HostNames {
    /// The host of the public URL, localhost, and the host names in the listener's settings.
    pub(crate) fn new(public_url: &str, added: &[String]) -> Self {
        let public = public_url.parse::<Uri>().ok().and_then(|url| url.host().map(str::to_owned));
        let mut names = vec![LOCALHOST.to_owned()];
        names.extend(public.iter().chain(added).map(|name| without_dot(name).to_owned()));
        Self(names)
    }

    /// Whether the request is for one of the host names. The authority of the request target takes
    /// precedence over `Host` (RFC 9112 §3.2.2). A request of HTTP/1.0 may have neither.
    pub(crate) fn admit(&self, request: &ServiceRequest) -> bool {
        if let Some(authority) = request.uri().authority() {
            return self.has(authority.as_str().as_bytes());
        }
        request.headers().get(HOST).is_none_or(|host| self.has(host.as_bytes()))
    }

    fn has(&self, authority: &[u8]) -> bool {
        let Ok(authority) = std::str::from_utf8(authority) else { return false };
        if let Some(rest) = authority.strip_prefix('[') {
            return rest.split_once(']').is_some_and(|(address, _)| address.parse::<Ipv6Addr>().is_ok());
        }
        let name = authority.split_once(':').map_or(authority, |(name, _)| name);
        name.parse::<Ipv4Addr>().is_ok()
            || self.0.iter().any(|known| known.eq_ignore_ascii_case(without_dot(name)))
    }
}

/// `name.` means the same as `name` (RFC 1034 §3.1).
fn without_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    // [found 22]
    #[test]
    fn foreign_host_names_are_refused_and_addresses_pass() {
        let names = HostNames::new("https://auth.example.com:8443/base", &["latchkey.internal".to_owned()]);
        for (authority, expected) in [
            ("localhost", true),
            ("localhost:3000", true),
            ("LOCALHOST.:3000", true),
            ("auth.example.com", true),
            ("Auth.Example.com:443", true),
            ("latchkey.internal:9000", true),
            ("127.0.0.1:3000", true),
            ("192.0.2.7", true),
            ("[::1]:3000", true),
            ("[::1]", true),
            ("evil.example", false),
            ("evil.example:3000", false),
            ("auth.example.com.evil.example", false),
            ("x.localhost", false),
            ("2130706433", false),
            ("127.1", false),
            ("[evil.example]:3000", false),
            ("[::1", false),
            ("", false),
            ("user@localhost", false),
        ] {
            assert_eq!(names.has(authority.as_bytes()), expected, "{authority}");
        }
        assert!(!names.has(b"\xff"));
    }
}

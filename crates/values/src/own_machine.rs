//! Whether a URL points to the machine of its reader.

use url::{Host, Url};

/// A loopback address, or `localhost` (RFC 6761 §6.3).
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// `false` if the text is not a URL.
#[must_use]
pub fn is_of_this_machine(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| is_loopback(&url))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_and_localhost_urls_are_local() {
        for url in
            ["http://localhost:3000", "https://id.localhost/a", "http://127.0.0.2", "http://[::1]:3000"]
        {
            assert!(is_of_this_machine(url), "{url}");
        }
        for url in ["http://localhost.example", "http://10.0.0.1", "https://id.example.com", "localhost"] {
            assert!(!is_of_this_machine(url), "{url}");
        }
    }
}

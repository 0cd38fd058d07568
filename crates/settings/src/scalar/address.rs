//! The addresses of the server's listeners, and its public URL.

use std::net::{IpAddr, SocketAddr};

use administration::documents::schema::JsonSchema;
use serde::{Deserialize, Serialize};
use url::{Host, Url};
use values::cropped;

use super::super::schema;

/// An IP address and a port to listen on: `127.0.0.1:3000`, `0.0.0.0:8443`, `[::1]:3000`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(extend("pattern" = r"^([0-9]{1,3}(\.[0-9]{1,3}){3}|\[[0-9A-Fa-f:.]+(%[0-9]+)?\]):[0-9]{1,5}$"))]
pub struct ListenAddress(SocketAddr);

/// The http or https URL at which clients reach the server. Issuers and metadata are derived from this URL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(extend("format" = "uri", "pattern" = schema::PLAIN_URL))]
pub struct PublicUrl(String);

impl ListenAddress {
    pub const fn socket(self) -> SocketAddr {
        self.0
    }
}

impl TryFrom<String> for ListenAddress {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map(Self).map_err(|_| {
            format!(
                "`{}` is not a listen address; use an IP address and a port, such as 127.0.0.1:3000 or 0.0.0.0:3000",
                cropped(&text)
            )
        })
    }
}

impl PublicUrl {
    /// The URL without a trailing slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether only this machine can reach the URL.
    pub fn is_on_loopback(&self) -> bool {
        let url = Url::parse(&self.0).ok();
        match url.as_ref().and_then(Url::host) {
            Some(Host::Domain(name)) => {
                let name = name.strip_suffix('.').unwrap_or(name);
                name == "localhost" || name.ends_with(".localhost")
            }
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => IpAddr::V6(address).to_canonical().is_loopback(),
            None => false,
        }
    }

    /// Whether callers are to come by https.
    pub fn is_https(&self) -> bool {
        Url::parse(&self.0).is_ok_and(|url| url.scheme() == "https")
    }
}

impl TryFrom<String> for PublicUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let hint = "use the http or https URL that clients see, such as https://auth.example.com, without a \
            query, a fragment or a user";
        let fits = Url::parse(&text).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.query().is_none()
                && url.fragment().is_none()
                && url.username().is_empty()
                && url.password().is_none()
        });
        // The parser accepts surrounding spaces and backslashes, but issuers are compared byte for byte.
        let exact = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        if fits && exact {
            Ok(Self(text.trim_end_matches('/').to_owned()))
        } else {
            Err(format!("Latchkey cannot derive issuers from this URL; {hint}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // [found 12]: Sample secrets and passwords were accepted behind a proxy on loopback | fixed | A
    //   `public_url` whose host is not loopback counts as beyond loopback
    #[test]
    fn public_url_on_loopback_is_recognised() {
        for (url, expected) in [
            ("http://localhost:3000", true),
            ("http://LOCALHOST", true),
            ("https://acme.localhost/base", true),
            ("http://127.0.0.1:3000", true),
            ("http://127.9.9.9", true),
            ("http://[::1]:3000", true),
            ("http://[::ffff:127.0.0.1]", true),
            ("https://auth.example.com", false),
            ("http://localhost.example.com", false),
            ("http://0.0.0.0:3000", false),
            ("http://10.0.0.5", false),
            ("http://[2001:db8::1]", false),
        ] {
            let found = PublicUrl::try_from(url.to_owned()).unwrap().is_on_loopback();
            assert_eq!(found, expected, "{url}");
        }
    }

    #[test]
    fn public_url_has_only_scheme_host_and_path() {
        for (text, url) in [
            ("http://localhost:3000", Some("http://localhost:3000")),
            ("https://auth.example.com/", Some("https://auth.example.com")),
            ("https://example.com/auth", Some("https://example.com/auth")),
            ("ftp://example.com", None),
            ("https://user@example.com", None),
            ("https://example.com?x=1", None),
            ("https://example.com#x", None),
            (" https://example.com", None),
            ("example.com", None),
            ("https://", None),
        ] {
            let found = PublicUrl::try_from(text.to_owned()).ok();
            assert_eq!(found.as_ref().map(PublicUrl::as_str), url, "{text}");
        }
    }
}

//! The parameters `resource` and `audience`: the destination of the token (RFC 8707 §2).

use std::hash::{Hash, Hasher};

/// A `resource` or `audience` parameter, unchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceIndicator {
    text: String,
    is_audience: bool,
}

/// The name of a resource for comparisons. Two http(s) URIs are equal if they differ only in the
/// case of scheme and host, in an empty path or `/`, or in the default port (RFC 3986 §6.2.2.1,
/// §6.2.3). All other names are compared exactly. A comparison allocates nothing.
#[derive(Clone, Copy, Debug)]
pub struct CanonicalResource<'a> {
    https: Option<bool>,
    user: &'a str,
    host: &'a str,
    port: &'a str,
    /// The path without its first slash, and the query. The whole name if it is not an http(s) URI.
    rest: &'a str,
}

impl<'a> CanonicalResource<'a> {
    #[must_use]
    pub fn new(name: &'a str) -> Self {
        let other = Self { https: None, user: "", host: "", port: "", rest: name };
        let Some((scheme, after)) = name.split_once("://") else { return other };
        let https = scheme.eq_ignore_ascii_case("https");
        if !https && !scheme.eq_ignore_ascii_case("http") {
            return other;
        }
        let (authority, rest) = after.split_at(after.find(['/', '?', '#']).unwrap_or(after.len()));
        let at = authority.rfind('@').map_or(0, |at| at + 1);
        let (user, address) = authority.split_at(at);
        let (host, port) = match address.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, port),
            _ => (address, ""),
        };
        let port = if port == if https { "443" } else { "80" } { "" } else { port };
        Self { https: Some(https), user, host, port, rest: rest.strip_prefix('/').unwrap_or(rest) }
    }

    /// The usual spellings of an http(s) URI in lower case, for stores that look up exact names.
    /// Empty for any other name.
    #[must_use]
    pub fn spellings(&self) -> Vec<String> {
        let Some(https) = self.https else { return Vec::new() };
        let (scheme, default) = if https { ("https", ":443") } else { ("http", ":80") };
        let (user, host) = (self.user, self.host.to_ascii_lowercase());
        let ports = match self.port {
            "" => vec![String::new(), default.to_owned()],
            port => vec![format!(":{port}")],
        };
        let is_root = self.rest.is_empty() || self.rest.starts_with('?');
        let slashes: &[&str] = if is_root { &["", "/"] } else { &["/"] };
        let spelled = |port: &String| {
            slashes.iter().map(|slash| format!("{scheme}://{user}{host}{port}{slash}{}", self.rest)).collect()
        };
        ports.iter().flat_map(|port| -> Vec<String> { spelled(port) }).collect()
    }
}

impl PartialEq for CanonicalResource<'_> {
    fn eq(&self, other: &Self) -> bool {
        (self.https, self.user, self.port, self.rest) == (other.https, other.user, other.port, other.rest)
            && self.host.eq_ignore_ascii_case(other.host)
    }
}

impl Eq for CanonicalResource<'_> {}

impl Hash for CanonicalResource<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.host.bytes().for_each(|byte| state.write_u8(byte.to_ascii_lowercase()));
        (self.https, self.user, self.port, self.rest).hash(state);
    }
}

/// Finds the name of a resource in a list: the same text if it is in the list, otherwise the first
/// equivalent spelling.
pub fn find_resource<'r>(
    mut names: impl Iterator<Item = &'r String> + Clone,
    resource: &str,
) -> Option<&'r String> {
    if let Some(exact) = names.clone().find(|name| *name == resource) {
        return Some(exact);
    }
    let resource = CanonicalResource::new(resource);
    names.find(|name| CanonicalResource::new(name) == resource)
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the resource is not an absolute URI without a fragment")]
pub struct InvalidResource;

impl ResourceIndicator {
    /// Parses `resource`: "an absolute URI […] MUST NOT include a fragment component" (RFC 8707
    /// §2). The caller has to check whether the client may request it.
    ///
    /// # Errors [`InvalidResource`], for which the token endpoint responds `invalid_target`.
    pub fn parse(text: &str) -> Result<Self, InvalidResource> {
        // The URL parser would silently correct blanks and quotes, which no registered name
        // contains.
        let exact = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}#".contains(&byte));
        if exact && url::Url::parse(text).is_ok() {
            Ok(Self { text: text.to_owned(), is_audience: false })
        } else {
            Err(InvalidResource)
        }
    }

    /// An `audience` parameter, which clients of other products send instead of `resource`. It may
    /// be any text, because audiences such as `orders-api` can be registered. It is compared
    /// exactly.
    #[must_use]
    pub fn audience(text: &str) -> Self {
        Self { text: text.to_owned(), is_audience: true }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Finds this resource or audience among registered names, and returns the registered spelling.
    pub fn find_in<'r>(&self, mut names: impl Iterator<Item = &'r String> + Clone) -> Option<&'r str> {
        let found = if self.is_audience {
            names.find(|name| **name == self.text)
        } else {
            find_resource(names, &self.text)
        };
        found.map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // [resources RFC 8707 §2]: `resource` is an absolute URI without a fragment
    #[test]
    fn only_absolute_uris_without_fragment_are_resources() {
        for good in ["https://api.example.com", "https://api.example.com/v1?x=1", "urn:example:api"] {
            assert_eq!(ResourceIndicator::parse(good).unwrap().as_str(), good);
        }
        let with_blanks = ["https://a b", " https://a", ""];
        let others = "api /api //host/api https://api.example.com#top https://";
        for bad in others.split(' ').chain(with_blanks) {
            assert_eq!(ResourceIndicator::parse(bad), Err(InvalidResource), "{bad}");
        }
    }

    fn equal(one: &str, other: &str) -> bool {
        let [one, other] = [one, other].map(CanonicalResource::new);
        let hashes = [one, other].map(|name| std::hash::BuildHasher::hash_one(&Fixed::default(), name));
        assert!(one != other || hashes[0] == hashes[1], "{one:?} {other:?}");
        one == other
    }

    type Fixed = std::hash::BuildHasherDefault<std::collections::hash_map::DefaultHasher>;

    // Clients send `resource=https%3A%2F%2Fmcp.example.com` if https://mcp.example.com/ is registered, and
    // the reverse.
    #[test]
    fn http_uris_are_compared_in_canonical_form() {
        let registered = "https://mcp.example.com";
        for same in ["/", ":443", ":443/", ":", ":/"] {
            assert!(equal(registered, &format!("{registered}{same}")), "{same}");
        }
        for (one, other) in [
            ("HTTPS://MCP.Example.com", registered),
            ("http://a:80", "http://A/"),
            ("https://a?x=1", "https://a/?x=1"),
            ("https://a/v1?x=1", "https://A:443/v1?x=1"),
            ("https://[::1]:443/", "https://[::1]"),
            ("https://[2001:DB8::a]", "https://[2001:db8::A]/"),
            ("https://u@a", "https://u@A/"),
        ] {
            assert!(equal(one, other), "{one} {other}");
        }
        for (one, other) in [
            (registered, "http://mcp.example.com"),
            (registered, "https://mcp.example.com:8443"),
            (registered, "https://mcp.example.com:80"),
            (registered, "https://mcp.example.com//"),
            (registered, "https://mcp.example.com."),
            ("https://a/v1", "https://a/v1/"),
            ("https://a/v1", "https://a/V1"),
            ("https://a/%2f", "https://a/%2F"),
            ("https://a?x", "https://a?X"),
            ("https://a?x", "https://a/x"),
            ("https://u@a", "https://U@a"),
            ("https://[::1]", "https://[::]"),
            ("https://a@b", "https://b"),
            ("urn:example:api", "URN:example:api"),
            ("mcp://a", "mcp://a/"),
            ("a", "a/"),
            ("https:a", "https:a/"),
        ] {
            assert!(!equal(one, other), "{one} {other}");
        }
    }

    #[test]
    fn spellings_name_the_same_resource() {
        let expected = ["https://a", "https://a/", "https://a:443", "https://a:443/"];
        assert_eq!(CanonicalResource::new("HTTPS://A:443").spellings(), expected);
        assert_eq!(CanonicalResource::new("http://A:8080/V1").spellings(), ["http://a:8080/V1"]);
        assert_eq!(CanonicalResource::new("orders").spellings(), [""; 0]);
    }

    #[test]
    fn the_exact_spelling_is_found_first() {
        let names = ["https://a/", "https://a", "orders"].map(str::to_owned);
        let resource = |text| ResourceIndicator::parse(text).unwrap();
        assert_eq!(resource("https://a").find_in(names.iter()), Some("https://a"));
        assert_eq!(resource("https://a/").find_in(names.iter()), Some("https://a/"));
        assert_eq!(resource("https://A").find_in(names.iter()), Some("https://a/"));
        assert_eq!(resource("https://b").find_in(names.iter()), None);
        assert_eq!(ResourceIndicator::audience("orders").find_in(names.iter()), Some("orders"));
        assert_eq!(ResourceIndicator::audience("https://A").find_in(names.iter()), None);
    }
}

//! The request for a token: scopes, resources, audience, further parameters. Equal requests share one cached
//! token.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Url;

use crate::config_error::ConfigError;
use crate::urls::{Origins, server_url};

/// Parameters that this crate sends itself.
const OURS: [&str; 8] = [
    "grant_type",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "assertion",
    "scope",
    "resource",
];

/// The request for a token. The order of scopes and resources does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    scopes: BTreeSet<String>,
    resources: BTreeSet<String>,
    audience: Option<String>,
    parameters: BTreeMap<String, String>,
    origins: BTreeSet<String>,
}

impl Request {
    /// A request for what the server grants by default.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a scope, or several that blanks separate.
    #[must_use]
    pub fn scope(mut self, scope: impl AsRef<str>) -> Self {
        self.scopes.extend(scope.as_ref().split_ascii_whitespace().map(str::to_owned));
        self
    }

    /// Adds a resource (RFC 8707). The token may be sent to its origin.
    #[must_use]
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.resources.insert(resource.into());
        self
    }

    /// Sends the parameter `audience`, which some servers demand.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// Sends a further parameter. It is no secret: it is part of the key of the cached token.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.insert(name.into(), value.into());
        self
    }

    /// Lets the token be sent to the origin of this URL, too.
    #[must_use]
    pub fn origin(mut self, url: impl Into<String>) -> Self {
        self.origins.insert(url.into());
        self
    }

    /// Whether a token for this request may be sent to this URL.
    pub fn may_be_sent_to(&self, url: &Url) -> bool {
        self.check(false).is_ok_and(|origins| origins.allow(url, false))
    }

    /// Whether the URL has the origin of a resource or of [`Request::origin`]. A caller that gets URLs from
    /// others should check this: without a resource and an origin, no URL has.
    pub fn names_origin_of(&self, url: &Url) -> bool {
        self.check(false)
            .is_ok_and(|origins| matches!(&origins, Origins::Listed(_)) && origins.allow(url, false))
    }

    /// Checks all values. Returns the origins that the token may be sent to: with neither a resource nor an
    /// origin, every URL that the caller's code names.
    pub(crate) fn check(&self, allow_plain_http: bool) -> Result<Origins, ConfigError> {
        for scope in &self.scopes {
            // The characters of RFC 6749 §3.3.
            if !scope.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\')) {
                return Err(ConfigError::wrong("scope", scope, "holds a character that no scope has"));
            }
        }
        if let Some(name) = self.parameters.keys().find(|name| OURS.contains(&name.as_str())) {
            return Err(ConfigError::wrong("parameter", name, "is one that this crate sends itself"));
        }
        let mut listed = Vec::new();
        for resource in &self.resources {
            let url: Url = resource
                .parse()
                .map_err(|_| ConfigError::wrong("resource", resource, "is no absolute URI (RFC 8707)"))?;
            if url.fragment().is_some() {
                return Err(ConfigError::wrong(
                    "resource",
                    resource,
                    "has a fragment (`#`), which RFC 8707 forbids",
                ));
            }
            // Another URI, such as `urn:orders`, names a resource and no origin.
            if matches!(url.scheme(), "https" | "http") {
                listed.push(server_url("resource", resource, allow_plain_http)?.origin());
            }
        }
        for origin in &self.origins {
            listed.push(server_url("origin", origin, allow_plain_http)?.origin());
        }
        let names_none = self.resources.is_empty() && self.origins.is_empty();
        Ok(if names_none { Origins::Any } else { Origins::Listed(listed) })
    }

    /// Whether one token serves both requests.
    pub(crate) fn has_same_token(&self, other: &Self) -> bool {
        self.scopes == other.scopes
            && self.resources == other.resources
            && self.audience == other.audience
            && self.parameters == other.parameters
    }

    pub(crate) const fn scopes(&self) -> &BTreeSet<String> {
        &self.scopes
    }

    /// The scopes as the parameter `scope` and as log events have them.
    pub(crate) fn scope_text(&self) -> String {
        self.scopes.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    /// All parameters but those of the grant and of the client.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, String)> {
        let scope = (!self.scopes.is_empty()).then(|| ("scope", self.scope_text()));
        let resources = self.resources.iter().map(|resource| ("resource", resource.clone()));
        let audience = self.audience.iter().map(|audience| ("audience", audience.clone()));
        let further = self.parameters.iter().map(|(name, value)| (name.as_str(), value.clone()));
        scope.into_iter().chain(resources).chain(audience).chain(further)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_of_scopes_and_resources_is_ignored() {
        let one = Request::new().scope("a b").resource("https://x.example").resource("https://y.example");
        let other =
            Request::new().scope("b").resource("https://y.example").scope("a").resource("https://x.example");
        assert!(one.has_same_token(&other));
        assert!(one.has_same_token(&other.clone().origin("https://z.example")));
        for different in [other.clone().scope("c"), other.clone().audience("z"), other.parameter("p", "1")] {
            assert!(!one.has_same_token(&different), "{different:?}");
        }
        let more = one.audience("z").parameter("p", "1");
        let pairs: Vec<_> = more.pairs().map(|(name, value)| format!("{name}={value}")).collect();
        let expected = "scope=a b&resource=https://x.example&resource=https://y.example&audience=z&p=1";
        assert_eq!(pairs.join("&"), expected);
    }

    #[test]
    fn invalid_request_values_are_refused() {
        let resource = |uri: &str| Request::new().resource(uri);
        let own_parameter = Request::new().parameter("client_secret", "x");
        let fragment = "resource `https://x.example#y` has a fragment (`#`), which RFC 8707 forbids";
        let in_clear = "resource `http://x.example` is not https; plain http is for this machine only, unless `allow_plain_http` is set";
        for (request, message) in [
            (Request::new().scope("a\"b"), "scope `a\"b` holds a character that no scope has"),
            (resource("orders"), "resource `orders` is no absolute URI (RFC 8707)"),
            (resource("https://x.example#y"), fragment),
            (own_parameter, "parameter `client_secret` is one that this crate sends itself"),
            (resource("http://x.example"), in_clear),
        ] {
            assert_eq!(request.check(false).unwrap_err().to_string(), message);
        }
        assert!(matches!(Request::new().scope("a").check(false), Ok(Origins::Any)));
        // A resource restricts the origins.
        let found = resource("urn:orders").check(false);
        assert!(matches!(found, Ok(Origins::Listed(listed)) if listed.is_empty()));
    }
}

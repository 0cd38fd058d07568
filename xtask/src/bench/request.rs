//! The request of a load, as text for one exchange and as a script for wrk.

use std::fmt::Write as _;
use std::path::Path;

use super::program::Endpoints;

/// `bench:bench-client-secret` in base64. The server hashes a chosen secret once and caches the result, so it costs as much as a generated
/// one.
const BASIC_CREDENTIALS: &str = "YmVuY2g6YmVuY2gtY2xpZW50LXNlY3JldA==";

pub(super) struct Request {
    method: &'static str,
    pub(super) path: &'static str,
    headers: Vec<(&'static str, String)>,
    body: String,
    /// Whether each sending needs an assertion of its own after the body.
    pub(super) needs_assertion: bool,
}

impl Request {
    pub(super) fn health(endpoints: Endpoints) -> Self {
        Self {
            method: "GET",
            path: endpoints.health,
            headers: Vec::new(),
            body: String::new(),
            needs_assertion: false,
        }
    }

    pub(super) fn token(endpoints: Endpoints) -> Self {
        Self::post(endpoints.token, "grant_type=client_credentials&scope=api:read".to_owned())
    }

    /// Requests the JWKS, or only a newer one than that with this entity tag.
    pub(super) fn jwks(endpoints: Endpoints, tag: Option<String>) -> Self {
        let headers = tag.into_iter().map(|tag| ("If-None-Match", tag)).collect();
        Self { method: "GET", path: endpoints.jwks, headers, body: String::new(), needs_assertion: false }
    }

    pub(super) fn introspection(endpoints: Endpoints, token: &str) -> Self {
        Self::post(endpoints.introspection, format!("token={token}"))
    }

    /// Requests a token with an assertion instead of a secret, which the sending adds.
    pub(super) fn token_for_assertion(endpoints: Endpoints) -> Self {
        let body = "grant_type=client_credentials&scope=api:read\
                    &client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion=";
        let Self { method, path, headers, body, .. } = Self::post(endpoints.token, body.to_owned());
        let headers = headers.into_iter().filter(|(name, _)| *name != "Authorization").collect();
        Self { method, path, headers, body, needs_assertion: true }
    }

    fn post(path: &'static str, body: String) -> Self {
        let headers = vec![
            ("Authorization", format!("Basic {BASIC_CREDENTIALS}")),
            ("Content-Type", "application/x-www-form-urlencoded".to_owned()),
            ("Accept", "application/json".to_owned()),
        ];
        Self { method: "POST", path, headers, body, needs_assertion: false }
    }

    /// The request with this assertion.
    pub(super) fn with_assertion(&self, assertion: &str) -> Self {
        let (headers, body) = (self.headers.clone(), format!("{}{assertion}", self.body));
        Self { method: self.method, path: self.path, headers, body, needs_assertion: false }
    }

    /// The text of the request, the last one of its connection.
    pub(super) fn http(&self, host: impl std::fmt::Display) -> String {
        let Self { method, path, headers, body, needs_assertion: _ } = self;
        let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
        for (name, value) in headers {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        let _ = write!(text, "Content-Length: {}\r\n\r\n{body}", body.len());
        text
    }

    /// Makes wrk send this request, with the assertions in a file if it needs them. Rust's escapes of ASCII strings are Lua's, too.
    pub(super) fn script(&self, assertions: &Path) -> String {
        let mut script = format!("wrk.method = {:?}\nwrk.body = {:?}\n", self.method, self.body);
        for (name, value) in &self.headers {
            let _ = writeln!(script, "wrk.headers[{name:?}] = {value:?}");
        }
        if self.needs_assertion {
            // After the last one the server refuses the request, which the figures of the load say.
            let _ = write!(
                script,
                "local assertions, body = io.lines({assertions:?}), wrk.body\n\
                 request = function() return wrk.format(nil, nil, nil, body .. (assertions() or \"none\")) end\n"
            );
        }
        script
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDPOINTS: Endpoints =
        Endpoints { health: "/", token: "/token", jwks: "/jwks", introspection: "/introspect" };

    #[test]
    fn a_request_is_sent_alike_once_and_under_load() {
        let request = Request::jwks(ENDPOINTS, Some("\"a\"".to_owned()));
        let expected = "GET /jwks HTTP/1.1\r\nHost: h\r\nConnection: close\r\nIf-None-Match: \"a\"\r\n\
                        Content-Length: 0\r\n\r\n";
        assert_eq!(request.http("h"), expected);
        assert!(request.script(Path::new("")).contains(r#"wrk.headers["If-None-Match"] = "\"a\"""#));

        let request = Request::introspection(ENDPOINTS, "e.e.e");
        assert!(request.http("h").ends_with("Content-Length: 11\r\n\r\ntoken=e.e.e"));
        assert!(request.script(Path::new("")).contains("wrk.body = \"token=e.e.e\""));

        let request = Request::token_for_assertion(ENDPOINTS);
        assert!(request.with_assertion("e.e.e").http("h").ends_with("&client_assertion=e.e.e"));
        assert!(!request.script(Path::new("a")).contains("Authorization"));
        assert!(request.script(Path::new("a")).contains(r#"io.lines("a")"#));
    }
}

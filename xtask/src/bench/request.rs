//! The request of a load, as text for one exchange and as a script for wrk, and its answer.

use std::fmt::Write as _;
use std::io::{self, Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// `bench:bench-client-secret` in base64. The server hashes a chosen secret once and caches the result, so it
/// costs as much as a generated one.
const BASIC_CREDENTIALS: &str = "YmVuY2g6YmVuY2gtY2xpZW50LXNlY3JldA==";
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) struct Request {
    method: &'static str,
    pub(super) path: &'static str,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Request {
    pub(super) fn get(path: &'static str) -> Self {
        Self { method: "GET", path, headers: Vec::new(), body: String::new() }
    }

    pub(super) fn token() -> Self {
        Self::post(
            "/api/v1/tenant/bench/oauth/token",
            "grant_type=client_credentials&scope=api:read".to_owned(),
        )
    }

    /// Requests the JWKS, or only a newer one than that with this entity tag.
    pub(super) fn jwks(tag: Option<&str>) -> Self {
        let headers = tag.into_iter().map(|tag| ("If-None-Match", tag.to_owned())).collect();
        Self { headers, ..Self::get("/api/v1/tenant/bench/.well-known/jwks.json") }
    }

    pub(super) fn introspection(token: &str) -> Self {
        Self::post("/api/v1/tenant/bench/oauth/introspect", format!("token={token}"))
    }

    pub(super) fn forward_auth(token: &str) -> Self {
        let headers = vec![("Authorization", format!("Bearer {token}"))];
        let path = "/api/v1/tenant/bench/oauth/forward-auth?audience=bench-api&scope=api:read";
        Self { headers, ..Self::get(path) }
    }

    fn post(path: &'static str, body: String) -> Self {
        let headers = vec![
            ("Authorization", format!("Basic {BASIC_CREDENTIALS}")),
            ("Content-Type", "application/x-www-form-urlencoded".to_owned()),
            ("Accept", "application/json".to_owned()),
        ];
        Self { method: "POST", path, headers, body }
    }

    /// Sends the request over a separate connection.
    pub(super) fn send(&self, address: SocketAddr) -> io::Result<Answer> {
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(self.http(&address.to_string()).as_bytes())?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        Ok(Answer(text))
    }

    /// The text of the request, the last one of its connection.
    fn http(&self, host: &str) -> String {
        let Self { method, path, headers, body } = self;
        let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
        for (name, value) in headers {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        let _ = write!(text, "Content-Length: {}\r\n\r\n{body}", body.len());
        text
    }

    /// Makes wrk send this request. Rust's escapes of ASCII strings are Lua's, too.
    pub(super) fn script(&self) -> String {
        let mut script = format!("wrk.method = {:?}\nwrk.body = {:?}\n", self.method, self.body);
        for (name, value) in &self.headers {
            let _ = writeln!(script, "wrk.headers[{name:?}] = {value:?}");
        }
        script
    }
}

/// The whole text of an answer.
pub(super) struct Answer(pub(super) String);

impl Answer {
    pub(super) fn status(&self) -> u16 {
        self.0.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let fields = self.0.lines().take_while(|line| !line.is_empty());
        let mut fields = fields.filter_map(|line| line.split_once(": "));
        fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// A member of the JSON object in the body of a 200.
    pub(super) fn member(&self, name: &str) -> Option<serde_json::Value> {
        let (_, body) = self.0.split_once("\r\n\r\n").filter(|_| self.status() == 200)?;
        let mut body: serde_json::Value = serde_json::from_str(body).ok()?;
        Some(body.get_mut(name)?.take())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrk_script_equals_the_single_request() {
        let request = Request::jwks(Some("\"a\""));
        let expected = "GET /api/v1/tenant/bench/.well-known/jwks.json HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\
                        If-None-Match: \"a\"\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(request.http("h"), expected);
        assert!(request.script().contains(r#"wrk.headers["If-None-Match"] = "\"a\"""#));
        let request = Request::introspection("e.e.e");
        assert!(request.http("h").ends_with("Content-Length: 11\r\n\r\ntoken=e.e.e"));
        assert!(request.script().contains("wrk.body = \"token=e.e.e\""));
    }

    #[test]
    fn answer_is_parsed() {
        let answer = Answer("HTTP/1.1 200 OK\r\nETag: \"a\"\r\n\r\n{\"etag: \": 1}".to_owned());
        assert_eq!((answer.status(), answer.header("etag")), (200, Some("\"a\"")));
        assert_eq!(answer.member("etag: "), Some(1.into()));
        let answer = Answer("HTTP/1.1 304 Not Modified\r\n\r\n".to_owned());
        assert_eq!((answer.status(), answer.header("etag"), answer.member("keys")), (304, None, None));
        assert_eq!(Answer(String::new()).status(), 0);
    }
}

//! Reads a response, either of the HTTP library or of a raw connection for requests that the
//! library cannot send.

use std::io;

use flate2::read::GzDecoder;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::AsyncRead;

use crate::documented;
use crate::prelude::*;

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    /// Also asserts that the OpenAPI document describes the response.
    pub(crate) async fn to(request: RequestBuilder) -> Self {
        let (client, request) = request.build_split();
        let request = request.unwrap();
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let response = client.execute(request).await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.unwrap();
        let body = match headers.get("content-encoding") {
            // A response to HEAD has the header but no body.
            Some(coding) if coding == "gzip" && !bytes.is_empty() => {
                io::read_to_string(GzDecoder::new(&bytes[..])).unwrap()
            }
            _ => String::from_utf8(bytes.into()).unwrap(),
        };
        let answer = Self { status, headers, body };
        documented::check(&method, &path, &answer);
        if answer.header("content-type").starts_with("text/html") {
            answer.assert_is_protected_page();
        }
        // The header would clear the data of all tenants of the host.
        assert!(!answer.headers.contains_key("clear-site-data"), "{method} {path}: {answer:?}");
        answer
    }

    /// Sends raw bytes.
    pub(crate) async fn to_bytes(connection: &mut TcpStream, bytes: impl AsRef<[u8]>) -> Self {
        connection.write_all(bytes.as_ref()).await.unwrap();
        Self::next(connection).await
    }

    /// Reads the next response of a connection by its `content-length`.
    pub(crate) async fn next(connection: &mut (impl AsyncRead + Unpin)) -> Self {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n") {
            match connection.read_u8().await {
                Ok(byte) => bytes.push(byte),
                Err(error) => panic!("{error} after {:?}", String::from_utf8_lossy(&bytes)),
            }
        }
        let head = String::from_utf8(bytes).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let header = |line: &str| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap())
        };
        let headers: HeaderMap = lines.map(header).collect();
        let length = headers.get("content-length").map_or(0, |text| text.to_str().unwrap().parse().unwrap());
        let mut body = vec![0; length];
        connection.read_exact(&mut body).await.unwrap();
        Self { status, headers, body: String::from_utf8(body).unwrap() }
    }

    /// Empty if the header is missing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Removes the request id, which error pages contain.
    pub(crate) fn body_of_any(&self) -> String {
        match self.header("x-request-id") {
            "" => self.body.clone(),
            id => self.body.replace(id, ""),
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }

    #[track_caller]
    pub(crate) fn json_of(&self, status: u16) -> Value {
        self.assert_status(status);
        self.json()
    }

    #[track_caller]
    pub(crate) fn text(&self, name: &str) -> String {
        text(&self.json(), name).to_owned()
    }

    #[track_caller]
    pub(crate) fn access_token(&self) -> String {
        text(&self.json_of(200), "access_token").to_owned()
    }

    #[track_caller]
    pub(crate) fn assert_status(&self, status: u16) {
        assert_eq!(self.status, status, "{self:?}");
    }

    /// Asserts a page that contains this text.
    #[track_caller]
    pub(crate) fn assert_says(&self, status: u16, text: &str) {
        assert!(self.status == status && self.body.contains(text), "{} {}", self.status, self.body);
    }

    /// Asserts that other pages cannot frame this page, and that its forms can be sent only to this
    /// server. The only exception is the form that sends an answer to a client.
    #[track_caller]
    fn assert_is_protected_page(&self) {
        let policy: Vec<_> = self.header("content-security-policy").split("; ").collect();
        let has = |directive| policy.contains(&directive);
        let is_in_no_frame = has("frame-ancestors 'none'") && self.header("x-frame-options") == "DENY";
        let is_sent_here = has("form-action 'self'") || has("form-action 'none'");
        assert!(is_in_no_frame && (is_sent_here || self.body.contains(" data-submit>")), "{self:?}");
    }

    /// Asserts that the response does not redirect.
    #[track_caller]
    pub(crate) fn assert_shown(&self, status: u16) {
        assert_eq!((self.status, self.header("location")), (status, ""), "{}", self.body);
    }

    /// Asserts an OAuth error with any description.
    #[track_caller]
    pub(crate) fn assert_error(&self, status: u16, error: &str) {
        assert_eq!((self.status, self.json()["error"].as_str()), (status, Some(error)), "{self:?}");
    }

    /// Asserts an error of the Thunder-compatible API.
    #[track_caller]
    pub(crate) fn assert_code(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.json()["code"].as_str()), (status, Some(code)), "{self:?}");
    }

    /// Asserts an OAuth error: exactly these members in this order, and not cacheable.
    #[track_caller]
    pub(crate) fn assert_refused(&self, status: u16, error: &str, description: &str) {
        let body = format!(r#"{{"error":"{error}","error_description":"{description}"}}"#);
        assert_eq!((self.status, self.body.as_str()), (status, body.as_str()));
        self.assert_json();
        self.assert_not_stored();
        assert_eq!(self.headers.contains_key("retry-after"), matches!(status, 429 | 503));
    }

    /// Asserts the error for a failed client authentication.
    #[track_caller]
    pub(crate) fn assert_unauthenticated(&self) {
        self.assert_refused(401, "invalid_client", "Client authentication failed");
    }

    /// Asserts the form of an OAuth error, with any content.
    #[track_caller]
    pub(crate) fn assert_some_refusal(&self) {
        assert!((400..500).contains(&self.status), "{self:?}");
        let json = self.json();
        let members: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, ["error", "error_description"], "{}", self.body);
        let printable = |text: &str| text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        assert!(printable(json["error_description"].as_str().unwrap()), "{}", self.body);
        self.assert_json();
        self.assert_not_stored();
    }

    /// Asserts an error of the admin API (RFC 9457).
    #[track_caller]
    pub(crate) fn assert_problem(&self, status: u16, kind: &str) {
        let found = (self.status, self.header("content-type"));
        assert_eq!(found, (status, "application/problem+json"), "{self:?}");
        self.assert_not_stored();
        let body = self.json();
        assert_eq!(body["type"], format!("urn:latchkey:problem:{kind}"), "{}", self.body);
        assert_eq!(body["status"], status, "{}", self.body);
        for member in ["title", "detail"] {
            assert!(body[member].as_str().is_some_and(|text| !text.is_empty()), "{}", self.body);
        }
        let known = ["breaks", "credentials", "detail", "errors", "status", "title", "type"];
        assert!(body.as_object().unwrap().keys().all(|name| known.contains(&name.as_str())), "{}", self.body);
        let is_challenge = [401, 403].contains(&status) && kind != "beyond-reach";
        assert_eq!(self.headers.contains_key("www-authenticate"), is_challenge);
    }

    /// Asserts that exactly these members are refused.
    #[track_caller]
    pub(crate) fn assert_faulty(&self, pointers: &[impl AsRef<str>]) {
        self.assert_problem(400, "invalid-request");
        let pointers: Vec<_> = pointers.iter().map(AsRef::as_ref).collect();
        assert_eq!(self.pointers(), pointers, "{}", self.body);
    }

    pub(crate) fn pointers(&self) -> Vec<String> {
        let body = self.json();
        let errors = body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        errors.iter().map(|error| error["pointer"].as_str().unwrap().to_owned()).collect()
    }

    #[track_caller]
    pub(crate) fn assert_json(&self) {
        assert_eq!(self.header("content-type"), "application/json", "{self:?}");
    }

    #[track_caller]
    pub(crate) fn assert_not_stored(&self) {
        let found = ["cache-control", "pragma"].map(|name| self.header(name));
        assert_eq!(found, ["no-store", "no-cache"], "{self:?}");
    }
}

#[track_caller]
pub(crate) fn text<'a>(json: &'a Value, name: &str) -> &'a str {
    json[name].as_str().unwrap_or_else(|| panic!("no {name} in {json}"))
}

pub(crate) fn column<'a>(list: &'a Value, name: &str) -> Vec<&'a str> {
    list["items"].as_array().unwrap().iter().map(|item| text(item, name)).collect()
}

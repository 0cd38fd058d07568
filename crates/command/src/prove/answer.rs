//! An answer of the platform, and which parts of it depend on the value that was sent.

use reqwest::Response;
use reqwest::header::{CONTENT_TYPE, HeaderName, LOCATION, SET_COOKIE};
use serde_json::Value;
use url::form_urlencoded::byte_serialize;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Status, body, and the headers that carry information.
#[derive(Clone, Debug)]
pub(super) struct ProbeAnswer {
    pub(super) status: u16,
    pub(super) location: String,
    pub(super) cookies: Vec<String>,
    pub(super) body: String,
    /// Whether the body contains counters, so that it differs in every answer.
    counts: bool,
}

/// An answer without the parts that differ in every answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ComparedAnswer {
    status: u16,
    location: String,
    body: String,
}

impl ProbeAnswer {
    pub(super) async fn from_response(response: Response) -> reqwest::Result<Self> {
        let status = response.status().as_u16();
        let text =
            |value: &reqwest::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let header = |name| response.headers().get(name).map(text).unwrap_or_default();
        let (location, id) = (header(LOCATION), header(REQUEST_ID));
        let counts = header(CONTENT_TYPE).starts_with("text/plain; version=");
        let cookies = response.headers().get_all(SET_COOKIE).iter().map(text).collect();
        let mut body = String::from_utf8_lossy(&response.bytes().await?).into_owned();
        if !id.is_empty() {
            body = body.replace(&id, "");
        }
        Ok(Self { status, location, cookies, body, counts })
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// The status and the error code. Reports contain nothing else of an answer, because it may contain a
    /// secret.
    pub(super) fn short(&self) -> String {
        let body = self.json();
        let problem = || body["type"].as_str()?.strip_prefix("urn:latchkey:problem:");
        let is_code = |code: &&str| code.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'_' | b'-'));
        let code = body["error"].as_str().or_else(problem).filter(is_code).unwrap_or_default();
        format!("{} {code}", self.status).trim_end().to_owned()
    }

    /// The text between `before` and the next quotation mark in a page.
    pub(super) fn after(&self, before: &str) -> Option<String> {
        let (value, _) = self.body.split_once(before)?.1.split_once('"')?;
        Some(value.replace("&#38;", "&").replace("&amp;", "&"))
    }

    /// Whether the answer sets a session cookie.
    pub(super) fn begins_session(&self) -> bool {
        self.cookies.iter().any(|cookie| cookie.contains("lk-s.") && !cookie.contains("Max-Age=0"))
    }

    /// Whether the answer contains this text, apart from the values that were sent.
    pub(super) fn shows(&self, text: &str, sent: &[&str]) -> bool {
        [&self.location, &self.body].into_iter().any(|found| without(found, sent).contains(text))
    }

    /// The answer without the values that were sent and without random parts.
    pub(super) fn said(&self, sent: &[&str]) -> ComparedAnswer {
        let mut body = without(&self.body, sent);
        for before in ["nonce=\"", "name=\"flow\" value=\""] {
            while let Some((start, end)) = random(&body, before) {
                body.replace_range(start..end, "");
            }
        }
        // A created row has a new name and times.
        let body = if self.counts || self.status == 201 { String::new() } else { body };
        ComparedAnswer { status: self.status, location: without(&self.location, sent), body }
    }
}

fn without(text: &str, sent: &[&str]) -> String {
    sent.iter().filter(|sent| !sent.is_empty()).fold(text.to_owned(), |text, sent| {
        let in_url: String = byte_serialize(sent.as_bytes()).collect();
        text.replace(sent, "").replace(&in_url, "")
    })
}

/// The position of a non-empty random text after `before`.
fn random(body: &str, before: &str) -> Option<(usize, usize)> {
    body.match_indices(before).find_map(|(at, _)| {
        let start = at + before.len();
        let end = start + body[start..].find('"')?;
        (end > start).then_some((start, end))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(body: &str) -> ProbeAnswer {
        ProbeAnswer {
            status: 200,
            location: String::new(),
            cookies: Vec::new(),
            body: body.to_owned(),
            counts: false,
        }
    }

    #[test]
    fn values_and_random_texts_do_not_affect_equality() {
        let [one, other] = [("a+b", "n1", "f1"), ("xyz", "n2", "f2")].map(|(value, nonce, flow)| {
            let page =
                page(&format!("<a nonce=\"{nonce}\"><i name=\"flow\" value=\"{flow}\">{value} no</a>"));
            page.said(&[value])
        });
        assert_eq!(one, other);
        assert_eq!(page("{\"access_token\":\"secret\"}").short(), "200");
        let problem = page("{\"type\":\"urn:latchkey:problem:not-found\",\"detail\":\"secret\"}");
        assert_eq!(problem.short(), "200 not-found");
        assert_ne!(page("a").said(&["b"]), page("c").said(&["b"]));
        assert!(page("of m1").shows("m1", &["value"]) && !page("m1-code").shows("m1", &["m1-code"]));
    }
}

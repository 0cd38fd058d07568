//! Responses that a connection sends without the HTTP library: for a head that is late or too
//! large, for a connection over the limit, and for a token request over the worker's capacity. They
//! are prepared when a worker starts.

use crate::respond::help_link;

pub(crate) struct EarlyAnswers {
    pub(super) timed_out: Vec<u8>,
    pub(super) too_large: Vec<u8>,
    /// For a connection over the limit, on a listener without TLS.
    pub(crate) no_slot: Vec<u8>,
    /// For a refused token request. The connection stays open.
    pub(super) overloaded: Vec<u8>,
}

impl EarlyAnswers {
    pub(crate) fn new(public_url: &str) -> Self {
        let answer = |head: &str, code: &str, description: &str| {
            let body = format!(r#"{{"error":"{code}","error_description":"{description}"}}"#);
            let link = help_link(public_url, code);
            let length = body.len();
            let text = format!(
                "HTTP/1.1 {head}\r\ncache-control: no-store\r\npragma: no-cache\r\nx-content-type-options: nosniff\r\nlink: {link}\r\n\
                 content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
            );
            text.into_bytes()
        };
        let unavailable = |head, description| answer(head, "temporarily_unavailable", description);
        Self {
            timed_out: answer(
                "408 Request Timeout\r\nconnection: close",
                "invalid_request",
                "The request head took too long to arrive",
            ),
            too_large: answer(
                "431 Request Header Fields Too Large\r\nconnection: close",
                "invalid_request",
                "The request head is larger than 32768 bytes or has over 96 headers",
            ),
            no_slot: unavailable(
                "503 Service Unavailable\r\nconnection: close\r\nretry-after: 1",
                "Too many connections are open; try again",
            ),
            overloaded: unavailable(
                "503 Service Unavailable\r\nretry-after: 1",
                "The server is overloaded; try again",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // [http RFC 9110 §15.5.9]: 408 ends the connection
    // [found 22]
    #[test]
    fn early_answers_have_length_help_link_and_no_store() {
        let EarlyAnswers { timed_out, too_large, no_slot, overloaded } =
            EarlyAnswers::new("https://a.example/idp");
        for (answer, status, code, keeps) in [
            (timed_out, "408 Request Timeout", "invalid_request", false),
            (too_large, "431 Request Header Fields Too Large", "invalid_request", false),
            (no_slot, "503 Service Unavailable", "temporarily_unavailable", false),
            (overloaded, "503 Service Unavailable", "temporarily_unavailable", true),
        ] {
            let text = String::from_utf8(answer).unwrap();
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{text}");
            let link = format!("link: <https://a.example/idp/docs/errors#{code}>; rel=\"help\"");
            for header in [&format!("content-length: {}", body.len()), "cache-control: no-store", &link] {
                assert!(head.split("\r\n").any(|line| line == header), "{header} in {text}");
            }
            assert!(body.starts_with(&format!(r#"{{"error":"{code}","#)), "{text}");
            assert_eq!(head.contains("connection: close"), !keeps, "{text}");
            assert_eq!(head.contains("retry-after: 1"), head.contains(" 503 "), "{text}");
        }
    }
}

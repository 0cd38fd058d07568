//! One request over a separate connection, and its answer.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::algorithm::Algorithm;
use super::request::Request;

const PATIENCE: Duration = Duration::from_secs(10);

/// The whole text of an answer.
pub(super) struct Answer(pub(super) String);

pub(super) fn exchange(address: SocketAddr, request: &Request) -> io::Result<Answer> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request.http(address).as_bytes())?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(Answer(text))
}

impl Answer {
    pub(super) fn status(&self) -> u16 {
        self.0.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let fields = self.0.lines().take_while(|line| !line.is_empty());
        let mut fields = fields.filter_map(|line| line.split_once(": "));
        fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// A member of a JSON object in the body.
    pub(super) fn member(&self, name: &str) -> Option<serde_json::Value> {
        let (_, body) = self.0.split_once("\r\n\r\n")?;
        let mut body: serde_json::Value = serde_json::from_str(body).ok()?;
        Some(body.get_mut(name)?.take())
    }

    /// The token of a token response, if it is a JWT with a signature of the algorithm's length.
    pub(super) fn access_token(&self, algorithm: Algorithm) -> Option<String> {
        let token = self.member("access_token").filter(|_| self.status() == 200)?;
        let token = token.as_str()?;
        let lengths: Vec<usize> = token.split('.').map(str::len).collect();
        matches!(lengths[..], [_, _, length] if length == algorithm.signature_length())
            .then(|| token.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read() {
        let answer = Answer("HTTP/1.1 200 OK\r\nETag: \"a\"\r\n\r\n{\"etag: \": 1}".to_owned());
        assert_eq!((answer.status(), answer.header("etag")), (200, Some("\"a\"")));
        assert_eq!(answer.member("etag: "), Some(1.into()));
        let answer = Answer("HTTP/1.1 304 Not Modified\r\n\r\n".to_owned());
        assert_eq!((answer.status(), answer.header("etag"), answer.member("keys")), (304, None, None));
        assert_eq!(Answer(String::new()).status(), 0);
    }
}

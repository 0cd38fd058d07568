//! One persistent connection of the load: it sends a prebuilt request without blocking and recognizes
//! when the answer is complete.

use std::io::{self, BufRead as _, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

/// The head of an answer and its body take less.
const ANSWER_BYTES: usize = 16 * 1024;

/// The result of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Accepted,
    /// 503 or 429.
    Refused {
        has_retry_after: bool,
    },
    /// Another status, or the connection failed.
    Failed,
    /// The offer ended before there was a connection for it.
    NotSent,
}

pub(super) struct Connection {
    address: SocketAddr,
    stream: TcpStream,
    /// The part of an answer that has come.
    received: Vec<u8>,
}

struct Head {
    status: u16,
    has_retry_after: bool,
    closes: bool,
    /// Length of the head and of the body.
    length: usize,
}

impl Connection {
    pub(super) fn open(address: SocketAddr) -> io::Result<Self> {
        Ok(Self { address, stream: connect(address)?, received: Vec::new() })
    }

    /// A request fits into the buffer of a socket on which nothing else waits.
    pub(super) fn send(&mut self, request: &[u8]) -> io::Result<()> {
        self.stream.write_all(request)
    }

    /// The result, if the answer is complete. After a failure the connection is a new one.
    pub(super) fn poll(&mut self) -> io::Result<Option<Outcome>> {
        let mut buffer = [0; ANSWER_BYTES];
        let received = match self.stream.read(&mut buffer) {
            Ok(0) => return self.reopen().map(|()| Some(Outcome::Failed)),
            Ok(count) => &buffer[..count],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(_) => return self.reopen().map(|()| Some(Outcome::Failed)),
        };
        // Nearly every answer comes whole.
        let answer = if self.received.is_empty() {
            received
        } else {
            self.received.extend_from_slice(received);
            &self.received
        };
        let Some(head) = Head::read(answer).filter(|head| head.length <= answer.len()) else {
            if self.received.is_empty() {
                self.received.extend_from_slice(received);
            }
            return Ok(None);
        };
        self.received.clear();
        if head.closes {
            self.reopen()?;
        }
        Ok(Some(match head.status {
            200 => Outcome::Accepted,
            429 | 503 => Outcome::Refused { has_retry_after: head.has_retry_after },
            _ => Outcome::Failed,
        }))
    }

    fn reopen(&mut self) -> io::Result<()> {
        self.received.clear();
        self.stream = connect(self.address)?;
        Ok(())
    }
}

impl Head {
    /// Returns nothing before the empty line has arrived.
    fn read(answer: &[u8]) -> Option<Self> {
        let mut head = Self { status: 0, has_retry_after: false, closes: false, length: 0 };
        let (mut rest, mut line) = (answer, Vec::with_capacity(256));
        loop {
            line.clear();
            let count = rest.read_until(b'\n', &mut line).ok()?;
            let text = line.strip_suffix(b"\r\n")?;
            head.length += count;
            if text.is_empty() {
                return Some(head);
            }
            match text[0] {
                b'H' if head.status == 0 => head.status = number(text.get(9..12)?)?,
                b'c' | b'C' => {
                    if let Some(length) = value(text, b"content-length: ") {
                        head.length += usize::from(number(length)?);
                    }
                    head.closes |= value(text, b"connection: ").is_some_and(|value| value == b"close");
                }
                b'r' | b'R' => head.has_retry_after |= value(text, b"retry-after: ").is_some(),
                _ => {}
            }
        }
    }
}

fn value<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (found, value) = line.split_at_checked(name.len())?;
    found.eq_ignore_ascii_case(name).then_some(value)
}

fn number(digits: &[u8]) -> Option<u16> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answer_is_complete_with_its_last_byte() {
        let text = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\ncontent-length: 4\r\n\r\nbody";
        let complete = |bytes: &[u8]| Head::read(bytes).is_some_and(|head| head.length <= bytes.len());
        for cut in 0..text.len() {
            assert!(!complete(&text[..cut]), "{cut}");
        }
        assert!(complete(text));
        let head = Head::read(text).unwrap();
        assert_eq!((head.status, head.has_retry_after, head.closes), (503, true, false));
        let closes = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";
        assert!(Head::read(closes).unwrap().closes);
    }
}

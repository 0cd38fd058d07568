//! Finds where requests start and end in the bytes of a client, so that the size of a head is
//! limited before the HTTP library reads it. The library accepts heads of 128 KiB and panics on a
//! header name of 64 KiB.
//!
//! This module only decides whether a head is too large. The library refuses malformed bytes.

use memchr::memchr;

/// Includes the request line and the empty line at the end.
pub(super) const HEAD_BYTES: usize = 32 * 1024;
/// Maximum header lines. The library has the same limit.
const HEADERS: usize = 96;

/// The state of the parser: the part of a request that the next byte belongs to.
#[derive(Debug)]
pub(super) struct Framing {
    at: At,
    /// The start of an incomplete line of a head.
    line: Vec<u8>,
    heads: u64,
    requests: u64,
    /// Whether the last head asks to close the connection.
    closes: bool,
}

/// `keep` is the number of bytes that belong to earlier requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLarge {
    pub(super) keep: usize,
}

#[derive(Debug)]
enum At {
    Head(Head),
    Body { left: u64 },
    Chunks(Chunks),
}

#[derive(Debug, Default)]
struct Head {
    bytes: usize,
    lines: usize,
    length: Option<u64>,
    chunked: bool,
    /// The library will refuse the head.
    odd: bool,
    closes: bool,
}

/// A body with chunked encoding (RFC 9112 §7.1).
#[derive(Debug)]
enum Chunks {
    Size {
        size: u64,
        digits: bool,
    },
    Data {
        left: u64,
    },
    /// The end of the line after the data of a chunk.
    DataEnd,
    /// A line after the last chunk. An empty line ends the body.
    Trailer {
        empty: bool,
    },
}

impl Framing {
    pub(super) fn new() -> Self {
        Self { at: At::Head(Head::default()), line: Vec::new(), heads: 0, requests: 0, closes: false }
    }

    /// The number of complete heads.
    pub(super) fn heads(&self) -> u64 {
        self.heads
    }

    /// The number of complete requests, including their bodies.
    pub(super) fn requests(&self) -> u64 {
        self.requests
    }

    /// The number of complete requests. `None` if a part of another request has arrived.
    pub(super) fn between_requests(&self) -> Option<u64> {
        matches!(self.at, At::Head(Head { bytes: 0, .. })).then_some(self.requests)
    }

    /// Whether the client expects the server to close the connection after the response (RFC 9112
    /// §9.3).
    pub(super) fn closes(&self) -> bool {
        self.closes
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<(), TooLarge> {
        let (mut fed, mut keep) = (0, 0);
        while let Some(rest) = bytes.get(fed..).filter(|rest| !rest.is_empty()) {
            match &mut self.at {
                At::Head(head) => {
                    let end = memchr(b'\n', rest);
                    let taken = end.map_or(rest.len(), |end| end + 1);
                    head.bytes += taken;
                    if head.bytes > HEAD_BYTES {
                        return Err(TooLarge { keep });
                    }
                    fed += taken;
                    let Some(end) = end else {
                        self.line.extend_from_slice(rest);
                        break;
                    };
                    let ended = if self.line.is_empty() {
                        head.line(&rest[..end])
                    } else {
                        self.line.extend_from_slice(&rest[..end]);
                        let ended = head.line(&self.line);
                        self.line.clear();
                        ended
                    };
                    if head.lines > 1 + HEADERS {
                        return Err(TooLarge { keep });
                    }
                    if ended {
                        self.closes = head.closes;
                        self.at = head.body();
                        self.heads += 1;
                        self.requests += u64::from(matches!(self.at, At::Head(_)));
                        keep = fed;
                    }
                }
                At::Body { left } => {
                    fed += skip(left, rest);
                    keep = fed;
                    if *left == 0 {
                        self.request_ended();
                    }
                }
                At::Chunks(chunks) => {
                    let (taken, ended) = chunks.feed(rest);
                    fed += taken;
                    keep = fed;
                    if ended {
                        self.request_ended();
                    }
                }
            }
        }
        Ok(())
    }

    fn request_ended(&mut self) {
        self.requests += 1;
        self.at = At::Head(Head::default());
    }
}

impl Head {
    /// Takes a line without its line feed. Returns true at the end of the head.
    fn line(&mut self, line: &[u8]) -> bool {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            // Empty lines before the request line are ignored (RFC 9112 §2.2).
            return self.lines > 0;
        }
        self.lines += 1;
        if self.lines == 1 {
            self.closes = line.ends_with(b"HTTP/1.0");
        } else if matches!(line[0] | 0x20, b'c' | b't') {
            self.header(line);
        }
        false
    }

    fn header(&mut self, line: &[u8]) {
        let Some(colon) = memchr(b':', line) else { return };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"content-length") {
            let length = std::str::from_utf8(value).ok().filter(|value| !value.starts_with('+'));
            let length = length.and_then(|value| value.parse().ok());
            self.odd |= length.is_none() || self.length.is_some();
            self.length = length;
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.odd |= self.chunked || !value.eq_ignore_ascii_case(b"chunked");
            self.chunked = true;
        } else if name.eq_ignore_ascii_case(b"connection") {
            let mut options = value.split(|byte| *byte == b',');
            self.closes |= options.any(|option| option.trim_ascii().eq_ignore_ascii_case(b"close"));
        }
    }

    /// The state after the head. After a malformed head the library reads nothing more. If more
    /// bytes are read nevertheless, they count as another head.
    fn body(&self) -> At {
        match (self.odd, self.chunked, self.length) {
            (false, true, None) => At::Chunks(Chunks::Size { size: 0, digits: true }),
            (false, false, Some(left)) if left > 0 => At::Body { left },
            _ => At::Head(Self::default()),
        }
    }
}

impl Chunks {
    /// Returns how many bytes belong to this body, and whether the body is complete.
    fn feed(&mut self, bytes: &[u8]) -> (usize, bool) {
        let mut fed = 0;
        while fed < bytes.len() {
            let (byte, rest) = (bytes[fed], &bytes[fed..]);
            if let Self::Data { left } = self {
                fed += skip(left, rest);
                if *left == 0 {
                    *self = Self::DataEnd;
                }
                continue;
            }
            fed += 1;
            match self {
                Self::Size { size, digits } => match (char::from(byte).to_digit(16), byte) {
                    (_, b'\n') if *size == 0 => *self = Self::Trailer { empty: true },
                    (_, b'\n') => *self = Self::Data { left: *size },
                    (Some(digit), _) if *digits => {
                        *size = size.saturating_mul(16).saturating_add(digit.into());
                    }

                    _ => *digits = false,
                },
                Self::DataEnd if byte == b'\n' => *self = Self::Size { size: 0, digits: true },
                Self::Trailer { empty: true } if byte == b'\n' => return (fed, true),
                Self::Trailer { empty } => *empty = byte == b'\n' || (*empty && byte == b'\r'),
                Self::Data { .. } | Self::DataEnd => {}
            }
        }
        (fed, false)
    }
}

/// Subtracts the available bytes from `left`. Returns their number.
fn skip(left: &mut u64, bytes: &[u8]) -> usize {
    let taken = usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
    *left -= taken as u64;
    taken
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(bytes: &[u8], expected: Result<(u64, u64), TooLarge>) {
        let mut framing = Framing::new();
        let found = framing.feed(bytes).map(|()| (framing.heads(), framing.requests()));
        if let (Ok((heads, requests)), Some(between)) = (found, framing.between_requests()) {
            assert_eq!((heads, requests), (between, between));
        }
        assert_eq!(found, expected, "{:?}", String::from_utf8_lossy(&bytes[..bytes.len().min(80)]));
    }

    const GET: &str = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";

    #[test]
    fn complete_heads_and_requests_are_counted() {
        for (text, heads, requests) in [
            (String::new(), 0, 0),
            (GET.to_owned(), 1, 1),
            (GET.repeat(3), 3, 3),
            (format!("\r\n\n{GET}"), 1, 1),
            (GET.replace('\r', ""), 1, 1),
            (GET[..GET.len() - 2].to_owned(), 0, 0),
            (format!("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nGET\n\n{GET}"), 2, 2),
            ("POST / HTTP/1.1\r\ncontent-length:  5 \r\n\r\n1234".to_owned(), 1, 0),
            (format!("POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\n{GET}"), 2, 2),
            (
                format!(
                    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=\"\"\r\nabc\r\nA \r\n0123456789\r\n0\r\n\r\n{GET}"
                ),
                2,
                2,
            ),
            (format!("POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\na: b\r\n\r\n{GET}"), 2, 2),
            ("POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n".to_owned(), 1, 0),
            ("POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n".to_owned(), 1, 0),
        ] {
            check(text.as_bytes(), Ok((heads, requests)));
        }
    }

    #[test]
    fn connection_close_and_http_1_0_are_recognized() {
        for (head, expected) in [
            ("GET / HTTP/1.1\r\n\r\n", false),
            ("GET / HTTP/1.0\r\n\r\n", true),
            ("GET / HTTP/1.1\r\nConnection: Close\r\n\r\n", true),
            ("GET / HTTP/1.1\r\nconnection: te, close\r\n\r\n", true),
            ("GET / HTTP/1.1\r\nconnection: keep-alive\r\n\r\n", false),
            ("GET / HTTP/1.1\r\nconnection: close\r\n\r\nGET / HTTP/1.1\r\n\r\n", false),
        ] {
            let mut framing = Framing::new();
            framing.feed(head.as_bytes()).unwrap();
            assert_eq!(framing.closes(), expected, "{head}");
        }
    }

    // [http RFC 6585 §5]: 431 for a head of more than 32 KiB or 96 headers, in the usual error format; no
    //   cache may store it. The HTTP library answers 400 with an empty body to a request that is not HTTP or
    //   has two lengths
    // [limits #1]: head, on every request of a connection | 32 KiB, 96 headers | 431, connection closed
    // [found 28]
    #[test]
    fn head_is_limited_to_32_kib_and_96_headers() {
        let sized = |size: usize| {
            let rest = "GET / HTTP/1.1\r\nhost: x\r\ny: \r\n\r\n".len();
            format!("GET / HTTP/1.1\r\nhost: x\r\ny: {}\r\n\r\n", "z".repeat(size - rest))
        };
        check(sized(HEAD_BYTES).as_bytes(), Ok((1, 1)));
        check(sized(HEAD_BYTES + 1).as_bytes(), Err(TooLarge { keep: 0 }));
        let headers = |count: usize| format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(count));
        check(headers(96).as_bytes(), Ok((1, 1)));
        check(headers(97).as_bytes(), Err(TooLarge { keep: 0 }));
        // A body may be larger than a head. The bytes before a head that is too large are kept.
        let body = format!("POST / HTTP/1.1\r\ncontent-length: 65536\r\n\r\n{}", "a".repeat(65536));
        check(body.as_bytes(), Ok((1, 1)));
        let (long, name) = (format!("{body}{GET}"), format!("GET / HTTP/1.1\r\n{}", "x".repeat(65536)));
        check(format!("{long}{name}").as_bytes(), Err(TooLarge { keep: long.len() }));
    }

    /// Generates requests with and without a body.
    fn request() -> impl Strategy<Value = Vec<u8>> {
        let body = proptest::collection::vec(any::<u8>(), 0..200);
        let headers = proptest::collection::vec(("[a-z-]{1,12}", "[ -~]{0,20}"), 0..6);
        (body, headers, 0..3_u8, any::<bool>()).prop_map(|(body, headers, form, bare)| {
            let end = if bare { "\n" } else { "\r\n" };
            let mut text = format!("POST /x HTTP/1.1{end}");
            for (name, value) in headers {
                text += &format!("x-{name}: {value}{end}");
            }
            let mut bytes = match form {
                0 => format!("{text}{end}").into_bytes(),
                1 => format!("{text}CONTENT-LENGTH: {}{end}{end}", body.len()).into_bytes(),
                _ => format!("{text}Transfer-Encoding: Chunked{end}{end}").into_bytes(),
            };
            match form {
                0 => {}
                1 => bytes.extend(&body),
                _ => {
                    for chunk in body.chunks(70) {
                        bytes.extend(format!("{:X}\r\n", chunk.len()).bytes());
                        bytes.extend(chunk);
                        bytes.extend(b"\r\n");
                    }
                    bytes.extend(b"0\r\n\r\n");
                }
            }
            bytes
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn request_count_is_independent_of_chunk_size(
            requests in proptest::collection::vec(request(), 1..5), cut in 1..64_usize,
        ) {
            let all = requests.concat();
            let mut framing = Framing::new();
            for piece in all.chunks(cut) {
                prop_assert_eq!(framing.feed(piece), Ok(()));
            }
            let count = requests.len() as u64;
            prop_assert_eq!((framing.heads(), framing.requests()), (count, count));
        }

        #[test]
        fn head_buffer_stays_within_its_limit(
            bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'\n'), Just(b':'), Just(b'0')], 0..2_000),
        ) {
            let mut framing = Framing::new();
            let _ = framing.feed(&bytes);
            prop_assert!(framing.line.len() <= HEAD_BYTES);
        }
    }
}

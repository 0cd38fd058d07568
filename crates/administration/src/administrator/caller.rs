//! The caller of an operation: who it is, the time, and the conditions of the request.

use values::Timestamp;

use crate::administrator::console_session::ConsoleToken;
use crate::declaration::fingerprint::digest;
use crate::kinds::authority::Authority;

/// The caller of an operation. Each request builds one.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The caller's permissions, and its name in the audit.
    pub authority: Authority,
    /// The time at which the request is handled.
    pub now: Timestamp,
    /// `If-Match`: the change is refused unless the row still has this entity tag (RFC 9110 §13.1.1).
    pub if_match: Option<String>,
    /// `Idempotency-Key`: repeating the request creates nothing again.
    pub idempotency: Option<Idempotency>,
    pub token: Option<ConsoleToken>,
}

/// The key and digest that identify a repeated request.
#[derive(Clone, Debug)]
pub struct Idempotency {
    pub key: String,
    pub request: [u8; 32],
}

impl Idempotency {
    /// Identifies a request by its key, method, path and body. Returns `None` if the key is not 1 to 255
    /// printable ASCII characters.
    #[must_use]
    pub fn from_key(key: String, request: [&[u8]; 3]) -> Option<Self> {
        let fits = (1..=255).contains(&key.len()) && key.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        fits.then(|| Self { key, request: digest(request) })
    }
}

impl Caller {
    /// A caller that sends neither `If-Match` nor `Idempotency-Key`.
    #[must_use]
    pub const fn new(authority: Authority, now: Timestamp) -> Self {
        Self { authority, now, if_match: None, idempotency: None, token: None }
    }

    /// The platform itself, for changes that only time causes.
    pub(crate) fn itself(now: Timestamp) -> Self {
        Self::new(Authority::itself(), now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idempotency_key_is_short_printable_text() {
        for (key, fits) in [
            ("", false),
            ("a\n", false),
            ("\u{e9}", false),
            (&*"a".repeat(256), false),
            (&*"a".repeat(255), true),
            ("a b", true),
        ] {
            assert_eq!(Idempotency::from_key(key.to_owned(), [b"POST", b"/", b""]).is_some(), fits, "{key}");
        }
    }

    #[test]
    fn each_part_of_a_request_is_compared() {
        let of = |parts| Idempotency::from_key("k".to_owned(), parts).unwrap().request;
        let request = of([b"POST", b"/a", b"b"]);
        assert_eq!(of([b"POST", b"/a", b"b"]), request);
        for other in [of([b"POST", b"/", b"ab"]), of([b"PUT", b"/a", b"b"]), of([b"POST", b"/a", b""])] {
            assert_ne!(other, request);
        }
    }
}

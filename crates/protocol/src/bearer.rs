//! The bearer token of a request to a protected resource (RFC 6750 §2.1).

use crate::{Secret, steps};

/// A token as the caller presented it; nothing is known about it yet.
#[derive(Debug)]
pub struct BearerToken(Secret);

impl BearerToken {
    /// A token that stood somewhere else than in a header.
    #[must_use]
    pub fn new(token: Secret) -> Self {
        Self(token)
    }

    /// The token of an `Authorization` header; `None` where there is no header or another scheme. What cannot be a token is
    /// kept as it is: its verification says that it is malformed.
    #[must_use]
    pub fn from_authorization(header: Option<&[u8]>) -> Option<Self> {
        let (scheme, token) = split_scheme(header?);
        scheme
            .eq_ignore_ascii_case(b"Bearer")
            .then(|| Self(Secret::new(String::from_utf8_lossy(token).into_owned())))
    }

    /// The token.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// Splits `scheme SP credentials` (RFC 9110 §11.4).
pub(crate) fn split_scheme(header: &[u8]) -> (&[u8], &[u8]) {
    steps::note(header.len());
    let header = header.trim_ascii();
    let space = header.iter().position(|byte| *byte == b' ').unwrap_or(header.len());
    (&header[..space], header[space..].trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(header: &str, expected: Option<&str>) {
        let token = BearerToken::from_authorization(Some(header.as_bytes()));
        assert_eq!(token.as_ref().map(BearerToken::expose), expected, "{header:?}");
    }

    #[test]
    fn the_scheme_is_case_insensitive_and_other_schemes_hold_no_token() {
        check("Bearer a.b.c", Some("a.b.c"));
        check("bearer  a.b.c ", Some("a.b.c"));
        check("Bearer", Some(""));
        check("Basic YTpi", None);
        check("Bearera.b.c", None);
        assert!(BearerToken::from_authorization(None).is_none());
    }
}

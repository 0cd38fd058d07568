//! The access token of a request to a protected resource (RFC 6750 §2.1, RFC 9449 §7.1).

use values::Secret;

use crate::{TokenType, steps};

/// A token that nobody has verified yet.
#[derive(Debug)]
pub struct PresentedToken {
    /// Decides how the sender proves that it may use the token.
    pub scheme: TokenType,
    text: Secret,
}

impl PresentedToken {
    /// `None` if there is no header, or if it has another scheme. A text that cannot be a token is
    /// returned unchanged, so that its verification reports the malformed token.
    #[must_use]
    pub fn from_authorization(header: Option<&[u8]>) -> Option<Self> {
        let (scheme, token) = split_scheme(header?);
        let names = |scheme_of: &TokenType| scheme.eq_ignore_ascii_case(scheme_of.as_str().as_bytes());
        let scheme = [TokenType::Bearer, TokenType::DPoP].into_iter().find(names)?;
        Some(Self { scheme, text: Secret::new(String::from_utf8_lossy(token).into_owned()) })
    }

    /// The token of a form (RFC 6750 §2.2), which is always a bearer token.
    #[must_use]
    pub const fn of_form(text: Secret) -> Self {
        Self { scheme: TokenType::Bearer, text }
    }

    #[must_use]
    pub fn expose(&self) -> &str {
        self.text.expose()
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

    fn check(header: &str, expected: Option<(TokenType, &str)>) {
        let token = PresentedToken::from_authorization(Some(header.as_bytes()));
        assert_eq!(token.as_ref().map(|token| (token.scheme, token.expose())), expected, "{header:?}");
    }

    // [bearer RFC 6750 §2.1]
    #[test]
    fn bearer_and_dpop_schemes_are_case_insensitive() {
        check("Bearer a.b.c", Some((TokenType::Bearer, "a.b.c")));
        check("bearer  a.b.c ", Some((TokenType::Bearer, "a.b.c")));
        check("Bearer", Some((TokenType::Bearer, "")));
        check("DPoP a.b.c", Some((TokenType::DPoP, "a.b.c")));
        check("dpop a.b.c", Some((TokenType::DPoP, "a.b.c")));
        check("DPoP", Some((TokenType::DPoP, "")));
        check("Basic YTpi", None);
        check("Bearera.b.c", None);
        check("DPoPa.b.c", None);
        assert!(PresentedToken::from_authorization(None).is_none());
    }
}

//! The parts of a request that a verifier needs. Nothing is read from `Host` or `Forwarded` headers, because
//! their sender chooses them.

use crate::Thumbprint;
use crate::verifying::refusal::Scheme;
use crate::{ProofError, Reason};

/// The facts of a request that its token is verified with.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct RequestFacts<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    authorization: Vec<&'a [u8]>,
    dpop: Vec<&'a [u8]>,
    pub(crate) certificate: Option<Thumbprint>,
}

impl<'a> RequestFacts<'a> {
    /// A request of this method for this path, as the client sent it; with a query or without.
    pub fn new(method: &'a str, path: &'a str) -> Self {
        Self { method, path, ..Self::default() }
    }

    /// Adds the value of a header `Authorization`. Call it for each: several are refused.
    pub fn authorization(mut self, value: &'a [u8]) -> Self {
        self.authorization.push(value);
        self
    }

    /// Adds the value of a header `DPoP`. Call it for each: several are refused.
    pub fn dpop(mut self, value: &'a [u8]) -> Self {
        self.dpop.push(value);
        self
    }

    /// The client certificate of the connection (RFC 8705 §3), whose handshake has proven the private key.
    pub fn certificate(mut self, thumbprint: Option<Thumbprint>) -> Self {
        self.certificate = thumbprint;
        self
    }

    /// The token and its scheme (RFC 6750 §2.1, RFC 9449 §7.1).
    pub(crate) fn token(&self) -> Result<(Scheme, &'a str), Reason> {
        let header = match self.authorization.as_slice() {
            [] => return Err(Reason::NoToken),
            [header] => header.trim_ascii(),
            _ => return Err(Reason::SeveralTokens),
        };
        let space = header.iter().position(|byte| *byte == b' ').unwrap_or(header.len());
        let (scheme, token) = header.split_at(space);
        let scheme = if scheme.eq_ignore_ascii_case(b"Bearer") {
            Scheme::Bearer
        } else if scheme.eq_ignore_ascii_case(b"DPoP") {
            Scheme::Dpop
        } else {
            return Err(Reason::NoToken);
        };
        // A value that is no text is no token either, which its verification reports.
        Ok((scheme, str::from_utf8(token.trim_ascii()).unwrap_or_default()))
    }

    /// The only proof.
    pub(crate) fn proof(&self) -> Result<&'a str, ProofError> {
        match self.dpop.as_slice() {
            [] => Err(ProofError::Missing),
            [proof] => str::from_utf8(proof.trim_ascii()).map_err(|_| ProofError::Malformed),
            _ => Err(ProofError::Repeated),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_token_of_a_known_scheme_is_required() {
        let none: Result<(Scheme, &str), Reason> = Err(Reason::NoToken);
        for (headers, expected) in [
            (&[&b"Bearer abc"[..]][..], Ok((Scheme::Bearer, "abc"))),
            (&[b"bearer  abc "], Ok((Scheme::Bearer, "abc"))),
            (&[b"DPOP abc"], Ok((Scheme::Dpop, "abc"))),
            (&[b"Bearer"], Ok((Scheme::Bearer, ""))),
            (&[b"Bearer \xff"], Ok((Scheme::Bearer, ""))),
            (&[b"Basic abc"], none.clone()),
            (&[b"Bearerabc"], none.clone()),
            (&[b""], none.clone()),
            (&[], none),
            (&[b"Bearer a", b"Bearer a"], Err(Reason::SeveralTokens)),
        ] {
            let facts = headers
                .iter()
                .fold(RequestFacts::new("GET", "/"), |facts, header| facts.authorization(header));
            assert_eq!(facts.token(), expected, "{headers:?}");
        }
    }
}

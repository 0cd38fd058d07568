//! The checks of a token, in their order (RFC 7519 §7.2, RFC 8725, RFC 9068 §4), and their observers.

use crate::Reason;

/// One check of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Check {
    /// At most 16 384 bytes.
    Length,
    /// Three parts (RFC 7515 §7.1).
    Parts,
    /// Each part in base64url without padding.
    Encoding,
    /// The header is a JSON object with unique names.
    HeaderObject,
    /// The claims are a JSON object with unique names.
    ClaimsObject,
    /// The header has no member that chooses the token's own key.
    HeaderMembers,
    /// `alg` is a string, and so are `kid` and `typ` if they are there.
    HeaderTypes,
    /// `alg` is allowed.
    Algorithm,
    /// `iss` is a trusted issuer, exactly.
    Issuer,
    /// `kid` is that of a key of the issuer.
    Key,
    /// `alg` is the algorithm of the key.
    KeyAlgorithm,
    /// The key signed header and claims.
    Signature,
    /// `aud` is a text or a list of texts; `exp`, `iat` and `nbf` are whole seconds.
    RegisteredClaims,
    /// `exp` is later than now.
    Expiry,
    /// `nbf` is not later than now.
    NotBefore,
    /// `iat` is not later than now.
    IssuedAt,
    /// `typ` is that of an access token.
    Typ,
    /// `aud` names this API.
    Audience,
    /// `sub`, `client_id` and `jti` exist (RFC 9068 §2.2), and the claims have the caller's type.
    KindClaims,
    /// The issuer has not revoked the token, as far as its feed says.
    Revocation,
    /// The sender proves the key that `cnf` names.
    Confirmation,
}

impl Check {
    /// The name, which is the same in `latchkey inspect`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::Parts => "parts",
            Self::Encoding => "encoding",
            Self::HeaderObject => "header-json",
            Self::ClaimsObject => "claims-json",
            Self::HeaderMembers => "header",
            Self::HeaderTypes => "header-types",
            Self::Algorithm => "alg",
            Self::Issuer => "iss",
            Self::Key => "kid",
            Self::KeyAlgorithm => "key-alg",
            Self::Signature => "signature",
            Self::RegisteredClaims => "claim-types",
            Self::Expiry => "exp",
            Self::NotBefore => "nbf",
            Self::IssuedAt => "iat",
            Self::Typ => "typ",
            Self::Audience => "aud",
            Self::KindClaims => "claims",
            Self::Confirmation => "cnf",
            Self::Revocation => "revocation",
        }
    }
}

/// Receives each check, in their order.
pub trait CheckObserver {
    /// Passes the result on.
    fn check<T, E>(&mut self, check: Check, result: Result<T, E>) -> Result<T, E>;
}

/// The observer of a request: it costs nothing.
pub struct Unobserved;

impl CheckObserver for Unobserved {
    #[inline(always)]
    fn check<T, E>(&mut self, _: Check, result: Result<T, E>) -> Result<T, E> {
        result
    }
}

/// Notes each check, and whether it holds.
impl CheckObserver for Vec<(Check, bool)> {
    fn check<T, E>(&mut self, check: Check, result: Result<T, E>) -> Result<T, E> {
        self.push((check, result.is_ok()));
        result
    }
}

/// Returns the error, unless the condition holds.
///
/// # Errors
/// The error.
pub fn ensure<E>(holds: bool, error: E) -> Result<(), E> {
    if holds { Ok(()) } else { Err(error) }
}

/// A token with the result of each check. All checks have passed, or the last one has failed.
#[derive(Debug)]
pub struct Trace {
    /// Each check, and whether it holds.
    pub checks: Vec<(Check, bool)>,
    /// The error of the last check, if it does not hold.
    pub error: Option<Reason>,
}

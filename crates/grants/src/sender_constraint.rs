//! Sender-constrained access tokens: binds a token to a key, and checks the proof of that key (RFC
//! 9449 §5 to §7, RFC 8705 §3).

use protocol::{Confirmation, ErrorCode, ErrorResponse, RefusalReason, TokenType};
use registry::{DpopCheck, SenderKeys};

use crate::{AccessTokenClaims, Grantee};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SenderNotProven {
    /// The client is registered for DPoP, and the request has no proof.
    DpopProof,
    /// The client is registered for certificate-bound tokens, and the request has no certificate.
    Certificate,
    /// The tenant requires a key, and the request proves none.
    AnyKey,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConstraintError {
    /// The token is bound to a DPoP key, but was presented as a bearer token.
    #[error("the token needs a DPoP proof")]
    NeedsDpopProof,
    /// The token is not bound to a DPoP key, but was presented with the scheme DPoP.
    #[error("the token is not bound to a DPoP key")]
    NotDpopBound,
    /// The proof was made with another key.
    #[error("the token is bound to another DPoP key")]
    OtherKey,
    /// The request has another certificate or none.
    #[error("the token is bound to another certificate")]
    OtherCertificate,
    /// A proxy asks about the token, so the request with the proof is not known.
    #[error("the token is bound to a key, which cannot be checked for a proxy")]
    BehindProxy,
}

/// A valid token whose sender has not proven the token's key yet. [`Self::confirm`] is the only way
/// to the claims: "confirm that the public key to which the access token is bound matches the
/// public key from the DPoP proof" (RFC 9449 §4.3).
#[derive(Debug)]
pub struct UnconfirmedToken(AccessTokenClaims<'static>);

/// The confirmation of a new token. A DPoP proof always binds the token. A certificate binds the
/// token only if the client or the tenant requires bound tokens.
pub(crate) fn confirmation(
    grantee: &Grantee<'_>,
    sender: &SenderKeys,
) -> Result<Option<Confirmation>, SenderNotProven> {
    let Grantee { tenant, client } = grantee;
    // RFC 9449 §5.2: with `dpop_bound_access_tokens` "the authorization server MUST reject token requests
    // from the client that do not contain the DPoP header".
    if client.dpop_bound_access_tokens && sender.dpop.is_none() {
        return Err(SenderNotProven::DpopProof);
    }
    // RFC 8705 §3.4: the registration says "the client's intention to use mutual-TLS client
    // certificate-bound access tokens".
    if client.tls_client_certificate_bound_access_tokens && sender.certificate.is_none() {
        return Err(SenderNotProven::Certificate);
    }
    let is_required = tenant.access_token.require_sender_constraint;
    let binds_certificate = is_required || client.tls_client_certificate_bound_access_tokens;
    let confirmation = Confirmation::new(sender.dpop, sender.certificate.filter(|_| binds_certificate));
    if is_required && confirmation.is_none() { Err(SenderNotProven::AnyKey) } else { Ok(confirmation) }
}

pub(crate) fn token_type(confirmation: Option<&Confirmation>) -> TokenType {
    // RFC 8705 §3: a certificate-bound token keeps the type Bearer.
    let is_bound = confirmation.is_some_and(|confirmation| confirmation.jkt().is_some());
    if is_bound { TokenType::DPoP } else { TokenType::Bearer }
}

impl UnconfirmedToken {
    pub(crate) const fn new(claims: AccessTokenClaims<'static>) -> Self {
        Self(claims)
    }

    /// Whether the request needs a DPoP proof.
    #[must_use]
    pub fn is_dpop_bound(&self) -> bool {
        token_type(self.0.cnf.as_ref()) == TokenType::DPoP
    }

    /// Returns the claims if the sender has proven each key that the token is bound to.
    ///
    /// # Errors [`ConstraintError`].
    pub fn confirm(
        self,
        scheme: TokenType,
        sender: &SenderKeys,
    ) -> Result<AccessTokenClaims<'static>, ConstraintError> {
        let jkt = self.0.cnf.and_then(|confirmation| confirmation.jkt());
        match (scheme, jkt) {
            // RFC 9449 §7.2: "such a protected resource MUST reject a DPoP-bound access token received as a
            // bearer token per [RFC6750]".
            (TokenType::Bearer, Some(_)) => return Err(ConstraintError::NeedsDpopProof),
            // RFC 9449 §7.1: "check that the public key of the DPoP proof matches the public key to which
            // the access token is bound".
            (TokenType::DPoP, None) => return Err(ConstraintError::NotDpopBound),
            (TokenType::DPoP, jkt) if !sender.prove_dpop_key(jkt) => return Err(ConstraintError::OtherKey),
            (TokenType::DPoP, Some(_)) | (TokenType::Bearer, None) => {}
        }
        let certificate = self.0.cnf.and_then(|confirmation| confirmation.x5t_s256());
        // RFC 8705 §3: "If they do not match, the resource access attempt MUST be rejected with an error,
        // per [RFC6750], using an HTTP 401 status code and the "invalid_token" error code."
        if sender.prove_certificate(certificate) {
            Ok(self.0)
        } else {
            Err(ConstraintError::OtherCertificate)
        }
    }
}

impl ConstraintError {
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::NeedsDpopProof => "Token requires the DPoP scheme and a DPoP proof",
            Self::NotDpopBound => "Token is not bound to a DPoP key",
            Self::OtherKey => "Token is not bound to the key of the DPoP proof",
            Self::OtherCertificate => "Token is not bound to the client certificate of the request",
            Self::BehindProxy => "Sender-constrained tokens are not accepted behind a proxy",
        }
    }

    /// For the log.
    #[must_use]
    pub const fn reason(self) -> RefusalReason {
        match self {
            Self::NeedsDpopProof => RefusalReason::TokenNeedsDpopProof,
            Self::NotDpopBound => RefusalReason::TokenNotDpopBound,
            Self::OtherKey => RefusalReason::TokenOfAnotherKey,
            Self::OtherCertificate => RefusalReason::TokenOfAnotherCertificate,
            Self::BehindProxy => RefusalReason::TokenSenderConstrained,
        }
    }
}

impl From<SenderNotProven> for ErrorResponse {
    fn from(refusal: SenderNotProven) -> Self {
        let (error, reason, description) = match refusal {
            SenderNotProven::DpopProof => (
                ErrorCode::InvalidDpopProof,
                RefusalReason::Credential(DpopCheck::Missing.reason()),
                "The client must send a DPoP proof in the header DPoP",
            ),
            SenderNotProven::Certificate => (
                ErrorCode::InvalidRequest,
                RefusalReason::CertificateMissing,
                "The client must present a client certificate",
            ),
            SenderNotProven::AnyKey => (
                ErrorCode::InvalidRequest,
                RefusalReason::SenderNotProven,
                "The token must be bound to a key: send a DPoP proof in the header DPoP",
            ),
        };
        Self::new(error, reason, description)
    }
}

#[cfg(test)]
mod tests {
    use protocol::Thumbprint;
    use registry::Client;

    use super::*;
    use crate::test_fixtures::{acme, claims, client};

    const KEY: Option<Thumbprint> = Some(Thumbprint::new([1; 32]));
    const OTHER: Option<Thumbprint> = Some(Thumbprint::new([2; 32]));

    fn issue(
        (dpop, certificate, tenant_requires): (bool, bool, bool),
        sender: SenderKeys,
    ) -> Result<Option<Confirmation>, SenderNotProven> {
        let mut tenant = acme();
        tenant.access_token.require_sender_constraint = tenant_requires;
        let client = Client {
            dpop_bound_access_tokens: dpop,
            tls_client_certificate_bound_access_tokens: certificate,
            ..client("svc")
        };
        confirmation(&Grantee { tenant: &tenant, client: &client }, &sender)
    }

    // [dpop RFC 9449 §5.2]
    #[test]
    fn new_token_is_bound_as_required() {
        let neither = SenderKeys::default();
        let dpop = SenderKeys { dpop: KEY, certificate: None };
        let certificate = SenderKeys { dpop: None, certificate: OTHER };
        let both = SenderKeys { dpop: KEY, certificate: OTHER };
        for (required, sender, expected) in [
            ((false, false, false), neither, Ok((None, None))),
            ((false, false, false), dpop, Ok((KEY, None))),
            ((false, false, false), certificate, Ok((None, None))),
            ((false, false, false), both, Ok((KEY, None))),
            ((true, false, false), neither, Err(SenderNotProven::DpopProof)),
            ((true, false, false), certificate, Err(SenderNotProven::DpopProof)),
            ((true, false, false), dpop, Ok((KEY, None))),
            ((false, true, false), neither, Err(SenderNotProven::Certificate)),
            ((false, true, false), dpop, Err(SenderNotProven::Certificate)),
            ((false, true, false), certificate, Ok((None, OTHER))),
            ((false, true, false), both, Ok((KEY, OTHER))),
            ((true, true, false), both, Ok((KEY, OTHER))),
            ((true, true, false), dpop, Err(SenderNotProven::Certificate)),
            ((true, true, false), certificate, Err(SenderNotProven::DpopProof)),
            ((false, false, true), neither, Err(SenderNotProven::AnyKey)),
            ((false, false, true), dpop, Ok((KEY, None))),
            ((false, false, true), certificate, Ok((None, OTHER))),
            ((false, false, true), both, Ok((KEY, OTHER))),
        ] {
            let expected = expected.map(|(jkt, certificate)| Confirmation::new(jkt, certificate));
            assert_eq!(issue(required, sender), expected, "{required:?} {sender:?}");
        }
    }

    // [dpop RFC 9449 §4.3, §7.1]
    #[test]
    fn bound_token_needs_proofs_of_its_keys() {
        use ConstraintError as E;
        use TokenType::{Bearer, DPoP};
        for (bound_to, scheme, proven, expected) in [
            ((None, None), Bearer, (None, None), Ok(())),
            ((None, None), Bearer, (KEY, OTHER), Ok(())),
            ((None, None), DPoP, (None, None), Err(E::NotDpopBound)),
            ((None, None), DPoP, (KEY, None), Err(E::NotDpopBound)),
            ((KEY, None), Bearer, (None, None), Err(E::NeedsDpopProof)),
            ((KEY, None), Bearer, (KEY, None), Err(E::NeedsDpopProof)),
            ((KEY, None), DPoP, (None, None), Err(E::OtherKey)),
            ((KEY, None), DPoP, (OTHER, None), Err(E::OtherKey)),
            ((KEY, None), DPoP, (None, KEY), Err(E::OtherKey)),
            ((KEY, None), DPoP, (KEY, None), Ok(())),
            ((None, KEY), Bearer, (None, None), Err(E::OtherCertificate)),
            ((None, KEY), Bearer, (None, OTHER), Err(E::OtherCertificate)),
            ((None, KEY), Bearer, (KEY, None), Err(E::OtherCertificate)),
            ((None, KEY), Bearer, (None, KEY), Ok(())),
            ((None, KEY), DPoP, (KEY, KEY), Err(E::NotDpopBound)),
            ((KEY, OTHER), DPoP, (KEY, None), Err(E::OtherCertificate)),
            ((KEY, OTHER), DPoP, (None, OTHER), Err(E::OtherKey)),
            ((KEY, OTHER), Bearer, (KEY, OTHER), Err(E::NeedsDpopProof)),
            ((KEY, OTHER), DPoP, (KEY, OTHER), Ok(())),
        ] {
            let claims =
                AccessTokenClaims { cnf: Confirmation::new(bound_to.0, bound_to.1), ..claims("svc", "1") };
            let sender = SenderKeys { dpop: proven.0, certificate: proven.1 };
            let found = UnconfirmedToken::new(claims).confirm(scheme, &sender).map(|_| ());
            assert_eq!(found, expected, "{bound_to:?} {scheme:?} {proven:?}");
        }
    }
}

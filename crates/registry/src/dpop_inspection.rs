//! The checks of a DPoP proof one by one, offline: with the functions of a request, and with what is known of the request (RFC 9449 §4.3).

use keys::{CheckTexts, DescribedCheck, ProofJwt};
use protocol::{Thumbprint, Timestamp};
use tenancy::Tenant;

use crate::dpop_proof::{DpopClaims, DpopExpectations, TYP};
use crate::http_uri::normalized;
use crate::{DpopProof, DpopProofError, DpopProofs, DpopRequest};

/// A check of a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DpopCheck {
    /// The compact form, and header and claims as objects.
    Form,
    /// `typ`.
    Type,
    /// What a header must not have.
    Header,
    /// `alg`.
    Algorithm,
    /// `jwk`.
    Key,
    /// The claims that each proof has.
    Claims,
    /// `htm`.
    Method,
    /// `htu`.
    Uri,
    /// `nonce`.
    Nonce,
    /// `iat`.
    Time,
    /// `ath`.
    Token,
    /// The third part.
    Signature,
    /// `jti`.
    Replay,
}

/// What is known of the request that a proof was made for.
#[derive(Clone, Copy, Debug, Default)]
pub struct KnownRequest<'a> {
    /// The HTTP method.
    pub method: Option<&'a str>,
    /// The URL, as clients see it.
    pub url: Option<&'a str>,
    /// The access token beside the proof.
    pub access_token: Option<&'a str>,
}

/// A proof with the result of its checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DpopInspection {
    /// The check that failed, and the error of a request.
    pub failed: Option<(DpopCheck, DpopProofError)>,
    /// The key that signed the proof, where no check failed.
    pub key: Option<Thumbprint>,
}

impl DpopInspection {
    /// Inspects a proof for a request of now.
    #[must_use]
    pub fn of(proof: &str, known: &KnownRequest<'_>, now: Timestamp) -> Self {
        match inspect(proof, known, now) {
            Ok(key) => Self { failed: None, key: Some(key) },
            Err(failed) => Self { failed: Some(failed), key: None },
        }
    }
}

impl DpopProofs {
    /// Inspects a proof for this request at this tenant, with the checks of the request itself. Whether it was used before is not among them.
    ///
    /// # Errors
    /// The check that fails, and the error of the request.
    pub fn inspect(
        &self,
        tenant: &Tenant,
        proof: &str,
        request: &DpopRequest<'_>,
        now: Timestamp,
    ) -> Result<DpopProof, (DpopCheck, DpopProofError)> {
        let verified = self.read_proof(tenant, proof, request, now).and_then(|proof| proof.verify());
        verified.map_err(|error| match error {
            // The form is that of the JWT or that of its claims.
            DpopProofError::Malformed if ProofJwt::parse(proof, TYP).is_ok() => (DpopCheck::Claims, error),
            error => (DpopCheck::of(error), error),
        })
    }
}

fn inspect(
    proof: &str,
    known: &KnownRequest<'_>,
    now: Timestamp,
) -> Result<Thumbprint, (DpopCheck, DpopProofError)> {
    let failed = |error: DpopProofError| (DpopCheck::of(error), error);
    let jwt = ProofJwt::parse(proof, TYP).map_err(|error| failed(error.into()))?;
    let claims: DpopClaims =
        jwt.unverified_claims().map_err(|error| (DpopCheck::Claims, DpopProofError::from(error)))?;
    let uri = normalized(known.url.unwrap_or(&claims.htu));
    let uris: Vec<_> = uri.into_iter().collect();
    let expected = DpopExpectations {
        method: known.method.unwrap_or(&claims.htm),
        uris: &uris,
        access_token: known.access_token,
        nonce: None,
        now,
    };
    claims.check(&expected).map_err(|error| match error {
        DpopProofError::Malformed => (DpopCheck::Claims, error),
        error => failed(error),
    })?;
    jwt.verify().map_err(|error| failed(error.into()))
}

impl DpopCheck {
    /// All of them, in their order.
    pub const ALL: [Self; 13] = [
        Self::Form,
        Self::Type,
        Self::Header,
        Self::Algorithm,
        Self::Key,
        Self::Claims,
        Self::Method,
        Self::Uri,
        Self::Nonce,
        Self::Time,
        Self::Token,
        Self::Signature,
        Self::Replay,
    ];

    const fn of(error: DpopProofError) -> Self {
        match error {
            DpopProofError::Missing | DpopProofError::Repeated | DpopProofError::Malformed => Self::Form,
            DpopProofError::OtherType => Self::Type,
            DpopProofError::HeaderNotAllowed => Self::Header,
            DpopProofError::AlgorithmNotAllowed => Self::Algorithm,
            DpopProofError::KeyNotUsable => Self::Key,
            DpopProofError::OtherMethod => Self::Method,
            DpopProofError::OtherUri => Self::Uri,
            DpopProofError::NonceNeeded => Self::Nonce,
            DpopProofError::OtherTime => Self::Time,
            DpopProofError::OtherToken => Self::Token,
            DpopProofError::SignatureInvalid => Self::Signature,
            DpopProofError::Replayed => Self::Replay,
        }
    }
}

impl DescribedCheck for DpopCheck {
    fn texts(self) -> CheckTexts {
        match self {
            Self::Form => (
                "form",
                "one JWT of at most 8 KiB: three parts of base64url, header and claims with unique names",
                "send the proof as the library made it, once, in the header DPoP",
            ),
            Self::Type => {
                ("typ", "dpop+jwt", "make the proof with \"typ\":\"dpop+jwt\" (RFC 9449 section 4.2)")
            }
            Self::Header => (
                "header",
                "none of jku, x5u, x5c, x5t, x5t#S256, crit, b64",
                "leave these members out; the key is in `jwk`",
            ),
            Self::Algorithm => (
                "alg",
                "RS256, RS384, RS512, PS256, ES256, ES384 or EdDSA",
                "sign with a private key by one of these algorithms",
            ),
            Self::Key => (
                "jwk",
                "the public key of `alg`; RSA from 2048 to 4096 bits; no private member",
                "put the public key alone into `jwk`: `kty` with `n` and `e`, or with `crv`, `x` and, for EC, `y`",
            ),
            Self::Claims => (
                "claims",
                "`jti`, `htm` and `htu` are texts that are not empty, `iat` is a number of seconds",
                "write all four claims (RFC 9449 section 4.2)",
            ),
            Self::Method => {
                ("htm", "the method of the request", "make the proof for the method that is sent")
            }
            Self::Uri => (
                "htu",
                "the URL of the request without query and fragment",
                "make the proof for the URL that is requested; behind a proxy, server.public_url is what clients see",
            ),
            Self::Nonce => (
                "nonce",
                "the nonce of the server, where the tenant requires one",
                "repeat the request with the nonce of the header DPoP-Nonce",
            ),
            Self::Time => (
                "iat",
                "at most 60 seconds from now",
                "make a proof for each request; if it is new, set the clock of the client",
            ),
            Self::Token => (
                "ath",
                "the SHA-256 of the access token in base64url",
                "make the proof for the token that is sent",
            ),
            Self::Signature => {
                ("signature", "made by the key in `jwk`", "sign with the private key of `jwk`")
            }
            Self::Replay => ("jti", "not used before", "write a new random text into `jti` of each proof"),
        }
    }
}

//! DPoP proofs (RFC 9449 §4.3): form, header, claims and signature, in an order that verifies no signature before everything else fits.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde::Deserialize;

use crate::algorithm::Algorithm;
use crate::check::{Unobserved, ensure};
use crate::confirmation::Thumbprint;
use crate::http_uri::normalized;
use crate::jws::{NOT_ALLOWED, Parts};
use crate::key_numbers::{KeyKind, KeyNumbers};
use crate::media_type::same_media_type;
use crate::members::{Member, Members};

/// The longest proof: one with an RSA key of 4096 bits and a long URI is half as long.
const LONGEST: usize = 8 * 1024;
/// Bytes of an RSA modulus. Its sender chooses it, and the cost of a signature grows with it.
const LONGEST_MODULUS: usize = 512;
/// How far `iat` may be from now.
const WINDOW: u64 = 60;
/// Members of a private or symmetric key (RFC 7518 §6.2.2, §6.3.2, §6.4.1, RFC 8037 §2).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Why a DPoP proof is refused, in the order of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The request has none.
    #[error("the request has no DPoP proof")]
    Missing,
    /// The request has several.
    #[error("the request has several DPoP proofs")]
    Repeated,
    /// It is no JWT, or lacks a claim.
    #[error("the DPoP proof is malformed")]
    Malformed,
    /// `typ` is not `dpop+jwt`.
    #[error("the DPoP proof has another type")]
    OtherType,
    /// The header has a member that is not allowed.
    #[error("the header of the DPoP proof is not allowed")]
    HeaderNotAllowed,
    /// `alg` is not asymmetric, or not supported.
    #[error("the algorithm of the DPoP proof is not allowed")]
    AlgorithmNotAllowed,
    /// `jwk` is no public key for `alg`.
    #[error("the key of the DPoP proof cannot be used")]
    KeyNotUsable,
    /// `htm` is another method.
    #[error("the DPoP proof is for another method")]
    OtherMethod,
    /// `htu` is another URI than that below a public origin of this API.
    #[error("the DPoP proof is for another URI")]
    OtherUri,
    /// `iat` is more than a minute from now.
    #[error("the DPoP proof was not made now")]
    OtherTime,
    /// `ath` is not the hash of the access token.
    #[error("the DPoP proof is for another access token")]
    OtherToken,
    /// The key did not sign it.
    #[error("the signature of the DPoP proof is invalid")]
    SignatureInvalid,
    /// It was used before.
    #[error("the DPoP proof was used before")]
    Replayed,
}

impl ProofError {
    /// What the sender is told.
    pub(crate) const fn description(self) -> &'static str {
        match self {
            Self::Missing => "The request must have a DPoP proof in the header DPoP",
            _ => "The DPoP proof is not accepted",
        }
    }
}

/// What a proof must say.
pub(crate) struct Expected<'a> {
    pub(crate) method: &'a str,
    /// The URIs of the request, in normal form.
    pub(crate) uris: &'a [String],
    pub(crate) access_token: &'a str,
    /// Seconds since 1970.
    pub(crate) now: u64,
}

/// A proof that is for its request, signed by the key of this thumbprint.
#[derive(Debug)]
pub(crate) struct Proof {
    pub(crate) key: Thumbprint,
    /// The same for each use of this proof, and for no other proof.
    pub(crate) id: [u8; 32],
    /// It is refused anyway from this second on.
    pub(crate) expires_at: u64,
}

#[derive(Deserialize)]
struct HeaderWithKey<'a> {
    #[serde(borrow)]
    jwk: Members<'a>,
}

#[derive(Deserialize)]
struct Claims {
    jti: String,
    htm: String,
    htu: String,
    iat: f64,
    ath: Option<String>,
}

impl Proof {
    /// Checks a proof for a request.
    pub(crate) fn check(text: &str, expected: &Expected<'_>) -> Result<Self, ProofError> {
        use ProofError as E;
        ensure(text.len() <= LONGEST, E::Malformed)?;
        let parts = Parts::split(text, &mut Unobserved).map_err(|_| E::Malformed)?;
        let (header, _) = parts.members(&mut Unobserved).map_err(|_| E::Malformed)?;
        let (algorithm, numbers) = key(&header, &parts.header)?;
        let claims: Claims = serde_json::from_str(&parts.claims).map_err(|_| E::Malformed)?;
        let (uri, made_at) = claims.check(expected)?;
        let public = numbers.parse(algorithm).ok_or(E::KeyNotUsable)?;
        let is_signed = public.verify_sig(parts.signed.as_bytes(), &parts.signature).is_ok();
        ensure(is_signed, E::SignatureInvalid)?;
        let key = numbers.thumbprint(KeyKind::of(algorithm));
        // RFC 9449 §11.1: a `jti` is used once in the context of its URI. No URI has a blank.
        let id = Thumbprint::of(format!("{key} {uri} {}", claims.jti).as_bytes());
        Ok(Self { key, id: id.into_bytes(), expires_at: made_at.saturating_add(WINDOW + 1) })
    }
}

/// The algorithm and the public key of the header.
fn key(header: &Members<'_>, json: &str) -> Result<(Algorithm, KeyNumbers), ProofError> {
    use ProofError as E;
    let text = |name| header.text(name).map_err(|_| E::Malformed);
    // RFC 9449 §4.3, check 4.
    ensure(text("typ")?.is_some_and(|typ| same_media_type(typ, "dpop+jwt")), E::OtherType)?;
    let is_allowed = |name: &&str| *name == "jwk" || header.get(name).is_none();
    ensure(NOT_ALLOWED.iter().all(is_allowed), E::HeaderNotAllowed)?;
    // Check 5: no `none`, no HMAC.
    let algorithm = text("alg")?.ok_or(E::Malformed)?;
    let algorithm = Algorithm::named(algorithm).ok_or(E::AlgorithmNotAllowed)?;
    let HeaderWithKey { jwk } = serde_json::from_str(json).map_err(|_| E::KeyNotUsable)?;
    let numbers = public_numbers(&jwk, algorithm).ok_or(E::KeyNotUsable)?;
    Ok((algorithm, numbers))
}

/// The public key of a JWK that this algorithm is used with.
fn public_numbers(jwk: &Members<'_>, algorithm: Algorithm) -> Option<KeyNumbers> {
    // Check 7: no private key.
    if PRIVATE.iter().any(|name| jwk.get(name).is_some()) {
        return None;
    }
    let text = |name| jwk.text(name).ok();
    let kind = KeyKind::named(text("kty")??, text("crv")?)?;
    let is_of_key = text("alg")?.is_none_or(|alg| Algorithm::of_jwk(alg) == Some(algorithm));
    let is_for_signatures = text("use")?.is_none_or(|key_use| key_use == "sig");
    let verifies = match jwk.get("key_ops") {
        None => true,
        Some(Member::Texts(operations)) => operations.iter().any(|operation| operation == "verify"),
        Some(_) => false,
    };
    if kind != KeyKind::of(algorithm) || !is_of_key || !is_for_signatures || !verifies {
        return None;
    }
    let numbers = KeyNumbers::read(kind, |name| BASE64URL.decode(jwk.required(name).ok()?).ok())?;
    let is_short = !matches!(&numbers, KeyNumbers::Rsa(n, _) if n.len() > LONGEST_MODULUS);
    is_short.then_some(numbers)
}

impl Claims {
    /// The URI in its normal form, and the second in which the proof was made.
    fn check(&self, expected: &Expected<'_>) -> Result<(String, u64), ProofError> {
        use ProofError as E;
        ensure(!self.jti.is_empty() && self.iat.is_finite() && self.iat >= 0.0, E::Malformed)?;
        // Check 8; methods are case-sensitive (RFC 9110 §9.1).
        ensure(self.htm == expected.method, E::OtherMethod)?;
        // Check 9.
        let uri = normalized(&self.htu).filter(|uri| expected.uris.contains(uri)).ok_or(E::OtherUri)?;
        // Check 11. The fraction of a second is left out; seconds beyond 64 bits are those of the last one.
        let made_at = self.iat as u64;
        ensure(made_at.abs_diff(expected.now) <= WINDOW, E::OtherTime)?;
        // Check 12.
        let hash = Thumbprint::of(expected.access_token.as_bytes()).to_string();
        ensure(self.ath.as_ref() == Some(&hash), E::OtherToken)?;
        Ok((uri, made_at))
    }
}

//! A JWT that is signed with the key in its own header, such as a DPoP proof (RFC 9449 §4.2): its form, its
//! header and its signature. The caller checks the claims.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::algorithm::Algorithm;
use crate::check::{Unobserved, ensure};
use crate::jws::{NOT_ALLOWED, Parts};
use crate::key_numbers::{KeyFamily, KeyNumbers};
use crate::media_type::same_media_type;
use crate::members::{Member, Members};
use crate::reason::ProofError;
use crate::thumbprint::Thumbprint;

/// The longest proof. One with an RSA key of 4096 bits and a long URI has half this length.
const LONGEST: usize = 8 * 1024;
/// The most bytes of an RSA modulus. The sender chooses it, and the cost of a signature grows with it.
const LONGEST_MODULUS: usize = 512;
/// Members of a private or symmetric key (RFC 7518 §6.2.2, §6.3.2, §6.4.1, RFC 8037 §2).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A JWT with its key. Nothing proves yet that the key signed it.
pub struct ProofJwt<'a> {
    parts: Parts<'a>,
    algorithm: Algorithm,
    key: KeyNumbers,
}

/// The header, as far as its key is concerned.
#[derive(Deserialize)]
struct HeaderWithKey<'a> {
    #[serde(borrow)]
    jwk: Members<'a>,
}

impl<'a> ProofJwt<'a> {
    /// Reads a JWT of this `typ`. No signature is verified, so it costs little.
    ///
    /// # Errors
    /// [`ProofError`].
    pub fn parse(token: &'a str, typ: &str) -> Result<Self, ProofError> {
        use ProofError as E;
        ensure(token.len() <= LONGEST, E::Malformed)?;
        let parts = Parts::split(token, &mut Unobserved).map_err(|_| E::Malformed)?;
        let (header, _) = parts.members(&mut Unobserved).map_err(|_| E::Malformed)?;
        let text = |name| header.text(name).map_err(|_| E::Malformed);
        // RFC 9449 §4.3, check 4: "The typ JOSE Header Parameter has the value dpop+jwt."
        ensure(text("typ")?.is_some_and(|found| same_media_type(found, typ)), E::OtherType)?;
        // RFC 7515 §4.1.11: "If any of the listed extension Header Parameters are not understood and
        // supported by the recipient, then the JWS is invalid."
        let is_allowed = |name: &&str| *name == "jwk" || header.get(name).is_none();
        ensure(NOT_ALLOWED.iter().all(is_allowed), E::HeaderNotAllowed)?;
        // RFC 9449 §4.3, check 5: "The alg JOSE Header Parameter indicates a registered asymmetric digital
        // signature algorithm, is not none, is supported by the application, and is acceptable per local
        // policy." RFC 9449 §11.6 says the
        // same.
        let algorithm = text("alg")?.ok_or(E::Malformed)?;
        let algorithm = Algorithm::named(algorithm).ok_or(E::AlgorithmNotAllowed)?;
        let HeaderWithKey { jwk } = serde_json::from_str(&parts.header).map_err(|_| E::KeyNotUsable)?;
        let key = public_numbers(&jwk, algorithm).ok_or(E::KeyNotUsable)?;
        Ok(Self { algorithm, key, parts })
    }

    /// The claims. Any party may have written them.
    ///
    /// # Errors
    /// [`ProofError::Malformed`] for claims of another type.
    pub fn unverified_claims<C: DeserializeOwned>(&self) -> Result<C, ProofError> {
        serde_json::from_str(&self.parts.claims).map_err(|_| ProofError::Malformed)
    }

    /// Verifies the signature with the key of the header, by the one algorithm of the header. Returns the
    /// thumbprint of the key (RFC 7638).
    ///
    /// # Errors
    /// [`ProofError::KeyNotUsable`], [`ProofError::SignatureInvalid`].
    pub fn verify(&self) -> Result<Thumbprint, ProofError> {
        let public = self.key.parse(self.algorithm).ok_or(ProofError::KeyNotUsable)?;
        // RFC 9449 §4.3, check 6: "The JWT signature verifies with the public key contained in the jwk JOSE
        // Header Parameter."
        let is_signed = public.verify_sig(self.parts.signed.as_bytes(), &self.parts.signature).is_ok();
        ensure(is_signed, ProofError::SignatureInvalid)?;
        Ok(self.key.thumbprint(KeyFamily::from_algorithm(self.algorithm)))
    }
}

/// Whether `alg` of a JWK names this algorithm. Ed25519 also has a name with its curve (RFC 9864 §2.2).
fn is_named(algorithm: Algorithm, name: &str) -> bool {
    name == algorithm.as_str() || (algorithm == Algorithm::EdDSA && name == "Ed25519")
}

/// The public key of a JWK that this algorithm is used with.
fn public_numbers(jwk: &Members<'_>, algorithm: Algorithm) -> Option<KeyNumbers> {
    // RFC 9449 §4.3, check 7: "The jwk JOSE Header Parameter does not contain a private key."
    if PRIVATE.iter().any(|name| jwk.get(name).is_some()) {
        return None;
    }
    let text = |name| jwk.text(name).ok();
    let kind = KeyFamily::named(text("kty")??, text("crv")?)?;
    let is_of_key = text("alg")?.is_none_or(|name| is_named(algorithm, name));
    let is_for_signatures = text("use")?.is_none_or(|key_use| key_use == "sig");
    let verifies = match jwk.get("key_ops") {
        None => true,
        Some(Member::Texts(operations)) => operations.iter().any(|operation| operation == "verify"),
        Some(_) => false,
    };
    if kind != KeyFamily::from_algorithm(algorithm) || !is_of_key || !is_for_signatures || !verifies {
        return None;
    }
    let number = |name| jwk.required(name).ok();
    let numbers = match kind {
        KeyFamily::Rsa => [number("n")?, number("e")?],
        KeyFamily::P256 | KeyFamily::P384 => [number("x")?, number("y")?],
        KeyFamily::Ed25519 => [number("x")?, ""],
    };
    let numbers = KeyNumbers::read(kind, numbers)?;
    let is_short = !matches!(&numbers, KeyNumbers::Rsa(n, _) if n.len() > LONGEST_MODULUS);
    is_short.then_some(numbers)
}

//! RSA keys as numbers (RFC 7518 §6.3) and as DER (RFC 8017 §A.1.2, RFC 5958). The library `rsa` reads the
//! DER and recovers missing primes; aws-lc-rs checks every finished key.
//!
//! `rsa` leaks the timing of private-key operations (RUSTSEC-2023-0071), so it does none here. It sees a key
//! once, when an operator imports it, and aws-lc-rs signs (docs/decisions/0063).

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::error::KeyRejected;
use aws_lc_rs::signature::RsaKeyPair;
use rsa::pkcs1;
use rsa::pkcs8::{EncodePrivateKey as _, PrivateKeyInfo};
use rsa::{BigUint, RsaPrivateKey};

use super::ImportError;
use crate::PrivateKeyDocument;

/// The smallest public exponent, 65 537.
const LEAST_EXPONENT: [u8; 3] = [1, 0, 1];

/// Reads an `RSAPrivateKey` (RFC 8017 §A.1.2).
pub(super) fn from_pkcs1(der: &[u8]) -> Result<PrivateKeyDocument, ImportError> {
    check_der(der)?;
    document_of(RsaKeyPair::from_der(der))
}

/// Reads an RSA key in `OneAsymmetricKey` (RFC 5958 §2).
pub(super) fn from_pkcs8(der: &[u8]) -> Result<PrivateKeyDocument, ImportError> {
    let info = PrivateKeyInfo::try_from(der).map_err(|_| ImportError::Malformed)?;
    check_der(info.private_key)?;
    document_of(RsaKeyPair::from_pkcs8(der))
}

/// Completes a key that lacks its primes and the numbers derived from them (NIST SP 800-56B revision 2
/// appendix C.2). The caller has checked modulus and exponent with [`check`].
pub(super) fn from_exponents(n: &[u8], e: &[u8], d: &[u8]) -> Result<PrivateKeyDocument, ImportError> {
    let [n, e, d] = [n, e, d].map(BigUint::from_bytes_be);
    // The library subtracts 1 from d × e, and its work grows with d.
    if d.bits() < 2 || d >= n {
        return Err(ImportError::Malformed);
    }
    let key = RsaPrivateKey::from_components(n, e, d, Vec::new()).map_err(|_| ImportError::Malformed)?;
    let document = key.to_pkcs8_der().map_err(|_| ImportError::Malformed)?;
    document_of(RsaKeyPair::from_pkcs8(document.as_bytes()))
}

/// Checks a new RSA key. Stored keys stay valid. Modulus and exponent are big-endian.
pub(super) fn check(modulus: &[u8], exponent: &[u8]) -> Result<(), ImportError> {
    let modulus = without_zeros(modulus);
    let bits = modulus.first().map_or(0, |first| modulus.len() * 8 - first.leading_zeros() as usize);
    if !(2048..=4096).contains(&bits) {
        return Err(ImportError::RsaSize { bits });
    }
    let exponent = without_zeros(exponent);
    let least = (LEAST_EXPONENT.len(), &LEAST_EXPONENT[..]);
    if (exponent.len(), exponent) < least { Err(ImportError::RsaExponent) } else { Ok(()) }
}

fn check_der(pkcs1: &[u8]) -> Result<(), ImportError> {
    let key = pkcs1::RsaPrivateKey::try_from(pkcs1).map_err(|_| ImportError::Malformed)?;
    check(key.modulus.as_bytes(), key.public_exponent.as_bytes())
}

fn without_zeros(number: &[u8]) -> &[u8] {
    let first = number.iter().position(|byte| *byte != 0).unwrap_or(number.len());
    &number[first..]
}

/// aws-lc-rs has already checked that the numbers of the key fit together.
pub(super) fn document_of(pair: Result<RsaKeyPair, KeyRejected>) -> Result<PrivateKeyDocument, ImportError> {
    let pair = pair.map_err(|_| ImportError::Malformed)?;
    let document: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| ImportError::Malformed)?;
    Ok(PrivateKeyDocument::copy_of(document.as_ref()))
}

//! Private keys in PEM (RFC 7468): PKCS#1 (RFC 8017 §A.1.2), PKCS#8 (RFC 5958) and SEC1 (RFC 5915).

use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair};
use protocol::SigningAlgorithm;
use rsa::RsaPrivateKey;
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use rsa::pkcs8::der::asn1::{ContextSpecific, OctetStringRef};
use rsa::pkcs8::der::{self, Decode as _, ErrorKind, Reader, SliceReader, TagNumber};
use rsa::pkcs8::{DecodePrivateKey as _, ObjectIdentifier, PrivateKeyInfo, SecretDocument};
use rsa::traits::PublicKeyParts as _;

use super::ImportError;
use super::kind::{check_rsa, document_of_ec, document_of_ed25519, document_of_rsa};
use crate::PrivateKeyDocument;
use crate::key_kind::KeyKind;

const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");

/// Reads the key of a text, if it fits the algorithm.
pub(super) fn read(
    pem: &str,
    algorithm: Option<SigningAlgorithm>,
) -> Result<(SigningAlgorithm, PrivateKeyDocument), ImportError> {
    if pem.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(ImportError::Encrypted);
    }
    let (label, document) =
        SecretDocument::from_pem(without_parameters(pem)).map_err(|error| match error.kind() {
            ErrorKind::Pem(_) => ImportError::NotPem,
            _ => ImportError::Malformed,
        })?;
    let der = document.as_bytes();
    let kind = match label {
        "PRIVATE KEY" => kind_of_pkcs8(der)?,
        "RSA PRIVATE KEY" => KeyKind::Rsa,
        "EC PRIVATE KEY" => kind_of_sec1(der).map_err(|_| ImportError::Malformed)?,
        "ENCRYPTED PRIVATE KEY" => return Err(ImportError::Encrypted),
        "PUBLIC KEY" | "RSA PUBLIC KEY" | "CERTIFICATE" => return Err(ImportError::Public),
        _ => return Err(ImportError::NotPem),
    };
    // A text without a key is refused first, because that is the more useful message.
    let algorithm = algorithm.ok_or(ImportError::NoAlgorithm)?;
    kind.check(algorithm)?;
    let pkcs8 = match (label, kind.curve()) {
        ("EC PRIVATE KEY", Some(curve)) => document_of_ec(EcdsaKeyPair::from_private_key_der(curve, der)),
        (_, Some(curve)) => document_of_ec(EcdsaKeyPair::from_pkcs8(curve, der)),
        ("RSA PRIVATE KEY", None) => convert_rsa(RsaPrivateKey::from_pkcs1_der(der).ok()),
        (_, None) if kind == KeyKind::Rsa => convert_rsa(RsaPrivateKey::from_pkcs8_der(der).ok()),
        (_, None) => document_of_ed25519(Ed25519KeyPair::from_pkcs8(der)),
    };
    Ok((algorithm, pkcs8?))
}

/// `openssl ecparam -genkey` writes the curve in a block before the key, which repeats it.
fn without_parameters(pem: &str) -> &str {
    const END: &str = "-----END EC PARAMETERS-----";
    match pem.strip_prefix("-----BEGIN EC PARAMETERS-----").and_then(|rest| rest.split_once(END)) {
        Some((_, key)) => key.trim_start(),
        None => pem,
    }
}

fn kind_of_pkcs8(pkcs8: &[u8]) -> Result<KeyKind, ImportError> {
    const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
    const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
    const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
    let algorithm = PrivateKeyInfo::try_from(pkcs8).map_err(|_| ImportError::Malformed)?.algorithm;
    Ok(match (algorithm.oid, algorithm.parameters_oid().ok()) {
        (RSA, _) => KeyKind::Rsa,
        (EC, Some(P256)) => KeyKind::P256,
        (EC, Some(P384)) => KeyKind::P384,
        (ED25519, _) => KeyKind::Ed25519,
        _ => KeyKind::Other,
    })
}

/// `ECPrivateKey` (RFC 5915 §3): a version, the private number, and the curve, which is required but sometimes
/// missing; then the length of the number implies it.
fn kind_of_sec1(sec1: &[u8]) -> der::Result<KeyKind> {
    SliceReader::new(sec1)?.sequence(|reader| {
        u8::decode(reader)?;
        let number = OctetStringRef::decode(reader)?;
        let curve = ContextSpecific::<ObjectIdentifier>::decode_explicit(reader, TagNumber::N0)?;
        reader.read_slice(reader.remaining_len())?;
        Ok(match (curve.map(|curve| curve.value), number.as_bytes().len()) {
            (Some(P256), _) | (None, 32) => KeyKind::P256,
            (Some(P384), _) | (None, 48) => KeyKind::P384,
            _ => KeyKind::Other,
        })
    })
}

/// Reads and writes only: the `rsa` crate performs no private-key operation, whose timing leaks (RUSTSEC-2023-0071).
fn convert_rsa(key: Option<RsaPrivateKey>) -> Result<PrivateKeyDocument, ImportError> {
    let key = key.ok_or(ImportError::Malformed)?;
    check_rsa(key.n().bits(), key.e())?;
    document_of_rsa(&key)
}

//! Private keys in PEM (RFC 7468): PKCS#1 (RFC 8017 §A.1.2), PKCS#8 (RFC 5958) and SEC1 (RFC 5915).

use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair};
use protocol::SigningAlgorithm;
use x509_cert::der::asn1::{ObjectIdentifier, OctetStringRef};
use x509_cert::der::{
    self, Decode as _, ErrorKind, Reader as _, SecretDocument, SliceReader, TagMode, TagNumber,
};
use x509_cert::spki::AlgorithmIdentifierRef;

use super::ImportError;
use super::kind::{document_of_ec, document_of_ed25519};
use super::rsa_key;
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
    let damaged = |_| ImportError::Malformed;
    let kind = match label {
        "PRIVATE KEY" => kind_of_pkcs8(der).map_err(damaged)?,
        "RSA PRIVATE KEY" => KeyKind::Rsa,
        "EC PRIVATE KEY" => kind_of_sec1(der).map_err(damaged)?,
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
        ("RSA PRIVATE KEY", None) => rsa_key::from_pkcs1(der),
        (_, None) if kind == KeyKind::Rsa => rsa_key::from_pkcs8(der),
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

fn kind_of_pkcs8(pkcs8: &[u8]) -> der::Result<KeyKind> {
    const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
    const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
    const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
    let algorithm = algorithm_of_pkcs8(pkcs8)?;
    Ok(match (algorithm.oid, algorithm.parameters_oid().ok()) {
        (RSA, _) => KeyKind::Rsa,
        (EC, Some(P256)) => KeyKind::P256,
        (EC, Some(P384)) => KeyKind::P384,
        (ED25519, _) => KeyKind::Ed25519,
        _ => KeyKind::Other,
    })
}

/// The algorithm of `OneAsymmetricKey` (RFC 5958 §2), after a version. aws-lc-rs judges what follows.
fn algorithm_of_pkcs8(pkcs8: &[u8]) -> der::Result<AlgorithmIdentifierRef<'_>> {
    SliceReader::new(pkcs8)?.sequence(|reader| {
        u8::decode(reader)?;
        let algorithm = AlgorithmIdentifierRef::decode(reader)?;
        reader.read_slice(reader.remaining_len())?;
        Ok(algorithm)
    })
}

/// `ECPrivateKey` (RFC 5915 §3): a version, the private number, and the curve. The curve is required but
/// sometimes missing; then the length of the number implies it.
fn kind_of_sec1(sec1: &[u8]) -> der::Result<KeyKind> {
    SliceReader::new(sec1)?.sequence(|reader| {
        u8::decode(reader)?;
        let number = <&OctetStringRef>::decode(reader)?;
        let curve = reader.context_specific::<ObjectIdentifier>(TagNumber(0), TagMode::Explicit)?;
        reader.read_slice(reader.remaining_len())?;
        Ok(match (curve, number.as_bytes().len()) {
            (Some(P256), _) | (None, 32) => KeyKind::P256,
            (Some(P384), _) | (None, 48) => KeyKind::P384,
            _ => KeyKind::Other,
        })
    })
}

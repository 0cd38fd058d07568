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

/// A private key that was found but not parsed.
pub(super) struct Found {
    form: Form,
    kind: KeyKind,
    der: SecretDocument,
}

#[derive(Clone, Copy)]
enum Form {
    Pkcs1,
    Pkcs8,
    Sec1,
}

const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");

/// Finds the private key in a text.
pub(super) fn read(pem: &str) -> Result<Found, ImportError> {
    if pem.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(ImportError::Encrypted);
    }
    let (label, der) =
        SecretDocument::from_pem(without_parameters(pem)).map_err(|error| match error.kind() {
            ErrorKind::Pem(_) => ImportError::NotPem,
            _ => ImportError::Malformed,
        })?;
    let (form, kind) = match label {
        "PRIVATE KEY" => (Form::Pkcs8, kind_of_pkcs8(der.as_bytes())?),
        "RSA PRIVATE KEY" => (Form::Pkcs1, KeyKind::Rsa),
        "EC PRIVATE KEY" => (Form::Sec1, kind_of_sec1(der.as_bytes()).map_err(|_| ImportError::Malformed)?),
        "ENCRYPTED PRIVATE KEY" => return Err(ImportError::Encrypted),
        "PUBLIC KEY" | "RSA PUBLIC KEY" | "CERTIFICATE" => return Err(ImportError::Public),
        _ => return Err(ImportError::NotPem),
    };
    Ok(Found { form, kind, der })
}

impl Found {
    /// The key as it is stored, if it fits the algorithm.
    pub(super) fn convert(&self, algorithm: SigningAlgorithm) -> Result<PrivateKeyDocument, ImportError> {
        self.kind.check(algorithm)?;
        let der = self.der.as_bytes();
        match (self.kind.curve(), self.form) {
            (Some(curve), Form::Sec1) => {
                let pair = EcdsaKeyPair::from_private_key_der(curve, der);
                document_of_ec(&pair.map_err(|_| ImportError::Malformed)?)
            }
            (Some(curve), _) => {
                let pair = EcdsaKeyPair::from_pkcs8(curve, der);
                document_of_ec(&pair.map_err(|_| ImportError::Malformed)?)
            }
            (None, form) if self.kind == KeyKind::Rsa => convert_rsa(form, der),
            (None, _) => {
                let pair = Ed25519KeyPair::from_pkcs8(der);
                document_of_ed25519(&pair.map_err(|_| ImportError::Malformed)?)
            }
        }
    }
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
fn convert_rsa(form: Form, der: &[u8]) -> Result<PrivateKeyDocument, ImportError> {
    let key = match form {
        Form::Pkcs1 => RsaPrivateKey::from_pkcs1_der(der).map_err(|_| ImportError::Malformed)?,
        Form::Pkcs8 | Form::Sec1 => RsaPrivateKey::from_pkcs8_der(der).map_err(|_| ImportError::Malformed)?,
    };
    check_rsa(key.n().bits(), key.e())?;
    document_of_rsa(&key)
}

//! Reads an operator's private key from PEM (RFC 7468; PKCS#1 of RFC 8017 §A.1.2, PKCS#8 of RFC 5958) and turns it into the
//! PKCS#8 document that all keys are stored as.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair,
};
use protocol::{Secret, SigningAlgorithm};
use rsa::RsaPrivateKey;
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use rsa::pkcs8::der::ErrorKind;
use rsa::pkcs8::{
    DecodePrivateKey as _, EncodePrivateKey as _, ObjectIdentifier, PrivateKeyInfo, SecretDocument,
};
use rsa::traits::PublicKeyParts as _;

use crate::{KeyId, PrivateKeyDocument, SigningKey};

/// A key from outside, ready to be sealed.
#[derive(Debug)]
pub struct ImportedKey {
    /// What it will sign with.
    pub algorithm: SigningAlgorithm,
    /// The key.
    pub pkcs8: PrivateKeyDocument,
    /// SHA-256 thumbprint of its public half (RFC 7638), by which it is recognised.
    pub thumbprint: String,
}

/// Why the text is no key for the algorithm. Nothing of the text is in here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// No PEM, or a block that is no private key.
    #[error(
        "no private key in PEM; it begins with -----BEGIN PRIVATE KEY----- or -----BEGIN RSA PRIVATE KEY-----"
    )]
    NotPem,
    /// The private key is needed, and this is the public half.
    #[error("a public key or a certificate; the private key is needed")]
    Public,
    /// Its passphrase is not known here.
    #[error("the key is encrypted; decrypt it with `openssl pkcs8 -in key.pem -out decrypted.pem`")]
    Encrypted,
    /// `EC PRIVATE KEY`.
    #[error(
        "an EC key in SEC1 form; convert it with `openssl pkcs8 -topk8 -nocrypt -in key.pem -out key.pkcs8.pem`"
    )]
    Sec1,
    /// The block holds something else than its label says.
    #[error("the key is damaged")]
    Malformed,
    /// A good key for something else.
    #[error("{found}, which cannot sign with {algorithm}")]
    Mismatch {
        /// What the file holds.
        found: &'static str,
        /// What was asked for.
        algorithm: SigningAlgorithm,
    },
    /// "A key of size 2048 bits or larger MUST be used" (RFC 7518 §3.3).
    #[error("an RSA key of {bits} bits; 2048 to 4096 are taken")]
    RsaSize {
        /// Length of the modulus.
        bits: usize,
    },
}

/// Reads the key of a PEM text, for an algorithm.
///
/// # Errors
/// [`ImportError`].
pub fn import(pem_text: &Secret, algorithm: SigningAlgorithm) -> Result<ImportedKey, ImportError> {
    let (form, der) = read_pem(pem_text.expose().trim())?;
    let kind = match form {
        Form::Pkcs1 => Kind::Rsa,
        Form::Pkcs8 => Kind::of(der.as_bytes())?,
    };
    let pkcs8 = match (algorithm, kind) {
        (
            SigningAlgorithm::RS256
            | SigningAlgorithm::RS384
            | SigningAlgorithm::RS512
            | SigningAlgorithm::PS256,
            Kind::Rsa,
        ) => convert_rsa(form, der.as_bytes()),
        (SigningAlgorithm::ES256, Kind::P256) => convert_ec(&ECDSA_P256_SHA256_FIXED_SIGNING, der.as_bytes()),
        (SigningAlgorithm::ES384, Kind::P384) => convert_ec(&ECDSA_P384_SHA384_FIXED_SIGNING, der.as_bytes()),
        (SigningAlgorithm::EdDSA, Kind::Ed25519) => convert_ed25519(der.as_bytes()),
        (_, kind) => Err(ImportError::Mismatch { found: kind.name(), algorithm }),
    }?;
    // The number is not known yet and does not enter the thumbprint.
    let key = SigningKey::parse(KeyId::numbered(1), algorithm, pkcs8.expose());
    let thumbprint = key.map_err(|_| ImportError::Malformed)?.thumbprint().to_owned();
    Ok(ImportedKey { algorithm, pkcs8, thumbprint })
}

#[derive(Clone, Copy)]
enum Form {
    Pkcs1,
    Pkcs8,
}

enum Kind {
    Rsa,
    P256,
    P384,
    Ed25519,
    Other,
}

impl Kind {
    fn of(pkcs8: &[u8]) -> Result<Self, ImportError> {
        const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
        const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
        const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
        const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
        const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
        let algorithm = PrivateKeyInfo::try_from(pkcs8).map_err(|_| ImportError::Malformed)?.algorithm;
        Ok(match (algorithm.oid, algorithm.parameters_oid().ok()) {
            (RSA, _) => Self::Rsa,
            (EC, Some(P256)) => Self::P256,
            (EC, Some(P384)) => Self::P384,
            (ED25519, _) => Self::Ed25519,
            _ => Self::Other,
        })
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Rsa => "an RSA key",
            Self::P256 => "an EC key on P-256",
            Self::P384 => "an EC key on P-384",
            Self::Ed25519 => "an Ed25519 key",
            Self::Other => "a key of another kind",
        }
    }
}

fn read_pem(pem: &str) -> Result<(Form, SecretDocument), ImportError> {
    if pem.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(ImportError::Encrypted);
    }
    let (label, der) = SecretDocument::from_pem(pem).map_err(|error| match error.kind() {
        ErrorKind::Pem(_) => ImportError::NotPem,
        _ => ImportError::Malformed,
    })?;
    match label {
        "PRIVATE KEY" => Ok((Form::Pkcs8, der)),
        "RSA PRIVATE KEY" => Ok((Form::Pkcs1, der)),
        "ENCRYPTED PRIVATE KEY" => Err(ImportError::Encrypted),
        "EC PRIVATE KEY" => Err(ImportError::Sec1),
        "PUBLIC KEY" | "RSA PUBLIC KEY" | "CERTIFICATE" => Err(ImportError::Public),
        _ => Err(ImportError::NotPem),
    }
}

/// Reads and writes only: the `rsa` crate is never asked for a private-key operation, whose timing leaks (RUSTSEC-2023-0071).
fn convert_rsa(form: Form, der: &[u8]) -> Result<PrivateKeyDocument, ImportError> {
    let key = match form {
        Form::Pkcs1 => RsaPrivateKey::from_pkcs1_der(der).map_err(|_| ImportError::Malformed)?,
        Form::Pkcs8 => RsaPrivateKey::from_pkcs8_der(der).map_err(|_| ImportError::Malformed)?,
    };
    let bits = key.n().bits();
    if !(2048..=4096).contains(&bits) {
        return Err(ImportError::RsaSize { bits });
    }
    let document = key.to_pkcs8_der().map_err(|_| ImportError::Malformed)?;
    Ok(PrivateKeyDocument::copy_of(document.as_bytes()))
}

fn convert_ec(curve: &'static EcdsaSigningAlgorithm, der: &[u8]) -> Result<PrivateKeyDocument, ImportError> {
    let pair = EcdsaKeyPair::from_pkcs8(curve, der).map_err(|_| ImportError::Malformed)?;
    let document = pair.to_pkcs8v1().map_err(|_| ImportError::Malformed)?;
    Ok(PrivateKeyDocument::copy_of(document.as_ref()))
}

fn convert_ed25519(der: &[u8]) -> Result<PrivateKeyDocument, ImportError> {
    let pair = Ed25519KeyPair::from_pkcs8(der).map_err(|_| ImportError::Malformed)?;
    let document = pair.to_pkcs8v1().map_err(|_| ImportError::Malformed)?;
    Ok(PrivateKeyDocument::copy_of(document.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_keys::*;

    fn read(pem: &str, algorithm: SigningAlgorithm) -> Result<ImportedKey, ImportError> {
        import(&Secret::new(pem.to_owned()), algorithm)
    }

    #[track_caller]
    fn refused(pem: &str, algorithm: SigningAlgorithm, expected: &ImportError) {
        let error = read(pem, algorithm).unwrap_err();
        assert_eq!(&error, expected);
        let body = pem.lines().find(|line| line.len() >= 60).unwrap_or("no such line");
        assert!(!format!("{error} {error:?}").contains(body));
    }

    #[test]
    fn both_forms_of_an_rsa_key_are_the_same_key() {
        let pkcs1 = read(RSA_2048_PKCS1, SigningAlgorithm::RS256).unwrap();
        let pkcs8 = read(RSA_2048_PKCS8, SigningAlgorithm::PS256).unwrap();
        assert_eq!(pkcs1.thumbprint, pkcs8.thumbprint);
        assert_eq!(pkcs1.pkcs8.expose(), pkcs8.pkcs8.expose());
        assert_eq!(pkcs1.thumbprint.len(), 43);
        assert!(format!("{pkcs1:?}").contains("[redacted]"));
    }

    #[test]
    fn keys_of_every_algorithm_are_taken_and_line_ends_do_not_matter() {
        for (pem, algorithm) in [
            (RSA_3072_PKCS8, SigningAlgorithm::RS512),
            (P256_PKCS8, SigningAlgorithm::ES256),
            (P384_PKCS8, SigningAlgorithm::ES384),
            (ED25519_PKCS8, SigningAlgorithm::EdDSA),
        ] {
            let imported = read(pem, algorithm).unwrap();
            let crlf = read(&format!("\n  {}", pem.replace('\n', "\r\n")), algorithm).unwrap();
            assert_eq!(
                (imported.algorithm, &imported.thumbprint),
                (algorithm, &crlf.thumbprint),
                "{algorithm}"
            );
        }
    }

    #[test]
    fn a_key_for_another_algorithm_is_named() {
        for (pem, algorithm, found) in [
            (RSA_2048_PKCS1, SigningAlgorithm::ES256, "an RSA key"),
            (RSA_2048_PKCS8, SigningAlgorithm::EdDSA, "an RSA key"),
            (P256_PKCS8, SigningAlgorithm::RS256, "an EC key on P-256"),
            (P256_PKCS8, SigningAlgorithm::ES384, "an EC key on P-256"),
            (P384_PKCS8, SigningAlgorithm::ES256, "an EC key on P-384"),
            (P521_PKCS8, SigningAlgorithm::ES256, "a key of another kind"),
            (ED25519_PKCS8, SigningAlgorithm::PS256, "an Ed25519 key"),
        ] {
            refused(pem, algorithm, &ImportError::Mismatch { found, algorithm });
        }
    }

    #[test]
    fn what_is_no_usable_private_key_is_refused_with_its_reason() {
        let rs256 = SigningAlgorithm::RS256;
        refused(RSA_1024_PKCS1, rs256, &ImportError::RsaSize { bits: 1024 });
        refused(RSA_2048_PKCS1_ENCRYPTED, rs256, &ImportError::Encrypted);
        refused(RSA_2048_PKCS8_ENCRYPTED, rs256, &ImportError::Encrypted);
        refused(RSA_2048_PUBLIC, rs256, &ImportError::Public);
        refused(P256_SEC1, SigningAlgorithm::ES256, &ImportError::Sec1);
        refused("", rs256, &ImportError::NotPem);
        refused("-----BEGIN PRIVATE KEY-----", rs256, &ImportError::NotPem);
        refused(
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
            rs256,
            &ImportError::Malformed,
        );
        let relabelled = RSA_2048_PKCS8.replace("PRIVATE KEY", "RSA PRIVATE KEY");
        refused(&relabelled, rs256, &ImportError::Malformed);
    }

    #[test]
    fn a_key_with_a_changed_byte_is_refused() {
        let middle = RSA_2048_PKCS8.len() / 2;
        let swapped = if &RSA_2048_PKCS8[middle..=middle] == "A" { "B" } else { "A" };
        let damaged = format!("{}{swapped}{}", &RSA_2048_PKCS8[..middle], &RSA_2048_PKCS8[middle + 1..]);
        assert!(read(&damaged, SigningAlgorithm::RS256).is_err());
    }
}

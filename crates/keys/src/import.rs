//! Parses an operator's private key from PEM or JWK, and converts it to PKCS#8, the format in which all keys
//! are stored.

mod jwk;
mod kind;
mod pem;
mod rsa_key;

use protocol::SigningAlgorithm;
use values::Secret;

use crate::{KeyId, PrivateKeyDocument, SigningKey};

/// An imported key that is ready to be sealed.
#[derive(Debug)]
pub struct ImportedKey {
    pub algorithm: SigningAlgorithm,
    pub pkcs8: PrivateKeyDocument,
    /// SHA-256 thumbprint of the public key (RFC 7638), which identifies the key.
    pub thumbprint: String,
    /// The public key ([`KeyRecord::public_jwk`](crate::KeyRecord::public_jwk)).
    pub public_jwk: String,
}

/// Why the text is not a usable key. Error messages contain nothing of the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// The text is neither JSON nor a PEM block with a private key.
    #[error(
        "not a PEM private key; a PEM private key begins with -----BEGIN PRIVATE KEY-----, -----BEGIN RSA \
            PRIVATE KEY----- or -----BEGIN EC PRIVATE KEY-----"
    )]
    NotPem,
    /// The text is JSON, but not a JWK.
    #[error("not a JWK; a JWK is one JSON object with `kty` and the members of a private key, each once")]
    NotJwk,
    /// The text is a JWK set. It is not clear which key is meant.
    #[error("a JWK set; give a single key from it")]
    JwkSet,
    /// `use` or `key_ops` of the JWK does not allow signing.
    #[error("the JWK's `use` or `key_ops` does not allow signing")]
    NotForSigning,
    /// The JWK lacks a number that a private key of its kind needs.
    #[error("the JWK has no `{0}`, which every private key has")]
    Incomplete(&'static str),
    /// The text contains only the public key.
    #[error("a public key or a certificate; give the private key")]
    Public,
    /// The key is encrypted with a passphrase.
    #[error("the key is encrypted; decrypt it with `openssl pkcs8 -in key.pem -out decrypted.pem`")]
    Encrypted,
    /// The content does not match the format that the text claims.
    #[error("the key is damaged")]
    Malformed,
    /// Neither the caller nor the text names an algorithm. PEM never does.
    #[error("the key does not name a signing algorithm; give the algorithm")]
    NoAlgorithm,
    /// `alg` names an algorithm that Latchkey does not sign with.
    #[error("the JWK's `alg` must be RS256, RS384, RS512, PS256, ES256, ES384 or EdDSA")]
    UnknownAlgorithm,
    /// `alg` is not the requested algorithm.
    #[error("the JWK's `alg` is {found}, not {algorithm}")]
    OtherAlgorithm {
        /// The algorithm in `alg`.
        found: SigningAlgorithm,
        algorithm: SigningAlgorithm,
    },
    /// The key is of a different kind than the algorithm requires.
    #[error("{found}, which cannot sign with {algorithm}")]
    Mismatch {
        /// The kind of key in the file.
        found: &'static str,
        algorithm: SigningAlgorithm,
    },
    /// "A key of size 2048 bits or larger MUST be used" (RFC 7518 §3.3).
    #[error("an RSA key of {bits} bits; use 2048 to 4096 bits")]
    RsaSize {
        /// The length of the modulus in bits.
        bits: usize,
    },
    /// A signature with a small exponent is easy to forge if a verifier does not check the padding strictly
    /// (NIST SP 800-56B §6.2 requires more than 2^16).
    #[error(
        "an RSA key with a public exponent below 65537; create another key, for example with `openssl genrsa 2048`"
    )]
    RsaExponent,
}

/// Parses a PEM text or a JWK and checks that the key fits the algorithm.
///
/// # Errors
/// [`ImportError`].
pub fn import(text: &Secret, algorithm: SigningAlgorithm) -> Result<ImportedKey, ImportError> {
    import_key(text, Some(algorithm))
}

/// Like [`import`]. Without an algorithm, the `alg` of the JWK decides.
///
/// # Errors
/// [`ImportError`].
pub fn import_key(text: &Secret, algorithm: Option<SigningAlgorithm>) -> Result<ImportedKey, ImportError> {
    let text = text.expose().trim();
    let (algorithm, pkcs8) =
        if text.starts_with(['{', '[']) { jwk::read(text, algorithm)? } else { pem::read(text, algorithm)? };
    // The number does not matter here. It is not part of the thumbprint.
    let key = SigningKey::parse(KeyId::numbered(1), algorithm, pkcs8.expose());
    let key = key.map_err(|_| ImportError::Malformed)?;
    let public_jwk = key.jwk.parameters.required_members();
    Ok(ImportedKey { algorithm, pkcs8, thumbprint: key.thumbprint.clone(), public_jwk })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
    fn pkcs1_and_pkcs8_give_the_same_rsa_key() {
        let pkcs1 = read(RSA_2048_PKCS1, SigningAlgorithm::RS256).unwrap();
        let pkcs8 = read(RSA_2048_PKCS8, SigningAlgorithm::PS256).unwrap();
        assert_eq!(pkcs1.thumbprint, pkcs8.thumbprint);
        assert_eq!(pkcs1.pkcs8.expose(), pkcs8.pkcs8.expose());
        assert_eq!(pkcs1.thumbprint.len(), 43);
        assert!(format!("{pkcs1:?}").contains("[redacted]"));
    }

    #[test]
    fn each_key_type_imports_with_either_line_ending() {
        for (pem, algorithm) in [
            (RSA_3072_PKCS8, SigningAlgorithm::RS512),
            (P256_PKCS8, SigningAlgorithm::ES256),
            (P384_PKCS8, SigningAlgorithm::ES384),
            (ED25519_PKCS8, SigningAlgorithm::EdDSA),
        ] {
            let imported = read(pem, algorithm).unwrap();
            let crlf = read(&format!("\n  {}", pem.replace('\n', "\r\n")), algorithm).unwrap();
            let found = (imported.algorithm, &imported.thumbprint);
            assert_eq!(found, (algorithm, &crlf.thumbprint), "{algorithm}");
        }
    }

    // [jwt RFC 8725 §3.4, §3.5]
    #[test]
    fn algorithm_mismatch_names_the_key_type() {
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

    // [keys RFC 7518 §3.3, §3.5]: RSA keys have 2048 bits or more
    // [keys RFC 7518 §6.3.1.2]: Ours, as NIST SP 800-56B §6.2: a new RSA key has a public exponent of 65537
    //   or more; stored keys stay valid
    // [V11 11.6.1]: 2 | Keys and signatures use approved algorithms | not met | RS256, the default, uses
    //   PKCS#1 v1.5, which the standard's appendix no longer approves; by RFC 7518 and RFC 9068 it is the one
    //   that all verifiers support. A tenant with ES256, ES384, PS256 or EdDSA meets it
    // [found 19]
    #[test]
    fn unusable_private_key_is_refused_with_reason() {
        let rs256 = SigningAlgorithm::RS256;
        refused(RSA_1024_PKCS1, rs256, &ImportError::RsaSize { bits: 1024 });
        for pem in [RSA_2048_E3_PKCS1, RSA_2048_E3_PKCS8] {
            refused(pem, rs256, &ImportError::RsaExponent);
        }
        refused(RSA_2048_PKCS1_ENCRYPTED, rs256, &ImportError::Encrypted);
        refused(RSA_2048_PKCS8_ENCRYPTED, rs256, &ImportError::Encrypted);
        refused(RSA_2048_PUBLIC, rs256, &ImportError::Public);
        refused("", rs256, &ImportError::NotPem);
        refused("-----BEGIN PRIVATE KEY-----", rs256, &ImportError::NotPem);
        let short = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----";
        refused(short, rs256, &ImportError::Malformed);
        let relabelled = RSA_2048_PKCS8.replace("PRIVATE KEY", "RSA PRIVATE KEY");
        refused(&relabelled, rs256, &ImportError::Malformed);
    }

    #[test]
    fn sec1_and_pkcs8_give_the_same_ec_key() {
        let pkcs8 = read(P256_PKCS8, SigningAlgorithm::ES256).unwrap();
        let parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
        for pem in [P256_SEC1.to_owned(), format!("{parameters}{P256_SEC1}")] {
            let sec1 = read(&pem, SigningAlgorithm::ES256).unwrap();
            assert_eq!(sec1.thumbprint, pkcs8.thumbprint);
            assert_eq!(sec1.pkcs8.expose(), pkcs8.pkcs8.expose());
        }
        let mismatch = |found, algorithm| ImportError::Mismatch { found, algorithm };
        let es384 = SigningAlgorithm::ES384;
        refused(P256_SEC1, es384, &mismatch("an EC key on P-256", es384));
        refused(P256_SEC1, SigningAlgorithm::RS256, &mismatch("an EC key on P-256", SigningAlgorithm::RS256));
        refused(parameters, es384, &ImportError::NotPem);
        let relabelled = P256_PKCS8.replace("PRIVATE KEY", "EC PRIVATE KEY");
        refused(&relabelled, SigningAlgorithm::ES256, &ImportError::Malformed);
    }

    #[test]
    fn pem_without_algorithm_is_refused() {
        let error = import_key(&Secret::new(P256_PKCS8.to_owned()), None).unwrap_err();
        assert_eq!(error, ImportError::NoAlgorithm);
        let error = import_key(&Secret::new(RSA_2048_PUBLIC.to_owned()), None).unwrap_err();
        assert_eq!(error, ImportError::Public);
    }

    // [jwt RFC 8725 §3.4, §3.5]: Keys are checked when they are imported, and random when they are generated
    #[test]
    fn a_key_with_a_changed_byte_is_refused() {
        let middle = RSA_2048_PKCS8.len() / 2;
        let swapped = if &RSA_2048_PKCS8[middle..=middle] == "A" { "B" } else { "A" };
        let damaged = format!("{}{swapped}{}", &RSA_2048_PKCS8[..middle], &RSA_2048_PKCS8[middle + 1..]);
        assert!(read(&damaged, SigningAlgorithm::RS256).is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_text_is_refused_with_message(
            scraps in proptest::collection::vec(prop_oneof![
                Just("-----BEGIN "), Just("-----END "), Just("PRIVATE KEY-----"), Just("RSA "), Just("EC "), Just("\n"),
                Just("EC PARAMETERS-----"), Just("MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"), Just("AAAA"), Just("="), Just("\u{e9}"),
            ], 0..12),
            algorithm in proptest::sample::select(SigningAlgorithm::ALL.to_vec()),
        ) {
            let error = read(&scraps.concat(), algorithm).unwrap_err();
            prop_assert!(!error.to_string().is_empty());
        }

        #[test]
        fn key_with_changed_bytes_is_read_or_refused(
            pem in proptest::sample::select(vec![P256_PKCS8, P256_SEC1, P384_PKCS8, ED25519_PKCS8]),
            changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<char>()), 1..4),
            algorithm in proptest::sample::select(SigningAlgorithm::ALL.to_vec()),
        ) {
            let mut letters: Vec<char> = pem.chars().collect();
            for (at, letter) in changes {
                let at = at.index(letters.len());
                letters[at] = letter;
            }
            if let Ok(key) = read(&letters.into_iter().collect::<String>(), algorithm) {
                prop_assert_eq!(key.thumbprint.len(), 43);
            }
        }
    }
}

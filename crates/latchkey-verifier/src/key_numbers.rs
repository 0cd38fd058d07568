//! The numbers of a public key, by its kind (RFC 7518 §6, RFC 8037 §2).

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::ParsedPublicKey;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;

use crate::{Algorithm, Thumbprint};

/// Bits of the RSA modulus that the algorithms verify with.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// The kinds of keys that the algorithms verify with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyFamily {
    Rsa,
    P256,
    P384,
    Ed25519,
}

impl KeyFamily {
    /// The kind that `kty` and `crv` name (RFC 7518 §6, RFC 8037 §2).
    pub(crate) fn named(kty: &str, crv: Option<&str>) -> Option<Self> {
        match (kty, crv) {
            ("RSA", _) => Some(Self::Rsa),
            ("EC", Some("P-256")) => Some(Self::P256),
            ("EC", Some("P-384")) => Some(Self::P384),
            ("OKP", Some("Ed25519")) => Some(Self::Ed25519),
            _ => None,
        }
    }

    /// The kind that this algorithm verifies with.
    pub(crate) const fn from_algorithm(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::RS256 | Algorithm::RS384 | Algorithm::RS512 | Algorithm::PS256 => Self::Rsa,
            Algorithm::ES256 => Self::P256,
            Algorithm::ES384 => Self::P384,
            Algorithm::EdDSA => Self::Ed25519,
        }
    }

    /// The algorithm of an RSA key without `alg` is RS256, which every implementation has (OpenID Connect
    /// Core §15.1).
    pub(crate) const fn only_algorithm(self) -> Algorithm {
        match self {
            Self::Rsa => Algorithm::RS256,
            Self::P256 => Algorithm::ES256,
            Self::P384 => Algorithm::ES384,
            Self::Ed25519 => Algorithm::EdDSA,
        }
    }
}

/// The numbers of a public key.
pub(crate) enum KeyNumbers {
    /// Modulus and exponent, without leading zeros.
    Rsa(Vec<u8>, Vec<u8>),
    /// The uncompressed point (SEC 1 §2.3.3).
    Ec(Vec<u8>),
    Ed25519(Vec<u8>),
}

impl KeyNumbers {
    /// The numbers of a key of this kind, from base64url: `n` and `e`, or `x` and `y`. Ed25519 has no `y`.
    pub(crate) fn read(kind: KeyFamily, [first, second]: [&str; 2]) -> Option<Self> {
        let number = |text| BASE64URL.decode(text).ok();
        // RFC 7518 §6.2.1.2: a coordinate has the full size for the curve.
        let point = |size| {
            let (x, y) = (number(first)?, number(second)?);
            (x.len() == size && y.len() == size).then(|| Self::Ec([vec![4], x, y].concat()))
        };
        match kind {
            KeyFamily::Rsa => {
                let (n, e) = (without_leading_zeros(number(first)?), without_leading_zeros(number(second)?));
                let bits = n.len() * 8 - n.first()?.leading_zeros() as usize;
                RSA_BITS.contains(&bits).then_some(Self::Rsa(n, e))
            }
            KeyFamily::P256 => point(32),
            KeyFamily::P384 => point(48),
            KeyFamily::Ed25519 => number(first).filter(|x| x.len() == 32).map(Self::Ed25519),
        }
    }

    /// SHA-256 over the required members, in lexicographic order, without blanks (RFC 7638 §3).
    pub(crate) fn thumbprint(&self, kind: KeyFamily) -> Thumbprint {
        let text = |number: &[u8]| BASE64URL.encode(number);
        let canonical = match self {
            Self::Rsa(n, e) => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, text(e), text(n)),
            Self::Ed25519(x) => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, text(x)),
            Self::Ec(point) => {
                let (x, y) = point[1..].split_at(point.len() / 2);
                let crv = if kind == KeyFamily::P256 { "P-256" } else { "P-384" };
                format!(r#"{{"crv":"{crv}","kty":"EC","x":"{}","y":"{}"}}"#, text(x), text(y))
            }
        };
        Thumbprint::from_bytes(canonical.as_bytes())
    }

    pub(crate) fn parse(&self, algorithm: Algorithm) -> Option<ParsedPublicKey> {
        match self {
            Self::Rsa(n, e) => {
                let document: PublicKeyX509Der<'_> = PublicKeyComponents { n, e }.as_der().ok()?;
                ParsedPublicKey::new(algorithm.verification(), document.as_ref()).ok()
            }
            Self::Ec(bytes) | Self::Ed25519(bytes) => {
                ParsedPublicKey::new(algorithm.verification(), bytes).ok()
            }
        }
    }
}

fn without_leading_zeros(mut number: Vec<u8>) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.drain(..zeros);
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thumbprints_match_rfc_examples() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZC\
                 iFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgn\
                 Yb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw\
                 0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let numbers = KeyNumbers::read(KeyFamily::Rsa, [n, "AQAB"]);
        let thumbprint = numbers.unwrap().thumbprint(KeyFamily::Rsa).to_string();
        assert_eq!(thumbprint, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        // The key of RFC 9449 §4.1 and its thumbprint in §6.1.
        let x = "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs";
        let y = "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA";
        let numbers = KeyNumbers::read(KeyFamily::P256, [x, y]);
        let thumbprint = numbers.unwrap().thumbprint(KeyFamily::P256).to_string();
        assert_eq!(thumbprint, "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
    }
}

//! A client's private key, read from PEM or JWK, which signs assertions.

mod jwk;

use aws_lc_rs::rand::{self, SystemRandom};
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding,
};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::credential::CredentialError;

/// How a key signs (RFC 7518 §3.1, RFC 8037).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// ECDSA with P-384 and SHA-384.
    Es384,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    const ALL: [Self; 5] = [Self::Es256, Self::Es384, Self::Rs256, Self::Ps256, Self::EdDsa];

    /// The name in `alg`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::EdDsa => "EdDSA",
        }
    }
}

/// A private key.
pub(crate) struct AssertionKey {
    pair: ParsedPair,
    /// `kid` of the JWK.
    kid: Option<String>,
    /// `alg` of the JWK.
    algorithm: Option<Algorithm>,
}

enum ParsedPair {
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
    Rsa(Box<RsaKeyPair>),
    Ed25519(Ed25519KeyPair),
}

type Bytes = Zeroizing<Vec<u8>>;

/// An identifier that no other assertion or proof has (RFC 7519 §4.1.7).
pub(crate) fn new_jti() -> Result<String, CredentialError> {
    let mut random = [0; 16];
    rand::fill(&mut random).map_err(|_| CredentialError::new("the system gives no random bytes"))?;
    Ok(format!("{:032x}", u128::from_be_bytes(random)))
}

fn refused(why: &str) -> CredentialError {
    CredentialError::new(format!("the private key cannot be used: {why}"))
}

impl AssertionKey {
    /// A JWK, or PEM with a key in PKCS#8, PKCS#1 or SEC 1.
    pub(crate) fn parse(text: &str) -> Result<Self, CredentialError> {
        if text.trim_start().starts_with('{') {
            return jwk::parse(text);
        }
        let (label, der) = pem(text).ok_or_else(|| refused("it is neither PEM nor a JWK"))?;
        let ec = |algorithm| {
            EcdsaKeyPair::from_pkcs8(algorithm, &der)
                .or_else(|_| EcdsaKeyPair::from_private_key_der(algorithm, &der))
                .ok()
        };
        let rsa = || match label {
            "RSA PRIVATE KEY" => RsaKeyPair::from_der(&der).ok(),
            _ => RsaKeyPair::from_pkcs8(&der).ok(),
        };
        let pair = match label {
            "ENCRYPTED PRIVATE KEY" => {
                return Err(refused("it is encrypted; decrypt it with `openssl pkey`"));
            }
            label if !label.ends_with("PRIVATE KEY") => return Err(refused("it holds no private key")),
            _ => None
                .or_else(|| ec(&ECDSA_P256_SHA256_FIXED_SIGNING).map(ParsedPair::P256))
                .or_else(|| ec(&ECDSA_P384_SHA384_FIXED_SIGNING).map(ParsedPair::P384))
                .or_else(|| Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).ok().map(ParsedPair::Ed25519))
                .or_else(|| rsa().map(|pair| ParsedPair::Rsa(Box::new(pair)))),
        };
        let pair = pair
            .ok_or_else(|| refused("it is no key of P-256, P-384, Ed25519 or RSA of 2048 bits and more"))?;
        Ok(Self { pair, kid: None, algorithm: None })
    }

    /// A new key of P-256, and its public half as a JWK.
    pub(crate) fn generate_p256() -> Result<(Self, Value), CredentialError> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .map_err(|_| CredentialError::new("no key can be made"))?;
        // An uncompressed point (SEC 1 §2.3.3).
        let point = pair.public_key().as_ref();
        let (x, y) = point.get(1..).unwrap_or_default().split_at(32);
        let [x, y] = [x, y].map(|number| BASE64_URL_SAFE_NO_PAD.encode(number));
        let jwk = json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y });
        Ok((Self { pair: ParsedPair::P256(pair), kid: None, algorithm: None }, jwk))
    }

    pub(crate) fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The wanted algorithm or that of the JWK, if it fits the key. Otherwise the key's first one.
    pub(crate) fn algorithm(&self, wanted: Option<Algorithm>) -> Result<Algorithm, CredentialError> {
        let can: &[Algorithm] = match self.pair {
            ParsedPair::P256(_) => &[Algorithm::Es256],
            ParsedPair::P384(_) => &[Algorithm::Es384],
            ParsedPair::Rsa(_) => &[Algorithm::Rs256, Algorithm::Ps256],
            ParsedPair::Ed25519(_) => &[Algorithm::EdDsa],
        };
        match wanted.or(self.algorithm) {
            Some(wanted) if !can.contains(&wanted) => {
                Err(refused(&format!("it cannot sign with {}", wanted.name())))
            }
            wanted => Ok(wanted.unwrap_or(can[0])),
        }
    }

    /// A JWS in compact form (RFC 7515 §7.1).
    pub(crate) fn sign(
        &self,
        algorithm: Algorithm,
        mut header: Value,
        claims: &Value,
    ) -> Result<String, CredentialError> {
        header["alg"] = json!(algorithm.name());
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(claims));
        let signature =
            self.signature(algorithm, signed.as_bytes()).ok_or_else(|| refused("it does not sign"))?;
        Ok(format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)))
    }

    fn signature(&self, algorithm: Algorithm, message: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match &self.pair {
            ParsedPair::P256(pair) | ParsedPair::P384(pair) => {
                pair.sign(&random, message).ok().map(|signature| signature.as_ref().to_vec())
            }
            ParsedPair::Ed25519(pair) => Some(pair.sign(message).as_ref().to_vec()),
            ParsedPair::Rsa(pair) => {
                let padding: &'static dyn RsaEncoding =
                    if algorithm == Algorithm::Ps256 { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, message, &mut signature).ok()?;
                Some(signature)
            }
        }
    }
}

/// Label and content of the first private key in PEM (RFC 7468), or of the first block if there is none.
fn pem(text: &str) -> Option<(&str, Bytes)> {
    let mut rest = text;
    let mut first = None;
    while let Some((_, begun)) = rest.split_once("-----BEGIN ") {
        let (label, body) = begun.split_once("-----")?;
        let (body, after) = body.split_once("-----END ")?;
        let body: Zeroizing<String> = Zeroizing::new(body.split_ascii_whitespace().collect());
        let block = (label, Zeroizing::new(BASE64_STANDARD.decode(body.as_bytes()).ok()?));
        if label.ends_with("PRIVATE KEY") {
            return Some(block);
        }
        first = first.or(Some(block));
        rest = after;
    }
    first
}

#[cfg(test)]
pub(crate) mod tests {
    use aws_lc_rs::signature::{ED25519, KeyPair as _, UnparsedPublicKey};

    use super::*;

    /// A fresh key in PEM, and its public half.
    pub(crate) fn ed25519() -> (String, Vec<u8>) {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let public = Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap().public_key().as_ref().to_vec();
        let body = BASE64_STANDARD.encode(document.as_ref());
        (format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n"), public)
    }

    #[test]
    fn jws_verifies_with_the_public_key() {
        let (pem, public) = ed25519();
        let certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let key = AssertionKey::parse(&format!("{certificate}{pem}")).unwrap();
        let algorithm = key.algorithm(None).unwrap();
        let jws = key.sign(algorithm, json!({"typ": "JWT"}), &json!({"iss": "me"})).unwrap();
        let (signed, signature) = jws.rsplit_once('.').unwrap();
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
        UnparsedPublicKey::new(&ED25519, public).verify(signed.as_bytes(), &signature).unwrap();
        let header = BASE64_URL_SAFE_NO_PAD.decode(signed.split('.').next().unwrap()).unwrap();
        assert_eq!(String::from_utf8(header).unwrap(), r#"{"alg":"EdDSA","typ":"JWT"}"#);
        assert!(key.algorithm(Some(Algorithm::Rs256)).is_err());
    }

    #[test]
    fn okp_and_ec_jwks_are_read() {
        // RFC 8037 appendix A.1, and RFC 7515 appendix A.3.
        let okp = r#"{"kty":"OKP","crv":"Ed25519","kid":"k","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        let ec = r#"{"kty":"EC","crv":"P-256","kid":"k","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;
        for (jwk, algorithm) in [(okp, Algorithm::EdDsa), (ec, Algorithm::Es256)] {
            let key = AssertionKey::parse(jwk).unwrap();
            assert_eq!((key.algorithm(None).unwrap(), key.kid()), (algorithm, Some("k")));
            key.sign(algorithm, json!({}), &json!({})).unwrap();
        }
    }

    #[test]
    fn unusable_key_is_refused_without_showing_it() {
        let [private, public, encrypted] = ["PRIVATE", "PUBLIC", "ENCRYPTED PRIVATE"]
            .map(|kind| format!("-----BEGIN {kind} KEY-----\naHVudGVyMg==\n-----END {kind} KEY-----"));
        for (text, why) in [
            ("hunter2", "it is neither PEM nor a JWK"),
            ("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}", "the JWK has no `d`"),
            ("{\"hunter2\"", "it is no JWK"),
            (&private, "it is no key of P-256, P-384, Ed25519 or RSA of 2048 bits and more"),
            (&public, "it holds no private key"),
            (&encrypted, "it is encrypted; decrypt it with `openssl pkey`"),
        ] {
            let Err(error) = AssertionKey::parse(text) else { panic!("{text}") };
            assert_eq!(error.to_string(), format!("the private key cannot be used: {why}"));
        }
    }
}

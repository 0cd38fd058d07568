//! A private key as JWK (RFC 7518 §6, RFC 8037).

use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeyPairComponents, PublicKeyComponents};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair,
};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{Algorithm, AssertionKey, Bytes, ParsedPair, refused};
use crate::credential::CredentialError;

#[derive(Deserialize)]
struct JwkText<'a> {
    kty: &'a str,
    crv: Option<&'a str>,
    kid: Option<String>,
    alg: Option<&'a str>,
    d: Option<&'a str>,
    x: Option<&'a str>,
    y: Option<&'a str>,
    n: Option<&'a str>,
    e: Option<&'a str>,
    p: Option<&'a str>,
    q: Option<&'a str>,
    dp: Option<&'a str>,
    dq: Option<&'a str>,
    qi: Option<&'a str>,
    oth: Option<serde::de::IgnoredAny>,
}

pub(super) fn parse(text: &str) -> Result<AssertionKey, CredentialError> {
    // The parser's message could quote the key.
    let jwk: JwkText<'_> = serde_json::from_str(text).map_err(|_| refused("it is no JWK"))?;
    let pair = match (jwk.kty, jwk.crv) {
        ("EC", Some("P-256")) => ParsedPair::P256(jwk.ec(&ECDSA_P256_SHA256_FIXED_SIGNING)?),
        ("EC", Some("P-384")) => ParsedPair::P384(jwk.ec(&ECDSA_P384_SHA384_FIXED_SIGNING)?),
        ("OKP", Some("Ed25519")) => ParsedPair::Ed25519(
            Ed25519KeyPair::from_seed_and_public_key(&member("d", jwk.d)?, &member("x", jwk.x)?)
                .map_err(|_| inconsistent())?,
        ),
        ("RSA", _) => ParsedPair::Rsa(Box::new(jwk.rsa()?)),
        _ => return Err(refused("it is no key of P-256, P-384, Ed25519 or RSA")),
    };
    let algorithm = jwk.alg.map(algorithm).transpose()?;
    Ok(AssertionKey { pair, kid: jwk.kid, algorithm })
}

/// The use of the key (RFC 7517 §4.4).
fn algorithm(name: &str) -> Result<Algorithm, CredentialError> {
    // RFC 9864 §2.2: this name includes the curve.
    let name = if name == "Ed25519" { "EdDSA" } else { name };
    let known = Algorithm::ALL.into_iter().find(|algorithm| algorithm.name() == name);
    known.ok_or_else(|| refused("`alg` of the JWK is no algorithm that this crate signs with"))
}

impl JwkText<'_> {
    fn ec(&self, algorithm: &'static EcdsaSigningAlgorithm) -> Result<EcdsaKeyPair, CredentialError> {
        let (d, x, y) = (member("d", self.d)?, member("x", self.x)?, member("y", self.y)?);
        // An uncompressed point (SEC 1 §2.3.3).
        let point = [&[4][..], &x, &y].concat();
        EcdsaKeyPair::from_private_key_and_public_key(algorithm, &d, &point).map_err(|_| inconsistent())
    }

    fn rsa(&self) -> Result<RsaKeyPair, CredentialError> {
        if self.oth.is_some() {
            return Err(refused("it is an RSA key of more than two primes"));
        }
        let (n, e) = (member("n", self.n)?, member("e", self.e)?);
        let components = KeyPairComponents {
            // Some libraries write the zero of a signed number, although RFC 7518 §6.3.1.1 forbids it.
            public_key: PublicKeyComponents { n: without_zeros(&n), e: without_zeros(&e) },
            d: member("d", self.d)?,
            p: member("p", self.p)?,
            q: member("q", self.q)?,
            dP: member("dp", self.dp)?,
            dQ: member("dq", self.dq)?,
            qInv: member("qi", self.qi)?,
        };
        RsaKeyPair::from_components(&components)
            .map_err(|_| refused("its members do not belong together, or it has less than 2048 bits"))
    }
}

fn member(name: &str, value: Option<&str>) -> Result<Bytes, CredentialError> {
    let text = value.ok_or_else(|| refused(&format!("the JWK has no `{name}`")))?;
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text);
    bytes.map(Zeroizing::new).map_err(|_| refused(&format!("`{name}` of the JWK is no base64url")))
}

fn without_zeros(number: &[u8]) -> &[u8] {
    &number[number.iter().take_while(|byte| **byte == 0).count()..]
}

fn inconsistent() -> CredentialError {
    refused("its members do not belong together")
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
    use aws_lc_rs::rsa::KeySize;
    use base64::prelude::BASE64_STANDARD;
    use serde_json::{Value, json};

    use super::*;

    /// The integers of an `RSAPrivateKey` (RFC 8017 appendix A.1.2) from `version` on.
    fn numbers(der: &[u8]) -> Vec<Vec<u8>> {
        let mut rest = content(der, 0x30).0;
        let mut numbers = Vec::new();
        while !rest.is_empty() {
            let (number, after) = content(rest, 0x02);
            numbers.push(number.to_vec());
            rest = after;
        }
        numbers
    }

    /// The content of the first element, which has this tag, and the rest.
    fn content(der: &[u8], tag: u8) -> (&[u8], &[u8]) {
        assert_eq!(der[0], tag);
        let (length, begin) = match der[1] {
            short @ ..=0x7f => (usize::from(short), 2),
            0x81 => (usize::from(der[2]), 3),
            _ => (usize::from(der[2]) * 256 + usize::from(der[3]), 4),
        };
        der[begin..].split_at(length)
    }

    fn pem(label: &str, der: &[u8]) -> String {
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", BASE64_STANDARD.encode(der))
    }

    /// A key in PKCS#8, in PKCS#1 and as JWK.
    fn rsa() -> (String, String, Value) {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let pkcs8: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        // version, algorithm, key (RFC 5208 §5)
        let (_, rest) = content(content(pkcs8.as_ref(), 0x30).0, 0x02);
        let (_, rest) = content(rest, 0x30);
        let pkcs1 = content(rest, 0x04).0;
        let numbers = numbers(pkcs1);
        let names = ["n", "e", "d", "p", "q", "dp", "dq", "qi"];
        let encoded =
            numbers[1..].iter().map(|number| json!(BASE64_URL_SAFE_NO_PAD.encode(without_zeros(number))));
        let mut jwk: Value = names.into_iter().map(str::to_owned).zip(encoded).collect();
        jwk["kty"] = json!("RSA");
        (pem("PRIVATE KEY", pkcs8.as_ref()), pem("RSA PRIVATE KEY", pkcs1), jwk)
    }

    fn parsed(jwk: &Value) -> Result<AssertionKey, String> {
        AssertionKey::parse(&jwk.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn rsa_key_formats_give_equal_signatures() {
        let (pkcs8, pkcs1, jwk) = rsa();
        let mut with_zero = jwk.clone();
        let n = BASE64_URL_SAFE_NO_PAD.decode(jwk["n"].as_str().unwrap()).unwrap();
        with_zero["n"] = json!(BASE64_URL_SAFE_NO_PAD.encode([&[0][..], &n].concat()));
        let signed = [pkcs8, pkcs1, jwk.to_string(), with_zero.to_string()].map(|text| {
            let key = AssertionKey::parse(&text).unwrap();
            assert_eq!(key.algorithm(None).unwrap(), Algorithm::Rs256);
            key.sign(Algorithm::Ps256, json!({}), &json!({})).unwrap();
            key.sign(Algorithm::Rs256, json!({}), &json!({})).unwrap()
        });
        // RSASSA-PKCS1-v1_5 has no random part.
        assert!(signed.iter().all(|one| *one == signed[0]));
    }

    #[test]
    fn incomplete_rsa_key_is_refused() {
        let (_, _, whole) = rsa();
        for name in ["n", "e", "d", "p", "q", "dp", "dq", "qi"] {
            let mut jwk = whole.clone();
            jwk.as_object_mut().unwrap().remove(name);
            let why = format!("the private key cannot be used: the JWK has no `{name}`");
            assert_eq!(parsed(&jwk).err(), Some(why));
            jwk[name] = json!("AQAC");
            let why = "its members do not belong together, or it has less than 2048 bits";
            assert_eq!(parsed(&jwk).err(), Some(format!("the private key cannot be used: {why}")), "{name}");
        }
        let mut three_primes = whole.clone();
        three_primes["oth"] = json!([]);
        assert!(parsed(&three_primes).err().unwrap().contains("more than two primes"));
    }

    #[test]
    fn jwk_alg_is_the_default_algorithm() {
        let (_, _, mut jwk) = rsa();
        jwk["alg"] = json!("PS256");
        let key = parsed(&jwk).unwrap();
        assert_eq!(key.algorithm(None).unwrap(), Algorithm::Ps256);
        assert_eq!(key.algorithm(Some(Algorithm::Rs256)).unwrap(), Algorithm::Rs256);
        jwk["alg"] = json!("ES256");
        assert!(parsed(&jwk).unwrap().algorithm(None).is_err());
        jwk["alg"] = json!("RSA-OAEP");
        assert!(parsed(&jwk).err().unwrap().ends_with("no algorithm that this crate signs with"));
        assert_eq!(algorithm("Ed25519").unwrap(), Algorithm::EdDsa);
    }
}

//! Forges tokens that the gateway would never issue.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use futures_util::FutureExt as _;
use keys::{KeyRecord, KeySealer as _, PrivateKeyDocument, SealingContext, SealingKey};
use protocol::SigningAlgorithm::RS256;

use crate::prelude::*;

/// An RSA key that the test knows. The keys are fixtures, because generating them would take most
/// of the time of the tests.
pub(crate) struct Forge {
    document: PrivateKeyDocument,
}

impl Forge {
    /// The tenant's `oauth2-key-1`.
    pub(crate) fn from_tenant(tenant: &str) -> Self {
        Self::read(match tenant {
            ACME => include_str!("keys/acme.pem"),
            GLOBEX => include_str!("keys/globex.pem"),
            TenantId::PLATFORM => include_str!("keys/platform.pem"),
            _ => panic!("no key of {tenant}"),
        })
    }

    /// A key that belongs to no tenant.
    pub(crate) fn foreign() -> Self {
        Self::read(include_str!("keys/foreign.pem"))
    }

    /// Another key that belongs to no tenant.
    pub(crate) fn other_foreign() -> Self {
        Self::read(include_str!("../../../keys/tests/keys/rsa3072.pkcs8.pem"))
    }

    /// The key's row as `oauth2-key-1`.
    pub(crate) fn record(&self, tenant: &TenantId, sealing_key: &SealingKey) -> KeyRecord {
        self.record_as(1, tenant, sealing_key)
    }

    /// The key's row as `oauth2-key-{number}`.
    pub(crate) fn record_as(&self, number: u32, tenant: &TenantId, sealing_key: &SealingKey) -> KeyRecord {
        let context =
            SealingContext::SigningKey { tenant, id: KeyId::numbered(number), algorithm: RS256.into() };
        let sealed = sealing_key.seal(&context, self.document.expose());
        KeyRecord {
            sealed_private_key: sealed.now_or_never().unwrap().unwrap(),
            thumbprint: self.signing_key().thumbprint.clone(),
            public_jwk: Some(self.signing_key().jwk.parameters.required_members()),
            ..fixtures::key(number)
        }
    }

    fn read(pem: &str) -> Self {
        Self { document: keys::import(&Secret::new(pem.to_owned()), RS256).unwrap().pkcs8 }
    }

    /// With the default header.
    pub(crate) fn token(&self, claims: &Value) -> String {
        self.token_with(&header(), claims)
    }

    pub(crate) fn token_with(&self, header: &Value, claims: &Value) -> String {
        let pair = RsaKeyPair::from_pkcs8(self.document.expose()).unwrap();
        compact(header, claims, |message| {
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
            signature
        })
    }

    /// Signed with the public key as if it were a shared secret (RFC 8725 §2.1).
    pub(crate) fn hs256(&self, header: &Value, claims: &Value, secret: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        compact(header, claims, |message| hmac::sign(&key, message).as_ref().to_vec())
    }

    /// In the forms that libraries use.
    pub(crate) fn public_forms(&self) -> [Vec<u8>; 3] {
        use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
        let pair = RsaKeyPair::from_pkcs8(self.document.expose()).unwrap();
        let x509: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
        let base64 = base64::engine::general_purpose::STANDARD.encode(x509.as_ref());
        let lines: Vec<_> = base64.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"));
        [pem.into_bytes(), x509.as_ref().to_vec(), serde_json::to_vec(&self.jwk()).unwrap()]
    }

    pub(crate) fn jwk(&self) -> Value {
        serde_json::to_value(self.signing_key().jwk).unwrap()
    }

    pub(crate) fn signing_key(&self) -> SigningKey {
        SigningKey::parse(KeyId::numbered(1), RS256, self.document.expose()).unwrap()
    }
}

pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    compact(header, claims, |_| Vec::new())
}

pub(crate) fn header() -> Value {
    json!({ "alg": "RS256", "typ": "at+jwt", "kid": "oauth2-key-1" })
}

/// The claims of a token that the tenant's protected resource accepts.
pub(crate) fn claims(tenant: &str) -> Value {
    let now = fixtures::NOW.seconds();
    json!({
        "iss": issuer(tenant), "sub": "svc", "aud": ["api"], "exp": now + 3600, "iat": now, "nbf": now,
        "jti": "a-1", "scope": "api:read", "client_id": "svc",
    })
}

pub(crate) fn issuer(tenant: &str) -> String {
    format!("{PUBLIC_URL}/api/v1/tenant/{tenant}")
}

/// Changes members of an object. `null` removes a member.
pub(crate) fn but(mut object: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            object.as_object_mut().unwrap().remove(name);
        } else {
            object[name] = value.clone();
        }
    }
    object
}

pub(crate) fn part(token: &str, index: usize) -> String {
    String::from_utf8(BASE64URL.decode(token.split('.').nth(index).unwrap()).unwrap()).unwrap()
}

/// Not verified.
pub(crate) fn claims_of(token: &str) -> Value {
    serde_json::from_str(&part(token, 1)).unwrap()
}

/// Not verified.
pub(crate) fn payload(token: &Value) -> Value {
    claims_of(token.as_str().unwrap())
}

fn compact(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let encode = |value: &Value| BASE64URL.encode(serde_json::to_vec(value).unwrap());
    let message = format!("{}.{}", encode(header), encode(claims));
    let signature = BASE64URL.encode(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

/// Texts that are not signed JWTs, each similar to `good`. All fit in a header.
pub(crate) fn malformed_compact(good: &str) -> Vec<String> {
    let [header, claims, signature]: [&str; 3] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let words = " . .. ... .... a a.b a.b.c a.b.c.d.e null {} Bearer = %00 %00.%00.%00 e30.e30.AA";
    let mut texts: Vec<String> = words.split(' ').map(str::to_owned).collect();
    texts.extend([
        format!("{header}.{claims}"),
        format!("{header}.{claims}."),
        format!("{header}..{signature}"),
        format!(".{claims}.{signature}"),
        format!("{claims}.{header}.{signature}"),
        format!("{header}.{header}.{signature}"),
        format!("{claims}.{claims}.{signature}"),
        format!("{good}."),
        format!(".{good}"),
        format!("{good}.{signature}"),
        format!("{good}="),
        format!("{header}=.{claims}.{signature}"),
        format!("{header}.{claims}=.{signature}"),
        format!("{good}A"),
        format!("{good} {good}"),
        format!("{good},{good}"),
        format!("\"{good}\""),
        format!("Bearer {good}"),
        format!("DPoP {good}"),
        good.to_lowercase(),
        good.to_uppercase(),
        good.replace('.', ","),
        format!("{header}.{claims}.{}", BASE64URL.encode([0; 64])),
        format!("{header}.{claims}.{}", BASE64URL.encode([0; 63])),
        format!("{header}.{claims}.{}", &signature[..signature.len() - 2]),
        format!("{header}.{claims}.{}", "A".repeat(8 * 1024)),
        format!("{header}.{}.{signature}", "A".repeat(8 * 1024)),
    ]);
    texts
}

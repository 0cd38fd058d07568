//! Opaque access tokens: their claims, encrypted with a key of the tenant. So every replica reads them
//! without a row, and nobody else reads anything but their length, in steps of [`STEP`] bytes.
//!
//! `lk_at_` and, in base64url, a version, the number of the key, a nonce, the encrypted claims and the tag.
//! Version and number are authenticated with the tenant. The nonces are random, because replicas count
//! nothing together, and AES-256-GCM-SIV stays safe if one repeats (RFC 8452, decision 67).

use base64::Engine as _;
use latchkey_verifier::rules::{BASE64URL, LONGEST_TOKEN};
use serde::Serialize;
use tenancy::TenantId;
use values::Timestamp;
use zeroize::Zeroizing;

use crate::aead::{Aead, KEY_LEN};
use crate::digests::sha256;
use crate::sealing::length_prefixed;
use crate::{KeyAlgorithm, KeyId, KeyRejected, KeyRing, SignError, TokenError};

/// How an opaque access token begins. Scanners for leaked secrets find it.
pub const OPAQUE_TOKEN_PREFIX: &str = "lk_at_";

const VERSION: u8 = 1;
/// The version and the number of the key.
const HEAD: usize = 5;
/// The claims are padded to a multiple of so many bytes.
const STEP: usize = 64;
/// A buffer size in bytes that is enough for most claims.
const USUAL_CLAIMS: usize = 512;

/// A key that encrypts the opaque access tokens of a tenant.
#[derive(derive_more::Debug)]
#[debug("TokenKey({id}, [redacted])")]
pub struct TokenKey {
    pub id: KeyId,
    pub(crate) thumbprint: String,
    aead: Aead,
}

/// An opaque token that is not decrypted yet.
struct OpaqueToken(Vec<u8>);

/// Decrypts an opaque token of the tenant: its claims as padded JSON.
///
/// # Errors
/// [`TokenError`].
pub(crate) fn decrypt(
    token: &str,
    tenant: &TenantId,
    ring: &KeyRing,
    now: Timestamp,
) -> Result<Zeroizing<Vec<u8>>, TokenError> {
    let token = OpaqueToken::parse(token).ok_or(TokenError::Malformed)?;
    let key = ring.find_token_key(token.key(), now).ok_or(TokenError::UnknownKey)?;
    key.open(tenant, &token).ok_or(TokenError::SignatureInvalid)
}

/// The key that an opaque token names. `None` for any other text.
#[must_use]
pub fn key_of_opaque_token(token: &str) -> Option<KeyId> {
    Some(OpaqueToken::parse(token)?.key())
}

impl TokenKey {
    /// # Errors
    /// [`KeyRejected`] unless the document has the length of a key.
    pub(crate) fn parse(id: KeyId, document: &[u8]) -> Result<Self, KeyRejected> {
        let key: &[u8; KEY_LEN] = document.try_into().map_err(|_| KeyRejected(KeyAlgorithm::OpaqueTokens))?;
        // The key has no public half. The digest of its 256 random bits says nothing about it.
        let digested = Zeroizing::new([b"opaque-token-key".as_slice(), key].concat());
        Ok(Self { id, thumbprint: BASE64URL.encode(sha256(&*digested)), aead: Aead::gcm_siv(key) })
    }

    /// Encrypts the claims as an opaque token of the tenant.
    ///
    /// # Errors
    /// [`SignError`].
    pub fn seal(&self, tenant: &TenantId, claims: &impl Serialize) -> Result<String, SignError> {
        let mut payload = Zeroizing::new(Vec::with_capacity(USUAL_CLAIMS));
        serde_json::to_writer(&mut *payload, claims)?;
        let padded = payload.len().next_multiple_of(STEP);
        payload.resize(padded, b' ');
        let [a, b, c, d] = self.id.number().to_be_bytes();
        let sealed = self.aead.seal(&[VERSION, a, b, c, d], &context(tenant), &payload);
        let sealed = sealed.map_err(|_| SignError::Signature)?;
        let mut token = String::with_capacity(OPAQUE_TOKEN_PREFIX.len() + sealed.len().div_ceil(3) * 4);
        token.push_str(OPAQUE_TOKEN_PREFIX);
        BASE64URL.encode_string(sealed, &mut token);
        Ok(token)
    }

    /// The claims as padded JSON. `None` unless this key encrypted the token for the tenant.
    fn open(&self, tenant: &TenantId, token: &OpaqueToken) -> Option<Zeroizing<Vec<u8>>> {
        let (head, rest) = token.0.split_at_checked(HEAD)?;
        self.aead.open(head, &context(tenant), rest).ok()
    }
}

impl OpaqueToken {
    /// `None` if the server makes no such token.
    fn parse(token: &str) -> Option<Self> {
        let text = token.strip_prefix(OPAQUE_TOKEN_PREFIX).filter(|text| text.len() <= LONGEST_TOKEN)?;
        let bytes = BASE64URL.decode(text).ok()?;
        (bytes.len() > HEAD && bytes[0] == VERSION).then_some(Self(bytes))
    }

    /// The number of the key.
    fn key(&self) -> KeyId {
        KeyId::numbered(self.0[1..HEAD].iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }
}

fn context(tenant: &TenantId) -> Vec<u8> {
    length_prefixed(&["access-token", tenant.as_str()])
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::test_keys::{anything, at, numbered, record, records};
    use crate::{Expectations, KeyRecord, open_token, verify};

    const NOW: u64 = 1_000_000;

    fn tenant(id: &str) -> TenantId {
        TenantId::parse(id).unwrap()
    }

    fn key(number: u32, byte: u8) -> TokenKey {
        TokenKey::parse(KeyId::numbered(number), &[byte; KEY_LEN]).unwrap()
    }

    /// A signing key with the number 1 and a key for opaque tokens with the number 2.
    fn ring(byte: u8) -> KeyRing {
        let row = record(&numbered(1, protocol::SigningAlgorithm::EdDSA));
        let opaque =
            KeyRecord { id: KeyId::numbered(2), algorithm: KeyAlgorithm::OpaqueTokens, ..row.clone() };
        let signing = Arc::new(numbered(1, protocol::SigningAlgorithm::EdDSA));
        let keys: Vec<crate::TenantKey> = vec![signing.into(), Arc::new(key(2, byte)).into()];
        KeyRing::new(Arc::new(records(vec![row, opaque])), keys)
    }

    fn claims() -> Value {
        json!({ "iss": "https://auth.example.com", "sub": "svc", "aud": ["your-api"], "exp": NOW + 60,
            "iat": NOW, "nbf": NOW, "jti": "0b0d1a9e-0000-4000-8000-000000000000", "client_id": "svc" })
    }

    fn read(token: &str, id: &str, ring: &KeyRing) -> Result<Value, TokenError> {
        open_token(token, &tenant(id), ring, at(NOW), &anything())
    }

    #[test]
    fn opaque_token_is_read_with_its_key_and_tenant_only() {
        let token = key(2, 7).seal(&tenant("acme"), &claims()).unwrap();
        assert_eq!(read(&token, "acme", &ring(7)).unwrap(), claims());
        assert_eq!(read(&token, "globex", &ring(7)), Err(TokenError::SignatureInvalid));
        assert_eq!(read(&token, "acme", &ring(8)), Err(TokenError::SignatureInvalid));
        let other = key(3, 7).seal(&tenant("acme"), &claims()).unwrap();
        assert_eq!(read(&other, "acme", &ring(7)), Err(TokenError::UnknownKey));
        assert_eq!(key_of_opaque_token(&other), Some(KeyId::numbered(3)));
        // The number of the signing key does not make it a key for opaque tokens.
        let signing = key(1, 7).seal(&tenant("acme"), &claims()).unwrap();
        assert_eq!(read(&signing, "acme", &ring(7)), Err(TokenError::UnknownKey));
        let second = key(2, 7).seal(&tenant("acme"), &claims()).unwrap();
        assert_ne!(token, second, "the nonce is random");
    }

    #[test]
    fn key_of_one_use_verifies_nothing_of_the_other() {
        let ring = ring(7);
        let jwt = numbered(1, protocol::SigningAlgorithm::EdDSA).sign("JWT", &claims()).unwrap();
        assert_eq!(read(&jwt, "acme", &ring), Err(TokenError::Malformed));
        let opaque = key(2, 7).seal(&tenant("acme"), &claims()).unwrap();
        assert_eq!(verify::<Value>(&opaque, &ring, at(NOW), &anything()), Err(TokenError::Malformed));
        let header = r#"{"alg":"EdDSA","typ":"JWT","kid":"oauth2-key-2"}"#;
        let signer = numbered(1, protocol::SigningAlgorithm::EdDSA);
        let forged = crate::test_keys::forged(header, claims().to_string(), &signer);
        assert_eq!(verify::<Value>(&forged, &ring, at(NOW), &anything()), Err(TokenError::UnknownKey));
        let published: Vec<_> = ring.published(at(NOW)).map(|key| key.id().number()).collect();
        assert_eq!((published, ring.jwk_set(at(NOW)).keys.len()), (vec![1], 1));
    }

    #[test]
    fn claims_are_checked_as_those_of_a_jwt() {
        for (member, value, expected) in [
            ("exp", json!(NOW), TokenError::Expired),
            ("nbf", json!(NOW + 60), TokenError::NotYetValid),
            ("iat", json!("x"), TokenError::Malformed),
            ("aud", json!("other"), TokenError::WrongAudience),
            ("iss", json!("https://evil.example"), TokenError::ForeignIssuer),
        ] {
            let mut claims = claims();
            claims[member] = value;
            let token = key(2, 7).seal(&tenant("acme"), &claims).unwrap();
            let expectations = Expectations {
                is_issuer: &|iss| iss == "https://auth.example.com",
                audience: Some("your-api"),
                ..anything()
            };
            let found = open_token::<Value>(&token, &tenant("acme"), &ring(7), at(NOW), &expectations);
            assert_eq!(found, Err(expected), "{member}");
        }
    }

    #[test]
    fn tokens_show_only_their_length_in_steps() {
        let length = |name: &str| {
            let claims = json!({ "sub": name });
            key(2, 7).seal(&tenant("acme"), &claims).unwrap().len()
        };
        let lengths: std::collections::BTreeSet<_> = (0..128).map(|len| length(&"a".repeat(len))).collect();
        assert_eq!(Vec::from_iter(lengths), [136, 221, 306]);
        let sample = json!({
            "iss": "http://127.0.0.1:3000/api/v1/tenant/test-tenant", "sub": "your-client-id",
            "aud": ["your-api"], "exp": 1_797_900_000, "iat": 1_797_896_400, "nbf": 1_797_896_400,
            "jti": "0b0d1a9e-0000-4000-8000-000000000000", "scope": "api:read api:write",
            "client_id": "your-client-id",
        });
        assert_eq!(key(2, 7).seal(&tenant("test-tenant"), &sample).unwrap().len(), 392);
    }

    proptest! {
        #[test]
        fn changed_opaque_token_is_refused(place in 6_usize..393, to in "[A-Za-z0-9_-]") {
            let token = key(2, 7).seal(&tenant("acme"), &claims()).unwrap();
            prop_assume!(token.len() > place && token[place..=place] != to);
            let changed = format!("{}{to}{}", &token[..place], &token[place + 1..]);
            let refused = read(&changed, "acme", &ring(7)).unwrap_err();
            let is_expected =
                [TokenError::Malformed, TokenError::UnknownKey, TokenError::SignatureInvalid].contains(&refused);
            prop_assert!(is_expected, "{refused:?}");
        }

        #[test]
        fn any_text_is_no_opaque_token(text in "(lk_at_)?[A-Za-z0-9_.-]{0,300}") {
            prop_assert!(read(&text, "acme", &ring(7)).is_err());
        }
    }
}

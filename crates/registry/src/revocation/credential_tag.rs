//! Identifies the credential that a token was issued for by 32 bits of the token's `jti` (RFC 9562 §5.8). So
//! all tokens of a credential can be revoked without an additional claim.

use aws_lc_rs::digest::{Context, SHA256};
use derive_more::Display;
use serde::{Deserialize, Serialize};
use tenancy::TenantId;
use uuid::{Uuid, Variant, Version};

use crate::{ApiKeyId, ClientId, SecretId};

/// A 32-bit digest of a client's credential. Two credentials of one client have the same tag with a
/// probability of one in four billion; their tokens are then revoked together.
#[derive(Clone, Copy, Debug, Display, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[display("{_0:08x}")]
pub struct CredentialTag(u32);

impl CredentialTag {
    #[must_use]
    pub fn of_secret(tenant: &TenantId, client: &ClientId, secret: &SecretId) -> Self {
        Self::new(tenant, client, b"secret", secret.as_str().as_bytes())
    }

    #[must_use]
    pub fn of_api_key(tenant: &TenantId, client: &ClientId, key: &ApiKeyId) -> Self {
        Self::new(tenant, client, b"api_key", key.as_str().as_bytes())
    }

    /// The tag of a key for assertions, identified by its thumbprint (RFC 7638).
    #[must_use]
    pub fn of_key(tenant: &TenantId, client: &ClientId, thumbprint: &str) -> Self {
        Self::new(tenant, client, b"key", thumbprint.as_bytes())
    }

    #[must_use]
    pub fn of_public_client(tenant: &TenantId, client: &ClientId) -> Self {
        Self::new(tenant, client, b"none", b"")
    }

    pub(crate) fn new(tenant: &TenantId, client: &ClientId, kind: &[u8], id: &[u8]) -> Self {
        let mut digest = Context::new(&SHA256);
        // Parts are separated by NUL. Only the last part may contain a NUL.
        for part in [tenant.as_str().as_bytes(), client.as_str().as_bytes(), kind, id] {
            digest.update(part);
            digest.update(b"\0");
        }
        let [a, b, c, d, ..] = *digest.finish().as_ref() else { return Self(0) };
        Self(u32::from_be_bytes([a, b, c, d]))
    }

    /// Parses eight lowercase hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_canonical =
            text.len() == 8 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        is_canonical.then(|| u32::from_str_radix(text, 16).ok().map(Self)).flatten()
    }

    /// The `jti` of a token for this credential: the tag and 90 random bits.
    #[must_use]
    pub fn token_id(self, random: Uuid) -> Uuid {
        let mut bytes = random.into_bytes();
        bytes[..4].copy_from_slice(&self.0.to_be_bytes());
        // RFC 9562 §5.8: in version 8, all bits except version and variant are free to use.
        bytes[6] = (bytes[6] & 0x0f) | 0x80;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        Uuid::from_bytes(bytes)
    }

    /// The tag in a `jti`. `None` if an earlier version of Latchkey issued the token without a tag.
    #[must_use]
    pub fn of_token(jti: &str) -> Option<Self> {
        let id = Uuid::try_parse(jti).ok()?;
        let is_tagged = id.get_version() == Some(Version::Custom) && id.get_variant() == Variant::RFC4122;
        let [a, b, c, d, ..] = *id.as_bytes();
        is_tagged.then(|| Self(u32::from_be_bytes([a, b, c, d])))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use protocol::Thumbprint;

    use super::*;

    fn tag(tenant: &str, client: &str, secret: &str) -> CredentialTag {
        let (tenant, client) = (TenantId::parse(tenant).unwrap(), ClientId::parse(client).unwrap());
        CredentialTag::of_secret(&tenant, &client, &SecretId::new(secret))
    }

    #[test]
    fn tags_differ_by_tenant_client_and_kind() {
        let (tenant, client) = (TenantId::parse("acme").unwrap(), ClientId::parse("svc").unwrap());
        let tags = [
            tag("acme", "svc", "s1"),
            tag("acme", "svc", "s2"),
            tag("acme", "svcs", "1"),
            tag("globex", "svc", "s1"),
            CredentialTag::of_key(&tenant, &client, "s1"),
            CredentialTag::of_certificate(&tenant, &client, Thumbprint::new([1; 32])),
            CredentialTag::of_certificate(&tenant, &client, Thumbprint::new([2; 32])),
        ];
        for (nth, tag) in tags.iter().enumerate() {
            assert!(!tags[..nth].contains(tag), "{nth}");
        }
        assert_eq!(tags[0], tag("acme", "svc", "s1"));
    }

    #[test]
    fn tag_has_exactly_one_text_form() {
        for (text, expected) in [
            ("0000002a", Some(42)),
            ("ffffffff", Some(u32::MAX)),
            ("FFFFFFFF", None),
            ("+000002a", None),
            ("2a", None),
            ("00000002a", None),
            ("", None),
            ("é00000", None),
        ] {
            assert_eq!(CredentialTag::parse(text), expected.map(CredentialTag), "{text}");
        }
        assert_eq!(CredentialTag(42).to_string(), "0000002a");
    }

    #[test]
    fn only_tagged_token_ids_have_a_tag() {
        let tagged = CredentialTag(0xdead_beef).token_id(Uuid::from_bytes([0xff; 16]));
        assert_eq!(tagged.to_string(), "deadbeef-ffff-8fff-bfff-ffffffffffff");
        for (jti, expected) in [
            ("deadbeef-ffff-8fff-bfff-ffffffffffff", Some(0xdead_beef)),
            ("deadbeef-ffff-4fff-bfff-ffffffffffff", None),
            ("deadbeef-ffff-8fff-ffff-ffffffffffff", None),
            ("deadbeef", None),
            ("", None),
        ] {
            assert_eq!(CredentialTag::of_token(jti), expected.map(CredentialTag), "{jti}");
        }
    }

    proptest! {
        #[test]
        fn token_tags_round_trip(tag: u32, random: [u8; 16]) {
            let id = CredentialTag(tag).token_id(Uuid::from_bytes(random)).to_string();
            prop_assert_eq!(CredentialTag::of_token(&id), Some(CredentialTag(tag)));
        }

        #[test]
        fn parsing_never_panics(text in ".*") {
            let _ = CredentialTag::of_token(&text);
            let parsed = CredentialTag::parse(&text);
            prop_assert!(parsed.is_none_or(|tag| tag.to_string() == text));
        }
    }
}

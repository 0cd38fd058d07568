//! The id of an account, and the public `sub` of its tokens: `usr_` and 26 characters of base32. Client ids
//! cannot have this form, so a client cannot look like a person (RFC 9700 §4.15).

use std::str::FromStr;
use std::sync::Arc;

use data_encoding::BASE32_NOPAD;
use derive_more::Display;
use secrets::{KeyedDigest, random_bytes};
use tenancy::TenantId;
use values::{AsStr, DeserializeFromStr, SerializeDisplay};

const PREFIX: &str = "usr_";
/// 128 bits in characters of 5 bits.
const LENGTH: usize = 26;

#[derive(
    AsStr, Clone, Debug, Display, PartialEq, Eq, Hash, PartialOrd, Ord, SerializeDisplay, DeserializeFromStr,
)]
pub struct AccountId(Arc<str>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an account id is usr_ followed by 26 characters from a-z and 2-7")]
pub struct InvalidAccountId;

impl AccountId {
    /// `bytes` must be random or a digest.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        let text = BASE32_NOPAD.encode(&bytes).to_ascii_lowercase();
        Self(format!("{PREFIX}{text}").into())
    }

    #[must_use]
    pub fn generate() -> Self {
        Self::from_bytes(*random_bytes())
    }

    /// The id of the account that a file declares with this name. It is a digest, so the same declaration
    /// always has the same account.
    #[must_use]
    pub fn declared(tenant: &TenantId, name: &str) -> Self {
        let digest = KeyedDigest::for_purpose(&[0; 32], "latchkey declared account 1");
        let digest = digest.of([tenant.as_str().as_bytes(), name.as_bytes()]);
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        Self::from_bytes(bytes)
    }

    /// Each id has only one accepted spelling.
    ///
    /// # Errors
    /// [`InvalidAccountId`].
    pub fn parse(text: &str) -> Result<Self, InvalidAccountId> {
        let digits = text.strip_prefix(PREFIX).filter(|digits| digits.len() == LENGTH);
        let digits = digits.filter(|digits| !digits.bytes().any(|byte| byte.is_ascii_uppercase()));
        let decoded = digits.map(|digits| BASE32_NOPAD.decode(digits.to_ascii_uppercase().as_bytes()));
        if matches!(decoded, Some(Ok(_))) { Ok(Self(text.into())) } else { Err(InvalidAccountId) }
    }

    #[must_use]
    pub fn to_bytes(&self) -> [u8; 16] {
        let digits = self.0[PREFIX.len()..].to_ascii_uppercase();
        let mut bytes = [0; 16];
        let length = BASE32_NOPAD.decode_mut(digits.as_bytes(), &mut bytes);
        debug_assert_eq!(length, Ok(16), "it was parsed");
        bytes
    }

    /// The prefix of pairwise subjects (OpenID Connect Core §8.1).
    pub const PAIRWISE_PREFIX: &str = "pw_";

    /// Whether a text begins like an account id or a pairwise subject. Client ids must not.
    #[must_use]
    pub fn is_reserved(text: &str) -> bool {
        text.starts_with(PREFIX) || text.starts_with(Self::PAIRWISE_PREFIX)
    }
}

impl FromStr for AccountId {
    type Err = InvalidAccountId;

    fn from_str(text: &str) -> Result<Self, InvalidAccountId> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn id_is_prefix_and_26_base32_characters() {
        let zero = format!("usr_{}", "a".repeat(26));
        assert_eq!(AccountId::from_bytes([0; 16]).as_str(), zero);
        assert_eq!(AccountId::from_bytes([255; 16]).as_str(), format!("usr_{}4", "7".repeat(25)));
        let bad = [
            String::new(),
            "usr_".to_owned(),
            zero[..29].to_owned(),
            format!("{zero}a"),
            zero.to_uppercase(),
            zero.replacen('a', "A", 1),
            zero.replace("usr_", "pw_u"),
            format!("usr_{}", "1".repeat(26)),
            // The last two bits of the last character are not part of the value, so they must be zero.
            format!("usr_{}b", "a".repeat(25)),
            format!("usr_{}", "\u{e9}".repeat(13)),
        ];
        for bad in bad {
            assert_eq!(AccountId::parse(&bad), Err(InvalidAccountId), "{bad}");
        }
    }

    #[test]
    fn generated_ids_differ_and_declared_ids_are_stable() {
        assert_ne!(AccountId::generate(), AccountId::generate());
        let declared = |tenant, name| AccountId::declared(&TenantId::parse(tenant).unwrap(), name);
        assert_eq!(declared("acme", "ada"), declared("acme", "ada"));
        for (tenant, name) in [("acme", "adb"), ("globex", "ada"), ("acm", "eada")] {
            assert_ne!(declared("acme", "ada"), declared(tenant, name));
        }
    }

    proptest! {
        #[test]
        fn ids_round_trip_as_text(bytes: [u8; 16], text in ".{0,40}") {
            let id = AccountId::from_bytes(bytes);
            prop_assert_eq!(id.to_bytes(), bytes);
            prop_assert_eq!(AccountId::parse(id.as_str()), Ok(id));
            let parsed = AccountId::parse(&text);
            prop_assert!(parsed.is_err() || parsed.is_ok_and(|id| id.as_str() == text));
        }
    }
}

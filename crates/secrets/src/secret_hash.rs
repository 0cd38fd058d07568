//! The stored form of a secret. It begins with its format version, so that parameters can change while stored
//! hashes stay valid.

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use derive_more::Display;
use subtle::ConstantTimeEq as _;
use values::{DeserializeFromStr, SerializeDisplay};

use crate::keyed_digest::KeyedDigest;

/// The stored hash of a secret. Must not be logged.
#[derive(Clone, derive_more::Debug, Display, PartialEq, Eq, SerializeDisplay, DeserializeFromStr)]
pub enum SecretHash {
    /// HMAC-SHA-256 with a key that only the server has, for generated secrets: 256 random bits need no slow
    /// hash.
    #[debug("SecretHash::Token([redacted])")]
    Token(TokenHash),
    /// argon2id in PHC string format (RFC 9106), for secrets that people choose.
    #[debug("SecretHash::Password([redacted])")]
    Password(String),
}

/// The digest of a generated secret.
#[derive(Clone, Copy, Display, PartialEq, Eq)]
pub enum TokenHash {
    /// With the key of its tenant.
    #[display("{TOKEN_PREFIX}{}", BASE64.encode(_0))]
    OfTenant([u8; 32]),
    /// With the common key of earlier versions.
    #[display("{EARLIER_PREFIX}{}", BASE64.encode(_0))]
    OfPlatform([u8; 32]),
}

pub struct PresentedSecret<'a> {
    pub(crate) hash: SecretHash,
    /// The key and the texts to compute the digest of earlier versions. It is computed only if a row has such
    /// a digest.
    pub(crate) earlier: Option<(&'a KeyedDigest, [&'a str; 3])>,
}

/// The text is not a hash of a known format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a secret hash in a known format")]
pub struct UnknownHashFormat;

const TOKEN_PREFIX: &str = "$lk2$hmac-sha256$";
const EARLIER_PREFIX: &str = "$lk1$hmac-sha256$";
const PASSWORD_PREFIX: &str = "$argon2id$";

impl SecretHash {
    /// The hash with the key of the tenant.
    #[must_use]
    pub const fn token(digest: [u8; 32]) -> Self {
        Self::Token(TokenHash::OfTenant(digest))
    }

    /// Whether this is a hash of the presented secret. The comparison takes constant time.
    #[must_use]
    pub fn is_of(&self, presented: &PresentedSecret<'_>) -> bool {
        let Self::Token(TokenHash::OfPlatform(stored)) = self else { return self.matches(&presented.hash) };
        let earlier = presented.earlier.map(|(key, texts)| key.of(texts.map(str::as_bytes)));
        earlier.is_some_and(|earlier| earlier.ct_eq(stored).into())
    }

    /// Whether both are hashes of the same secret. The comparison takes constant time.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Token(left), Self::Token(right)) => match (left, right) {
                (TokenHash::OfTenant(left), TokenHash::OfTenant(right))
                | (TokenHash::OfPlatform(left), TokenHash::OfPlatform(right)) => left.ct_eq(right).into(),
                (TokenHash::OfTenant(_), TokenHash::OfPlatform(_))
                | (TokenHash::OfPlatform(_), TokenHash::OfTenant(_)) => false,
            },
            (Self::Password(left), Self::Password(right)) => left.as_bytes().ct_eq(right.as_bytes()).into(),
            (Self::Token(_), Self::Password(_)) | (Self::Password(_), Self::Token(_)) => false,
        }
    }
}

impl From<SecretHash> for PresentedSecret<'_> {
    fn from(hash: SecretHash) -> Self {
        Self { hash, earlier: None }
    }
}

impl FromStr for SecretHash {
    type Err = UnknownHashFormat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        for (prefix, form) in
            [(TOKEN_PREFIX, TokenHash::OfTenant as fn(_) -> _), (EARLIER_PREFIX, TokenHash::OfPlatform)]
        {
            if let Some(encoded) = text.strip_prefix(prefix) {
                let bytes = BASE64.decode(encoded).map_err(|_| UnknownHashFormat)?;
                return bytes.try_into().map(form).map(Self::Token).map_err(|_| UnknownHashFormat);
            }
        }
        let is_password = text.starts_with(PASSWORD_PREFIX);
        if is_password { Ok(Self::Password(text.to_owned())) } else { Err(UnknownHashFormat) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_matches_only_an_equal_hash() {
        let generated = |byte| SecretHash::token([byte; 32]);
        let chosen = |text: &str| SecretHash::Password(text.to_owned());
        assert!(generated(1).matches(&generated(1)));
        assert!(chosen("$a").matches(&chosen("$a")));
        for (left, right) in [
            (generated(1), generated(2)),
            (chosen("$a"), chosen("$b")),
            (chosen("$a"), chosen("$ab")),
            (chosen("$a"), generated(1)),
        ] {
            assert!(!left.matches(&right) && !right.matches(&left));
        }
    }

    #[test]
    fn hashes_round_trip_and_unknown_versions_are_refused() {
        for hash in [
            SecretHash::token([7; 32]),
            SecretHash::Token(TokenHash::OfPlatform([7; 32])),
            SecretHash::Password("$argon2id$v=19$x".to_owned()),
        ] {
            assert_eq!(hash.to_string().parse(), Ok(hash));
        }
        let bad = "secret $lk3$hmac-sha256$AAAA $lk2$hmac-sha256$AAAA $lk1$hmac-sha256$AAAA $2b$10$x";
        for bad in bad.split(' ').chain([""]) {
            assert_eq!(bad.parse::<SecretHash>(), Err(UnknownHashFormat), "{bad}");
        }
    }
}

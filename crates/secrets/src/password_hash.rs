//! Password hashes for secrets that people choose: argon2id with one set of parameters, in PHC string format
//! (RFC 9106).
//!
//! The parameters are fixed, because one computation must serve all chosen secrets of a client, and every
//! check must cost the same.

use std::str::FromStr;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use derive_more::Display;
use values::Secret;
use zeroize::Zeroizing;

use crate::SecretHash;
use crate::random::random_bytes;

/// 19 MiB, two passes, one lane: about 11 ms.
const PARAMETERS: Params = match Params::new(19_456, 2, 1, Some(DIGEST)) {
    Ok(parameters) => parameters,
    Err(_) => panic!("the parameters are within the limits of argon2"),
};
const PREFIX: &str = "$argon2id$v=19$m=19456,t=2,p=1$";
/// The length of the digest in bytes.
const DIGEST: usize = 32;
/// Blocks of 1 KiB to allocate. The computation uses fewer, but glibc maps an allocation above 32 MiB
/// separately and frees it immediately. Otherwise it would keep 19 MiB for each thread that has ever hashed.
const RESERVED: usize = 33 * 1024;

/// The maximum length of a secret in bytes.
pub const MAX_SECRET_LENGTH: usize = 1024;

/// The common salt of all chosen secrets of one client, so that one computation is enough to compare them
/// all. Its text is base64 without padding, as in a hash.
#[derive(Clone, Debug, Display, PartialEq, Eq)]
#[display("{}", BASE64.encode(_0))]
pub struct PasswordSalt(Vec<u8>);

/// The text is not a salt of 8 to 48 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the salt of a password hash")]
pub struct InvalidSalt;

/// There is not enough memory for the computation. A later attempt may succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("out of memory for argon2id")]
pub struct OutOfMemory;

impl PasswordSalt {
    #[must_use]
    pub fn generate() -> Self {
        Self(random_bytes::<16>().to_vec())
    }

    /// The salt of dummy hashes, so that a check without a stored hash costs the same.
    #[must_use]
    pub fn dummy() -> Self {
        Self(vec![0; 16])
    }
}

impl FromStr for PasswordSalt {
    type Err = InvalidSalt;

    fn from_str(text: &str) -> Result<Self, InvalidSalt> {
        let salt = BASE64.decode(text).map_err(|_| InvalidSalt)?;
        if (8..=48).contains(&salt.len()) { Ok(Self(salt)) } else { Err(InvalidSalt) }
    }
}

/// Whether the text can be a secret: 1 to [`MAX_SECRET_LENGTH`] bytes without control characters.
#[must_use]
pub fn is_fit_secret(text: &str) -> bool {
    (1..=MAX_SECRET_LENGTH).contains(&text.len()) && !text.chars().any(char::is_control)
}

/// Computes a password hash. Takes 11 ms of a core, and 9 ms more to allocate memory, so requests must use
/// [`crate::HashPool`].
///
/// # Errors
/// [`OutOfMemory`].
pub fn hash_password(secret: &Secret, salt: &PasswordSalt) -> Result<SecretHash, OutOfMemory> {
    HashMemory::default().hash(secret, salt)
}

/// The memory for one computation at a time. It is kept for the next one, because allocating it takes nearly
/// as long as the hash.
#[derive(Default)]
pub(crate) struct HashMemory(Vec<Block>);

impl HashMemory {
    /// Like [`hash_password`], with this memory.
    pub(crate) fn hash(&mut self, secret: &Secret, salt: &PasswordSalt) -> Result<SecretHash, OutOfMemory> {
        let Self(memory) = self;
        if memory.is_empty() {
            memory.try_reserve_exact(RESERVED).map_err(|_| OutOfMemory)?;
            memory.resize(PARAMETERS.block_count(), Block::default());
        }
        let mut digest = Zeroizing::new([0; DIGEST]);
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, PARAMETERS);
        let secret = secret.expose().as_bytes();
        argon2
            .hash_password_into_with_memory(secret, &salt.0, digest.as_mut_slice(), memory)
            .map_err(|_| OutOfMemory)?;
        let digest = BASE64.encode(digest.as_slice());
        Ok(SecretHash::Password(format!("{PREFIX}{salt}${digest}")))
    }

    pub(crate) fn is_held(&self) -> bool {
        !self.0.is_empty()
    }

    /// Frees the memory.
    pub(crate) fn release(&mut self) {
        *self = Self::default();
    }
}

/// The salt of an argon2id hash with exactly our parameters. `None` for any other text, which cannot be
/// imported either.
#[must_use]
pub fn salt_of(phc: &str) -> Option<PasswordSalt> {
    salt_and_digest(phc).map(|(salt, _)| salt)
}

/// The salt and the digest of a hash. `None` as for [`salt_of`].
#[must_use]
pub fn salt_and_digest(phc: &str) -> Option<(PasswordSalt, Zeroizing<[u8; DIGEST]>)> {
    let (salt, digest) = phc.strip_prefix(PREFIX)?.split_once('$')?;
    let (salt, digest) = (salt.parse().ok()?, Zeroizing::new(BASE64.decode(digest).ok()?));
    Some((salt, Zeroizing::new(digest.as_slice().try_into().ok()?)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Computed with the C reference implementation from `password` and `somesaltsomesalt`.
    const REFERENCE: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$K13EBUiG7JV+9ZxztmHFTdb7J0WQsnj2V8bZaqyPptE";

    fn hash(secret: &str, salt: &PasswordSalt) -> SecretHash {
        hash_password(&Secret::new(secret.to_owned()), salt).unwrap()
    }

    // [V11 11.2.1]: 2 | Implementations are validated ones | aws-lc-rs signs, seals and draws random values;
    //   argon2id and AES-SIV are RustCrypto's, compared with the reference and with another implementation;
    //   the `rsa` crate (RUSTSEC-2023-0071) reads imported keys and does no private-key operation that a
    //   caller can time
    #[test]
    fn hash_matches_the_reference_implementation() {
        let salt = salt_of(REFERENCE).unwrap();
        assert_eq!(salt, PasswordSalt(b"somesaltsomesalt".to_vec()));
        assert_eq!(hash("password", &salt).to_string(), REFERENCE);
    }

    #[test]
    fn reused_memory_does_not_change_the_hash() {
        let mut memory = HashMemory::default();
        let salt = salt_of(REFERENCE).unwrap();
        for _ in 0..2 {
            memory.hash(&Secret::new("another".to_owned()), &PasswordSalt::generate()).unwrap();
            let hash = memory.hash(&Secret::new("password".to_owned()), &salt).unwrap();
            assert_eq!(hash.to_string(), REFERENCE);
            memory.release();
            assert!(!memory.is_held());
        }
    }

    #[test]
    fn a_hash_matches_its_secret_and_salt_only() {
        let salt = PasswordSalt::generate();
        let stored = hash("your-client-secret", &salt);
        assert_eq!(salt_of(&stored.to_string()), Some(salt.clone()));
        assert!(stored.matches(&hash("your-client-secret", &salt)));
        assert!(!stored.matches(&hash("your-client-secreT", &salt)));
        assert!(!stored.matches(&hash("your-client-secret", &PasswordSalt::generate())));
    }

    // [V11 11.4.2]: 2 | Passwords are stored with a slow hash with current parameters | not met | argon2id,
    //   19 MiB, 2 passes, 1 lane. An imported account keeps the hash of another system until its person signs
    //   in
    #[test]
    fn only_hashes_with_our_parameters_can_be_imported() {
        assert!(salt_of(REFERENCE).is_some());
        let bad = [
            REFERENCE.replace("argon2id", "argon2i"),
            REFERENCE.replace("v=19", "v=16"),
            REFERENCE.replace("19456", "65536"),
            REFERENCE.replace("t=2", "t=3"),
            REFERENCE.replace("p=1", "p=4"),
            REFERENCE.replace("m=19456,t=2", "t=2,m=19456"),
            REFERENCE.replace("p=1", "p=1,keyid=AAAA"),
            REFERENCE.replace("c29tZXNhbHRzb21lc2FsdA", "c2FsdA"),
            REFERENCE.replace("c29tZXNhbHRzb21lc2FsdA", "c29tZXNhbHRzb21lc2FsdA=="),
            format!("{REFERENCE}AAAA"),
            format!("{REFERENCE}$"),
            format!(" {REFERENCE}"),
            REFERENCE[..70].to_owned(),
            String::new(),
        ];
        for bad in bad {
            assert_eq!(salt_of(&bad), None, "{bad}");
        }
    }

    // [limits #13]: chosen secret | 1024 bytes | refused; if presented, one hash
    #[test]
    fn a_secret_is_short_text_without_control_characters() {
        for good in ["a", "your client secret", "\u{e9}", &"a".repeat(1024)] {
            assert!(is_fit_secret(good), "{good}");
        }
        for bad in ["", "a\0", "a\n", "\u{7f}", "\u{85}", &"a".repeat(1025), &"\u{e9}".repeat(513)] {
            assert!(!is_fit_secret(bad), "{bad:?}");
        }
    }

    proptest! {
        // Each case computes two hashes.
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn changed_byte_gives_another_hash(
            mut secret in proptest::collection::vec(0x20_u8..0x7f, 1..=512),
            at: proptest::sample::Index,
            to in 0x20_u8..0x7f,
        ) {
            let good = hash(std::str::from_utf8(&secret).unwrap(), &PasswordSalt::dummy());
            let at = at.index(secret.len());
            prop_assume!(secret[at] != to);
            secret[at] = to;
            prop_assert!(!good.matches(&hash(std::str::from_utf8(&secret).unwrap(), &PasswordSalt::dummy())));
        }
    }
}

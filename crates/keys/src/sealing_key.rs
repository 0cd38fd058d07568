//! The key that seals private keys and the pepper in the store: AES-256-GCM (NIST SP 800-38D), 32 bytes as
//! base64 in a file.

use aws_lc_rs::{digest, rand};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use values::Secret;
use zeroize::Zeroizing;

use crate::aead::{Aead, KEY_LEN};
use crate::sealing::hex;
use crate::{GenerationError, SealError};

#[derive(derive_more::Debug)]
#[debug("SealingKey({name}, [redacted])")]
pub struct SealingKey {
    bytes: Zeroizing<[u8; KEY_LEN]>,
    /// The first bytes of a hash of the key. All values that the key has sealed contain it at their start.
    id: [u8; ID_LEN],
    /// The identifier in hexadecimal. Not secret.
    pub(crate) name: String,
    cipher: Aead,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSealingKey {
    #[error("a sealing key is 32 bytes in base64, and this is not base64")]
    NotBase64,
    #[error("a sealing key is 32 bytes in base64, and this is base64 of {0} bytes")]
    WrongLength(usize),
}

const ID_LEN: usize = 8;
const VERSION: u8 = 1;
/// Version and key identifier, which are authenticated together with the context.
const PREFIX_LEN: usize = 1 + ID_LEN;

impl SealingKey {
    /// Generates a random key.
    ///
    /// # Errors
    /// [`GenerationError`] if there are no random bytes.
    pub fn generate() -> Result<Self, GenerationError> {
        let mut bytes = Zeroizing::new([0; KEY_LEN]);
        rand::fill(bytes.as_mut_slice()).map_err(|_| GenerationError)?;
        Ok(Self::from_bytes(bytes))
    }

    /// Parses the text of a key file. Ignores surrounding whitespace.
    ///
    /// # Errors
    /// [`InvalidSealingKey`], whose message contains nothing of the text.
    pub fn from_base64(text: &Secret) -> Result<Self, InvalidSealingKey> {
        let decoded = BASE64.decode(text.expose().trim()).map_err(|_| InvalidSealingKey::NotBase64)?;
        let decoded = Zeroizing::new(decoded);
        let mut bytes = Zeroizing::new([0; KEY_LEN]);
        if decoded.len() != KEY_LEN {
            return Err(InvalidSealingKey::WrongLength(decoded.len()));
        }
        bytes.copy_from_slice(&decoded);
        Ok(Self::from_bytes(bytes))
    }

    #[must_use]
    pub fn to_base64(&self) -> Secret {
        Secret::new(BASE64.encode(self.bytes.as_slice()))
    }

    /// Encrypts and authenticates. With random 96-bit nonces, one key may seal 2^32 values, more than any
    /// installation has.
    pub(crate) fn seal_for(&self, context: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, SealError> {
        self.cipher.seal(&[&[VERSION], self.id.as_slice()].concat(), context, plaintext)
    }

    /// Decrypts a value that this key has sealed for the same context. The error distinguishes a wrong key
    /// from damaged bytes.
    pub(crate) fn unseal_for(&self, context: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let sealed_with = Self::sealed_with(sealed)?;
        if sealed_with != self.name {
            return Err(SealError::WrongKey { sealed_with, present: self.name.clone() });
        }
        let (head, rest) = sealed.split_at_checked(PREFIX_LEN).ok_or(SealError::Corrupt)?;
        self.cipher.open(head, context, rest)
    }

    /// The name of the key that sealed the bytes, unverified.
    pub(crate) fn sealed_with(sealed: &[u8]) -> Result<String, SealError> {
        if sealed.first().is_some_and(|version| *version != VERSION) {
            return Err(SealError::UnknownFormat);
        }
        sealed.get(1..PREFIX_LEN).map(hex).ok_or(SealError::Corrupt)
    }

    fn from_bytes(bytes: Zeroizing<[u8; KEY_LEN]>) -> Self {
        let mut hashed = digest::Context::new(&digest::SHA256);
        hashed.update(b"latchkey sealing key id");
        hashed.update(bytes.as_slice());
        let mut id = [0; ID_LEN];
        id.copy_from_slice(&hashed.finish().as_ref()[..ID_LEN]);
        Self { id, name: hex(&id), cipher: Aead::new(&bytes), bytes }
    }
}

#[cfg(test)]
mod tests {
    use protocol::SigningAlgorithm;
    use tenancy::TenantId;

    use super::*;
    use crate::KeyId;
    use crate::SealingContext;

    const PEPPER: SealingContext<'_> = SealingContext::Named("pepper");

    fn read(text: &str) -> Result<SealingKey, InvalidSealingKey> {
        SealingKey::from_base64(&Secret::new(text.to_owned()))
    }

    #[test]
    fn key_survives_base64_round_trip() {
        let key = SealingKey::generate().unwrap();
        let text = key.to_base64().expose().to_owned();
        assert_eq!(text.len(), 44);
        let again = read(&format!("  {text}\r\n")).unwrap();
        assert_eq!(again.name, key.name);
        let sealed = key.seal_for(&PEPPER.to_bytes(), b"x").unwrap();
        assert_eq!(again.unseal_for(&PEPPER.to_bytes(), &sealed).unwrap().as_slice(), b"x");
        assert_ne!(SealingKey::generate().unwrap().name, key.name);
        assert!(!format!("{key:?}").contains(&text[..8]));
    }

    #[test]
    fn invalid_key_text_is_refused_with_reason() {
        assert_eq!(read("").unwrap_err(), InvalidSealingKey::WrongLength(0));
        assert_eq!(read("c2hvcnQ=").unwrap_err(), InvalidSealingKey::WrongLength(5));
        assert_eq!(read("not base64!").unwrap_err(), InvalidSealingKey::NotBase64);
        assert_eq!(read(&BASE64.encode([7; 33])).unwrap_err(), InvalidSealingKey::WrongLength(33));
    }

    // [parties #12]: those who can read the database or a backup | read rows: names, scopes, times, hashes |
    //   read a private key or a secret without the sealing key
    #[test]
    fn sealed_value_unseals_only_in_its_context() {
        let key = SealingKey::generate().unwrap();
        let [acme, other] = ["acme", "other"].map(|id| TenantId::parse(id).unwrap());
        let context = |tenant, number, algorithm: SigningAlgorithm| SealingContext::SigningKey {
            tenant,
            id: KeyId::numbered(number),
            algorithm: algorithm.into(),
        };
        let own = context(&acme, 1, SigningAlgorithm::RS256);
        let sealed = key.seal_for(&own.to_bytes(), b"private").unwrap();
        assert_eq!(key.unseal_for(&own.to_bytes(), &sealed).unwrap().as_slice(), b"private");
        assert!(!sealed.windows(7).any(|window| window == b"private"));
        for foreign in [
            context(&other, 1, SigningAlgorithm::RS256),
            context(&acme, 2, SigningAlgorithm::RS256),
            context(&acme, 1, SigningAlgorithm::PS256),
            PEPPER,
        ] {
            let found = key.unseal_for(&foreign.to_bytes(), &sealed);
            assert!(matches!(found, Err(SealError::Corrupt)), "{foreign:?}");
        }
    }

    // [V11 11.3.1]: 1 | No ECB, no weak padding | AES-256-GCM is the only encryption
    // [V11 11.3.4]: 3 | Nonces are not used twice with a key | 96 random bits under a data key that seals one
    //   value; in Redis a key for each message
    #[test]
    fn sealing_the_same_plaintext_twice_differs() {
        let key = SealingKey::generate().unwrap();
        let [one, two] = [(), ()].map(|()| key.seal_for(&PEPPER.to_bytes(), b"x").unwrap());
        assert_ne!(one, two);
    }

    #[test]
    fn a_wrong_key_is_distinguished_from_damage() {
        let [key, other] = [SealingKey::generate().unwrap(), SealingKey::generate().unwrap()];
        let sealed = key.seal_for(&PEPPER.to_bytes(), b"pepper").unwrap();
        let found = other.unseal_for(&PEPPER.to_bytes(), &sealed);
        let Err(SealError::WrongKey { sealed_with, present }) = found else { panic!("{found:?}") };
        assert_eq!((sealed_with, present), (key.name.clone(), other.name.clone()));
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            let error = key.unseal_for(&PEPPER.to_bytes(), &altered).unwrap_err();
            let expected = match at {
                0 => matches!(error, SealError::UnknownFormat),
                1..PREFIX_LEN => matches!(error, SealError::WrongKey { .. }),
                _ => matches!(error, SealError::Corrupt),
            };
            assert!(expected, "byte {at}: {error}");
            assert!(key.unseal_for(&PEPPER.to_bytes(), &sealed[..at]).is_err(), "cut at {at}");
        }
    }
}

//! Envelope encryption: each value is sealed with its own data key, which a key-encryption key wraps. Format
//! 2 consists of the version, the name of the key-encryption key and the wrapped data key (each preceded by
//! its length), and then nonce, ciphertext and tag. The bytes before the nonce are authenticated together
//! with the context. In format 1, a local key seals the value directly.

use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::rand;
use zeroize::Zeroizing;

use crate::aead::{Aead, KEY_LEN};
use crate::{KeyEncryptionKey, KeySealer, SealError, SealingContext, SealingKey};

/// Seals with one key-encryption key and unseals with several.
pub struct EnvelopeSealer {
    writing: Arc<dyn KeyEncryptionKey>,
    readable: Vec<Arc<dyn KeyEncryptionKey>>,
}

/// How a value is sealed, according to its first bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedWith {
    pub key: String,
    /// Whether the value has its own data key (format 2), as all new values do.
    pub enveloped: bool,
}

const VERSION: u8 = 2;

impl EnvelopeSealer {
    /// The writing key can also unseal; `readable` does not have to contain it.
    #[must_use]
    pub fn new(writing: Arc<dyn KeyEncryptionKey>, readable: Vec<Arc<dyn KeyEncryptionKey>>) -> Self {
        Self { writing, readable }
    }

    /// The name of the key that seals new values.
    #[must_use]
    pub fn writing(&self) -> &str {
        self.writing.name()
    }

    /// The key that sealed a value, according to its first bytes. Nothing is verified.
    ///
    /// # Errors
    /// [`SealError::UnknownFormat`] or [`SealError::Corrupt`] if the bytes cannot be parsed.
    pub fn sealed_with(sealed: &[u8]) -> Result<SealedWith, SealError> {
        if sealed.first() == Some(&VERSION) {
            let Envelope { name, .. } = Envelope::read(sealed)?;
            return Ok(SealedWith { key: name.to_owned(), enveloped: true });
        }
        Ok(SealedWith { key: SealingKey::sealed_with(sealed)?, enveloped: false })
    }

    /// Whether the value is sealed with the writing key in the current format, so that sealing it again is
    /// not necessary.
    ///
    /// # Errors
    /// The errors of [`EnvelopeSealer::sealed_with`].
    pub fn is_current(&self, sealed: &[u8]) -> Result<bool, SealError> {
        let found = Self::sealed_with(sealed)?;
        Ok(found.enveloped && found.key == self.writing.name())
    }

    fn key(&self, name: &str) -> Result<&dyn KeyEncryptionKey, SealError> {
        let found = self.keys().find(|key| key.name() == name);
        found.ok_or_else(|| {
            let mut readable: Vec<_> = self.keys().map(|key| key.name().to_owned()).collect();
            readable.dedup();
            SealError::MissingKey { name: name.to_owned(), readable }
        })
    }

    fn keys(&self) -> impl Iterator<Item = &dyn KeyEncryptionKey> {
        std::iter::once(&*self.writing).chain(self.readable.iter().map(|key| &**key))
    }
}

#[async_trait]
impl KeySealer for EnvelopeSealer {
    async fn seal(&self, context: &SealingContext<'_>, plaintext: &[u8]) -> Result<Vec<u8>, SealError> {
        let context = context.to_bytes();
        let mut data_key = Zeroizing::new([0; KEY_LEN]);
        rand::fill(data_key.as_mut_slice()).map_err(|_| SealError::Failed)?;
        let wrapped = self.writing.wrap(&data_key, &context).await?;
        let mut head = vec![VERSION];
        append(&mut head, self.writing.name().as_bytes())?;
        append(&mut head, &wrapped)?;
        Aead::new(&data_key).seal(&head, &context, plaintext)
    }

    async fn unseal(
        &self,
        context: &SealingContext<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let context = context.to_bytes();
        if sealed.first() != Some(&VERSION) {
            let name = SealingKey::sealed_with(sealed)?;
            let key = self.key(&name)?.local().ok_or(SealError::Corrupt)?;
            return key.unseal_for(&context, sealed);
        }
        let Envelope { name, wrapped, head, rest } = Envelope::read(sealed)?;
        let data_key = self.key(name)?.unwrap(wrapped, &context).await?;
        Aead::new(&data_key).open(head, &context, rest)
    }
}

struct Envelope<'a> {
    name: &'a str,
    wrapped: &'a [u8],
    /// The version, the name and the wrapped key, each with its length.
    head: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Envelope<'a> {
    fn read(sealed: &'a [u8]) -> Result<Self, SealError> {
        let (_, rest) = sealed.split_at_checked(1).ok_or(SealError::Corrupt)?;
        let (name, rest) = take(rest)?;
        let (wrapped, rest) = take(rest)?;
        let head = &sealed[..sealed.len() - rest.len()];
        let name = std::str::from_utf8(name).map_err(|_| SealError::Corrupt)?;
        Ok(Self { name, wrapped, head, rest })
    }
}

fn append(head: &mut Vec<u8>, field: &[u8]) -> Result<(), SealError> {
    let length = u16::try_from(field.len()).map_err(|_| SealError::Failed)?;
    head.extend_from_slice(&length.to_be_bytes());
    head.extend_from_slice(field);
    Ok(())
}

fn take(bytes: &[u8]) -> Result<(&[u8], &[u8]), SealError> {
    let (length, rest) = bytes.split_first_chunk::<2>().ok_or(SealError::Corrupt)?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or(SealError::Corrupt)
}

#[cfg(test)]
mod tests {
    use protocol::SigningAlgorithm;
    use tenancy::TenantId;

    use super::*;
    use crate::KeyId;

    const PEPPER: SealingContext<'_> = SealingContext::Named("pepper");

    fn kek() -> Arc<dyn KeyEncryptionKey> {
        Arc::new(SealingKey::generate().unwrap())
    }

    /// A different key with the same name, as after a mistake in a key service.
    struct Renamed(Arc<dyn KeyEncryptionKey>, String);

    #[async_trait]
    impl KeyEncryptionKey for Renamed {
        fn name(&self) -> &str {
            &self.1
        }

        async fn wrap(&self, data_key: &[u8; 32], context: &[u8]) -> Result<Vec<u8>, SealError> {
            self.0.wrap(data_key, context).await
        }

        async fn unwrap(&self, wrapped: &[u8], context: &[u8]) -> Result<Zeroizing<[u8; 32]>, SealError> {
            self.0.unwrap(wrapped, context).await
        }
    }

    #[tokio::test]
    async fn values_can_be_resealed_with_a_new_key() {
        let [old, new] = [kek(), kek()];
        let before = EnvelopeSealer::new(old.clone(), Vec::new());
        let during = EnvelopeSealer::new(new.clone(), vec![old.clone(), new.clone()]);
        let after = EnvelopeSealer::new(new.clone(), Vec::new());
        let sealed = before.seal(&PEPPER, b"pepper").await.unwrap();
        assert!(before.is_current(&sealed).unwrap() && !during.is_current(&sealed).unwrap());
        let opened = during.unseal(&PEPPER, &sealed).await.unwrap();
        let resealed = during.seal(&PEPPER, &opened).await.unwrap();
        assert_eq!(after.unseal(&PEPPER, &resealed).await.unwrap().as_slice(), b"pepper");
        let found = EnvelopeSealer::sealed_with(&resealed).unwrap();
        assert_eq!(found, SealedWith { key: new.name().to_owned(), enveloped: true });
        let found = after.unseal(&PEPPER, &sealed).await;
        let Err(SealError::MissingKey { name, readable }) = found else { panic!("{found:?}") };
        assert_eq!((name.as_str(), readable), (old.name(), vec![new.name().to_owned()]));
        let renamed = Renamed(new, old.name().to_owned());
        let wrong = EnvelopeSealer::new(Arc::new(renamed), Vec::new());
        assert!(matches!(wrong.unseal(&PEPPER, &sealed).await, Err(SealError::Corrupt)));
    }

    #[tokio::test]
    async fn older_format_unseals_with_its_key() {
        let key = SealingKey::generate().unwrap();
        let (name, sealed) = (key.name.clone(), key.seal_for(&PEPPER.to_bytes(), b"pepper").unwrap());
        let local: Arc<dyn KeyEncryptionKey> = Arc::new(key);
        let sealer = EnvelopeSealer::new(kek(), vec![local.clone()]);
        assert_eq!(sealer.unseal(&PEPPER, &sealed).await.unwrap().as_slice(), b"pepper");
        let found = EnvelopeSealer::sealed_with(&sealed).unwrap();
        assert_eq!(found, SealedWith { key: name.clone(), enveloped: false });
        assert!(!EnvelopeSealer::new(local, Vec::new()).is_current(&sealed).unwrap());
        let error = EnvelopeSealer::new(kek(), Vec::new()).unseal(&PEPPER, &sealed).await.unwrap_err();
        assert!(matches!(&error, SealError::MissingKey { name: missing, .. } if *missing == name), "{error}");
        let error = sealer.unseal(&SealingContext::Named("salt"), &sealed).await.unwrap_err();
        assert!(matches!(error, SealError::Corrupt));
    }

    // [V11 11.3.2]: 1 | Approved ciphers only | AES-256-GCM
    #[tokio::test]
    async fn value_unseals_only_in_its_own_context() {
        let sealer = EnvelopeSealer::new(kek(), Vec::new());
        let tenants = ["acme", "other"].map(|id| TenantId::parse(id).unwrap());
        let mut contexts = vec![PEPPER, SealingContext::Named("salt")];
        for tenant in &tenants {
            for number in [1, 2] {
                for algorithm in [SigningAlgorithm::RS256, SigningAlgorithm::PS256] {
                    let id = KeyId::numbered(number);
                    contexts.push(SealingContext::SigningKey { tenant, id, algorithm: algorithm.into() });
                }
            }
        }
        let mut values = Vec::new();
        for context in &contexts {
            values.push(sealer.seal(context, b"the same private bytes").await.unwrap());
        }
        for (from, value) in values.iter().enumerate() {
            assert!(!value.windows(7).any(|window| window == b"private"));
            for (to, context) in contexts.iter().enumerate() {
                let opened = sealer.unseal(context, value).await;
                assert!(opened.is_ok() == (from == to), "{from} in the place of {to}");
                assert!(opened.is_ok() || matches!(opened, Err(SealError::Corrupt)));
            }
        }
        // The data key of another value does not unseal it either.
        for (one, other) in values.iter().zip(values.iter().skip(1)) {
            let [one, other] = [one, other].map(|value| Envelope::read(value).unwrap());
            let swapped = [other.head, one.rest].concat();
            for context in &contexts {
                assert!(matches!(sealer.unseal(context, &swapped).await, Err(SealError::Corrupt)));
            }
        }
    }

    // [V11 11.2.5]: 3 | Errors of cryptography fail safely | A value with one changed bit does not open; a
    //   caller does not see the cause
    // [V11 11.3.3]: 2 | Changes of encrypted data are detected | Authenticated, with tenant, key and
    //   algorithm as associated data
    #[tokio::test]
    async fn flipped_bits_and_truncation_are_detected() {
        let sealer = EnvelopeSealer::new(kek(), Vec::new());
        let sealed = sealer.seal(&PEPPER, b"pepper").await.unwrap();
        for at in 0..sealed.len() {
            for bit in 0..8 {
                let mut altered = sealed.clone();
                altered[at] ^= 1 << bit;
                let error = sealer.unseal(&PEPPER, &altered).await.unwrap_err();
                let expected = match (at, &error) {
                    (0, SealError::UnknownFormat) | (0..=18, SealError::MissingKey { .. }) => true,
                    (at, error) => at > 0 && matches!(error, SealError::Corrupt),
                };
                assert!(expected, "byte {at}: {error}");
            }
            assert!(sealer.unseal(&PEPPER, &sealed[..at]).await.is_err(), "cut at {at}");
        }
        assert_ne!(sealed, sealer.seal(&PEPPER, b"pepper").await.unwrap());
    }
}

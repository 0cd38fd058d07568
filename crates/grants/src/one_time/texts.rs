//! The text of a code or reference: a partition and 256 random bits. The store has only a digest of
//! the text.

use std::marker::PhantomData;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use registry::ClientId;
use secrets::{KeyedDigest, Pepper, random_bytes};
use tenancy::TenantId;
use values::{Secret, Timestamp};

use super::{OneTime, OneTimeContent, OneTimeKey};
use crate::GrantId;

const SECRET_BYTES: usize = 32;

pub(crate) struct OneTimeTexts<T>(KeyedDigest, PhantomData<T>);

impl<T: OneTimeContent> OneTimeTexts<T> {
    pub(crate) fn new(pepper: &Pepper) -> Self {
        Self(KeyedDigest::for_purpose(pepper.expose(), T::PURPOSE), PhantomData)
    }

    pub(crate) fn generate(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        content: T,
        now: Timestamp,
    ) -> (Secret, OneTime<T>) {
        let slot = OneTimeKey::RING.slot(now + T::KEPT);
        let secret = BASE64URL.encode(random_bytes::<SECRET_BYTES>().as_slice());
        let text = Secret::new(format!("{slot}{secret}"));
        let key = OneTimeKey { slot, digest: self.digest(tenant, text.expose()) };
        (text, OneTime::new(tenant, client, key, content, now))
    }

    /// `None` if the text does not have the form of a generated text, so that guesses cost no
    /// lookup.
    pub(crate) fn key(&self, tenant: &TenantId, text: &str) -> Option<OneTimeKey> {
        let (slot, secret) = text.split_at_checked(1)?;
        let slot = slot.parse().ok().filter(|slot| OneTimeKey::RING.has(*slot))?;
        let is_secret = BASE64URL.decode(secret).is_ok_and(|bytes| bytes.len() == SECRET_BYTES);
        is_secret.then(|| OneTimeKey { slot, digest: self.digest(tenant, text) })
    }

    /// The identifier of the grant. Only someone who has the text, or a token of the grant, can
    /// know it.
    pub(crate) fn grant(&self, tenant: &TenantId, text: &Secret) -> GrantId {
        GrantId::of_code(&self.0, tenant, text)
    }

    fn digest(&self, tenant: &TenantId, text: &str) -> [u8; 32] {
        self.0.of([tenant.as_str(), text].map(str::as_bytes))
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;
    use crate::{DeviceCode, PushedRequest};

    // [devices §5.2]: Device codes have 256 random bits
    #[test]
    fn one_time_text_keys_differ_by_tenant_and_kind() {
        let pepper = Pepper::from_bytes(Zeroizing::new([1; 32]));
        let (texts, of_devices) = (OneTimeTexts::new(&pepper), OneTimeTexts::<DeviceCode>::new(&pepper));
        let [acme, globex] = ["acme", "globex"].map(|id| TenantId::parse(id).unwrap());
        let content = PushedRequest { parameters: String::new(), pushed_from: None, opened_at: None };
        let web = "web".parse().unwrap();
        let (text, record) =
            texts.generate(&acme, &web, content, Timestamp::from_seconds(86_400 * 6 - 3_600));
        let text = text.expose();
        assert_eq!((text.len(), record.key.slot), (44, 6));
        assert_eq!(texts.key(&acme, text), Some(record.key));
        assert_ne!(texts.key(&globex, text), Some(record.key));
        assert_ne!(of_devices.key(&acme, text), Some(record.key), "a text of another kind");
        for bad in ["", "6", &text[1..], &format!("8{}", &text[1..]), &format!("{text}A"), "é23"] {
            assert_eq!(texts.key(&acme, bad), None, "{bad}");
        }
    }
}

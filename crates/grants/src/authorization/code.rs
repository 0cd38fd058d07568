//! Authorization codes (RFC 6749 §4.1.2), and the text of each code that a client redeems: a partition and
//! 256 random bits. The store has a digest of the text.

use accounts::AccountId;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use protocol::{Lifetime, Secret, Timestamp};
use registry::ClientId;
use secrets::{KeyedDigest, random_bytes};
use sessions::{Ring, SessionId};
use tenancy::TenantId;

use super::Granted;
use crate::{NewFamily, RefreshFamily};

/// How long an authorization code is valid: "A maximum authorization code lifetime of 10 minutes is
/// RECOMMENDED" (RFC 6749 §4.1.2).
pub(super) const LIFETIME: Lifetime = Lifetime::from_seconds(60);
/// How long the row of a code is kept after the code's validity, so that a second use is noticed.
const NOTICED: Lifetime = Lifetime::from_seconds(86_400);
const SECRET_BYTES: usize = 32;

/// The key of the row of a code or of a pushed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeKey {
    /// The partition.
    pub slot: u32,
    /// The digest.
    pub digest: [u8; 32],
}

/// A code with what was granted for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationCode {
    /// Its tenant.
    pub tenant: TenantId,
    /// The partition, which follows from `expires_at`.
    pub slot: u32,
    /// The digest.
    pub digest: [u8; 32],
    /// The client that may redeem it.
    pub client: ClientId,
    /// The person.
    pub account: AccountId,
    /// The partition of the person's session.
    pub session_slot: u32,
    /// The person's session.
    pub session: SessionId,
    /// The redirect URI of the request.
    pub redirect_uri: String,
    /// The challenge of the request, if it sent one.
    pub code_challenge: Option<[u8; 32]>,
    /// What the person granted.
    pub granted: Granted,
    /// When it was issued.
    pub created_at: Timestamp,
    /// The code can be redeemed until this instant.
    pub valid_until: Timestamp,
    /// The row is kept until this instant.
    pub expires_at: Timestamp,
}

impl AuthorizationCode {
    /// How long its row is kept.
    pub const KEPT: Lifetime = kept(LIFETIME);
    /// The span in which codes are counted. It begins with a code; the next span begins with the first code
    /// after it.
    pub const SPAN: Lifetime = Lifetime::from_seconds(60);
    /// The largest number of codes that a session may give one client in a span.
    pub const MOST_OF_CLIENT: u32 = 20;
    /// The most codes of a session in the spans of all its clients.
    pub const MOST_OF_SESSION: u32 = 60;

    /// The family of refresh tokens that begins with it.
    #[must_use]
    pub fn family(&self, new: &NewFamily) -> RefreshFamily {
        let session = Some((self.session_slot, &self.session));
        new.of((&self.tenant, &self.client), &self.account, session, (&self.granted, self.created_at))
    }
}

/// How long the row of a code with this lifetime is kept.
pub(crate) const fn kept(lifetime: Lifetime) -> Lifetime {
    Lifetime::from_seconds(lifetime.seconds() + NOTICED.seconds())
}

/// A new code: its text, its key and its times.
pub(crate) struct NewCode {
    pub(crate) text: Secret,
    pub(crate) key: CodeKey,
    pub(crate) valid_until: Timestamp,
    pub(crate) expires_at: Timestamp,
}

impl NewCode {
    pub(crate) fn generate(
        digests: &KeyedDigest,
        tenant: &TenantId,
        lifetime: Lifetime,
        now: Timestamp,
    ) -> Self {
        let (valid_until, expires_at) = (now + lifetime, now + kept(lifetime));
        let (text, key) = CodeKey::generate(digests, tenant, expires_at);
        Self { text, key, valid_until, expires_at }
    }
}

impl CodeKey {
    /// The ring of partitions that has the row.
    pub const RING: Ring = Ring::DAYS;

    /// A new text, and the key of its row, which is kept until this instant.
    pub(crate) fn generate(
        digests: &KeyedDigest,
        tenant: &TenantId,
        expires_at: Timestamp,
    ) -> (Secret, Self) {
        let slot = Self::RING.slot(expires_at);
        let text =
            Secret::new(format!("{slot}{}", BASE64URL.encode(random_bytes::<SECRET_BYTES>().as_slice())));
        let digest = digest(digests, tenant, text.expose());
        (text, Self { slot, digest })
    }

    /// The key of a text that was sent. `None` for a text that was never generated, so that it costs no
    /// lookup.
    pub(crate) fn new(digests: &KeyedDigest, tenant: &TenantId, text: &str) -> Option<Self> {
        let (slot, secret) = text.split_at_checked(1)?;
        let slot = slot.parse().ok().filter(|slot| Self::RING.has(*slot))?;
        let is_secret = BASE64URL.decode(secret).is_ok_and(|bytes| bytes.len() == SECRET_BYTES);
        is_secret.then(|| Self { slot, digest: digest(digests, tenant, text) })
    }
}

fn digest(digests: &KeyedDigest, tenant: &TenantId, text: &str) -> [u8; 32] {
    digests.of([tenant.as_str(), text].map(str::as_bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    // [devices §5.2]: Device codes have 256 random bits
    #[test]
    fn a_code_has_one_key_in_its_tenant_and_another_text_has_none() {
        let digests = KeyedDigest::new(&[1; 32]);
        let [acme, globex] = ["acme", "globex"].map(|id| TenantId::parse(id).unwrap());
        let new = NewCode::generate(&digests, &acme, LIFETIME, Timestamp::from_seconds(86_400 * 5));
        let text = new.text.expose();
        assert_eq!((text.len(), new.key.slot), (44, 6));
        assert_eq!(CodeKey::new(&digests, &acme, text), Some(new.key));
        assert_ne!(CodeKey::new(&digests, &globex, text), Some(new.key));
        for bad in ["", "6", &text[1..], &format!("8{}", &text[1..]), &format!("{text}A"), "é23"] {
            assert_eq!(CodeKey::new(&digests, &acme, bad), None, "{bad}");
        }
    }
}

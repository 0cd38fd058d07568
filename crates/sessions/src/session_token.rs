//! The value of a session's cookie: the partition of its row, its id and a secret. The store has only a
//! digest of the secret.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use secrets::{KeyedDigest, random_bytes};
use subtle::ConstantTimeEq as _;
use tenancy::TenantId;
use values::{Secret, Timestamp};

use crate::{Session, SessionId};

/// The version of the cookie's format.
const VERSION: &str = "v1";
const SECRET_BYTES: usize = 32;

#[derive(Debug)]
pub struct SessionToken {
    pub(crate) slot: u32,
    pub(crate) id: SessionId,
    secret: Secret,
}

impl SessionToken {
    /// A token with a new random secret.
    #[must_use]
    pub fn generate(slot: u32, id: SessionId) -> Self {
        let secret = Secret::new(BASE64URL.encode(random_bytes::<SECRET_BYTES>().as_slice()));
        Self { slot, id, secret }
    }

    /// `None` if the text is not a cookie of this format.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let (version, slot, id, secret) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let slot = slot.parse().ok()?;
        let id = id.parse().ok()?;
        let is_secret = BASE64URL.decode(secret).is_ok_and(|bytes| bytes.len() == SECRET_BYTES);
        let is_token = version == VERSION && parts.next().is_none() && is_secret;
        is_token.then(|| Self { slot, id, secret: Secret::new(secret.to_owned()) })
    }

    /// Orders the sessions of a browser: a session that ends in an earlier week has a lower rank. The
    /// partitions form a ring, so half of them count as past.
    #[must_use]
    pub fn place_of(cookie: &str, now: Timestamp) -> Option<u32> {
        let (slot, slots) = (Self::parse(cookie)?.slot, Session::RING.slots());
        let first = Session::RING.slot(now) + slots / 2;
        Some((slot % slots + 2 * slots - first) % slots)
    }

    #[must_use]
    pub fn to_cookie(&self) -> Secret {
        let Self { slot, id, secret } = self;
        Secret::new(format!("{VERSION}.{slot}.{id}.{}", secret.expose()))
    }

    #[must_use]
    pub const fn id(&self) -> &SessionId {
        &self.id
    }

    /// Whether `digest` is the digest of this token's secret.
    #[must_use]
    pub fn has(&self, digest: &[u8; 32], key: &KeyedDigest, tenant: &TenantId) -> bool {
        self.digest(key, tenant).ct_eq(digest).into()
    }

    /// The digest to store.
    #[must_use]
    pub fn digest(&self, key: &KeyedDigest, tenant: &TenantId) -> [u8; 32] {
        key.of([tenant.as_str(), self.id.as_str(), self.secret.expose()].map(str::as_bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A session ends at most 45 days from now, so at most seven partitions ahead.
    #[test]
    fn slots_sort_by_expiry_across_the_wraparound() {
        let week = 7 * 86_400;
        for (now, in_order) in [
            (14, &[14, 15, 0, 1][..]),
            (15, &[14, 15, 0, 1]),
            (0, &[14, 15, 0, 1]),
            (1, &[14, 15, 0, 1]),
            (0, &[8, 15, 0, 7]),
            (3, &[11, 15, 0, 3, 10]),
        ] {
            let now = Timestamp::from_seconds((u64::from(Session::RING.slots()) * 180 + now) * week + 5);
            let mut slots = in_order.to_vec();
            slots.sort_unstable();
            slots.sort_by_key(|slot| {
                let token = SessionToken::generate(*slot, SessionId::generate());
                SessionToken::place_of(token.to_cookie().expose(), now).unwrap()
            });
            assert_eq!(slots, in_order, "{now:?}");
        }
        assert_eq!(SessionToken::place_of("v1.7", Timestamp::from_seconds(0)), None);
        let forged = SessionToken::generate(u32::MAX, SessionId::generate());
        assert!(SessionToken::place_of(forged.to_cookie().expose(), Timestamp::from_seconds(0)).is_some());
    }

    // [V7 7.2.3]: 1 | A token of a session is unique, from a secure generator, and has 128 bits or more | 256
    //   bits of aws-lc-rs
    #[test]
    fn token_round_trips_through_its_cookie() {
        let token = SessionToken::generate(7, SessionId::generate());
        let cookie = token.to_cookie().expose().to_owned();
        let again = SessionToken::parse(&cookie).unwrap();
        assert_eq!((again.slot, &again.id, again.secret.expose()), (7, &token.id, token.secret.expose()));
        assert!(cookie.len() <= 80 && !format!("{token:?}").contains(token.secret.expose()), "{cookie}");
        for bad in [
            "",
            "v1.7",
            &cookie.replace("v1", "v2"),
            &format!("{cookie}.x"),
            &cookie[..cookie.len() - 1],
            &format!("{cookie}A"),
            &cookie.replacen("7", "-7", 1),
        ] {
            assert!(SessionToken::parse(bad).is_none(), "{bad}");
        }
    }
}

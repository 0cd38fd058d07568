//! The value of a session's cookie: the partition of its row, its identifier and a secret. The store has a digest of the secret.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use protocol::Secret;
use secrets::{KeyedDigest, random_bytes};
use tenancy::TenantId;

use crate::SessionId;

/// The version of the form.
const VERSION: &str = "v1";
const SECRET_BYTES: usize = 32;

/// A session's cookie.
#[derive(Debug)]
pub struct SessionToken {
    pub(crate) slot: u32,
    pub(crate) id: SessionId,
    secret: Secret,
}

impl SessionToken {
    /// A token with a new secret.
    pub(crate) fn generate(slot: u32, id: SessionId) -> Self {
        let secret = Secret::new(BASE64URL.encode(random_bytes::<SECRET_BYTES>().as_slice()));
        Self { slot, id, secret }
    }

    /// Reads the value of a cookie; `None` for any other text.
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

    /// The partition of a cookie's session, by which older sessions are told from newer ones.
    #[must_use]
    pub fn slot_of(cookie: &str) -> Option<u64> {
        Self::parse(cookie).map(|token| token.slot.into())
    }

    /// The value of the cookie.
    #[must_use]
    pub fn to_cookie(&self) -> Secret {
        let Self { slot, id, secret } = self;
        Secret::new(format!("{VERSION}.{slot}.{id}.{}", secret.expose()))
    }

    /// What the store has of the secret.
    pub(crate) fn digest(&self, key: &KeyedDigest, tenant: &TenantId) -> [u8; 32] {
        key.of([tenant.as_str(), self.id.as_str(), self.secret.expose()].map(str::as_bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_comes_back_from_its_cookie_and_nothing_else_is_one() {
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

//! Nonces for DPoP proofs (RFC 9449 §8). A nonce is a keyed digest of the tenant and the minute, so all
//! replicas accept it, and nothing is stored.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use secrets::{KeyedDigest, Pepper};
use subtle::ConstantTimeEq as _;
use tenancy::TenantId;
use values::Timestamp;

/// Seconds. A nonce is issued for one minute. It is also accepted in the minute before and after, because the
/// clocks of replicas differ.
const MINUTE: u64 = 60;
/// The number of bytes of the digest in a nonce, which must be "unpredictable" (RFC 9449 §8).
const BYTES: usize = 16;

/// Creates and checks the nonces of all tenants.
pub(crate) struct DpopNonces(KeyedDigest);

impl DpopNonces {
    pub(crate) fn new(pepper: &Pepper) -> Self {
        Self(KeyedDigest::for_purpose(pepper.expose(), "latchkey dpop nonce 1"))
    }

    pub(crate) fn current(&self, tenant: &TenantId, now: Timestamp) -> String {
        self.of(tenant, now.seconds() / MINUTE)
    }

    /// When the nonce expires. `None` if the nonce is not valid for this tenant now.
    pub(crate) fn accepted_until(&self, tenant: &TenantId, nonce: &str, now: Timestamp) -> Option<Timestamp> {
        let minute = now.seconds() / MINUTE;
        let mut near = minute.saturating_sub(1)..=minute + 1;
        let issued =
            near.find(|minute| self.of(tenant, *minute).as_bytes().ct_eq(nonce.as_bytes()).into())?;
        Some(Timestamp::from_seconds((issued + 2) * MINUTE))
    }

    fn of(&self, tenant: &TenantId, minute: u64) -> String {
        let digest = self.0.of([tenant.as_str().as_bytes(), &minute.to_be_bytes()]);
        BASE64URL.encode(&digest[..BYTES])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // [dpop RFC 9449 §8]: Nonces are unpredictable
    // [dpop RFC 9449 §4.3, §11.1]
    #[test]
    fn nonce_is_valid_for_one_tenant_and_neighbouring_minutes() {
        let pepper = Pepper::generate();
        let (nonces, replica) = (DpopNonces::new(&pepper), DpopNonces::new(&pepper));
        let [acme, globex] = ["acme", "globex"].map(|id| TenantId::parse(id).unwrap());
        let at = Timestamp::from_seconds;
        let nonce = nonces.current(&acme, at(6_000));
        assert_eq!(nonce, replica.current(&acme, at(6_059)), "all replicas agree");
        assert_ne!(nonce, nonces.current(&acme, at(6_060)));
        for (now, accepted) in [(5_939, false), (5_940, true), (6_000, true), (6_119, true), (6_120, false)] {
            let until = replica.accepted_until(&acme, &nonce, at(now));
            assert_eq!(until, accepted.then_some(at(6_120)), "{now}");
        }
        assert_eq!(nonces.accepted_until(&globex, &nonce, at(6_000)), None);
        assert_eq!(DpopNonces::new(&Pepper::generate()).accepted_until(&acme, &nonce, at(6_000)), None);
        for other in ["", "a", &nonce[1..], &format!("{nonce}A"), &nonce.to_lowercase()] {
            assert_eq!(nonces.accepted_until(&acme, other, at(6_000)), None, "{other}");
        }
    }
}

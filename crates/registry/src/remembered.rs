//! Chosen secrets that were right once, so that only their first check computes argon2id. Never a secret: only a keyed digest.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use protocol::Secret;
use tenancy::TenantId;

use crate::keyed_digest::KeyedDigest;
use crate::random::random_bytes;
use crate::verification::Candidates;
use crate::{Busy, Lane, SecretId};

/// How many are kept; beyond it the least used are computed again.
const CAPACITY: u64 = 100_000;
/// How long one is kept that nobody presents.
const IDLE: Duration = Duration::from_secs(3600);

/// The memory of one process, under a key that dies with it.
pub struct RememberedSecrets {
    key: KeyedDigest,
    secrets: Cache<(RememberedKey, Lane), SecretId>,
}

/// A presented secret together with everything that it was checked against.
///
/// Tenant, client and the client's live secrets, each with its stored hash, are all in it. So a secret that expires, is revoked
/// or replaced is forgotten by that very change, and what one client may present helps no other.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct RememberedKey([u8; 32]);

/// Why a check found no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CheckFailed {
    /// None matches.
    Mismatch,
    /// It could not be made.
    Busy,
}

impl RememberedSecrets {
    /// Under a new key.
    #[must_use]
    pub fn generate() -> Self {
        Self::with_key(&random_bytes())
    }

    /// Under this key, which must be random and kept nowhere else.
    #[must_use]
    pub fn with_key(key: &[u8; 32]) -> Self {
        let secrets = Cache::builder().max_capacity(CAPACITY).time_to_idle(IDLE).build();
        Self { key: KeyedDigest::for_purpose(key, "latchkey remembered secret 1"), secrets }
    }

    pub(crate) fn key(
        &self,
        tenant: &TenantId,
        client: &str,
        presented: &Secret,
        candidates: Candidates<'_>,
    ) -> RememberedKey {
        let fixed = [tenant.as_str().as_bytes(), client.as_bytes(), presented.expose().as_bytes()];
        let stored = candidates.chosen().flat_map(|(id, phc)| [id.as_str().as_bytes(), phc.as_bytes()]);
        RememberedKey(self.key.of(fixed.into_iter().chain(stored)))
    }

    /// Which secret it was, if that is known.
    pub(crate) async fn find(&self, key: RememberedKey) -> Option<SecretId> {
        self.secrets.get(&(key, Lane::Normal)).await
    }

    /// Makes the first check, once however many ask for it at the same time, and remembers it if it was right.
    ///
    /// The lanes are apart, so that who is in the normal one does not wait for, or fail with, a check in the low one. Unknown
    /// clients pass here too: were only theirs not made once for all, the difference would tell them from known ones.
    pub(crate) async fn first_check(
        &self,
        key: RememberedKey,
        lane: Lane,
        check: impl Future<Output = Result<SecretId, CheckFailed>>,
    ) -> Result<SecretId, CheckFailed> {
        let outcome = self.secrets.try_get_with((key, lane), check).await;
        let secret = outcome.map_err(|failed: Arc<CheckFailed>| *failed)?;
        if lane == Lane::Low {
            self.secrets.insert((key, Lane::Normal), secret.clone()).await;
        }
        Ok(secret)
    }
}

impl From<Busy> for CheckFailed {
    fn from(Busy: Busy) -> Self {
        Self::Busy
    }
}

#[cfg(test)]
mod tests {
    use protocol::Timestamp;

    use super::*;

    fn remembered() -> RememberedSecrets {
        RememberedSecrets::with_key(&[1; 32])
    }

    fn key(remembered: &RememberedSecrets, tenant: &str, client: &str, presented: &str) -> RememberedKey {
        let nobody = Candidates::of(None, Timestamp::from_seconds(1));
        remembered.key(&TenantId::parse(tenant).unwrap(), client, &Secret::new(presented.to_owned()), nobody)
    }

    #[tokio::test]
    async fn only_a_right_secret_is_remembered() {
        let remembered = remembered();
        let key = key(&remembered, "acme", "billing", "secret");
        for failed in [CheckFailed::Mismatch, CheckFailed::Busy] {
            assert_eq!(remembered.first_check(key, Lane::Normal, async { Err(failed) }).await, Err(failed));
            assert_eq!(remembered.find(key).await, None);
        }
        let right = SecretId::new("1");
        assert_eq!(
            remembered.first_check(key, Lane::Normal, async { Ok(right.clone()) }).await,
            Ok(right.clone())
        );
        assert_eq!(remembered.find(key).await, Some(right));
    }

    #[tokio::test]
    async fn what_was_right_in_the_low_lane_is_right_in_both() {
        let remembered = remembered();
        let key = key(&remembered, "acme", "billing", "secret");
        let right = SecretId::new("1");
        remembered.first_check(key, Lane::Low, async { Ok(right.clone()) }).await.unwrap();
        assert_eq!(remembered.find(key).await, Some(right));
    }

    #[test]
    fn another_tenant_client_text_or_process_has_another_key() {
        let remembered = remembered();
        let own = key(&remembered, "acme", "billing", "secret");
        assert!(own == key(&remembered, "acme", "billing", "secret"));
        for (tenant, client, presented) in
            [("other", "billing", "secret"), ("acme", "billin", "gsecret"), ("acme", "billing", "secres")]
        {
            assert!(own != key(&remembered, tenant, client, presented), "{tenant} {client}");
        }
        assert!(own != key(&RememberedSecrets::generate(), "acme", "billing", "secret"));
    }
}

//! Uses up identifiers, within the limits of each tenant and client. Of several concurrent uses at all
//! replicas, only one succeeds.

use std::sync::Arc;

use tenancy::{StoreError, Stored, TenantId};
use values::{Lifetime, Timestamp};

use crate::assertion::client_assertion::LEEWAY;
use crate::assertion::live_identifiers::{LiveIdentifiers, SHARE};
use crate::{ClientId, ReplayStore, SingleUseIdentifier};

/// The maximum difference between the clocks of replicas. Another replica may accept an identifier for this
/// much longer.
pub(crate) const CLOCKS: Lifetime = Lifetime::from_seconds(60);

pub(crate) struct SingleUse {
    guard: Arc<dyn ReplayStore>,
    live: LiveIdentifiers,
}

#[derive(Debug, thiserror::Error)]
pub enum SingleUseError {
    /// The identifier was used before.
    #[error("the identifier was already used")]
    Replayed,
    /// The tenant has too many unexpired identifiers, or the client has too many while more than half of the
    /// tenant's share is used.
    #[error("the tenant or the client has too many identifiers that have not expired")]
    ShareUsedUp,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whether a credential for single use was created after the tenant's last restore. A restore loses the
/// record of earlier uses, so older credentials must be refused. Without `iat`, a credential is accepted only
/// if the longest lifetime has passed since the restore.
pub(crate) fn is_made_since(
    restored_at: Option<Timestamp>,
    iat: Option<Timestamp>,
    longest: Lifetime,
    now: Timestamp,
) -> bool {
    restored_at.is_none_or(|at| iat.map_or(now > at + longest + LEEWAY, |iat| iat > at))
}

impl SingleUse {
    pub(crate) fn new(guard: Arc<dyn ReplayStore>) -> Self {
        Self { guard, live: LiveIdentifiers::new(SHARE) }
    }

    /// Sets the maximum number of unexpired identifiers of each tenant.
    pub(crate) fn with_share(self, share: u32) -> Self {
        Self { live: LiveIdentifiers::new(share), ..self }
    }

    /// Whether an identifier was used. Does not use it up.
    pub(crate) async fn is_used(&self, tenant: &TenantId, identifier: &SingleUseIdentifier) -> Stored<bool> {
        self.guard.is_used(tenant, identifier).await
    }

    pub(crate) async fn use_up(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        identifier: &SingleUseIdentifier,
        now: Timestamp,
    ) -> Result<(), SingleUseError> {
        // If the share is full, the request is refused, because no identifier may be dropped early.
        let counted =
            self.live.take(tenant, client, identifier.expires_at, now).ok_or(SingleUseError::ShareUsedUp)?;
        // RFC 7523 §6: "The specification does not mandate replay protection". This server has replay
        // protection: the insert into the store decides. The row stays until the credential is refused
        // anyway, so the protection covers restarts and all replicas.
        if self.guard.record_use(tenant, identifier).await? {
            counted.keep();
            return Ok(());
        }
        Err(SingleUseError::Replayed)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Mutex;

    use async_trait::async_trait;

    use super::*;

    #[derive(Default)]
    struct Guard {
        used: Mutex<HashSet<(TenantId, [u8; 32])>>,
        fails: Mutex<bool>,
    }

    #[async_trait]
    impl ReplayStore for Guard {
        async fn record_use(&self, tenant: &TenantId, identifier: &SingleUseIdentifier) -> Stored<bool> {
            if *self.fails.lock().unwrap() {
                return Err(StoreError::unavailable("no store"));
            }
            Ok(self.used.lock().unwrap().insert((tenant.clone(), identifier.digest)))
        }

        async fn is_used(&self, _: &TenantId, _: &SingleUseIdentifier) -> Stored<bool> {
            unreachable!()
        }

        async fn delete_expired_identifiers(&self, _: Timestamp) -> Stored<u64> {
            unreachable!()
        }
    }

    // [assertions RFC 7523 §3 e], [dpop RFC 9449 §11.1 c]
    #[tokio::test]
    async fn replays_and_failures_do_not_use_up_the_share() {
        let guard = Arc::new(Guard::default());
        let used = SingleUse::new(guard.clone()).with_share(2);
        let [acme, globex] = ["acme", "globex"].map(|id| TenantId::parse(id).unwrap());
        let (svc, at) = (ClientId::parse("svc").unwrap(), Timestamp::from_seconds);
        let use_up = async |tenant: &TenantId, jti: &str| {
            let identifier = SingleUseIdentifier::of_assertion(&svc, jti, at(160));
            match used.use_up(tenant, &svc, &identifier, at(100)).await {
                Ok(()) => "first",
                Err(SingleUseError::Replayed) => "replayed",
                Err(SingleUseError::ShareUsedUp) => "used up",
                Err(SingleUseError::Store(_)) => "failed",
            }
        };
        assert_eq!(use_up(&acme, "a").await, "first");
        for _ in 0..10 {
            assert_eq!(use_up(&acme, "a").await, "replayed");
        }
        *guard.fails.lock().unwrap() = true;
        for _ in 0..10 {
            assert_eq!(use_up(&acme, "b").await, "failed");
        }
        *guard.fails.lock().unwrap() = false;
        assert_eq!(use_up(&acme, "b").await, "first");
        assert_eq!(use_up(&acme, "c").await, "used up");
        assert_eq!(use_up(&globex, "a").await, "first", "a share is its tenant's alone");
    }

    // [third 5]: After a restore a used password link set the password again, and what was used once counted
    //   once more | fixed | `restore` ends the links of every account. Afterwards, and after an import, an
    //   assertion, a proof, a request object and a token of a rule with `once` count only if `iat` is later
    //   than the restore; without `iat`, after their longest lifetime
    #[test]
    fn credentials_made_before_a_restore_are_refused() {
        let at = Timestamp::from_seconds;
        let check = |restored: Option<u64>, iat: Option<u64>, now: u64, expected: bool| {
            let longest = Lifetime::from_seconds(3_600);
            assert_eq!(
                is_made_since(restored.map(at), iat.map(at), longest, at(now)),
                expected,
                "{iat:?} {now}"
            );
        };
        check(None, None, 1_000, true);
        check(None, Some(1), 1_000, true);
        check(Some(1_000), Some(999), 1_001, false);
        check(Some(1_000), Some(1_000), 1_001, false);
        check(Some(1_000), Some(1_001), 1_001, true);
        check(Some(1_000), None, 4_660, false);
        check(Some(1_000), None, 4_661, true);
    }
}

//! At how many distinct accounts a source has failed (password spraying). Many wrong passwords at one account count once, so they use up the
//! limit of that account and leave the source its others.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use protocol::{Lifetime, Timestamp};
use secrets::{ClientAddress, FairTable};
use tenancy::TenantId;

use crate::sign_in_throttle::Target;

/// A wrong password counts for so long.
const SPAN: Lifetime = Lifetime::from_seconds(15 * 60);
/// So many pairs of tenant and source are counted.
const SOURCES: usize = 16_384;

/// The accounts and unknown identifiers at which sources have failed.
pub(crate) struct TriedAccounts {
    digests: RandomState,
    sources: Mutex<FairTable<ClientAddress, Vec<Tried>>>,
}

/// One of a source.
#[derive(Debug)]
struct Tried {
    /// Of its id or text, under a key of this process.
    digest: u64,
    failures: u32,
    last: Timestamp,
}

/// An attempt that is counted as failed, also when it is dropped half way.
#[must_use]
pub(crate) struct TriedAttempt<'a> {
    of: &'a TriedAccounts,
    tenant: TenantId,
    source: ClientAddress,
    digest: u64,
}

impl TriedAccounts {
    pub(crate) fn new() -> Self {
        Self { digests: RandomState::new(), sources: Mutex::new(FairTable::new(SOURCES)) }
    }

    /// Counts an attempt; `None` where the source has failed at so many others, and not at this one.
    pub(crate) fn begin(
        &self,
        tenant: &TenantId,
        source: &ClientAddress,
        target: Target<'_>,
        most: u32,
        now: Timestamp,
    ) -> Option<TriedAttempt<'_>> {
        let digest = self.digests.hash_one((tenant, target));
        let mut sources = self.lock();
        // The source whose latest failure is the oldest is forgotten first.
        let importance = |tried: &Vec<Tried>| {
            let live = tried.iter().filter(|tried| tried.is_live(now)).map(|tried| tried.last.seconds());
            live.max().unwrap_or(0)
        };
        let tried = sources.entry(tenant, source, importance);
        tried.retain(|tried| tried.is_live(now));
        let known = tried.iter().position(|tried| tried.digest == digest);
        let at = match known {
            Some(at) => at,
            None if tried.len() >= usize::try_from(most).unwrap_or(usize::MAX) => return None,
            None => {
                tried.push(Tried { digest, failures: 0, last: now });
                tried.len() - 1
            }
        };
        tried[at].failures = tried[at].failures.saturating_add(1);
        tried[at].last = now;
        Some(TriedAttempt { of: self, tenant: tenant.clone(), source: *source, digest })
    }

    fn lock(&self) -> MutexGuard<'_, FairTable<ClientAddress, Vec<Tried>>> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tried {
    fn is_live(&self, now: Timestamp) -> bool {
        now < self.last + SPAN
    }
}

impl TriedAttempt<'_> {
    /// The attempt did not fail, or nothing was learned from it.
    pub(crate) fn forgive(self) {
        let mut sources = self.of.lock();
        let Some(tried) = sources.get_mut(&self.tenant, &self.source) else { return };
        if let Some(at) = tried.iter().position(|tried| tried.digest == self.digest) {
            tried[at].failures = tried[at].failures.saturating_sub(1);
            if tried[at].failures == 0 {
                tried.swap_remove(at);
            }
        }
        if tried.is_empty() {
            sources.remove(&self.tenant, &self.source);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_767_225_600);

    fn tenant(id: &str) -> TenantId {
        TenantId::parse(id).unwrap()
    }

    fn source(number: u32) -> ClientAddress {
        ClientAddress::new(Some(std::net::Ipv4Addr::from(number).into()))
    }

    fn fails(tried: &TriedAccounts, id: &str, number: u32, name: &str, now: Timestamp) -> bool {
        tried.begin(&tenant(id), &source(number), Target::Unknown(name), 20, now).is_some()
    }

    #[test]
    fn a_source_fails_at_twenty_distinct_accounts_and_as_often_as_it_likes_at_each_of_them() {
        let tried = TriedAccounts::new();
        for _ in 0..100 {
            assert!(fails(&tried, "acme", 1, "ada", NOW));
        }
        let names: Vec<_> = (1..100).map(|number| format!("name-{number}")).collect();
        assert_eq!(names.iter().filter(|name| fails(&tried, "acme", 1, name, NOW)).count(), 19);
        assert!(fails(&tried, "acme", 1, "ada", NOW) && !fails(&tried, "acme", 1, "eve", NOW));
        for (id, number, now) in [("globex", 1, NOW), ("acme", 2, NOW), ("acme", 1, NOW + SPAN)] {
            assert!(fails(&tried, id, number, "eve", now), "{id} {number}");
        }
    }

    #[test]
    fn a_forgiven_attempt_leaves_what_failed_before_and_nothing_else() {
        let tried = TriedAccounts::new();
        let begin = |name| tried.begin(&tenant("acme"), &source(1), Target::Unknown(name), 1, NOW);
        begin("ada").unwrap().forgive();
        assert!(tried.lock().is_empty());
        drop(begin("bob").unwrap());
        begin("bob").unwrap().forgive();
        assert!(begin("ada").is_none() && begin("bob").is_some());
    }

    #[test]
    fn a_tenant_with_many_sources_pushes_out_no_source_of_another() {
        let tried = TriedAccounts::new();
        let names: Vec<_> = (0..20).map(|number| format!("name-{number}")).collect();
        assert!(names.iter().all(|name| fails(&tried, "acme", 1, name, NOW)));
        for number in 0..40_000 {
            assert!(fails(&tried, "globex", number, "ada", NOW));
        }
        assert!(tried.lock().len() <= SOURCES);
        assert!(!fails(&tried, "acme", 1, "eve", NOW));
    }
}

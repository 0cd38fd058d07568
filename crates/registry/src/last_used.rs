//! From where each secret was used last, gathered in memory until somebody writes it down: a token costs no write.
//!
//! Every successful authentication notes itself here. So noting the same secret from the same address again is one lookup, allocates
//! nothing, and waits for no other thread; and however many addresses a caller has, the memory has an end.

use std::hash::{Hash, RandomState};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use indexmap::{Equivalent, IndexMap};
use protocol::Timestamp;
use tenancy::TenantId;

use crate::{ClientId, SecretId};
use secrets::ClientAddress;

/// More threads than this share a part of the memory, which only makes them wait for each other.
const SHARDS: usize = 16;
/// Pairs of secret and address that wait to be written. Beyond it the oldest make room: about 20 MiB when full.
const CAPACITY: usize = 100_000;
/// Addresses of one secret, as many as stores keep.
const ADDRESSES: usize = 32;

/// A secret that was used from an address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UsedSecret {
    /// Whose client.
    pub tenant: TenantId,
    /// Whose secret.
    pub client: ClientId,
    /// Which.
    pub secret: SecretId,
    /// From where.
    pub source: ClientAddress,
    /// When last.
    pub at: Timestamp,
}

/// What was noted and is not written yet.
pub struct LastUsedSecrets {
    shards: [Shard; SHARDS],
    /// Pairs in all shards.
    held: AtomicUsize,
    dropped: AtomicU64,
    capacity: usize,
}

/// As wide as two cache lines, so that threads do not take each other's.
#[derive(Default)]
#[repr(align(128))]
struct Shard(Mutex<LastUses>);

#[derive(Default)]
struct LastUses {
    of: IndexMap<SecretPath, Vec<LastUse>, RandomState>,
    /// What makes room next. Removing fills the gap with the latest, so going round meets the oldest first.
    oldest: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct SecretPath {
    tenant: TenantId,
    client: ClientId,
    secret: SecretId,
}

/// [`SecretPath`] without owning it. The same members in the same order, so it has the same hash.
#[derive(Hash)]
struct SecretPathRef<'a> {
    tenant: &'a TenantId,
    client: &'a ClientId,
    secret: &'a SecretId,
}

struct LastUse {
    source: ClientAddress,
    at: Timestamp,
}

impl Default for LastUsedSecrets {
    fn default() -> Self {
        Self::with_capacity(CAPACITY)
    }
}

impl LastUsedSecrets {
    fn with_capacity(capacity: usize) -> Self {
        Self { shards: Default::default(), held: AtomicUsize::new(0), dropped: AtomicU64::new(0), capacity }
    }

    /// Notes that a secret was used.
    pub fn note(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        secret: &SecretId,
        source: &ClientAddress,
        now: Timestamp,
    ) {
        let mut uses = self.shard(mine());
        if uses.note(&SecretPathRef { tenant, client, secret }, source, now) {
            let held = self.held.fetch_add(1, Ordering::Relaxed) + 1;
            if held > self.capacity {
                self.forget(uses.make_room());
            }
        }
    }

    /// Takes everything out, in the order of tenants, clients and secrets, each pair of secret and address once.
    #[must_use]
    pub fn drain(&self) -> Vec<UsedSecret> {
        let mut drained = Vec::new();
        for shard in 0..SHARDS {
            let LastUses { of, .. } = std::mem::take(&mut *self.shard(shard));
            let before = drained.len();
            for (SecretPath { tenant, client, secret }, seen) in of {
                drained.extend(seen.into_iter().map(|LastUse { source, at }| UsedSecret {
                    tenant: tenant.clone(),
                    client: client.clone(),
                    secret: secret.clone(),
                    source,
                    at,
                }));
            }
            self.held.fetch_sub(drained.len() - before, Ordering::Relaxed);
        }
        drained.sort_unstable();
        // Threads may have seen the same; the later time stands behind.
        drained.dedup_by(|later, earlier| {
            let same = later.is_of(earlier);
            if same {
                earlier.at = later.at;
            }
            same
        });
        drained
    }

    /// Takes back what could not be written. What has been noted since is newer and is kept.
    pub fn give_back(&self, unwritten: Vec<UsedSecret>) {
        for (index, UsedSecret { tenant, client, secret, source, at }) in unwritten.into_iter().enumerate() {
            let whose = SecretPathRef { tenant: &tenant, client: &client, secret: &secret };
            let mut uses = self.shard(index % SHARDS);
            if self.held.load(Ordering::Relaxed) >= self.capacity {
                self.dropped.fetch_add(1, Ordering::Relaxed);
            } else if uses.note(&whose, &source, at) {
                self.held.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// How many were forgotten unwritten because there was no room.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn forget(&self, pairs: usize) {
        self.held.fetch_sub(pairs, Ordering::Relaxed);
        self.dropped.fetch_add(u64::try_from(pairs).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn shard(&self, index: usize) -> MutexGuard<'_, LastUses> {
        self.shards[index].0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LastUses {
    /// Says whether that made a new pair.
    fn note(&mut self, whose: &SecretPathRef<'_>, source: &ClientAddress, at: Timestamp) -> bool {
        let Some(seen) = self.of.get_mut(whose) else {
            let SecretPathRef { tenant, client, secret } = *whose;
            let whose = SecretPath { tenant: tenant.clone(), client: client.clone(), secret: secret.clone() };
            self.of.insert(whose, vec![LastUse { source: *source, at }]);
            return true;
        };
        if let Some(known) = seen.iter_mut().find(|known| known.source == *source) {
            // A clock that was set back does not make a use older than it was.
            known.at = known.at.max(at);
            return false;
        }
        if seen.len() < ADDRESSES {
            seen.push(LastUse { source: *source, at });
            return true;
        }
        // A store would not keep it either.
        if let Some(oldest) = seen.iter_mut().min_by_key(|known| known.at)
            && oldest.at <= at
        {
            *oldest = LastUse { source: *source, at };
        }
        false
    }

    /// Forgets the oldest secret and says how many pairs that were. The last one has just come.
    fn make_room(&mut self) -> usize {
        if self.oldest + 1 >= self.of.len() {
            self.oldest = 0;
        }
        let removed = self.of.swap_remove_index(self.oldest);
        self.oldest += 1;
        removed.map_or(0, |(_, seen)| seen.len())
    }
}

impl UsedSecret {
    fn is_of(&self, other: &Self) -> bool {
        self.tenant == other.tenant
            && self.client == other.client
            && self.secret == other.secret
            && self.source == other.source
    }
}

impl Equivalent<SecretPath> for SecretPathRef<'_> {
    fn equivalent(&self, whose: &SecretPath) -> bool {
        *self.secret == whose.secret && *self.client == whose.client && *self.tenant == whose.tenant
    }
}

fn mine() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static MINE: usize = THREADS.fetch_add(1, Ordering::Relaxed) % SHARDS);
    MINE.with(|mine| *mine)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;

    use super::*;

    fn source(number: u32) -> ClientAddress {
        ClientAddress::new(Some(Ipv4Addr::from(number).into()))
    }

    /// `acme/svc/s1` used from an address at a time.
    fn used(whose: &str, number: u32, at: u64) -> UsedSecret {
        let mut parts = whose.split('/');
        let mut next = || parts.next().unwrap();
        UsedSecret {
            tenant: TenantId::parse(next()).unwrap(),
            client: ClientId::parse(next()).unwrap(),
            secret: SecretId::new(next()),
            source: source(number),
            at: Timestamp::from_seconds(at),
        }
    }

    fn note(uses: &LastUsedSecrets, used: &UsedSecret) {
        uses.note(&used.tenant, &used.client, &used.secret, &used.source, used.at);
    }

    fn check(noted: &[(&str, u32, u64)], expected: &[(&str, u32, u64)]) {
        let uses = LastUsedSecrets::default();
        noted.iter().for_each(|(whose, number, at)| note(&uses, &used(whose, *number, *at)));
        let of = |rows: &[(&str, u32, u64)]| -> Vec<_> {
            rows.iter().map(|(whose, number, at)| used(whose, *number, *at)).collect()
        };
        assert_eq!(uses.drain(), of(expected), "{noted:?}");
        assert_eq!(uses.drain(), [], "{noted:?}");
        assert_eq!(uses.held.load(Ordering::Relaxed), 0, "{noted:?}");
    }

    #[test]
    fn the_latest_use_of_each_secret_from_each_address_is_kept() {
        check(&[], &[]);
        check(&[("acme/svc/s1", 1, 10), ("acme/svc/s1", 1, 12)], &[("acme/svc/s1", 1, 12)]);
        // A clock that was set back.
        check(&[("acme/svc/s1", 1, 12), ("acme/svc/s1", 1, 10)], &[("acme/svc/s1", 1, 12)]);
        check(
            &[("acme/svc/s1", 2, 10), ("acme/svc/s1", 1, 11), ("acme/svc/s2", 1, 12)],
            &[("acme/svc/s1", 1, 11), ("acme/svc/s1", 2, 10), ("acme/svc/s2", 1, 12)],
        );
    }

    #[test]
    fn the_same_names_in_another_tenant_or_client_are_others() {
        let apart = [("acme/svc/s1", 1, 3), ("acme/web/s1", 1, 2), ("globex/svc/s1", 1, 1)];
        check(&apart, &apart);
    }

    #[test]
    fn what_all_threads_note_is_drained_once() {
        let uses = LastUsedSecrets::default();
        std::thread::scope(|scope| {
            for thread in 0..2 * SHARDS as u64 {
                let uses = &uses;
                scope.spawn(move || {
                    (0..100).for_each(|number| note(uses, &used("acme/svc/s1", number % 4, thread)));
                });
            }
        });
        let latest = 2 * SHARDS as u64 - 1;
        let expected: Vec<_> = (0..4).map(|number| used("acme/svc/s1", number, latest)).collect();
        assert_eq!(uses.drain(), expected);
        assert_eq!((uses.held.load(Ordering::Relaxed), uses.dropped()), (0, 0));
    }

    #[test]
    fn what_could_not_be_written_comes_back_and_newer_uses_stay() {
        let uses = LastUsedSecrets::default();
        for number in [1, 2] {
            note(&uses, &used("acme/svc/s1", number, 10));
        }
        let unwritten = uses.drain();
        note(&uses, &used("acme/svc/s1", 1, 20));
        note(&uses, &used("acme/svc/s2", 1, 21));
        uses.give_back(unwritten);
        let expected = [used("acme/svc/s1", 1, 20), used("acme/svc/s1", 2, 10), used("acme/svc/s2", 1, 21)];
        assert_eq!(uses.drain(), expected);
        assert_eq!((uses.held.load(Ordering::Relaxed), uses.dropped()), (0, 0));
    }

    #[test]
    fn beyond_the_capacity_the_oldest_secrets_make_room_and_are_counted() {
        let uses = LastUsedSecrets::with_capacity(10);
        for number in 0..25 {
            note(&uses, &used(&format!("acme/svc/s{number:02}"), 1, number));
        }
        let expected: Vec<_> =
            (15..25).map(|number| used(&format!("acme/svc/s{number:02}"), 1, number)).collect();
        assert_eq!(uses.drain(), expected);
        assert_eq!(uses.dropped(), 15);
        note(&uses, &used("acme/svc/s00", 1, 30));
        assert_eq!(uses.drain().len(), 1);
    }

    #[test]
    fn what_comes_back_takes_no_room_from_what_is_newer() {
        let uses = LastUsedSecrets::with_capacity(2);
        note(&uses, &used("acme/svc/s1", 1, 20));
        uses.give_back(vec![used("acme/svc/s2", 1, 1), used("acme/svc/s3", 1, 2), used("acme/svc/s4", 1, 3)]);
        let drained = uses.drain();
        assert!(drained.contains(&used("acme/svc/s1", 1, 20)) && drained.len() == 2, "{drained:?}");
        assert_eq!(uses.dropped(), 2);
    }

    #[test]
    fn of_a_secret_with_very_many_addresses_the_latest_are_kept() {
        let uses = LastUsedSecrets::default();
        for number in 0..10_000 {
            note(&uses, &used("acme/svc/s1", number, u64::from(number)));
        }
        note(&uses, &used("globex/svc/s1", 1, 1));
        let drained = uses.drain();
        assert_eq!(drained.len(), ADDRESSES + 1);
        assert!(drained.contains(&used("acme/svc/s1", 9_999, 9_999)));
        assert!(drained.contains(&used("globex/svc/s1", 1, 1)));
        assert_eq!((uses.held.load(Ordering::Relaxed), uses.dropped()), (0, 0));
    }

    #[test]
    fn every_kind_of_source_is_noted() {
        let uses = LastUsedSecrets::default();
        let sources =
            [ClientAddress::new(None), source(1), ClientAddress::new(Some(Ipv6Addr::LOCALHOST.into()))];
        let whose = used("acme/svc/s1", 0, 5);
        for source in sources {
            note(&uses, &UsedSecret { source, ..whose.clone() });
        }
        assert_eq!(uses.drain().into_iter().map(|used| used.source).collect::<Vec<_>>(), sources);
    }

    /// Of what a token costs, this may be no part that shows.
    #[test]
    fn the_same_secret_from_the_same_address_again_allocates_nothing() {
        let uses = LastUsedSecrets::default();
        let [first, again] = [used("acme/svc/s1", 1, 10), used("acme/svc/s1", 1, 11)];
        note(&uses, &first);
        let allocated = allocation_counter::measure(|| {
            for _ in 0..1_000 {
                note(&uses, &first);
                note(&uses, &again);
            }
        });
        assert_eq!(allocated.count_total, 0);
    }

    proptest! {
        /// Against the plain rule: a map from pair to time.
        #[test]
        fn noted_drained_and_given_back_in_any_order_nothing_is_lost_or_older(
            steps in proptest::collection::vec((0_u32..4, 0_usize..4, 0_u64..50), 0..60),
        ) {
            let (uses, mut expected) = (LastUsedSecrets::default(), std::collections::BTreeMap::new());
            let mut unwritten = Vec::new();
            for (number, what, at) in steps {
                match what {
                    0 => unwritten.append(&mut uses.drain()),
                    1 => uses.give_back(std::mem::take(&mut unwritten)),
                    _ => {
                        let whose = if what == 2 { "acme/svc/s1" } else { "globex/svc/s1" };
                        note(&uses, &used(whose, number, at));
                        let known = expected.entry((whose, number)).or_insert(at);
                        *known = at.max(*known);
                    }
                }
            }
            uses.give_back(unwritten);
            let expected: Vec<_> =
                expected.into_iter().map(|((whose, number), at)| used(whose, number, at)).collect();
            prop_assert_eq!(uses.drain(), expected);
        }
    }
}

//! Which keys each verifier has fetched, gathered in memory until somebody writes it down: an answer with keys costs no write.
//!
//! Anybody may fetch keys, under any name. So a verifier that comes again costs one look and no allocation, names are cropped, and
//! however many come, the memory has an end.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::hash::RandomState;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use indexmap::IndexMap;
use protocol::Timestamp;
use tenancy::TenantId;

use crate::KeyId;

/// More threads than this share a part of the memory, which only makes them wait for each other.
const SHARDS: usize = 8;
/// Verifiers that wait to be written. Beyond it the tenants that are there for longest make room.
const CAPACITY: usize = 100_000;
/// Verifiers of one tenant, as many as stores keep. Beyond it those that came last count.
const OF_A_TENANT: usize = 256;
/// Characters of a user agent that are kept.
const LONGEST_AGENT: usize = 64;

/// A verifier that has fetched a tenant's keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwksFetch {
    /// Whose keys.
    pub tenant: TenantId,
    /// Who: `user agent (address group)`.
    pub verifier: String,
    /// The newest key that it was given.
    pub newest_key: KeyId,
    /// When last.
    pub at: Timestamp,
}

/// What was noted and is not written yet.
pub struct JwksFetches {
    shards: [Shard; SHARDS],
    /// Verifiers in all shards.
    held: AtomicUsize,
    capacity: usize,
}

/// As wide as two cache lines, so that threads do not take each other's.
#[derive(Default)]
#[repr(align(128))]
struct Shard(Mutex<FetchesByTenant>);

#[derive(Default)]
struct FetchesByTenant {
    of: IndexMap<TenantId, Vec<Fetch>, RandomState>,
    /// What makes room next. Removing fills the gap with the latest, so going round meets the oldest first.
    oldest: usize,
}

struct Fetch {
    verifier: String,
    newest_key: KeyId,
    at: Timestamp,
}

impl Default for JwksFetches {
    fn default() -> Self {
        Self::with_capacity(CAPACITY)
    }
}

impl JwksFetches {
    fn with_capacity(capacity: usize) -> Self {
        Self { shards: Default::default(), held: AtomicUsize::new(0), capacity }
    }

    /// Notes that a verifier of this user agent, at an address of this group, was given keys up to the newest.
    pub fn note(&self, tenant: &TenantId, agent: &str, group: &str, newest: KeyId, now: Timestamp) {
        let agent = printable(agent);
        let is_it = |known: &str| {
            let rest = known.strip_prefix(&*agent).and_then(|rest| rest.strip_prefix(" ("));
            rest.and_then(|rest| rest.strip_suffix(')')) == Some(group)
        };
        self.put(mine(), tenant, is_it, || format!("{agent} ({group})"), newest, now);
    }

    /// Takes everything out, in the order of tenants and verifiers, each once.
    #[must_use]
    pub fn drain(&self) -> Vec<JwksFetch> {
        let mut drained = Vec::new();
        for shard in 0..SHARDS {
            let FetchesByTenant { of, .. } = std::mem::take(&mut *self.shard(shard));
            let before = drained.len();
            for (tenant, seen) in of {
                drained.extend(seen.into_iter().map(|Fetch { verifier, newest_key, at }| JwksFetch {
                    tenant: tenant.clone(),
                    verifier,
                    newest_key,
                    at,
                }));
            }
            self.held.fetch_sub(drained.len() - before, Ordering::Relaxed);
        }
        drained.sort_unstable_by(|one, other| {
            (&one.tenant, &one.verifier, one.at).cmp(&(&other.tenant, &other.verifier, other.at))
        });
        // Threads may have seen the same.
        drained.dedup_by(|later, earlier| {
            let same = later.tenant == earlier.tenant && later.verifier == earlier.verifier;
            if same {
                earlier.at = earlier.at.max(later.at);
                earlier.newest_key = earlier.newest_key.max(later.newest_key);
            }
            same
        });
        let tenants = drained.chunk_by_mut(|one, other| one.tenant == other.tenant);
        tenants.flat_map(latest).cloned().collect()
    }

    /// Takes back what could not be written. What has been noted since is newer and is kept.
    pub fn give_back(&self, unwritten: Vec<JwksFetch>) {
        for (index, JwksFetch { tenant, verifier, newest_key, at }) in unwritten.into_iter().enumerate() {
            if self.held.load(Ordering::Relaxed) < self.capacity {
                let is_it = |known: &str| known == verifier;
                self.put(index % SHARDS, &tenant, is_it, || verifier.clone(), newest_key, at);
            }
        }
    }

    fn put(
        &self,
        shard: usize,
        tenant: &TenantId,
        is_it: impl Fn(&str) -> bool,
        name: impl FnOnce() -> String,
        newest_key: KeyId,
        at: Timestamp,
    ) {
        let mut fetches = self.shard(shard);
        if !fetches.of.contains_key(tenant) {
            fetches.of.insert(tenant.clone(), Vec::new());
        }
        let Some(seen) = fetches.of.get_mut(tenant) else { return };
        if let Some(known) = seen.iter_mut().find(|known| is_it(&known.verifier)) {
            // A clock that was set back does not make a fetch older than it was.
            known.at = known.at.max(at);
            known.newest_key = known.newest_key.max(newest_key);
        } else if seen.len() < OF_A_TENANT {
            seen.push(Fetch { verifier: name(), newest_key, at });
            if self.held.fetch_add(1, Ordering::Relaxed) >= self.capacity {
                self.held.fetch_sub(fetches.make_room(), Ordering::Relaxed);
            }
        } else if let Some(oldest) = seen.iter_mut().min_by_key(|known| known.at)
            && oldest.at <= at
        {
            *oldest = Fetch { verifier: name(), newest_key, at };
        }
    }

    fn shard(&self, index: usize) -> MutexGuard<'_, FetchesByTenant> {
        self.shards[index].0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FetchesByTenant {
    /// Forgets the oldest tenant and says how many verifiers that were. The last one has just come.
    fn make_room(&mut self) -> usize {
        if self.oldest + 1 >= self.of.len() {
            self.oldest = 0;
        }
        let removed = self.of.swap_remove_index(self.oldest);
        self.oldest += 1;
        removed.map_or(0, |(_, seen)| seen.len())
    }
}

/// Of a tenant's verifiers those that came last, in their order.
fn latest(seen: &mut [JwksFetch]) -> &[JwksFetch] {
    if seen.len() > OF_A_TENANT {
        seen.sort_by_key(|seen| Reverse(seen.at));
        seen[..OF_A_TENANT].sort_unstable_by(|one, other| one.verifier.cmp(&other.verifier));
    }
    &seen[..seen.len().min(OF_A_TENANT)]
}

/// The beginning of a user agent, without what a terminal or a log might not take as text.
fn printable(agent: &str) -> Cow<'_, str> {
    let is_printable = |character: char| character == ' ' || character.is_ascii_graphic();
    let end = agent.char_indices().nth(LONGEST_AGENT).map_or(agent.len(), |(end, _)| end);
    let beginning = &agent[..end];
    if beginning.chars().all(is_printable) {
        return Cow::Borrowed(beginning);
    }
    Cow::Owned(agent.chars().filter(|character| is_printable(*character)).take(LONGEST_AGENT).collect())
}

fn mine() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static MINE: usize = THREADS.fetch_add(1, Ordering::Relaxed) % SHARDS);
    MINE.with(|mine| *mine)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tenant(id: &str) -> TenantId {
        TenantId::parse(id).unwrap()
    }

    fn seen(tenant: &str, verifier: &str, key: u32, at: u64) -> JwksFetch {
        JwksFetch {
            tenant: self::tenant(tenant),
            verifier: verifier.to_owned(),
            newest_key: KeyId::numbered(key),
            at: Timestamp::from_seconds(at),
        }
    }

    fn note(fetches: &JwksFetches, tenant: &str, agent: &str, key: u32, at: u64) {
        let (key, at) = (KeyId::numbered(key), Timestamp::from_seconds(at));
        fetches.note(&self::tenant(tenant), agent, "10.0.0.0/24", key, at);
    }

    #[track_caller]
    fn check(noted: &[(&str, &str, u32, u64)], expected: &[(&str, &str, u32, u64)]) {
        let fetches = JwksFetches::default();
        noted.iter().for_each(|(tenant, agent, key, at)| note(&fetches, tenant, agent, *key, *at));
        let of = |(tenant, verifier, key, at): &(&str, &str, u32, u64)| {
            seen(tenant, &format!("{verifier} (10.0.0.0/24)"), *key, *at)
        };
        assert_eq!(fetches.drain(), expected.iter().map(of).collect::<Vec<_>>(), "{noted:?}");
        assert_eq!(fetches.drain(), [], "{noted:?}");
        assert_eq!(fetches.held.load(Ordering::Relaxed), 0, "{noted:?}");
    }

    #[test]
    fn the_newest_key_and_the_latest_fetch_of_each_verifier_are_kept() {
        check(&[], &[]);
        check(&[("acme", "jose", 1, 10), ("acme", "jose", 2, 12)], &[("acme", "jose", 2, 12)]);
        // A clock that was set back, and a replica with older rows.
        check(&[("acme", "jose", 2, 12), ("acme", "jose", 1, 10)], &[("acme", "jose", 2, 12)]);
        check(
            &[("acme", "jose", 1, 10), ("acme", "PyJWT/2", 1, 11)],
            &[("acme", "PyJWT/2", 1, 11), ("acme", "jose", 1, 10)],
        );
    }

    #[test]
    fn the_same_verifier_of_another_tenant_is_another() {
        let apart = [("acme", "jose", 1, 3), ("globex", "jose", 2, 1)];
        check(&apart, &apart);
    }

    #[test]
    fn a_name_is_cropped_and_has_nothing_that_a_terminal_might_obey() {
        let long = "a".repeat(1000);
        check(&[("acme", &long, 1, 1), ("acme", &long[..80], 2, 2)], &[("acme", &long[..64], 2, 2)]);
        check(&[("acme", "é\x1b[2Jx\r\ny", 1, 1)], &[("acme", "[2Jxy", 1, 1)]);
        check(&[("acme", "", 1, 1)], &[("acme", "", 1, 1)]);
        let far = format!("{}b", "é".repeat(500));
        check(&[("acme", &far, 1, 1)], &[("acme", "b", 1, 1)]);
    }

    #[test]
    fn one_agent_at_two_addresses_is_two_verifiers() {
        let fetches = JwksFetches::default();
        let (key, at) = (KeyId::numbered(1), Timestamp::from_seconds(1));
        for group in ["10.0.0.0/24", "2001:db8::/56", "10.0.0.0/24"] {
            fetches.note(&tenant("acme"), "jose", group, key, at);
        }
        let expected = [seen("acme", "jose (10.0.0.0/24)", 1, 1), seen("acme", "jose (2001:db8::/56)", 1, 1)];
        assert_eq!(fetches.drain(), expected);
    }

    #[test]
    fn of_very_many_verifiers_of_a_tenant_those_that_came_last_are_kept() {
        let fetches = JwksFetches::default();
        std::thread::scope(|scope| {
            for thread in 0..4_u64 {
                let fetches = &fetches;
                scope.spawn(move || {
                    (0..1000).for_each(|number| {
                        note(fetches, "acme", &format!("{thread}-{number}"), 1, 4 * number + thread);
                    });
                });
            }
        });
        note(&fetches, "globex", "jose", 1, 0);
        let drained = fetches.drain();
        assert_eq!(drained.len(), OF_A_TENANT + 1);
        let acme = drained.iter().filter(|seen| seen.tenant.as_str() == "acme");
        assert!(acme.map(|seen| seen.at.seconds()).all(|at| at >= 4_000 - OF_A_TENANT as u64));
        assert!(drained.is_sorted_by_key(|seen| (seen.tenant.clone(), seen.verifier.clone())));
    }

    #[test]
    fn beyond_the_capacity_the_oldest_tenants_make_room() {
        let fetches = JwksFetches::with_capacity(10);
        for number in 0..25 {
            note(&fetches, &format!("t{number:02}"), "jose", 1, number);
        }
        let kept: Vec<_> = fetches.drain().into_iter().map(|seen| seen.at.seconds()).collect();
        assert_eq!(kept, (15..25).collect::<Vec<_>>());
        assert_eq!(fetches.held.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn what_could_not_be_written_comes_back_and_newer_fetches_stay() {
        let fetches = JwksFetches::default();
        note(&fetches, "acme", "jose", 1, 10);
        note(&fetches, "acme", "other", 1, 10);
        let unwritten = fetches.drain();
        note(&fetches, "acme", "jose", 2, 20);
        fetches.give_back(unwritten);
        let expected =
            [seen("acme", "jose (10.0.0.0/24)", 2, 20), seen("acme", "other (10.0.0.0/24)", 1, 10)];
        assert_eq!(fetches.drain(), expected);
        let full = JwksFetches::with_capacity(1);
        note(&full, "acme", "jose", 2, 20);
        full.give_back(vec![seen("globex", "jose (x)", 1, 1)]);
        assert_eq!(full.drain(), [seen("acme", "jose (10.0.0.0/24)", 2, 20)]);
    }

    #[test]
    fn a_verifier_that_comes_again_allocates_nothing() {
        let (fetches, acme) = (JwksFetches::default(), tenant("acme"));
        let note = |at| {
            let (key, at) = (KeyId::numbered(1), Timestamp::from_seconds(at));
            fetches.note(&acme, "okhttp/4.9.0 (Linux)", "10.0.0.0/24", key, at);
        };
        note(1);
        let allocated = allocation_counter::measure(|| (0..1_000).for_each(note));
        assert_eq!(allocated.count_total, 0);
    }

    proptest! {
        /// Against the plain rule: a map from tenant and verifier to key and time.
        #[test]
        fn noted_drained_and_given_back_in_any_order_nothing_is_lost_or_older(
            steps in proptest::collection::vec((0_usize..4, 0_usize..4, 1_u32..5, 0_u64..50), 0..60),
        ) {
            let (fetches, mut expected) = (JwksFetches::default(), std::collections::BTreeMap::new());
            let mut unwritten = Vec::new();
            for (agent, what, key, at) in steps {
                match what {
                    0 => unwritten.append(&mut fetches.drain()),
                    1 => fetches.give_back(std::mem::take(&mut unwritten)),
                    _ => {
                        let (tenant, agent) = (["acme", "globex"][what % 2], ["a", "b", "a (b)", ""][agent]);
                        note(&fetches, tenant, agent, key, at);
                        let known = expected.entry((tenant, format!("{agent} (10.0.0.0/24)"))).or_insert((key, at));
                        *known = (known.0.max(key), known.1.max(at));
                    }
                }
            }
            fetches.give_back(unwritten);
            let of = |((tenant, verifier), (key, at)): ((&str, String), (u32, u64))| seen(tenant, &verifier, key, at);
            prop_assert_eq!(fetches.drain(), expected.into_iter().map(of).collect::<Vec<_>>());
        }
    }
}

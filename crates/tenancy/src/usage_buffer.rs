//! Last uses, buffered in memory until a background task writes them. Requests write nothing.
//!
//! Every request may record a use. Recording a known use is one lookup, allocates nothing and does not wait
//! for other threads. The memory is limited, however many owners and users there are.

use std::hash::{Hash, RandomState};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use indexmap::{Equivalent, IndexMap};
use parking_lot::{Mutex, MutexGuard};
use values::Timestamp;

/// The number of parts. More threads than this share parts and wait for each other.
pub(crate) const SHARDS: usize = 16;
/// The maximum number of uses in memory, which is about 20 MiB. Above it, the oldest owners are dropped.
const CAPACITY: usize = 100_000;

/// The last use of something by one user.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Usage<O, U, N = ()> {
    /// What was used, such as a secret.
    pub owner: O,
    /// The address or program that used the owner, such as the address of a request.
    pub user: U,
    pub at: Timestamp,
    /// The newest thing that the user got, such as a key.
    pub newest: N,
}

/// The uses that have not been written yet.
pub struct UsageBuffer<O, U, N = ()> {
    shards: [Shard<O, U, N>; SHARDS],
    /// The number of uses in all shards.
    held: AtomicUsize,
    dropped: AtomicU64,
    users_per_owner: usize,
    capacity: usize,
}

/// Two cache lines wide, so that threads do not invalidate each other's cache lines.
#[repr(align(128))]
struct Shard<O, U, N>(Mutex<OwnerTable<O, U, N>>);

struct OwnerTable<O, U, N> {
    of: IndexMap<O, Vec<LastUse<U, N>>, RandomState>,
    /// The index of the next owner to drop. Removing an owner moves the newest owner into the gap, so the
    /// index reaches the oldest owners first.
    oldest: usize,
    users_per_owner: usize,
}

struct LastUse<U, N> {
    user: U,
    at: Timestamp,
    newest: N,
}

impl<O: Clone + Hash + Ord, U: Clone + Ord, N: Clone + Ord> UsageBuffer<O, U, N> {
    /// `users_per_owner` is how many of the latest users are kept for each owner. Stores must keep the same
    /// number.
    #[must_use]
    pub fn new(users_per_owner: usize) -> Self {
        Self::with_capacity(users_per_owner, CAPACITY)
    }

    fn with_capacity(users_per_owner: usize, capacity: usize) -> Self {
        let shard = |_| Shard(Mutex::new(OwnerTable { of: IndexMap::default(), oldest: 0, users_per_owner }));
        let shards = std::array::from_fn(shard);
        Self { shards, held: AtomicUsize::new(0), dropped: AtomicU64::new(0), users_per_owner, capacity }
    }

    /// Records a use. `to_owner` and `to_user` copy the owner and the user if they are new.
    pub fn record<Q>(
        &self,
        owner: &Q,
        to_owner: impl FnOnce(&Q) -> O,
        is_user: impl Fn(&U) -> bool,
        to_user: impl FnOnce() -> U,
        newest: N,
        at: Timestamp,
    ) where
        Q: Hash + Equivalent<O>,
    {
        let mut owners = self.shard(own_shard());
        if owners.record(owner, to_owner, is_user, to_user, at, newest)
            && self.held.fetch_add(1, Ordering::Relaxed) >= self.capacity
        {
            let dropped = owners.drop_oldest();
            self.held.fetch_sub(dropped, Ordering::Relaxed);
            self.dropped.fetch_add(dropped as u64, Ordering::Relaxed);
        }
    }

    /// Removes and returns all uses, sorted by owner and user, without duplicates.
    #[must_use]
    pub fn drain(&self) -> Vec<Usage<O, U, N>> {
        let mut drained = Vec::new();
        for shard in 0..SHARDS {
            let of = std::mem::take(&mut self.shard(shard).of);
            let before = drained.len();
            for (owner, uses) in of {
                let usage = |LastUse { user, at, newest }| Usage { owner: owner.clone(), user, at, newest };
                drained.extend(uses.into_iter().map(usage));
            }
            self.held.fetch_sub(drained.len() - before, Ordering::Relaxed);
        }
        drained.sort_unstable();
        // Several threads may have recorded the same pair.
        drained.dedup_by(|later, earlier| {
            let is_same = later.owner == earlier.owner && later.user == earlier.user;
            if is_same {
                earlier.at = earlier.at.max(later.at);
                earlier.newest = later.newest.clone().max(earlier.newest.clone());
            }
            is_same
        });
        let owners = drained.chunk_by_mut(|one, other| one.owner == other.owner);
        owners.flat_map(|uses| latest(uses, self.users_per_owner)).cloned().collect()
    }

    /// Puts back uses that could not be written. Uses that were recorded in the meantime are newer and stay.
    pub fn give_back(&self, unwritten: Vec<Usage<O, U, N>>) {
        for (index, Usage { owner, user, at, newest }) in unwritten.into_iter().enumerate() {
            let mut owners = self.shard(index % SHARDS);
            if self.held.load(Ordering::Relaxed) >= self.capacity {
                self.dropped.fetch_add(1, Ordering::Relaxed);
            } else if owners.record(&owner, O::clone, |known| *known == user, || user.clone(), at, newest) {
                self.held.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// The number of uses that were dropped unwritten, because there was no room.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn shard(&self, index: usize) -> MutexGuard<'_, OwnerTable<O, U, N>> {
        self.shards[index].0.lock()
    }
}

impl<O: Hash + Eq, U, N: Ord> OwnerTable<O, U, N> {
    /// Returns whether the pair of owner and user is new.
    fn record<Q: Hash + Equivalent<O>>(
        &mut self,
        owner: &Q,
        to_owner: impl FnOnce(&Q) -> O,
        is_user: impl Fn(&U) -> bool,
        to_user: impl FnOnce() -> U,
        at: Timestamp,
        newest: N,
    ) -> bool {
        let Some(uses) = self.of.get_mut(owner) else {
            self.of.insert(to_owner(owner), vec![LastUse { user: to_user(), at, newest }]);
            return true;
        };
        if let Some(known) = uses.iter_mut().find(|known| is_user(&known.user)) {
            // If the clock was set back, the later time stays.
            known.at = known.at.max(at);
            if newest > known.newest {
                known.newest = newest;
            }
            return false;
        }
        if uses.len() < self.users_per_owner {
            uses.push(LastUse { user: to_user(), at, newest });
            return true;
        }
        // Replaces the oldest user, which a store would drop as well.
        if let Some(oldest) = uses.iter_mut().min_by_key(|known| known.at)
            && oldest.at <= at
        {
            *oldest = LastUse { user: to_user(), at, newest };
        }
        false
    }

    /// Drops the oldest owner and returns the number of its uses. Never drops the newest owner, at the end.
    fn drop_oldest(&mut self) -> usize {
        if self.oldest + 1 >= self.of.len() {
            self.oldest = 0;
        }
        let removed = self.of.swap_remove_index(self.oldest);
        self.oldest += 1;
        removed.map_or(0, |(_, uses)| uses.len())
    }
}

/// The latest uses of one owner, sorted by user.
fn latest<O, U: Ord, N>(uses: &mut [Usage<O, U, N>], limit: usize) -> &[Usage<O, U, N>] {
    if uses.len() > limit {
        uses.sort_by_key(|usage| std::cmp::Reverse(usage.at));
        uses[..limit].sort_unstable_by(|one, other| one.user.cmp(&other.user));
    }
    &uses[..uses.len().min(limit)]
}

pub(crate) fn own_shard() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static OWN: usize = THREADS.fetch_add(1, Ordering::Relaxed) % SHARDS);
    OWN.with(|own| *own)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    const USERS: usize = 32;

    type Buffer = UsageBuffer<String, u32, u32>;
    /// Owner, user, newest, time.
    type Row<'a> = (&'a str, u32, u32, u64);

    fn usage((owner, user, newest, at): Row<'_>) -> Usage<String, u32, u32> {
        Usage { owner: owner.to_owned(), user, newest, at: Timestamp::from_seconds(at) }
    }

    fn record(buffer: &Buffer, (owner, user, newest, at): Row<'_>) {
        let owner = owner.to_owned();
        let is_user = |known: &u32| *known == user;
        buffer.record(&owner, String::clone, is_user, || user, newest, Timestamp::from_seconds(at));
    }

    fn rows(rows: &[Row<'_>]) -> Vec<Usage<String, u32, u32>> {
        rows.iter().copied().map(usage).collect()
    }

    #[track_caller]
    fn check(recorded: &[Row<'_>], expected: &[Row<'_>]) {
        let buffer = Buffer::new(USERS);
        recorded.iter().for_each(|row| record(&buffer, *row));
        assert_eq!(buffer.drain(), rows(expected), "{recorded:?}");
        assert_eq!(buffer.drain(), [], "{recorded:?}");
        assert_eq!(buffer.held.load(Ordering::Relaxed), 0, "{recorded:?}");
    }

    #[test]
    fn latest_use_and_newest_value_are_kept_per_pair() {
        check(&[], &[]);
        check(&[("a", 1, 1, 10), ("a", 1, 2, 12)], &[("a", 1, 2, 12)]);
        // The clock was set back, and another replica has older rows.
        check(&[("a", 1, 2, 12), ("a", 1, 1, 10)], &[("a", 1, 2, 12)]);
        check(
            &[("a", 2, 0, 10), ("a", 1, 0, 11), ("b", 1, 0, 12)],
            &[("a", 1, 0, 11), ("a", 2, 0, 10), ("b", 1, 0, 12)],
        );
    }

    #[test]
    fn records_of_all_threads_are_drained_once() {
        let buffer = Buffer::new(USERS);
        std::thread::scope(|scope| {
            for thread in 0..2 * SHARDS as u64 {
                let buffer = &buffer;
                scope.spawn(move || (0..100).for_each(|user| record(buffer, ("a", user % 4, 0, thread))));
            }
        });
        let latest = 2 * SHARDS as u64 - 1;
        let expected: Vec<_> = (0..4).map(|user| usage(("a", user, 0, latest))).collect();
        assert_eq!(buffer.drain(), expected);
        assert_eq!((buffer.held.load(Ordering::Relaxed), buffer.dropped()), (0, 0));
    }

    #[test]
    fn unwritten_rows_do_not_replace_newer_uses() {
        let buffer = Buffer::new(USERS);
        record(&buffer, ("a", 1, 1, 10));
        record(&buffer, ("a", 2, 1, 10));
        let unwritten = buffer.drain();
        record(&buffer, ("a", 1, 2, 20));
        record(&buffer, ("b", 1, 1, 21));
        buffer.give_back(unwritten);
        assert_eq!(buffer.drain(), rows(&[("a", 1, 2, 20), ("a", 2, 1, 10), ("b", 1, 1, 21)]));
        assert_eq!((buffer.held.load(Ordering::Relaxed), buffer.dropped()), (0, 0));
    }

    // [limits #35]: memory for last uses of secrets | 100 000 pairs of secret and address | the oldest are
    //   dropped
    // [limits #40]: memory for verifiers | 100 000; 256 of a tenant | the oldest tenants are dropped; of a
    //   tenant, verifiers of the last day stay
    #[test]
    fn oldest_owners_beyond_the_capacity_are_dropped() {
        let buffer = Buffer::with_capacity(USERS, 10);
        for number in 0..25 {
            record(&buffer, (&format!("s{number:02}"), 1, 0, number));
        }
        let kept: Vec<_> = buffer.drain().into_iter().map(|usage| usage.at.seconds()).collect();
        assert_eq!(kept, (15..25).collect::<Vec<_>>());
        assert_eq!((buffer.held.load(Ordering::Relaxed), buffer.dropped()), (0, 15));
        record(&buffer, ("s00", 1, 0, 30));
        assert_eq!(buffer.drain().len(), 1);
    }

    #[test]
    fn returned_rows_do_not_displace_newer_rows() {
        let buffer = Buffer::with_capacity(USERS, 2);
        record(&buffer, ("a", 1, 0, 20));
        buffer.give_back(rows(&[("b", 1, 0, 1), ("c", 1, 0, 2), ("d", 1, 0, 3)]));
        let drained = buffer.drain();
        assert!(drained.contains(&usage(("a", 1, 0, 20))) && drained.len() == 2, "{drained:?}");
        assert_eq!(buffer.dropped(), 2);
    }

    // [parties #9]
    #[test]
    fn latest_users_of_an_owner_are_kept() {
        let buffer = Buffer::new(USERS);
        std::thread::scope(|scope| {
            for thread in 0..4_u32 {
                let buffer = &buffer;
                scope.spawn(move || {
                    for number in (0..1000).map(|number| 4 * number + thread) {
                        record(buffer, ("a", number, 0, number.into()));
                    }
                });
            }
        });
        record(&buffer, ("b", 1, 0, 0));
        let drained = buffer.drain();
        assert_eq!(drained.len(), USERS + 1);
        let of_a = drained.iter().filter(|usage| usage.owner == "a");
        assert!(of_a.map(|usage| usage.at.seconds()).all(|at| at >= 4_000 - USERS as u64));
        assert!(drained.is_sorted());
        assert_eq!((buffer.held.load(Ordering::Relaxed), buffer.dropped()), (0, 0));
    }

    proptest! {
        /// Compares the buffer with a simple map from each pair to its newest value and latest time.
        #[test]
        fn any_order_of_operations_keeps_latest_values(
            steps in proptest::collection::vec((0_u32..4, 0_usize..4, 1_u32..5, 0_u64..50), 0..60),
        ) {
            let (buffer, mut expected) = (Buffer::new(USERS), BTreeMap::new());
            let mut unwritten = Vec::new();
            for (user, what, newest, at) in steps {
                match what {
                    0 => unwritten.append(&mut buffer.drain()),
                    1 => buffer.give_back(std::mem::take(&mut unwritten)),
                    _ => {
                        let owner = ["a", "b"][what % 2];
                        record(&buffer, (owner, user, newest, at));
                        let known = expected.entry((owner, user)).or_insert((newest, at));
                        *known = (known.0.max(newest), known.1.max(at));
                    }
                }
            }
            buffer.give_back(unwritten);
            let row = |((owner, user), (newest, at))| usage((owner, user, newest, at));
            prop_assert_eq!(buffer.drain(), expected.into_iter().map(row).collect::<Vec<_>>());
        }
    }
}

//! A bounded in-memory table with entries of all tenants. When it is full, the tenant with the most entries
//! loses half of them, the least important first. So a tenant cannot displace entries of a tenant that has
//! fewer.

use std::collections::HashMap;
use std::hash::Hash;

use tenancy::TenantId;

#[derive(Debug)]
pub struct FairTable<K, V> {
    most: usize,
    entries: usize,
    tenants: HashMap<TenantId, HashMap<K, V>>,
}

impl<K: Clone + Eq + Hash, V> FairTable<K, V> {
    /// Creates an empty table for at most `most` entries.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, entries: 0, tenants: HashMap::new() }
    }

    pub fn get_mut(&mut self, tenant: &TenantId, key: &K) -> Option<&mut V> {
        self.tenants.get_mut(tenant)?.get_mut(key)
    }

    /// The entry of this tenant and key, added if it is missing. `importance` decides which entries a full
    /// table keeps; entries of importance 0 are dropped first, for all tenants.
    pub fn entry(&mut self, tenant: &TenantId, key: &K, importance: impl Fn(&V) -> u64) -> &mut V
    where
        V: Default,
    {
        self.with_room(tenant, key, importance).entry(key.clone()).or_default()
    }

    pub fn insert(&mut self, tenant: &TenantId, key: K, value: V, importance: impl Fn(&V) -> u64) {
        self.with_room(tenant, &key, importance).insert(key, value);
    }

    /// The entries of the tenant, with room for this key.
    fn with_room(
        &mut self,
        tenant: &TenantId,
        key: &K,
        importance: impl Fn(&V) -> u64,
    ) -> &mut HashMap<K, V> {
        let is_there = self.tenants.get(tenant).is_some_and(|own| own.contains_key(key));
        if !is_there {
            self.make_room(importance);
            self.entries += 1;
        }
        self.tenants.entry(tenant.clone()).or_default()
    }

    pub fn remove(&mut self, tenant: &TenantId, key: &K) -> Option<V> {
        let own = self.tenants.get_mut(tenant)?;
        let removed = own.remove(key);
        self.entries -= usize::from(removed.is_some());
        if own.is_empty() {
            self.tenants.remove(tenant);
        }
        removed
    }

    /// Removes and returns at most `most` entries of the tenants that `may` accepts: equally many of each
    /// tenant, and at least one.
    pub(crate) fn take_turns(
        &mut self,
        most: usize,
        may: impl Fn(&TenantId) -> bool,
    ) -> Vec<(TenantId, Vec<V>)> {
        let share = (most / self.tenants.len().max(1)).max(1);
        let admitted = self.tenants.iter_mut().filter(|(tenant, _)| may(tenant));
        let taken = admitted
            .map(|(tenant, own)| {
                (tenant.clone(), own.extract_if(|_, _| true).take(share).map(|(_, value)| value).collect())
            })
            .collect();
        self.count();
        taken
    }

    /// The keys of all tenants.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.tenants.values().flat_map(HashMap::keys)
    }

    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.tenants.values().flat_map(HashMap::values)
    }

    #[must_use]
    pub const fn len(&self) -> usize {
        self.entries
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// Drops entries of importance 0, and frees memory that is no longer needed, except some room for new
    /// entries.
    pub fn sweep(&mut self, importance: impl Fn(&V) -> u64) {
        for own in self.tenants.values_mut() {
            own.retain(|_, value| importance(value) > 0);
            shrink(own);
        }
        self.count();
        shrink(&mut self.tenants);
    }

    /// Drops entries if the table is full. Returns whether it dropped any.
    pub(crate) fn make_room(&mut self, importance: impl Fn(&V) -> u64) -> bool {
        if self.entries < self.most {
            return false;
        }
        self.sweep(&importance);
        // Drops half of a tenant's entries at a time, so that the cost of the search is spread over many
        // inserts.
        if self.entries >= self.most - self.most / 8
            && let Some(own) = self.tenants.values_mut().max_by_key(|own| own.len())
        {
            let mut all: Vec<_> = own.iter().map(|(key, value)| (importance(value), key.clone())).collect();
            let half = all.len().div_ceil(2);
            if half < all.len() {
                all.select_nth_unstable_by_key(half, |(importance, _)| *importance);
            }
            for (_, key) in all.drain(..half) {
                own.remove(&key);
            }
        }
        self.count();
        true
    }

    fn count(&mut self) {
        self.tenants.retain(|_, own| !own.is_empty());
        self.entries = self.tenants.values().map(HashMap::len).sum();
    }
}

fn shrink<K: Eq + Hash, V>(map: &mut HashMap<K, V>) {
    if map.len() < map.capacity() / 4 {
        map.shrink_to(2 * map.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(id: &str) -> TenantId {
        TenantId::parse(id).unwrap()
    }

    #[test]
    fn full_table_evicts_entries_of_the_largest_tenant() {
        let (acme, globex) = (tenant("acme"), tenant("globex"));
        let mut table = FairTable::<u64, u64>::new(100);
        for key in 0..20 {
            *table.entry(&acme, &key, |value| *value) = 1;
        }
        for key in 1..=10_000 {
            *table.entry(&globex, &key, |value| *value) = key;
            assert!(table.len() <= 100, "{}", table.len());
        }
        assert!((0..20).all(|key| table.get_mut(&acme, &key).is_some()));
        assert!(table.get_mut(&globex, &10_000).is_some() && table.get_mut(&globex, &1).is_none());
    }

    #[test]
    fn unimportant_entries_are_evicted_before_others() {
        let (acme, globex) = (tenant("acme"), tenant("globex"));
        let mut table = FairTable::<u64, u64>::new(10);
        for key in 0..9 {
            *table.entry(&acme, &key, |value| *value) = 0;
        }
        *table.entry(&globex, &1, |value| *value) = 1;
        *table.entry(&globex, &2, |value| *value) = 1;
        assert_eq!((table.len(), table.values().count(), table.tenants.len()), (2, 2, 1));
        assert_eq!((table.remove(&globex, &1), table.remove(&globex, &1)), (Some(1), None));
        table.remove(&globex, &2);
        assert!(table.is_empty() && table.tenants.is_empty());
    }
}

//! A fair table with one entry for each source. The networks of one IPv6 site count as one source if many of
//! them have entries.

use tenancy::TenantId;

use crate::network_aggregation::NetworkAggregation;
use crate::{CallerAddress, FairTable};

#[derive(Debug)]
pub struct SourceTable<V> {
    entries: FairTable<CallerAddress, V>,
    networks: NetworkAggregation,
}

impl<V: Default> SourceTable<V> {
    /// Creates an empty table for at most `most` entries.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { entries: FairTable::new(most), networks: NetworkAggregation::default() }
    }

    pub fn get_mut(&mut self, tenant: &TenantId, source: &CallerAddress) -> Option<&mut V> {
        self.entries.get_mut(tenant, &self.networks.counted(*source))
    }

    /// The source that this address counts as now.
    #[must_use]
    pub fn counted(&self, source: &CallerAddress) -> CallerAddress {
        self.networks.counted(*source)
    }

    /// The entry of this tenant and source, added if it is missing, as in [`FairTable::entry`].
    pub fn entry(
        &mut self,
        tenant: &TenantId,
        source: &CallerAddress,
        importance: impl Fn(&V) -> u64,
    ) -> &mut V {
        let mut source = self.networks.counted(*source);
        if self.entries.get_mut(tenant, &source).is_none() {
            if self.entries.make_room(importance) {
                self.count_networks();
            }
            source = self.networks.enter(source);
        }
        self.entries.entry(tenant, &source, |_| 0)
    }

    pub fn remove(&mut self, tenant: &TenantId, source: &CallerAddress) {
        let source = self.networks.counted(*source);
        if self.entries.remove(tenant, &source).is_some() {
            self.networks.leave(source);
        }
    }

    /// Drops the entries of importance 0.
    pub fn sweep(&mut self, importance: impl Fn(&V) -> u64) {
        self.entries.sweep(importance);
        self.count_networks();
    }

    #[must_use]
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn count_networks(&mut self) {
        self.networks = NetworkAggregation::default();
        for source in self.entries.keys() {
            self.networks.enter(*source);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(number: u16) -> CallerAddress {
        CallerAddress::new(Some(std::net::Ipv6Addr::new(0x2001, 0xdb8, 7, number, 0, 0, 0, 1).into()))
    }

    #[test]
    fn aggregation_ends_when_entries_are_removed() {
        let tenant = TenantId::parse("acme").unwrap();
        let mut table = SourceTable::<u64>::new(100);
        for number in 1..=17 {
            *table.entry(&tenant, &network(number), |value| *value) = 1;
        }
        *table.entry(&tenant, &network(18), |value| *value) = 9;
        assert_eq!(table.get_mut(&tenant, &network(99)).copied(), Some(9), "one source");
        table.sweep(|value| u64::from(*value > 1));
        assert_eq!((table.len(), table.get_mut(&tenant, &network(99))), (1, None));
        table.remove(&tenant, &network(0));
        assert!(table.is_empty());
        for number in 1..=100 {
            *table.entry(&tenant, &network(number), |value| *value) = 1;
            table.remove(&tenant, &network(number));
        }
        assert!(table.is_empty());
        assert_eq!(format!("{:?}", table.networks), format!("{:?}", NetworkAggregation::default()));
        for number in 0..200 {
            let four = CallerAddress::new(Some(std::net::Ipv4Addr::from(number).into()));
            *table.entry(&tenant, &four, |value| *value) = 2;
        }
        assert!(table.len() <= 100);
    }
}

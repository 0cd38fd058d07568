//! Counts the networks of one IPv6 site as one source if many of them are active. A customer often has a /48
//! (RFC 6177 §2) with 65 536 networks of /64.

use std::collections::HashMap;

use crate::CallerAddress;

/// The number of /64 networks of one /48 that count separately.
const NETWORKS: usize = 16;

/// The active /64 networks of each /48, each with its number of entries. The owner must limit the number of
/// entries.
#[derive(Debug, Default)]
pub(crate) struct NetworkAggregation {
    live: HashMap<CallerAddress, HashMap<CallerAddress, usize>>,
}

impl NetworkAggregation {
    /// The source that this address counts as now: itself, or its site.
    pub(crate) fn counted(&self, source: CallerAddress) -> CallerAddress {
        source.site().filter(|site| self.is_aggregated(site)).unwrap_or(source)
    }

    /// Adds an entry and returns the source that the address counts as.
    pub(crate) fn enter(&mut self, source: CallerAddress) -> CallerAddress {
        let Some(site) = source.site() else { return source };
        *self.live.entry(site).or_default().entry(source).or_default() += 1;
        self.counted(source)
    }

    pub(crate) fn leave(&mut self, source: CallerAddress) {
        let Some(site) = source.site() else { return };
        let Some(networks) = self.live.get_mut(&site) else { return };
        if let Some(entered) = networks.get_mut(&source) {
            *entered -= 1;
            if *entered == 0 {
                networks.remove(&source);
            }
        }
        if networks.is_empty() {
            self.live.remove(&site);
        }
    }

    fn is_aggregated(&self, site: &CallerAddress) -> bool {
        self.live.get(site).is_some_and(|networks| networks.len() > NETWORKS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> CallerAddress {
        CallerAddress::new(Some(text.parse().unwrap()))
    }

    fn network(number: usize) -> CallerAddress {
        source(&format!("2001:db8:7:{number:x}::1"))
    }

    #[test]
    fn over_sixteen_networks_of_a_site_count_as_one() {
        let mut networks = NetworkAggregation::default();
        for number in 1..=NETWORKS {
            assert_eq!(networks.enter(network(number)), network(number));
            assert_eq!(networks.enter(network(number)), network(number), "it is the same one");
        }
        let aggregate = networks.enter(network(NETWORKS + 1));
        assert_eq!(aggregate, source("2001:db8:7::"));
        for number in [1, NETWORKS, 999] {
            assert_eq!(networks.counted(network(number)), aggregate);
        }
        for (other, expected) in [("2001:db8:8::1", "2001:db8:8::1"), ("192.0.2.1", "192.0.2.1")] {
            assert_eq!(networks.counted(source(other)), source(expected));
        }
        networks.leave(network(1));
        assert_eq!(networks.counted(network(1)), aggregate, "it was entered twice");
        networks.leave(network(1));
        assert_eq!(networks.counted(network(1)), network(1));
    }

    #[test]
    fn addresses_without_a_site_are_never_aggregated() {
        let mut networks = NetworkAggregation::default();
        for number in 0..100_u8 {
            let (four, six) = (source(&format!("192.0.2.{number}")), network(number.into()));
            assert_eq!(networks.enter(four), four);
            networks.enter(six);
        }
        for number in 0..100_u8 {
            networks.leave(source(&format!("192.0.2.{number}")));
            networks.leave(network(number.into()));
        }
        assert_eq!(networks.enter(CallerAddress::new(None)), CallerAddress::new(None));
        assert!(networks.live.is_empty());
    }
}

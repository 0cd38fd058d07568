//! A tenant's share of the replay guard: the number of unexpired identifiers that this replica has recorded
//! for it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use tenancy::TenantId;
use values::Timestamp;

/// The unexpired identifiers that a tenant may have at each replica. Over this number no further assertion is
/// accepted until some expire. No identifier is forgotten before it expires.
pub(crate) const SHARE: u32 = 250_000;

/// Identifiers are counted by the minute in which they expire. An hour and three minutes make 64 numbers for
/// a tenant.
const MINUTE: u64 = 60;

/// The counts of all tenants.
pub(crate) struct LiveIdentifiers {
    share: u32,
    counts: Mutex<Counts>,
}

/// An identifier that is counted until this value is dropped. A recorded one is counted until it expires.
pub(crate) struct Counted<'a> {
    of: &'a LiveIdentifiers,
    is_recorded: bool,
    tenant: &'a TenantId,
    minute: u64,
}

#[derive(Default)]
struct Counts {
    tenants: HashMap<TenantId, BTreeMap<u64, u32>>,
    swept: u64,
}

impl LiveIdentifiers {
    pub(crate) fn new(share: u32) -> Self {
        Self { share, counts: Mutex::default() }
    }

    /// Counts an identifier, unless the tenant's share is used up.
    pub(crate) fn take<'a>(
        &'a self,
        tenant: &'a TenantId,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Option<Counted<'a>> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.sweep(now.seconds() / MINUTE);
        let live = counts.tenants.entry(tenant.clone()).or_default();
        if live.values().sum::<u32>() >= self.share {
            return None;
        }
        let minute = expires_at.seconds() / MINUTE;
        *live.entry(minute).or_default() += 1;
        Some(Counted { of: self, is_recorded: false, tenant, minute })
    }
}

impl Counted<'_> {
    /// The identifier is recorded, and counts until it expires.
    pub(crate) fn keep(mut self) {
        self.is_recorded = true;
    }
}

/// Nothing was recorded: a replay leaves no row, however often it is sent.
impl Drop for Counted<'_> {
    fn drop(&mut self) {
        if self.is_recorded {
            return;
        }
        let mut counts = self.of.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let live = counts.tenants.get_mut(self.tenant).and_then(|live| live.get_mut(&self.minute));
        if let Some(count) = live {
            *count = count.saturating_sub(1);
        }
    }
}

impl Counts {
    /// Removes expired identifiers once a minute, and tenants without any.
    fn sweep(&mut self, minute: u64) {
        if self.swept == minute {
            return;
        }
        self.swept = minute;
        self.tenants.retain(|_, live| {
            *live = live.split_off(&minute);
            !live.is_empty()
        });
        // Memory that many tenants needed at once is returned. Room for the next tenants stays.
        if self.tenants.len() < self.tenants.capacity() / 4 {
            self.tenants.shrink_to(2 * self.tenants.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assertion::client_assertion::LEEWAY;
    use crate::assertion::single_use::CLOCKS;

    #[test]
    fn a_full_share_is_its_tenants_alone_and_empties_as_identifiers_expire() {
        let (acme, globex) = (TenantId::parse("acme").unwrap(), TenantId::parse("globex").unwrap());
        let live = LiveIdentifiers::new(2);
        for (tenant, expires, now, expected) in [
            (&acme, 120, 0, true),
            (&acme, 240, 0, true),
            (&acme, 120, 0, false),
            (&globex, 120, 0, true),
            (&acme, 240, 119, false),
            // An identifier counts until the end of the minute in which it expires.
            (&acme, 240, 179, false),
            (&acme, 240, 180, true),
            (&acme, 240, 180, false),
            (&globex, 240, 180, true),
        ] {
            let at = Timestamp::from_seconds;
            let counted = live.take(tenant, at(expires), at(now));
            assert_eq!(counted.is_some(), expected, "{tenant} {expires} at {now}");
            if let Some(counted) = counted {
                counted.keep();
            }
        }
        assert!(live.take(&globex, Timestamp::from_seconds(900), Timestamp::from_seconds(600)).is_some());
        assert_eq!(live.counts.lock().unwrap().tenants.len(), 1, "nothing of acme is left");
    }

    /// The bytes that the guard holds for a tenant with an identifier in each minute of the longest lifetime:
    /// its id and its counts.
    const BYTES_OF_A_TENANT: u64 = 2_048;

    // [assertions RFC 7523 §3 e]
    #[test]
    fn the_counts_of_many_tenants_keep_to_a_bound_in_bytes_and_are_given_back() {
        const TENANTS: u64 = 2_000;
        // An assertion of an hour, the leeway for its client's clock at both ends, and the difference between
        // the clocks of replicas.
        const LONGEST: u64 = 3_600 + 2 * LEEWAY.seconds() + CLOCKS.seconds();
        let at = Timestamp::from_seconds;
        let fill = |live: &LiveIdentifiers, now: u64, seconds: &[u64]| {
            for number in 0..TENANTS {
                let tenant = TenantId::parse(&format!("{number:063}")).unwrap();
                for second in seconds {
                    live.take(&tenant, at(now + second), at(now)).unwrap().keep();
                }
            }
        };
        let live = LiveIdentifiers::new(SHARE);
        let ascending: Vec<_> = (0..=LONGEST).step_by(20).collect();
        let full = allocation_counter::measure(|| fill(&live, 59, &ascending)).bytes_current;
        let most = i64::try_from(TENANTS * BYTES_OF_A_TENANT).unwrap();
        assert!((1..=most).contains(&full), "{} bytes of a tenant", full / TENANTS as i64);
        let tenants = live.counts.lock().unwrap().tenants.values().map(BTreeMap::len).max();
        assert_eq!(tenants, Some(64));
        // However many more come, there are no more numbers: in any order, and in the next minutes.
        let mut any_order = ascending.clone();
        any_order.sort_by_key(|second| second * 7_919 % 1_000);
        let other = LiveIdentifiers::new(SHARE);
        let full = allocation_counter::measure(|| fill(&other, 59, &any_order)).bytes_current;
        assert!(full <= most, "{} bytes of a tenant in any order", full / TENANTS as i64);
        let again = allocation_counter::measure(|| fill(&other, 59, &any_order)).bytes_current;
        assert_eq!(again, 0);
        let later = allocation_counter::measure(|| fill(&other, 600, &any_order)).bytes_current;
        assert!(full + later <= most, "{later} more, later");

        // Two hours later one tenant is left, and the counts of the others are gone.
        let left = allocation_counter::measure(|| {
            let tenant = TenantId::parse("acme").unwrap();
            other.take(&tenant, at(600 + 2 * LONGEST), at(600 + 2 * LONGEST)).unwrap().keep();
        });
        let left = full + later + left.bytes_current;
        assert!(left <= 4_096, "{left} bytes are left");
    }
}

//! A tenant's share of the replay guard: how many identifiers that have not expired this replica has recorded for it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use protocol::Timestamp;
use tenancy::TenantId;

/// Identifiers of a tenant that may be live at a time, at each replica. A tenant that has more gets no further assertion accepted until
/// some expire; an identifier is never forgotten before.
pub(crate) const SHARE: u32 = 250_000;

/// Counts are kept by the minute in which identifiers expire: an hour and two minutes make 62 numbers for a tenant.
const MINUTE: u64 = 60;

/// The counts of all tenants.
pub(crate) struct LiveIdentifiers {
    share: u32,
    counts: Mutex<Counts>,
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
    pub(crate) fn take(&self, tenant: &TenantId, expires_at: Timestamp, now: Timestamp) -> bool {
        let minute = now.seconds() / MINUTE;
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.sweep(minute);
        let live = counts.tenants.entry(tenant.clone()).or_default();
        if live.values().sum::<u32>() >= self.share {
            return false;
        }
        *live.entry(expires_at.seconds() / MINUTE).or_default() += 1;
        true
    }
}

impl Counts {
    /// Once a minute: forgets what has expired, and tenants of which nothing is left.
    fn sweep(&mut self, minute: u64) {
        if self.swept == minute {
            return;
        }
        self.swept = minute;
        self.tenants.retain(|_, live| {
            *live = live.split_off(&minute);
            !live.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            // The minute in which one expires counts until its end.
            (&acme, 240, 179, false),
            (&acme, 240, 180, true),
            (&acme, 240, 180, false),
            (&globex, 240, 180, true),
        ] {
            let at = Timestamp::from_seconds;
            assert_eq!(live.take(tenant, at(expires), at(now)), expected, "{tenant} {expires} at {now}");
        }
        assert!(live.take(&globex, Timestamp::from_seconds(900), Timestamp::from_seconds(600)));
        assert_eq!(live.counts.lock().unwrap().tenants.len(), 1, "nothing of acme is left");
    }
}

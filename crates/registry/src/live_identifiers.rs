//! A tenant's share of the replay guard: how many identifiers that have not expired this replica has recorded for it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use protocol::Timestamp;
use tenancy::TenantId;

/// Identifiers of a tenant that may be live at a time, at each replica. A tenant that has more gets no further assertion accepted until
/// some expire; an identifier is never forgotten before.
pub(crate) const SHARE: u32 = 250_000;

/// Counts are kept by the minute in which identifiers expire: an hour and three minutes make 64 numbers for a tenant.
const MINUTE: u64 = 60;

/// The counts of all tenants.
pub(crate) struct LiveIdentifiers {
    share: u32,
    counts: Mutex<Counts>,
}

/// An identifier that is counted until this is dropped, or until it expires once it is recorded.
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

/// Nothing was recorded: a replay leaves no row, however often it comes.
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
            let counted = live.take(tenant, at(expires), at(now));
            assert_eq!(counted.is_some(), expected, "{tenant} {expires} at {now}");
            if let Some(counted) = counted {
                counted.keep();
            }
        }
        assert!(live.take(&globex, Timestamp::from_seconds(900), Timestamp::from_seconds(600)).is_some());
        assert_eq!(live.counts.lock().unwrap().tenants.len(), 1, "nothing of acme is left");
    }
}

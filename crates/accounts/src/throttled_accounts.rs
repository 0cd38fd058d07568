//! Audit records about accounts that refuse unknown browsers. Strangers can cause them, so each tenant has a
//! limited number of records an hour, and one additional record with the number of the others.

use std::collections::HashMap;

use parking_lot::Mutex;
use tenancy::TenantId;
use values::Timestamp;

use crate::AccountId;

/// The maximum number of records of a tenant in an hour, in addition to the sum.
const EACH: u32 = 20;
const HOUR: u64 = 3_600;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThrottledNote {
    pub tenant: TenantId,
    /// The account, or the number of further accounts in the hour.
    pub account: Result<AccountId, u64>,
    /// When the account started to refuse browsers, or when the hour began.
    pub since: Timestamp,
}

/// The records that have not been written yet.
#[derive(Default)]
pub(crate) struct Throttles(Mutex<HashMap<TenantId, TenantThrottles>>);

#[derive(Default)]
struct TenantThrottles {
    hour: u64,
    told: u32,
    untaken: Vec<(AccountId, Timestamp)>,
    more: u64,
}

impl Throttles {
    pub(crate) fn add(&self, tenant: &TenantId, account: &AccountId, since: Timestamp) {
        let mut all = self.0.lock();
        let own = all.entry(tenant.clone()).or_default();
        let hour = since.seconds() / HOUR;
        if own.more == 0 && own.hour < hour {
            (own.hour, own.told) = (hour, 0);
        }
        if own.hour >= hour && own.told < EACH {
            own.told += 1;
            own.untaken.push((account.clone(), since));
        } else {
            own.more += 1;
        }
    }

    /// Takes the records to write now. The sum of an hour follows after the end of the hour.
    pub(crate) fn take(&self, now: Timestamp) -> Vec<ThrottledNote> {
        let mut all = self.0.lock();
        let hour = now.seconds() / HOUR;
        let mut notes = Vec::new();
        for (tenant, own) in &mut *all {
            let note = |(account, since)| ThrottledNote { tenant: tenant.clone(), account, since };
            let each = own.untaken.drain(..).map(|(account, since)| (Ok(account), since));
            notes.extend(each.map(note));
            if own.hour < hour && own.more > 0 {
                let since = Timestamp::from_seconds(own.hour * HOUR);
                notes.push(note((Err(std::mem::take(&mut own.more)), since)));
            }
        }
        all.retain(|_, own| own.hour >= hour);
        notes
    }
}

#[cfg(test)]
mod tests {
    use values::Lifetime;

    use super::*;

    #[test]
    fn tenant_notes_beyond_twenty_an_hour_are_summed() {
        let (all, start) = (Throttles::default(), Timestamp::from_seconds(HOUR * 100));
        let tenant = |id: &str| TenantId::parse(id).unwrap();
        let add = |id: &str, number: u8| {
            all.add(&tenant(id), &AccountId::from_bytes([number; 16]), start);
        };
        (0..100).for_each(|number| add("acme", number));
        add("globex", 1);
        let taken = all.take(start);
        let of =
            |notes: &[ThrottledNote], id: &str| notes.iter().filter(|note| note.tenant == tenant(id)).count();
        assert_eq!((of(&taken, "acme"), of(&taken, "globex")), (20, 1));
        add("acme", 200);
        assert!(all.take(start).is_empty());
        let later = start + Lifetime::from_seconds(HOUR);
        let sum = ThrottledNote { tenant: tenant("acme"), account: Err(81), since: start };
        assert_eq!(all.take(later), [sum]);
        assert!(all.0.lock().is_empty(), "nothing is left of a tenant");
    }
}

//! Notes for the audit about accounts that refuse unknown browsers. A stranger can cause them, so a tenant
//! has a limited number of records an hour, and one more record counts the others.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tenancy::TenantId;
use values::Timestamp;

use crate::AccountId;

/// Records of a tenant in an hour, beside the sum.
const EACH: u32 = 20;
const HOUR: u64 = 3_600;

/// One record for the audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThrottledNote {
    /// The tenant of the account.
    pub tenant: TenantId,
    /// Which account, or how many more there were in the hour.
    pub account: Result<AccountId, u64>,
    /// Since when, or when the hour began.
    pub since: Timestamp,
}

/// The notes of all tenants for the audit, until they are taken.
#[derive(Default)]
pub(crate) struct ThrottledAccounts(Mutex<HashMap<TenantId, TenantThrottles>>);

#[derive(Default)]
struct TenantThrottles {
    hour: u64,
    told: u32,
    untaken: Vec<(AccountId, Timestamp)>,
    more: u64,
}

impl ThrottledAccounts {
    pub(crate) fn add(&self, tenant: &TenantId, account: &AccountId, since: Timestamp) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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

    /// Takes what is to be written now. The sum of an hour follows when the hour is over.
    pub(crate) fn take(&self, now: Timestamp) -> Vec<ThrottledNote> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
    fn a_tenant_has_twenty_records_and_a_sum_an_hour_and_another_tenant_its_own() {
        let (all, start) = (ThrottledAccounts::default(), Timestamp::from_seconds(HOUR * 100));
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
        assert!(all.0.lock().unwrap().is_empty(), "nothing is left of a tenant");
    }
}

//! How often in a row the password of an account was wrong (NIST SP 800-63B-4 §3.2.2: "no more than 100"): from browsers that are not known,
//! and from known ones, which have a count of their own. Nothing is written for a failure, so each replica counts for itself.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tenancy::TenantId;

use crate::AccountId;

/// So many wrong passwords in a row, and the next attempt is refused.
const MOST: u8 = 100;
/// So many accounts are counted. Where there are more, those with few failures are forgotten: their attempts are limited by time all the same.
const ACCOUNTS: usize = 65_536;
const FEW: u8 = 10;

/// The failures in a row of all accounts.
#[derive(Default)]
pub(crate) struct FailureRuns(Mutex<HashMap<(TenantId, AccountId), Runs>>);

/// Of one account.
#[derive(Clone, Copy, Debug, Default)]
struct Runs {
    unknown: u8,
    known: u8,
}

impl FailureRuns {
    /// Whether no more passwords are checked.
    pub(crate) fn is_over(&self, tenant: &TenantId, account: &AccountId, is_known_browser: bool) -> bool {
        let runs = self.lock().get(&(tenant.clone(), account.clone())).copied().unwrap_or_default();
        (if is_known_browser { runs.known } else { runs.unknown }) >= MOST
    }

    /// The password was wrong.
    pub(crate) fn failed(&self, tenant: &TenantId, account: &AccountId, is_known_browser: bool) {
        let mut all = self.lock();
        let key = (tenant.clone(), account.clone());
        if all.len() >= ACCOUNTS && !all.contains_key(&key) {
            all.retain(|_, runs| runs.unknown.max(runs.known) > FEW);
            if all.len() >= ACCOUNTS {
                return;
            }
        }
        let run = all.entry(key).or_default().run(is_known_browser);
        *run = run.saturating_add(1);
    }

    /// The password was right.
    pub(crate) fn succeeded(&self, tenant: &TenantId, account: &AccountId, is_known_browser: bool) {
        if let Some(runs) = self.lock().get_mut(&(tenant.clone(), account.clone())) {
            *runs.run(is_known_browser) = 0;
        }
    }

    /// An administrator begins the counts anew.
    pub(crate) fn forget(&self, tenant: &TenantId, account: &AccountId) {
        self.lock().remove(&(tenant.clone(), account.clone()));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<(TenantId, AccountId), Runs>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Runs {
    fn run(&mut self, is_known_browser: bool) -> &mut u8 {
        if is_known_browser { &mut self.known } else { &mut self.unknown }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(id: &str) -> TenantId {
        TenantId::parse(id).unwrap()
    }

    #[test]
    fn a_hundred_in_a_row_are_over_for_the_kind_of_browser_that_failed() {
        let (runs, acme, ada) = (FailureRuns::default(), tenant("acme"), AccountId::from_bytes([1; 16]));
        for is_known in [false, true] {
            for _ in 0..99 {
                runs.failed(&acme, &ada, is_known);
            }
            assert!(!runs.is_over(&acme, &ada, is_known));
            runs.succeeded(&acme, &ada, is_known);
            for _ in 0..99 {
                runs.failed(&acme, &ada, is_known);
            }
            assert!(!runs.is_over(&acme, &ada, is_known), "not in a row");
            runs.failed(&acme, &ada, is_known);
            assert!(runs.is_over(&acme, &ada, is_known) && (is_known || !runs.is_over(&acme, &ada, true)));
        }
        for (other, account) in [("globex", &ada), ("acme", &AccountId::from_bytes([2; 16]))] {
            assert!(!runs.is_over(&tenant(other), account, false));
        }
        runs.forget(&tenant("globex"), &ada);
        assert!(runs.is_over(&acme, &ada, false));
        runs.forget(&acme, &ada);
        assert!(!runs.is_over(&acme, &ada, false) && !runs.is_over(&acme, &ada, true));
    }

    #[test]
    fn the_counts_of_many_accounts_have_an_end_and_the_long_runs_stay() {
        let (runs, acme) = (FailureRuns::default(), tenant("acme"));
        let account = |number: u32| AccountId::from_bytes(u128::from(number).to_be_bytes());
        for _ in 0..MOST {
            runs.failed(&acme, &account(0), false);
        }
        for number in 1..70_000 {
            runs.failed(&acme, &account(number), false);
        }
        assert!(runs.is_over(&acme, &account(0), false) && runs.lock().len() <= ACCOUNTS);
    }
}

//! How often in a row the password of an account was wrong (NIST SP 800-63B-4 §3.2.2: "no more than 100"): from browsers that are not known,
//! and from each known one, which has a count of its own. Nothing is written for a failure, so each replica counts for itself.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tenancy::TenantId;

use crate::{AccountId, BrowserId};

/// So many wrong passwords in a row, and the next attempt is refused.
const MOST: u8 = 100;
/// So many accounts are counted. Where there are more, those with few failures are forgotten: their attempts are limited by time all the same.
const ACCOUNTS: usize = 65_536;
const FEW: u8 = 10;
/// So many known browsers of an account are counted. A further one takes the place of that with the fewest failures.
const BROWSERS: usize = 16;

/// The failures in a row of all accounts.
#[derive(Default)]
pub(crate) struct FailureRuns(Mutex<HashMap<(TenantId, AccountId), Runs>>);

/// Of one account.
#[derive(Clone, Debug, Default)]
struct Runs {
    unknown: u8,
    known: Vec<(BrowserId, u8)>,
}

/// An attempt that is counted as failed, also when it is dropped half way.
#[must_use]
pub(crate) struct CountedAttempt<'a> {
    runs: &'a FailureRuns,
    account: (TenantId, AccountId),
    browser: Option<BrowserId>,
}

impl FailureRuns {
    /// Counts an attempt before its password is checked, because others may be under way; `None` where no more passwords are checked. The
    /// browser is one that is known, or none.
    pub(crate) fn begin(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        browser: Option<BrowserId>,
    ) -> Option<CountedAttempt<'_>> {
        let attempt = CountedAttempt { runs: self, account: (tenant.clone(), account.clone()), browser };
        let mut all = self.lock();
        if all.len() >= ACCOUNTS && !all.contains_key(&attempt.account) {
            all.retain(|_, runs| runs.longest() > FEW);
            if all.len() >= ACCOUNTS {
                return Some(attempt);
            }
        }
        let run = all.entry(attempt.account.clone()).or_default().run(browser);
        if *run >= MOST {
            return None;
        }
        *run += 1;
        Some(attempt)
    }

    /// An administrator begins the counts anew.
    pub(crate) fn forget(&self, tenant: &TenantId, account: &AccountId) {
        self.lock().remove(&(tenant.clone(), account.clone()));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(TenantId, AccountId), Runs>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CountedAttempt<'_> {
    /// The password was right.
    pub(crate) fn succeed(self) {
        self.set(|_| 0);
    }

    /// Nothing was learned from it about the password, because of this server or of the account.
    pub(crate) fn forgive(self) {
        self.set(|run| run.saturating_sub(1));
    }

    fn set(self, after: fn(u8) -> u8) {
        if let Some(runs) = self.runs.lock().get_mut(&self.account) {
            let run = runs.run(self.browser);
            *run = after(*run);
        }
    }
}

impl Runs {
    fn run(&mut self, browser: Option<BrowserId>) -> &mut u8 {
        let Some(browser) = browser else { return &mut self.unknown };
        let at = self.known.iter().position(|(id, _)| *id == browser).unwrap_or_else(|| {
            if self.known.len() >= BROWSERS {
                let fewest = self.known.iter().enumerate().min_by_key(|(_, (_, run))| *run);
                let fewest = fewest.map_or(0, |(at, _)| at);
                self.known.swap_remove(fewest);
            }
            self.known.push((browser, 0));
            self.known.len() - 1
        });
        &mut self.known[at].1
    }

    fn longest(&self) -> u8 {
        self.known.iter().map(|(_, run)| *run).fold(self.unknown, u8::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(id: &str) -> TenantId {
        TenantId::parse(id).unwrap()
    }

    fn is_over(
        runs: &FailureRuns,
        tenant: &TenantId,
        account: &AccountId,
        browser: Option<BrowserId>,
    ) -> bool {
        runs.begin(tenant, account, browser).map(CountedAttempt::forgive).is_none()
    }

    fn fail(runs: &FailureRuns, tenant: &TenantId, account: &AccountId, browser: Option<BrowserId>) {
        drop(runs.begin(tenant, account, browser).unwrap());
    }

    #[test]
    fn a_hundred_in_a_row_are_over_for_the_browser_that_failed() {
        let (runs, acme, ada) = (FailureRuns::default(), tenant("acme"), AccountId::from_bytes([1; 16]));
        let browsers = [None, Some([1; 16]), Some([2; 16])];
        for (at, browser) in browsers.into_iter().enumerate() {
            for _ in 0..99 {
                fail(&runs, &acme, &ada, browser);
            }
            assert!(!is_over(&runs, &acme, &ada, browser));
            runs.begin(&acme, &ada, browser).unwrap().succeed();
            for _ in 0..100 {
                assert!(!is_over(&runs, &acme, &ada, browser), "not in a row");
                fail(&runs, &acme, &ada, browser);
            }
            for (other, browser) in browsers.into_iter().enumerate() {
                assert_eq!(is_over(&runs, &acme, &ada, browser), other <= at);
            }
        }
        for (other, account) in [("globex", &ada), ("acme", &AccountId::from_bytes([2; 16]))] {
            assert!(!is_over(&runs, &tenant(other), account, None));
        }
        runs.forget(&tenant("globex"), &ada);
        assert!(is_over(&runs, &acme, &ada, None));
        runs.forget(&acme, &ada);
        assert!(browsers.into_iter().all(|browser| !is_over(&runs, &acme, &ada, browser)));
    }

    #[test]
    fn attempts_under_way_count() {
        let (runs, acme, ada) = (FailureRuns::default(), tenant("acme"), AccountId::from_bytes([1; 16]));
        for _ in 0..98 {
            fail(&runs, &acme, &ada, None);
        }
        let under_way: Vec<_> = (0..10).filter_map(|_| runs.begin(&acme, &ada, None)).collect();
        assert_eq!(under_way.len(), 2);
        under_way.into_iter().for_each(CountedAttempt::forgive);
        assert!(!is_over(&runs, &acme, &ada, None));
    }

    #[test]
    fn the_counts_of_many_accounts_and_browsers_have_an_end_and_the_long_runs_stay() {
        let (runs, acme) = (FailureRuns::default(), tenant("acme"));
        let bytes = |number: u32| u128::from(number).to_be_bytes();
        let account = |number: u32| AccountId::from_bytes(bytes(number));
        for _ in 0..MOST {
            fail(&runs, &acme, &account(0), Some(bytes(0)));
        }
        for number in 1..1_000 {
            fail(&runs, &acme, &account(0), Some(bytes(number)));
        }
        for number in 1..70_000 {
            fail(&runs, &acme, &account(number), None);
        }
        assert!(is_over(&runs, &acme, &account(0), Some(bytes(0))));
        let all = runs.lock();
        let of_one = &all[&(acme.clone(), account(0))].known;
        assert!(all.len() <= ACCOUNTS && of_one.len() == BROWSERS, "{} {of_one:?}", all.len());
    }
}

//! Counts the wrong passwords of an account in a row (NIST SP 800-63B-4 §3.2.2: "no more than 100"): one
//! count for all unknown browsers, and one for each known browser. One failure is forgotten every half hour,
//! which departs from that text, so that a stranger cannot lock a person out for ever. A failure writes
//! nothing, so each replica counts for itself.

#[cfg(test)]
mod tests;

use std::sync::{Mutex, MutexGuard, PoisonError};

use secrets::FairTable;
use tenancy::TenantId;
use values::{Lifetime, Timestamp};

use crate::sign_in_throttle::SPAN;
use crate::{AccountId, BrowserId};

/// After this number of wrong passwords in a row, the next attempt is refused.
const MOST: u64 = 100;
/// A run loses one failure in this time.
const DECAY: Lifetime = Lifetime::from_seconds(30 * 60);
/// The number of accounts that are counted. If there are more, those with the shortest runs are forgotten, in
/// the tenant with the most accounts.
const ACCOUNTS: usize = 65_536;
/// The number of known browsers of an account that are counted. A further one replaces the one with the
/// shortest run.
const BROWSERS: usize = 16;
/// The audit gets at most one record of an account in this time.
const TOLD_EVERY: Lifetime = Lifetime::from_seconds(86_400);

/// The failures in a row of all accounts.
pub(crate) struct FailureRuns(Mutex<FairTable<AccountId, Runs>>);

/// The fact that an account refuses unknown browsers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttled {
    /// When it first refused one.
    pub since: Timestamp,
    /// A quarter of an hour after the last refusal. From then on the account no longer counts as throttled.
    pub until: Timestamp,
}

/// The runs of one account. A run is stored as the instant at which its last failure is forgotten.
#[derive(Clone, Debug, Default)]
struct Runs {
    unknown: Run,
    known: Vec<(BrowserId, Run)>,
    throttled: Option<Throttled>,
    told_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Run {
    empty_at: u64,
}

/// An attempt that counts as failed, even if it is dropped halfway.
#[must_use]
pub(crate) struct CountedAttempt<'a> {
    runs: &'a FailureRuns,
    account: (TenantId, AccountId),
    browser: Option<BrowserId>,
}

impl Default for FailureRuns {
    fn default() -> Self {
        Self(Mutex::new(FairTable::new(ACCOUNTS)))
    }
}

impl FailureRuns {
    /// Counts an attempt before its password is checked, because others may be running. `None` if no more
    /// passwords are checked. `browser` is a known one, or none.
    pub(crate) fn begin(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        browser: Option<BrowserId>,
        now: Timestamp,
    ) -> Option<CountedAttempt<'_>> {
        let mut all = self.lock();
        let run = entry(&mut all, tenant, account, now).run(browser);
        if run.length(now) >= MOST {
            return None;
        }
        run.empty_at = run.empty_at.max(now.seconds()) + DECAY.seconds();
        Some(CountedAttempt { runs: self, account: (tenant.clone(), account.clone()), browser })
    }

    /// Notes that the account has refused an unknown browser. Returns since when it does, if the audit must
    /// record it.
    pub(crate) fn refused(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let mut all = self.lock();
        let runs = entry(&mut all, tenant, account, now);
        let before = runs.throttled.filter(|throttled| now < throttled.until);
        let since = before.map_or(now, |throttled| throttled.since);
        runs.throttled = Some(Throttled { since, until: now + SPAN });
        let is_told = before.is_some() || runs.told_at.is_some_and(|told| now < told + TOLD_EVERY);
        (!is_told).then(|| *runs.told_at.insert(now))
    }

    /// Whether the account refuses unknown browsers, and how many wrong passwords in a row they have sent.
    pub(crate) fn of(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        now: Timestamp,
    ) -> (Option<Throttled>, u64) {
        let mut all = self.lock();
        let Some(runs) = all.get_mut(tenant, account) else { return (None, 0) };
        (runs.throttled_at(now), runs.unknown.length(now))
    }

    /// The number of accounts that refuse browsers that they do not know.
    pub(crate) fn throttled(&self, now: Timestamp) -> usize {
        self.lock().values().filter(|runs| runs.throttled_at(now).is_some()).count()
    }

    /// Resets the counts for an administrator. Returns the known browsers that had failures.
    pub(crate) fn forget(&self, tenant: &TenantId, account: &AccountId) -> Vec<BrowserId> {
        let forgotten = self.lock().remove(tenant, account);
        forgotten.into_iter().flat_map(|runs| runs.known).map(|(browser, _)| browser).collect()
    }

    fn lock(&self) -> MutexGuard<'_, FairTable<AccountId, Runs>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn entry<'a>(
    all: &'a mut FairTable<AccountId, Runs>,
    tenant: &TenantId,
    account: &AccountId,
    now: Timestamp,
) -> &'a mut Runs {
    all.entry(tenant, account, |runs| runs.longest(now))
}

impl CountedAttempt<'_> {
    /// The password was right.
    pub(crate) fn succeed(self) {
        self.set(|run| run.empty_at = 0);
    }

    /// The attempt revealed nothing about the password, because of this server or of the account.
    pub(crate) fn forgive(self) {
        self.set(|run| run.empty_at = run.empty_at.saturating_sub(DECAY.seconds()));
    }

    fn set(self, change: fn(&mut Run)) {
        let (tenant, account) = &self.account;
        if let Some(runs) = self.runs.lock().get_mut(tenant, account) {
            change(runs.run(self.browser));
        }
    }
}

impl Run {
    /// The failures that are not forgotten.
    const fn length(self, now: Timestamp) -> u64 {
        self.empty_at.saturating_sub(now.seconds()).div_ceil(DECAY.seconds())
    }
}

impl Runs {
    fn run(&mut self, browser: Option<BrowserId>) -> &mut Run {
        let Some(browser) = browser else { return &mut self.unknown };
        let at = self.known.iter().position(|(id, _)| *id == browser).unwrap_or_else(|| {
            if self.known.len() >= BROWSERS {
                let shortest = self.known.iter().enumerate().min_by_key(|(_, (_, run))| run.empty_at);
                let shortest = shortest.map_or(0, |(at, _)| at);
                self.known.swap_remove(shortest);
            }
            self.known.push((browser, Run::default()));
            self.known.len() - 1
        });
        &mut self.known[at].1
    }

    fn longest(&self, now: Timestamp) -> u64 {
        self.known.iter().map(|(_, run)| run.length(now)).fold(self.unknown.length(now), u64::max)
    }

    fn throttled_at(&self, now: Timestamp) -> Option<Throttled> {
        self.throttled.filter(|throttled| now < throttled.until)
    }
}

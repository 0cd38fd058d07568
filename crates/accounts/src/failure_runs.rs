//! Counts the consecutive wrong passwords of an account (NIST SP 800-63B-4 §3.2.2: "no more than 100"): one
//! count for all unknown browsers, and one for each known browser. One failure is dropped every half hour.
//! This departs from the NIST text, so that a stranger cannot lock a person out forever. Failures are not
//! stored; replicas share the counts if they share a Redis.

#[cfg(test)]
mod tests;

use parking_lot::Mutex;
use secrets::{FairTable, SharedAttempt, SharedCounts};
use tenancy::TenantId;
use values::{Lifetime, Timestamp};

use crate::sign_in_throttle::SPAN;
use crate::{AccountId, BrowserId};

/// After this many consecutive wrong passwords, the next attempt is refused.
const MOST: u64 = 100;
/// How long until one failure is dropped.
const DECAY: Lifetime = Lifetime::from_seconds(30 * 60);
/// The maximum number of accounts that are counted. Above it, the accounts with the fewest failures are
/// dropped, from the tenant with the most accounts.
const ACCOUNTS: usize = 65_536;
/// The maximum number of known browsers that are counted for an account. A further browser replaces the one
/// with the fewest failures.
const BROWSERS: usize = 16;
/// The minimum time between two audit records of an account.
const TOLD_EVERY: Lifetime = Lifetime::from_seconds(86_400);

pub(crate) struct FailureRuns {
    runs: Mutex<FairTable<AccountId, Runs>>,
    shared: SharedCounts,
}

/// An account that refuses unknown browsers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttled {
    /// The time of the first refusal.
    pub since: Timestamp,
    /// A quarter of an hour after the last refusal. From then on, the account does not count as throttled any
    /// more.
    pub until: Timestamp,
}

/// The counts of one account. A count is stored as the time when its last failure is dropped.
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

/// An attempt that counts as failed, even if it is dropped early.
#[must_use]
pub(crate) struct CountedAttempt<'a> {
    runs: &'a FailureRuns,
    account: (TenantId, AccountId),
    browser: Option<BrowserId>,
    shared: SharedAttempt<'a>,
}

impl Default for FailureRuns {
    fn default() -> Self {
        Self::new(SharedCounts::default())
    }
}

impl FailureRuns {
    /// `shared` counts the failures at all replicas.
    pub(crate) fn new(shared: SharedCounts) -> Self {
        Self { runs: Mutex::new(FairTable::new(ACCOUNTS)), shared }
    }

    /// Counts an attempt before its password is checked, because other attempts may run at the same time.
    /// Returns `None` if the limit is reached. `browser` is `None` for an unknown browser.
    pub(crate) fn begin(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        browser: Option<BrowserId>,
        now: Timestamp,
    ) -> Option<CountedAttempt<'_>> {
        let mut all = self.runs.lock();
        let run = entry(&mut all, tenant, account, now).run(browser);
        if run.length(now) >= MOST {
            return None;
        }
        let decay = DECAY.seconds() * 1_000;
        let shared = self.shared.begin(tenant, (account, browser), decay, MOST * decay, now)?;
        run.empty_at = run.empty_at.max(now.seconds()) + DECAY.seconds();
        Some(CountedAttempt { runs: self, account: (tenant.clone(), account.clone()), browser, shared })
    }

    /// Records that the account has refused an unknown browser. Returns since when it does, if the audit must
    /// record it.
    pub(crate) fn refused(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let mut all = self.runs.lock();
        let runs = entry(&mut all, tenant, account, now);
        let before = runs.throttled.filter(|throttled| now < throttled.until);
        let since = before.map_or(now, |throttled| throttled.since);
        runs.throttled = Some(Throttled { since, until: now + SPAN });
        let is_told = before.is_some() || runs.told_at.is_some_and(|told| now < told + TOLD_EVERY);
        (!is_told).then(|| *runs.told_at.insert(now))
    }

    /// Whether the account refuses unknown browsers, and the number of consecutive wrong passwords from them.
    pub(crate) fn of(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        now: Timestamp,
    ) -> (Option<Throttled>, u64) {
        let mut all = self.runs.lock();
        let Some(runs) = all.get_mut(tenant, account) else { return (None, 0) };
        (runs.throttled_at(now), runs.unknown.length(now))
    }

    /// The number of accounts that refuse unknown browsers.
    pub(crate) fn throttled(&self, now: Timestamp) -> usize {
        self.runs.lock().values().filter(|runs| runs.throttled_at(now).is_some()).count()
    }

    /// Resets the counts of an account. Returns the known browsers that had failures.
    pub(crate) fn forget(&self, tenant: &TenantId, account: &AccountId) -> Vec<BrowserId> {
        let forgotten = self.runs.lock().remove(tenant, account);
        let browsers: Vec<_> = forgotten.into_iter().flat_map(|runs| runs.known).map(|(of, _)| of).collect();
        for browser in browsers.iter().copied().map(Some).chain([None]) {
            self.shared.reset(tenant, (account, browser));
        }
        browsers
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
    /// Resets the count, because the password was correct.
    pub(crate) fn succeed(self) {
        self.set(|run| run.empty_at = 0);
        self.runs.shared.reset(&self.account.0, (&self.account.1, self.browser));
        self.shared.forgive();
    }

    /// Removes the attempt from the count, because it failed for another reason than the password.
    pub(crate) fn forgive(self) {
        self.set(|run| run.empty_at = run.empty_at.saturating_sub(DECAY.seconds()));
        self.shared.forgive();
    }

    fn set(&self, change: fn(&mut Run)) {
        let (tenant, account) = &self.account;
        if let Some(runs) = self.runs.runs.lock().get_mut(tenant, account) {
            change(runs.run(self.browser));
        }
    }
}

impl Run {
    /// The number of failures that have not been dropped.
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

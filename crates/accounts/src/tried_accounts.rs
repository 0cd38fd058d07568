//! Counts the distinct accounts at which a source has failed (password spraying). Several wrong passwords at
//! one account count once: they use up the limit of the account, but leave the source its other accounts.

use std::hash::{BuildHasher as _, RandomState};

use parking_lot::Mutex;
use secrets::{CallerAddress, LimitSpan, SharedCounts, SourceTable};
use tenancy::TenantId;
use values::{Lifetime, Timestamp};

use crate::AccountId;

/// How long a wrong password counts.
const SPAN: Lifetime = Lifetime::from_seconds(15 * 60);
/// The maximum number of pairs of tenant and source that are counted.
const SOURCES: usize = 16_384;
/// The maximum number of concurrent attempts of a source at accounts at which it has not failed. It is high,
/// because all people of an office or a school may share one address.
const UNDER_WAY: usize = 1_000;
/// How often expired failures are removed. Removing them lets networks of one site count separately again.
const SWEPT_EVERY: Lifetime = Lifetime::from_seconds(60);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum AttemptTarget<'a> {
    /// An account, whichever identifier was used.
    Account(&'a AccountId),
    /// An unknown identifier, or any other text. It has a limit like an account, so the limit does not reveal
    /// which accounts exist.
    Unknown(&'a str),
}

pub(crate) struct SourceAttempts {
    digests: RandomState,
    sources: Mutex<Sources>,
    shared: SharedCounts,
}

struct Sources {
    table: SourceTable<Vec<Tried>>,
    swept_at: Timestamp,
}

/// An account at which a source has failed or is trying.
#[derive(Debug)]
struct Tried {
    /// A digest of the id or text.
    digest: u64,
    failures: u32,
    under_way: u32,
    last: Timestamp,
}

/// An attempt that counts as failed when it is dropped.
#[must_use]
pub(crate) struct TriedAttempt<'a> {
    of: &'a SourceAttempts,
    tenant: TenantId,
    source: CallerAddress,
    digest: u64,
    most: u32,
    now: Timestamp,
    is_forgiven: bool,
}

impl SourceAttempts {
    pub(crate) fn new() -> Self {
        let sources = Sources { table: SourceTable::new(SOURCES), swept_at: Timestamp::from_seconds(0) };
        Self { digests: RandomState::new(), sources: Mutex::new(sources), shared: SharedCounts::default() }
    }

    /// Also counts the accounts at which the source has failed at other replicas, in the current quarter of
    /// an hour.
    pub(crate) fn shared(self, shared: SharedCounts) -> Self {
        Self { shared, ..self }
    }

    /// Starts an attempt. `None` if the source has failed at too many other accounts and not at this one.
    pub(crate) fn begin(
        &self,
        tenant: &TenantId,
        source: &CallerAddress,
        target: AttemptTarget<'_>,
        most: u32,
        now: Timestamp,
    ) -> Option<TriedAttempt<'_>> {
        let digest = self.shared.digest(tenant, target);
        let digest = digest.unwrap_or_else(|| self.digests.hash_one((tenant, target)));
        let mut sources = self.sources.lock();
        if now >= sources.swept_at + SWEPT_EVERY {
            sources.table.sweep(|tried| importance(tried, now));
            sources.swept_at = now;
        }
        let span = shared_span(most, now);
        // All replicas together may have reached the limit.
        let is_reached = self.shared.is_reached(tenant, sources.table.counted(source), span, now);
        let most_here = if is_reached { 0 } else { most };
        let tried = sources.table.entry(tenant, source, |tried| importance(tried, now));
        tried.retain(|tried| tried.is_live(now));
        if has_failed_at_others(tried, digest, most_here) {
            return None;
        }
        if tried.len() >= UNDER_WAY && !tried.iter().any(|tried| tried.digest == digest) {
            return None;
        }
        let of_account = of_account(tried, digest, now);
        of_account.under_way = of_account.under_way.saturating_add(1);
        let (tenant, source) = (tenant.clone(), *source);
        Some(TriedAttempt { of: self, tenant, source, digest, most, now, is_forgiven: false })
    }
}

/// The quarter of an hour that contains this time.
fn shared_span(most: u32, now: Timestamp) -> LimitSpan {
    let rest = SPAN.seconds() - now.seconds() % SPAN.seconds();
    (most.into(), now + Lifetime::from_seconds(rest))
}

impl Tried {
    fn is_live(&self, now: Timestamp) -> bool {
        now < self.last + SPAN
    }
}

/// The entry of this account, added if it is missing.
fn of_account(tried: &mut Vec<Tried>, digest: u64, now: Timestamp) -> &mut Tried {
    let at = tried.iter().position(|tried| tried.digest == digest).unwrap_or_else(|| {
        tried.push(Tried { digest, failures: 0, under_way: 0, last: now });
        tried.len() - 1
    });
    &mut tried[at]
}

/// The source whose latest attempt is the oldest is dropped first.
fn importance(tried: &[Tried], now: Timestamp) -> u64 {
    let live = tried.iter().filter(|tried| tried.is_live(now)).map(|tried| tried.last.seconds());
    live.max().unwrap_or(0)
}

/// Whether the source has failed at too many accounts, and not at this one.
fn has_failed_at_others(tried: &[Tried], digest: u64, most: u32) -> bool {
    let mut failed = tried.iter().filter(|tried| tried.failures > 0);
    failed.clone().count() as u64 >= most.into() && !failed.any(|tried| tried.digest == digest)
}

impl TriedAttempt<'_> {
    /// Ends an attempt with the correct password. Returns `false` if the source has failed at too many other
    /// accounts in the meantime: a concurrent attempt must not succeed when a later one would be refused.
    pub(crate) fn succeed(self) -> bool {
        let mut sources = self.of.sources.lock();
        let tried = sources.table.get_mut(&self.tenant, &self.source);
        let is_refused = tried.is_some_and(|tried| has_failed_at_others(tried, self.digest, self.most));
        drop(sources);
        self.forgive();
        !is_refused
    }

    /// Does not count the attempt, because it revealed nothing about the password.
    pub(crate) fn forgive(mut self) {
        self.is_forgiven = true;
    }
}

impl Drop for TriedAttempt<'_> {
    fn drop(&mut self) {
        let SourceAttempts { sources, shared, .. } = self.of;
        let mut sources = sources.lock();
        let source = sources.table.counted(&self.source);
        let tried = sources.table.entry(&self.tenant, &self.source, |tried| importance(tried, self.now));
        let of_account = of_account(tried, self.digest, self.now);
        of_account.under_way = of_account.under_way.saturating_sub(1);
        if !self.is_forgiven {
            of_account.failures = of_account.failures.saturating_add(1);
            of_account.last = of_account.last.max(self.now);
            let span = shared_span(self.most, self.now);
            shared.add(&self.tenant, source, (1, Some(self.digest)), span, self.now);
        }
        tried.retain(|tried| tried.failures > 0 || tried.under_way > 0);
        if tried.is_empty() {
            sources.table.remove(&self.tenant, &self.source);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_767_225_600);

    fn tenant(id: &str) -> TenantId {
        TenantId::parse(id).unwrap()
    }

    fn source(number: u32) -> CallerAddress {
        CallerAddress::new(Some(std::net::Ipv4Addr::from(number).into()))
    }

    fn fails(tried: &SourceAttempts, id: &str, number: u32, name: &str, now: Timestamp) -> bool {
        tried.begin(&tenant(id), &source(number), AttemptTarget::Unknown(name), 20, now).is_some()
    }

    // [shared 2.13]: A hundred wrong names from one address stopped the sign-in of all people there, fifty
    //   wrong user codes all devices there | fixed | A source counts the distinct accounts at which it fails:
    //   20 in 15 minutes; a known browser passes. Attempts under way are no failures, and a right password
    //   counts only while the source may still try. More than 16 networks of an IPv6 site are one source. All
    //   counts are by tenant, in tables where a tenant pushes out its own. Wrong user codes in a browser
    //   where a person has signed in count for that person
    #[test]
    fn source_may_fail_at_twenty_distinct_accounts() {
        let tried = SourceAttempts::new();
        for _ in 0..100 {
            assert!(fails(&tried, "acme", 1, "ada", NOW));
        }
        let names: Vec<_> = (1..100).map(|number| format!("name-{number}")).collect();
        assert_eq!(names.iter().filter(|name| fails(&tried, "acme", 1, name, NOW)).count(), 19);
        assert!(fails(&tried, "acme", 1, "ada", NOW) && !fails(&tried, "acme", 1, "eve", NOW));
        for (id, number, now) in [("globex", 1, NOW), ("acme", 2, NOW), ("acme", 1, NOW + SPAN)] {
            assert!(fails(&tried, id, number, "eve", now), "{id} {number}");
        }
    }

    #[test]
    fn forgiven_attempt_keeps_earlier_failures() {
        let tried = SourceAttempts::new();
        let begin = |name| tried.begin(&tenant("acme"), &source(1), AttemptTarget::Unknown(name), 1, NOW);
        begin("ada").unwrap().forgive();
        assert!(tried.sources.lock().table.is_empty());
        drop(begin("bob").unwrap());
        begin("bob").unwrap().forgive();
        assert!(begin("ada").is_none() && begin("bob").is_some());
    }

    // [shared 2.13]
    #[test]
    fn concurrent_sign_ins_pass_and_concurrent_guesses_do_not() {
        let tried = SourceAttempts::new();
        let names: Vec<_> = (0..200).map(|number| format!("name-{number}")).collect();
        let begin = |name| tried.begin(&tenant("acme"), &source(1), AttemptTarget::Unknown(name), 20, NOW);
        let all: Vec<_> = names.iter().map(|name| begin(name).unwrap()).collect();
        assert!(all.into_iter().all(TriedAttempt::succeed));
        let mut all: Vec<_> = names.iter().map(|name| begin(name).unwrap()).collect();
        let rest = all.split_off(20);
        drop(all);
        assert!(!rest.into_iter().any(TriedAttempt::succeed), "it has failed at twenty others");
        assert!(begin("name-19").is_some() && begin("name-20").is_none());
    }

    #[test]
    fn ipv6_site_counts_as_few_sources() {
        let tried = SourceAttempts::new();
        let fails = |number: u16, now| {
            let network = std::net::Ipv6Addr::new(0x2001, 0xdb8, 7, number, 0, 0, 0, 1);
            let (source, name) = (CallerAddress::new(Some(network.into())), number.to_string());
            tried.begin(&tenant("acme"), &source, AttemptTarget::Unknown(&name), 20, now).is_some()
        };
        let admitted = |now| (1..=1_000).filter(|number| fails(*number, now)).count();
        assert_eq!(admitted(NOW), 16 + 20);
        assert_eq!(admitted(NOW + SPAN), 16 + 20, "its networks are apart again");
    }

    #[test]
    fn tenant_never_evicts_sources_of_another_tenant() {
        let tried = SourceAttempts::new();
        let names: Vec<_> = (0..20).map(|number| format!("name-{number}")).collect();
        assert!(names.iter().all(|name| fails(&tried, "acme", 1, name, NOW)));
        for number in 0..40_000 {
            assert!(fails(&tried, "globex", number, "ada", NOW));
        }
        assert!(tried.sources.lock().table.len() <= SOURCES);
        assert!(!fails(&tried, "acme", 1, "eve", NOW));
    }
}

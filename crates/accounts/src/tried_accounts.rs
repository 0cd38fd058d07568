//! Counts the distinct accounts at which a source has failed (password spraying). Many wrong passwords at one
//! account count once, so they use up the limit of that account and leave the source its other accounts.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use secrets::{ClientAddress, SourceTable};
use tenancy::TenantId;
use values::{Lifetime, Timestamp};

use crate::AccountId;

/// A wrong password counts for so long.
const SPAN: Lifetime = Lifetime::from_seconds(15 * 60);
/// The number of pairs of tenant and source that are counted.
const SOURCES: usize = 16_384;
/// The concurrent attempts of a source at accounts at which it has not failed: all people of an office or a
/// school may share one address.
const UNDER_WAY: usize = 1_000;
/// After this time, old failures are removed, so that networks of one site count separately again.
const SWEPT_EVERY: Lifetime = Lifetime::from_seconds(60);

/// The account of the attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum AttemptTarget<'a> {
    /// An account, by whichever of its identifiers.
    Account(&'a AccountId),
    /// An identifier without an account, or a text that is none. It has a limit like an account, so the limit
    /// does not reveal which accounts exist.
    Unknown(&'a str),
}

/// The accounts and unknown identifiers at which sources have failed.
pub(crate) struct TriedAccounts {
    digests: RandomState,
    sources: Mutex<Sources>,
}

struct Sources {
    table: SourceTable<Vec<Tried>>,
    swept_at: Timestamp,
}

/// An account at which a source has failed.
#[derive(Debug)]
struct Tried {
    /// A digest of its id or text, under a key of this process.
    digest: u64,
    failures: u32,
    under_way: u32,
    last: Timestamp,
}

/// An attempt that is counted as failed when it is dropped.
#[must_use]
pub(crate) struct TriedAttempt<'a> {
    of: &'a TriedAccounts,
    tenant: TenantId,
    source: ClientAddress,
    digest: u64,
    most: u32,
    now: Timestamp,
    is_forgiven: bool,
}

impl TriedAccounts {
    pub(crate) fn new() -> Self {
        let sources = Sources { table: SourceTable::new(SOURCES), swept_at: Timestamp::from_seconds(0) };
        Self { digests: RandomState::new(), sources: Mutex::new(sources) }
    }

    /// Begins an attempt. `None` if the source has failed at too many other accounts, and not at this one.
    pub(crate) fn begin(
        &self,
        tenant: &TenantId,
        source: &ClientAddress,
        target: AttemptTarget<'_>,
        most: u32,
        now: Timestamp,
    ) -> Option<TriedAttempt<'_>> {
        let digest = self.digests.hash_one((tenant, target));
        let mut sources = self.lock();
        if now >= sources.swept_at + SWEPT_EVERY {
            sources.table.sweep(|tried| importance(tried, now));
            sources.swept_at = now;
        }
        let tried = sources.table.entry(tenant, source, |tried| importance(tried, now));
        tried.retain(|tried| tried.is_live(now));
        if has_failed_at_others(tried, digest, most) {
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

    fn lock(&self) -> MutexGuard<'_, Sources> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tried {
    fn is_live(&self, now: Timestamp) -> bool {
        now < self.last + SPAN
    }
}

/// Adds it if it is not there.
fn of_account(tried: &mut Vec<Tried>, digest: u64, now: Timestamp) -> &mut Tried {
    let at = tried.iter().position(|tried| tried.digest == digest).unwrap_or_else(|| {
        tried.push(Tried { digest, failures: 0, under_way: 0, last: now });
        tried.len() - 1
    });
    &mut tried[at]
}

/// The source whose latest attempt is the oldest is forgotten first.
fn importance(tried: &[Tried], now: Timestamp) -> u64 {
    let live = tried.iter().filter(|tried| tried.is_live(now)).map(|tried| tried.last.seconds());
    live.max().unwrap_or(0)
}

/// Whether a source has failed at too many accounts, and not at this one.
fn has_failed_at_others(tried: &[Tried], digest: u64, most: u32) -> bool {
    let mut failed = tried.iter().filter(|tried| tried.failures > 0);
    failed.clone().count() as u64 >= most.into() && !failed.any(|tried| tried.digest == digest)
}

impl TriedAttempt<'_> {
    /// Ends an attempt with the right password. Returns whether it succeeds: a concurrent attempt that ends
    /// when the source has failed at too many other accounts is refused, like one that begins then.
    pub(crate) fn succeed(self) -> bool {
        let mut sources = self.of.lock();
        let tried = sources.table.get_mut(&self.tenant, &self.source);
        let is_refused = tried.is_some_and(|tried| has_failed_at_others(tried, self.digest, self.most));
        drop(sources);
        self.forgive();
        !is_refused
    }

    /// The attempt revealed nothing.
    pub(crate) fn forgive(mut self) {
        self.is_forgiven = true;
    }
}

impl Drop for TriedAttempt<'_> {
    fn drop(&mut self) {
        let mut sources = self.of.lock();
        let tried = sources.table.entry(&self.tenant, &self.source, |tried| importance(tried, self.now));
        let of_account = of_account(tried, self.digest, self.now);
        of_account.under_way = of_account.under_way.saturating_sub(1);
        if !self.is_forgiven {
            of_account.failures = of_account.failures.saturating_add(1);
            of_account.last = of_account.last.max(self.now);
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

    fn source(number: u32) -> ClientAddress {
        ClientAddress::new(Some(std::net::Ipv4Addr::from(number).into()))
    }

    fn fails(tried: &TriedAccounts, id: &str, number: u32, name: &str, now: Timestamp) -> bool {
        tried.begin(&tenant(id), &source(number), AttemptTarget::Unknown(name), 20, now).is_some()
    }

    // [shared 2.13]: A hundred wrong names from one address stopped the sign-in of all people there, fifty
    //   wrong user codes all devices there | fixed | A source counts the distinct accounts at which it fails:
    //   20 in 15 minutes; a known browser passes. Attempts under way are no failures, and a right password
    //   counts only while the source may still try. More than 16 networks of an IPv6 site are one source. All
    //   counts are by tenant, in tables where a tenant pushes out its own. Wrong user codes in a browser
    //   where a person has signed in count for that person
    #[test]
    fn a_source_fails_at_twenty_distinct_accounts_and_as_often_as_it_likes_at_each_of_them() {
        let tried = TriedAccounts::new();
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
    fn a_forgiven_attempt_leaves_what_failed_before_and_nothing_else() {
        let tried = TriedAccounts::new();
        let begin = |name| tried.begin(&tenant("acme"), &source(1), AttemptTarget::Unknown(name), 1, NOW);
        begin("ada").unwrap().forgive();
        assert!(tried.lock().table.is_empty());
        drop(begin("bob").unwrap());
        begin("bob").unwrap().forgive();
        assert!(begin("ada").is_none() && begin("bob").is_some());
    }

    // [shared 2.13]
    #[test]
    fn people_at_one_address_sign_in_at_the_same_moment_and_guesses_at_the_same_moment_gain_nothing() {
        let tried = TriedAccounts::new();
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
    fn a_source_with_an_ipv6_site_has_the_limit_of_few_networks() {
        let tried = TriedAccounts::new();
        let fails = |number: u16, now| {
            let network = std::net::Ipv6Addr::new(0x2001, 0xdb8, 7, number, 0, 0, 0, 1);
            let (source, name) = (ClientAddress::new(Some(network.into())), number.to_string());
            tried.begin(&tenant("acme"), &source, AttemptTarget::Unknown(&name), 20, now).is_some()
        };
        let admitted = |now| (1..=1_000).filter(|number| fails(*number, now)).count();
        assert_eq!(admitted(NOW), 16 + 20);
        assert_eq!(admitted(NOW + SPAN), 16 + 20, "its networks are apart again");
    }

    #[test]
    fn a_tenant_with_many_sources_pushes_out_no_source_of_another() {
        let tried = TriedAccounts::new();
        let names: Vec<_> = (0..20).map(|number| format!("name-{number}")).collect();
        assert!(names.iter().all(|name| fails(&tried, "acme", 1, name, NOW)));
        for number in 0..40_000 {
            assert!(fails(&tried, "globex", number, "ada", NOW));
        }
        assert!(tried.lock().table.len() <= SOURCES);
        assert!(!fails(&tried, "acme", 1, "eve", NOW));
    }
}

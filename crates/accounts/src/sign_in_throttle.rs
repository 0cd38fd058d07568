//! How often passwords may be tried (NIST SP 800-63B-4 §3.2.2). A source and an account have a limit each for browsers that are not known, and an
//! account has one more for each browser where its person signed in before. So a stranger who uses up the limits of an account stops strangers
//! only, and the person goes on in the usual browser.

use protocol::{Lifetime, Timestamp};
use secrets::{BucketAttempt, ClientAddress, LeakyBuckets};
use tenancy::TenantId;

use crate::{AccountId, BrowserId};

/// The span of all limits.
const SPAN: Lifetime = Lifetime::from_seconds(15 * 60);
/// Attempts of a source, at all accounts of a tenant.
const OF_SOURCE: u32 = 100;
/// Attempts at an account, from all browsers that are not known.
const OF_ACCOUNT: u32 = 10;
/// Attempts at an account, from each browser that is known.
const OF_KNOWN_BROWSER: u32 = 20;

/// The attempts of the last minutes.
pub(crate) struct SignInThrottle {
    sources: LeakyBuckets,
    accounts: LeakyBuckets,
    known_browsers: LeakyBuckets,
}

/// Whose password is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Target<'a> {
    /// An account, by whichever of its identifiers.
    Account(&'a AccountId),
    /// An identifier that no account has, or a text that is none. It has a limit like an account, so the limit tells nobody which exist.
    Unknown(&'a str),
}

/// An attempt within its limits. It counts as failed unless it is forgiven, also when it is dropped half way.
#[must_use]
pub(crate) struct SignInAttempt<'a>(Vec<BucketAttempt<'a>>);

impl SignInThrottle {
    pub(crate) fn new() -> Self {
        Self {
            sources: LeakyBuckets::new(OF_SOURCE, SPAN),
            accounts: LeakyBuckets::new(OF_ACCOUNT, SPAN),
            known_browsers: LeakyBuckets::new(OF_KNOWN_BROWSER, SPAN),
        }
    }

    /// Begins an attempt; `None` where a limit is reached.
    pub(crate) fn begin(
        &self,
        tenant: &TenantId,
        target: Target<'_>,
        source: &ClientAddress,
        known_browser: Option<BrowserId>,
        now: Timestamp,
    ) -> Option<SignInAttempt<'_>> {
        if let Some(browser) = known_browser {
            return Some(SignInAttempt(vec![self.known_browsers.begin((tenant, target, browser), now)?]));
        }
        let of_source = self.sources.begin((tenant, source), now)?;
        let Some(of_account) = self.accounts.begin((tenant, target), now) else {
            of_source.forgive();
            return None;
        };
        Some(SignInAttempt(vec![of_source, of_account]))
    }
}

impl SignInAttempt<'_> {
    /// The attempt succeeded, or failed because of this server.
    pub(crate) fn forgive(self) {
        self.0.into_iter().for_each(BucketAttempt::forgive);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_767_225_600);

    struct Tries {
        throttle: SignInThrottle,
        account: AccountId,
    }

    impl Tries {
        fn new() -> Self {
            Self { throttle: SignInThrottle::new(), account: AccountId::from_bytes([1; 16]) }
        }

        /// How many of a thousand attempts are within the limits; they fail. The browser is known by a number, or unknown by zero.
        fn fit(&self, tenant: &str, target: Target<'_>, source: u8, known: u8, now: Timestamp) -> usize {
            let (tenant, source) = (TenantId::parse(tenant).unwrap(), address(source));
            let browser = Some([known; 16]).filter(|_| known > 0);
            let begin = |_: &u32| self.throttle.begin(&tenant, target, &source, browser, now).is_some();
            (0..1_000).filter(begin).count()
        }
    }

    fn address(last: u8) -> ClientAddress {
        ClientAddress::new(Some(std::net::Ipv4Addr::new(192, 0, 2, last).into()))
    }

    #[test]
    fn strangers_use_up_an_account_for_strangers_of_its_tenant_only() {
        let tries = Tries::new();
        let account = Target::Account(&tries.account);
        assert_eq!(tries.fit("acme", account, 1, 0, NOW), 10);
        assert_eq!(tries.fit("acme", account, 2, 0, NOW), 0, "from every source");
        for browser in [1, 2] {
            assert_eq!(
                tries.fit("acme", account, 1, browser, NOW),
                20,
                "each known browser has its own limit"
            );
            assert_eq!(tries.fit("acme", account, 2, browser, NOW), 0);
        }
        assert_eq!(tries.fit("globex", account, 1, 0, NOW), 10, "and so has another tenant");
        let later = NOW + Lifetime::from_seconds(90);
        assert_eq!(tries.fit("acme", account, 1, 0, later), 1);
    }

    #[test]
    fn identifiers_without_an_account_have_limits_like_accounts() {
        let tries = Tries::new();
        assert_eq!(tries.fit("acme", Target::Unknown("ada"), 1, 0, NOW), 10);
        assert_eq!(tries.fit("acme", Target::Unknown("bob"), 1, 0, NOW), 10);
    }

    #[test]
    fn a_source_tries_so_many_accounts_and_a_refused_attempt_counts_at_none() {
        let tries = Tries::new();
        let names: Vec<_> = (0..40).map(|number| format!("name-{number}")).collect();
        let of = |source| -> usize {
            names.iter().map(|name| tries.fit("acme", Target::Unknown(name), source, 0, NOW)).sum()
        };
        assert_eq!(of(1), 100);
        // The first ten names are used up, and the source that tried them in vain has all its attempts for the others.
        assert_eq!(of(2), 100);
        let account = Target::Account(&tries.account);
        assert_eq!(
            tries.fit("acme", account, 1, 1, NOW),
            20,
            "a known browser does not share the limit of its source"
        );
    }

    #[test]
    fn what_succeeds_counts_nowhere() {
        let tries = Tries::new();
        let (tenant, target) = (TenantId::parse("acme").unwrap(), Target::Account(&tries.account));
        for _ in 0..1_000 {
            tries.throttle.begin(&tenant, target, &address(1), None, NOW).unwrap().forgive();
        }
    }
}

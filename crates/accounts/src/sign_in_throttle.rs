//! Limits how many passwords may be tried (NIST SP 800-63B-4 §3.2.2). An account has one limit for all
//! unknown browsers, and a separate limit for each browser with which its person has signed in before. A
//! source has a limit on the number of distinct accounts at which it fails from unknown browsers. So a
//! stranger who uses up a limit only stops strangers, and the person can still sign in with the usual
//! browser.

use std::num::NonZeroU32;

use secrets::{BucketAttempt, CallerAddress, LeakyBuckets, SharedCounts};
use tenancy::{PasswordLimits, TenantId};
use values::{Lifetime, Timestamp};

use crate::tried_accounts::{AttemptTarget, SourceAttempts, TriedAttempt};
use crate::{AccountId, BrowserId};

/// The time span of all limits.
pub(crate) const SPAN: Lifetime = Lifetime::from_seconds(15 * 60);

/// The limits of the platform. A tenant's own limits override them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignInThrottling {
    /// Wrong passwords at an account, from all unknown browsers together.
    pub account: NonZeroU32,
    /// Wrong passwords at an account, from each known browser.
    pub known_browser: NonZeroU32,
    /// Accounts of a tenant at which one source fails from unknown browsers.
    pub source: NonZeroU32,
}

pub(crate) struct SignInThrottle {
    platform: SignInThrottling,
    sources: SourceAttempts,
    accounts: LeakyBuckets,
    known_browsers: LeakyBuckets,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reached {
    Source,
    Account,
    KnownBrowser,
}

/// An attempt within the limits. It counts as failed unless it is forgiven, even if it is dropped early.
#[must_use]
pub(crate) struct SignInAttempt<'a> {
    bucket: BucketAttempt<'a>,
    of_source: Option<TriedAttempt<'a>>,
}

impl Default for SignInThrottling {
    fn default() -> Self {
        let number = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        Self { account: number(10), known_browser: number(20), source: number(20) }
    }
}

impl SignInThrottle {
    pub(crate) fn new(platform: SignInThrottling) -> Self {
        Self {
            platform,
            sources: SourceAttempts::new(),
            accounts: LeakyBuckets::new(platform.account.get(), SPAN),
            known_browsers: LeakyBuckets::new(platform.known_browser.get(), SPAN),
        }
    }

    /// Also counts the attempts at other replicas. `name` distinguishes this throttle from others.
    pub(crate) fn shared(self, counts: &SharedCounts, name: &'static str) -> Self {
        Self {
            platform: self.platform,
            sources: self.sources.shared(counts.limit(name, "source")),
            accounts: self.accounts.shared(counts.limit(name, "account")),
            known_browsers: self.known_browsers.shared(counts.limit(name, "known browser")),
        }
    }

    /// Starts an attempt, or returns the limit that was reached. `own` are the tenant's own limits.
    pub(crate) fn begin(
        &self,
        tenant: &TenantId,
        own: PasswordLimits,
        target: AttemptTarget<'_>,
        source: &CallerAddress,
        known_browser: Option<BrowserId>,
        now: Timestamp,
    ) -> Result<SignInAttempt<'_>, Reached> {
        let SignInThrottling { account, known_browser: of_known, source: of_source } = self.platform;
        if let Some(browser) = known_browser {
            let most = own.known_browser.unwrap_or(of_known).get();
            let bucket = self.known_browsers.begin_of(tenant, (target, browser), most, now);
            let bucket = bucket.ok_or(Reached::KnownBrowser)?;
            return Ok(SignInAttempt { bucket, of_source: None });
        }
        let most = own.source.unwrap_or(of_source).get();
        let of_source = self.sources.begin(tenant, source, target, most, now).ok_or(Reached::Source)?;
        let most = own.account.unwrap_or(account).get();
        let Some(bucket) = self.accounts.begin_of(tenant, target, most, now) else {
            of_source.forgive();
            return Err(Reached::Account);
        };
        Ok(SignInAttempt { bucket, of_source: Some(of_source) })
    }

    /// Resets the limits of an account, for unknown browsers and for these known browsers.
    pub(crate) fn forget(&self, tenant: &TenantId, account: &AccountId, known_browsers: &[BrowserId]) {
        let target = AttemptTarget::Account(account);
        self.accounts.clear(tenant, target);
        for browser in known_browsers {
            self.known_browsers.clear(tenant, (target, *browser));
        }
    }
}

impl SignInAttempt<'_> {
    /// Ends an attempt with the correct password. Returns whether the sign-in succeeds, see
    /// [`TriedAttempt::succeed`].
    pub(crate) fn succeed(self) -> bool {
        self.bucket.forgive();
        self.of_source.is_none_or(TriedAttempt::succeed)
    }

    /// Ends an attempt that failed because of this server.
    pub(crate) fn forgive(self) {
        self.bucket.forgive();
        self.of_source.into_iter().for_each(TriedAttempt::forgive);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_767_225_600);

    struct Tries {
        throttle: SignInThrottle,
        account: AccountId,
        own: PasswordLimits,
    }

    impl Tries {
        fn new() -> Self {
            let throttle = SignInThrottle::new(SignInThrottling::default());
            Self { throttle, account: AccountId::from_bytes([1; 16]), own: PasswordLimits::default() }
        }

        /// How many of a thousand failing attempts are within the limits. `browser` identifies a known
        /// browser; 0 is unknown.
        fn fit(
            &self,
            tenant: &str,
            target: AttemptTarget<'_>,
            source: u8,
            known: u8,
            now: Timestamp,
        ) -> usize {
            let (tenant, source) = (TenantId::parse(tenant).unwrap(), address(source));
            let browser = Some([known; 16]).filter(|_| known > 0);
            let begin =
                |_: &u32| self.throttle.begin(&tenant, self.own, target, &source, browser, now).is_ok();
            (0..1_000).filter(begin).count()
        }
    }

    fn address(last: u8) -> CallerAddress {
        CallerAddress::new(Some(std::net::Ipv4Addr::new(192, 0, 2, last).into()))
    }

    // [attacks #18]: Passwords that are guessed, of one account or of many | [Limits](accounts.md#guessing)
    //   for a source, an account, and the browsers that the account knows: strangers are stopped, and its
    //   person is not
    // [V6 6.3.1]: 1 | What the documents say against guessing and stuffing is there | Without Redis,
    //   each replica counts for itself ([known gaps](#known-gaps))
    #[test]
    fn account_limit_spares_known_browsers_and_other_tenants() {
        let tries = Tries::new();
        let account = AttemptTarget::Account(&tries.account);
        assert_eq!(tries.fit("acme", account, 1, 0, NOW), 10);
        assert_eq!(tries.fit("acme", account, 2, 0, NOW), 0, "from every source");
        for browser in [1, 2] {
            let own = tries.fit("acme", account, 1, browser, NOW);
            assert_eq!(own, 20, "each known browser has its own limit");
            assert_eq!(tries.fit("acme", account, 2, browser, NOW), 0);
        }
        assert_eq!(tries.fit("globex", account, 1, 0, NOW), 10, "and so has another tenant");
        let later = NOW + Lifetime::from_seconds(90);
        assert_eq!(tries.fit("acme", account, 1, 0, later), 1);
        let acme = TenantId::parse("acme").unwrap();
        tries.throttle.forget(&acme, &tries.account, &[[1; 16]]);
        assert_eq!(tries.fit("acme", account, 1, 0, later), 10);
        assert_eq!((tries.fit("acme", account, 1, 1, NOW), tries.fit("acme", account, 1, 2, NOW)), (20, 0));
    }

    #[test]
    fn unknown_identifiers_have_the_account_limit() {
        let tries = Tries::new();
        assert_eq!(tries.fit("acme", AttemptTarget::Unknown("ada"), 1, 0, NOW), 10);
        assert_eq!(tries.fit("acme", AttemptTarget::Unknown("bob"), 1, 0, NOW), 10);
    }

    // [attacks #18], [V6 6.3.1]
    #[test]
    fn source_is_blocked_after_twenty_failed_accounts() {
        let tries = Tries::new();
        let names: Vec<_> = (0..40).map(|number| format!("name-{number}")).collect();
        let of = |source| -> usize {
            names.iter().map(|name| tries.fit("acme", AttemptTarget::Unknown(name), source, 0, NOW)).sum()
        };
        assert_eq!(of(1), 200);
        // The first twenty names are used up. The source that tried them has no attempts left for other
        // names.
        assert_eq!(of(2), 200);
        let account = AttemptTarget::Account(&tries.account);
        assert_eq!(tries.fit("acme", account, 1, 0, NOW), 0, "a browser that is not known waits");
        assert_eq!(tries.fit("acme", account, 1, 1, NOW), 20, "a known browser passes");
        assert_eq!(tries.fit("globex", account, 1, 0, NOW), 10, "and so does another tenant");
    }

    #[test]
    fn tenant_limits_override_platform_limits() {
        let mut tries = Tries::new();
        let number = NonZeroU32::new;
        tries.own = PasswordLimits { account: number(3), known_browser: number(4), source: number(2) };
        let account = AccountId::from_bytes([1; 16]);
        for (target, known, expected) in [
            (AttemptTarget::Account(&account), 0, 3),
            (AttemptTarget::Account(&account), 1, 4),
            (AttemptTarget::Unknown("bob"), 0, 3),
            (AttemptTarget::Unknown("eve"), 0, 0),
        ] {
            assert_eq!(tries.fit("acme", target, 1, known, NOW), expected, "{target:?}");
        }
    }
}

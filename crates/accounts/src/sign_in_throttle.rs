//! Limits how often passwords may be tried (NIST SP 800-63B-4 §3.2.2). An account has a limit for all unknown
//! browsers, and another one for each browser with which its person signed in before. A source has a limit of
//! distinct accounts at which it fails, from browsers that these do not know. So a stranger who uses up the
//! limit of an account or of a source stops only strangers. The person can still sign in with the usual
//! browser.

use std::num::NonZeroU32;

use secrets::{BucketAttempt, ClientAddress, LeakyBuckets};
use tenancy::{PasswordLimits, TenantId};
use values::{Lifetime, Timestamp};

use crate::tried_accounts::{AttemptTarget, TriedAccounts, TriedAttempt};
use crate::{AccountId, BrowserId};

/// The span of all limits.
pub(crate) const SPAN: Lifetime = Lifetime::from_seconds(15 * 60);

/// The limits of a platform, which a tenant's own take the place of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignInThrottling {
    /// Wrong passwords at an account, from all browsers that are not known.
    pub account: NonZeroU32,
    /// Wrong passwords at an account, from each known browser.
    pub known_browser: NonZeroU32,
    /// Accounts of a tenant at which a source fails, from browsers that they do not know.
    pub source: NonZeroU32,
}

/// The attempts of the last minutes.
pub(crate) struct SignInThrottle {
    platform: SignInThrottling,
    sources: TriedAccounts,
    accounts: LeakyBuckets,
    known_browsers: LeakyBuckets,
}

/// The limit that is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reached {
    Source,
    Account,
    KnownBrowser,
}

/// An attempt within its limits. It counts as failed unless it is forgiven, even if it is dropped halfway.
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
            sources: TriedAccounts::new(),
            accounts: LeakyBuckets::new(platform.account.get(), SPAN),
            known_browsers: LeakyBuckets::new(platform.known_browser.get(), SPAN),
        }
    }

    /// Begins an attempt, or returns the limit that is reached. `own` has the tenant's own limits.
    pub(crate) fn begin(
        &self,
        tenant: &TenantId,
        own: PasswordLimits,
        target: AttemptTarget<'_>,
        source: &ClientAddress,
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

    /// Empties the limits of an account, for unknown browsers and for these known ones.
    pub(crate) fn forget(&self, tenant: &TenantId, account: &AccountId, known_browsers: &[BrowserId]) {
        let target = AttemptTarget::Account(account);
        self.accounts.clear(tenant, target);
        for browser in known_browsers {
            self.known_browsers.clear(tenant, (target, *browser));
        }
    }
}

impl SignInAttempt<'_> {
    /// Ends an attempt with the right password. Returns whether it succeeds, as [`TriedAttempt::succeed`]
    /// decides.
    pub(crate) fn succeed(self) -> bool {
        self.bucket.forgive();
        self.of_source.is_none_or(TriedAttempt::succeed)
    }

    /// The attempt failed because of this server.
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

        /// Returns how many of a thousand failing attempts are within the limits. The browser is known by a
        /// number, or unknown for zero.
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

    fn address(last: u8) -> ClientAddress {
        ClientAddress::new(Some(std::net::Ipv4Addr::new(192, 0, 2, last).into()))
    }

    // [attacks #18]: Passwords that are guessed, of one account or of many | [Limits](accounts.md#guessing)
    //   for a source, an account, and the browsers that the account knows: strangers are stopped, and its
    //   person is not
    // [V6 6.3.1]: 1 | What the documents say against guessing and stuffing is there | Each replica counts for
    //   itself ([known gaps](#known-gaps))
    #[test]
    fn strangers_use_up_an_account_for_strangers_of_its_tenant_only() {
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
    fn identifiers_without_an_account_have_limits_like_accounts() {
        let tries = Tries::new();
        assert_eq!(tries.fit("acme", AttemptTarget::Unknown("ada"), 1, 0, NOW), 10);
        assert_eq!(tries.fit("acme", AttemptTarget::Unknown("bob"), 1, 0, NOW), 10);
    }

    // [attacks #18], [V6 6.3.1]
    #[test]
    fn a_source_fails_at_twenty_accounts_and_a_refused_attempt_counts_at_none() {
        let tries = Tries::new();
        let names: Vec<_> = (0..40).map(|number| format!("name-{number}")).collect();
        let of = |source| -> usize {
            names.iter().map(|name| tries.fit("acme", AttemptTarget::Unknown(name), source, 0, NOW)).sum()
        };
        assert_eq!(of(1), 200);
        // The first twenty names are used up, and the source that tried them has all its attempts for other
        // names.
        assert_eq!(of(2), 200);
        let account = AttemptTarget::Account(&tries.account);
        assert_eq!(tries.fit("acme", account, 1, 0, NOW), 0, "a browser that is not known waits");
        assert_eq!(tries.fit("acme", account, 1, 1, NOW), 20, "a known browser passes");
        assert_eq!(tries.fit("globex", account, 1, 0, NOW), 10, "and so does another tenant");
    }

    #[test]
    fn the_limits_of_a_tenant_take_the_place_of_the_platform_s() {
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

//! Limits how often people can ask for mail, and how often they can try a short code: as for passwords by
//! source and account, and in addition by the page where the code is typed. No response reveals that a limit
//! was reached.

use secrets::{BucketAttempt, CallerAddress, LeakyBuckets, SharedCounts};
use tenancy::Tenant;
use values::{Lifetime, Timestamp};

use crate::sign_in_throttle::{SignInAttempt, SignInThrottle};
use crate::tried_accounts::AttemptTarget;
use crate::{AccountId, SignInThrottling};

/// How many codes can be tried at a page.
const OF_PAGE: u32 = 5;
/// So long that a page gets no further try before it expires.
const SPAN_OF_PAGE: Lifetime = Lifetime::from_seconds(86_400);

/// How often people of a tenant can ask for mail within an hour.
const OF_TENANT: u32 = 1_000;
const HOUR: Lifetime = Lifetime::from_seconds(3_600);

pub struct CodeTries {
    tenants: LeakyBuckets,
    asked: SignInThrottle,
    tried: SignInThrottle,
    pages: LeakyBuckets,
}

/// A try within the limits, which counts as wrong unless it succeeds.
#[must_use]
pub struct CodeTry<'a> {
    of_page: BucketAttempt<'a>,
    attempt: SignInAttempt<'a>,
}

impl CodeTries {
    #[must_use]
    pub fn new(limits: SignInThrottling) -> Self {
        let [asked, tried] = [limits; 2].map(SignInThrottle::new);
        let [tenants, pages] = [(OF_TENANT, HOUR), (OF_PAGE, SPAN_OF_PAGE)]
            .map(|(capacity, span)| LeakyBuckets::new(capacity, span));
        Self { tenants, asked, tried, pages }
    }

    /// Also counts at other replicas. A page counts at one replica, because anyone can invent pages, which
    /// would fill Redis.
    pub(crate) fn shared(self, counts: &SharedCounts) -> Self {
        Self {
            tenants: self.tenants.shared(counts.limit("mail", "tenant")),
            asked: self.asked.shared(counts, "mail"),
            tried: self.tried.shared(counts, "code"),
            pages: self.pages,
        }
    }

    /// Counts a request for mail. `account` is the owner of the typed identifier, if there is one.
    #[must_use]
    pub fn ask(
        &self,
        tenant: &Tenant,
        typed: &str,
        account: Option<&AccountId>,
        source: &CallerAddress,
        now: Timestamp,
    ) -> bool {
        // An attempt that is refused for its source does not use up the tenant's share.
        self.asked.begin(&tenant.id, tenant.limits.sign_in, target(typed, account), source, None, now).is_ok()
            && self.tenants.begin(&tenant.id, (), now).is_some()
    }

    /// Counts a typed code. `page` is the random value of the page.
    pub fn begin(
        &self,
        tenant: &Tenant,
        typed: &str,
        account: Option<&AccountId>,
        page: &str,
        source: &CallerAddress,
        now: Timestamp,
    ) -> Option<CodeTry<'_>> {
        let of_page = self.pages.begin(&tenant.id, page, now)?;
        let (id, limits) = (&tenant.id, tenant.limits.sign_in);
        let attempt = self.tried.begin(id, limits, target(typed, account), source, None, now).ok()?;
        Some(CodeTry { of_page, attempt })
    }
}

impl CodeTry<'_> {
    /// Ends a try with the right code.
    pub fn succeed(self) {
        self.of_page.forgive();
        self.attempt.forgive();
    }
}

const fn target<'a>(typed: &'a str, account: Option<&'a AccountId>) -> AttemptTarget<'a> {
    match account {
        Some(account) => AttemptTarget::Account(account),
        None => AttemptTarget::Unknown(typed),
    }
}

#[cfg(test)]
mod tests {
    use tenancy::{Issuer, TenantId};

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_767_225_600);

    fn tenant(id: &str) -> Tenant {
        let issuer = Issuer::parse(&format!("https://{id}.example")).unwrap();
        Tenant::new(TenantId::parse(id).unwrap(), issuer)
    }

    fn source(text: &str) -> CallerAddress {
        CallerAddress::new(text.parse().ok())
    }

    #[test]
    fn page_accepts_five_codes_and_account_ten() {
        let tries = CodeTries::new(SignInThrottling::default());
        let acme = tenant("acme");
        let (ada, bob) = (AccountId::from_bytes([1; 16]), AccountId::from_bytes([2; 16]));
        let fit = |account: Option<&AccountId>, page: &str, now| {
            let source = source("192.0.2.1");
            let one = |_: &usize| tries.begin(&acme, "ada", account, page, &source, now).is_some();
            (0..100).take_while(one).count()
        };
        assert_eq!(fit(Some(&ada), "one", NOW), 5);
        assert_eq!(
            fit(Some(&ada), "one", NOW + Lifetime::from_seconds(1_799)),
            0,
            "not as long as it is valid"
        );
        assert_eq!(
            [fit(Some(&bob), "two", NOW), fit(Some(&bob), "three", NOW), fit(Some(&bob), "four", NOW)],
            [5, 5, 0]
        );
        assert_eq!([fit(None, "five", NOW), fit(None, "six", NOW), fit(None, "seven", NOW)], [5, 5, 0]);
        let globex = tenant("globex");
        let other = tries.begin(&globex, "bob", Some(&bob), "one", &source("192.0.2.2"), NOW);
        other.unwrap().succeed();
    }

    #[test]
    fn source_can_ask_for_limited_number_of_accounts() {
        let tries = CodeTries::new(SignInThrottling::default());
        let acme = tenant("acme");
        let asked = |number: usize, from: &str| {
            let typed = format!("person{number}@example.com");
            tries.ask(&acme, &typed, None, &source(from), NOW)
        };
        assert_eq!((0..100).filter(|number| asked(*number, "192.0.2.1")).count(), 20);
        assert!(asked(99, "192.0.2.2"), "another source");
    }
}

//! Signing in with a password. Every refusal has the same text, costs at most one hash, and is sent at one of
//! a few fixed times. So a refusal does not reveal which accounts exist.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use secrets::{
    Busy, CallerAddress, HashJob, HashPool, Lane, PasswordSalt, Pepper, PreciseTimer, SecretHash,
    SharedCounts, wait_until,
};
use tenancy::{PasswordLimits, StoreError, Stored, TenantId};
use tokio::time::Instant;
use values::{Secret, Timestamp};

use crate::failure_runs::{CountedAttempt, FailureRuns};
use crate::sign_in_throttle::{Reached, SignInAttempt, SignInThrottle};
use crate::throttled_accounts::Throttles;
use crate::tried_accounts::AttemptTarget;
use crate::{
    Account, AccountId, AccountPassword, AccountPasswords, AccountStatus, AccountStore, Authentication,
    BrowserHistory, BrowserId, CodeTries, Identifier, SignInThrottling, Throttled, ThrottledNote,
    normalised_password,
};

/// A refusal is sent at a multiple of this time after the request arrived. A hash of this server takes about
/// 11 ms, and a hash of another system less than this time. So the time of the refusal reveals neither a
/// lookup, nor the kind of hash, nor whether a hash was computed.
const GRID: Duration = Duration::from_millis(500);

pub struct SignIns {
    store: Arc<dyn AccountStore>,
    pool: Arc<HashPool>,
    passwords: AccountPasswords,
    throttle: SignInThrottle,
    codes: CodeTries,
    failure_runs: FailureRuns,
    throttled: Throttles,
    grid: Duration,
    precise_timer: Option<PreciseTimer>,
    samples: &'static [&'static str],
}

#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// An unknown identifier, a wrong password, an account that cannot sign in, or too many attempts. Callers
    /// cannot distinguish them.
    #[error("the email address or the password is wrong, or this account cannot sign in here")]
    Refused,
    /// Too many passwords are waiting to be checked.
    #[error("too many passwords are waiting to be checked")]
    Busy,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SignIns {
    #[must_use]
    pub fn new(store: Arc<dyn AccountStore>, pepper: &Pepper, pool: Arc<HashPool>) -> Self {
        Self {
            store,
            pool,
            passwords: AccountPasswords::new(pepper),
            throttle: SignInThrottle::new(SignInThrottling::default()),
            codes: CodeTries::new(SignInThrottling::default()),
            failure_runs: FailureRuns::default(),
            throttled: Throttles::default(),
            grid: GRID,
            precise_timer: None,
            samples: &[],
        }
    }

    /// Sets the platform's limits, and what replicas count together.
    #[must_use]
    pub fn throttling(self, limits: SignInThrottling, counts: &SharedCounts) -> Self {
        let throttle = SignInThrottle::new(limits).shared(counts, "password");
        let failure_runs = FailureRuns::new(counts.limit("password", "run"));
        Self { throttle, failure_runs, codes: CodeTries::new(limits).shared(counts), ..self }
    }

    /// Sets another interval for the times of refusals, for tests that need many refusals.
    #[must_use]
    pub fn with_refusal_grid(self, grid: Duration) -> Self {
        Self { grid, ..self }
    }

    /// Sets published sample passwords that are refused for every account.
    #[must_use]
    pub fn refusing(self, samples: &'static [&'static str]) -> Self {
        Self { samples, ..self }
    }

    /// Sends refusals at their exact time. Tests use Tokio's paused clock instead.
    #[must_use]
    pub fn with_refusal_timer(self, timer: PreciseTimer) -> Self {
        Self { precise_timer: Some(timer), ..self }
    }

    /// Resets the failure counts of an account, after an administrator has changed or unlocked it.
    pub fn forget_failures(&self, tenant: &TenantId, account: &AccountId) {
        let browsers = self.failure_runs.forget(tenant, account);
        self.throttle.forget(tenant, account, &browsers);
    }

    /// Whether the account refuses unknown browsers, and the number of consecutive wrong passwords from them,
    /// as far as this process knows.
    #[must_use]
    pub fn throttled(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        now: Timestamp,
    ) -> (Option<Throttled>, u64) {
        self.failure_runs.of(tenant, account, now)
    }

    /// The number of accounts that refuse unknown browsers.
    #[must_use]
    pub fn accounts_throttled(&self, now: Timestamp) -> usize {
        self.failure_runs.throttled(now)
    }

    /// Takes the audit records of accounts that have started to refuse browsers.
    #[must_use]
    pub fn take_throttled(&self, now: Timestamp) -> Vec<ThrottledNote> {
        self.throttled.take(now)
    }

    /// Checks a password within the limits of the tenant or the platform. If strangers have used up the limit
    /// of an account, its person can still sign in with a browser whose history contains the account. A
    /// refusal writes nothing.
    ///
    /// # Errors
    /// [`SignInError`].
    pub async fn sign_in_with_password(
        &self,
        (tenant, limits): (&TenantId, PasswordLimits),
        identifier: &str,
        password: Secret,
        source: &CallerAddress,
        history: &BrowserHistory,
        now: Timestamp,
    ) -> Result<(Arc<Account>, Authentication), SignInError> {
        let arrival = Instant::now();
        let checked = self.check((tenant, limits), identifier, password, source, history, now).await;
        if let Err(SignInError::Refused) = checked {
            self.wait_for_refusal(arrival).await;
        }
        checked
    }

    /// The limits of mailed codes.
    #[must_use]
    pub const fn codes(&self) -> &CodeTries {
        &self.codes
    }

    /// Waits until a response can be sent that must not reveal how long its request took.
    pub async fn wait_for_refusal(&self, arrival: Instant) {
        let steps = arrival.elapsed().as_nanos() / self.grid.as_nanos().max(1) + 1;
        let leave = arrival + self.grid * u32::try_from(steps).unwrap_or(u32::MAX);
        wait_until(self.precise_timer.as_ref(), leave).await;
    }

    async fn check(
        &self,
        (tenant, limits): (&TenantId, PasswordLimits),
        typed: &str,
        password: Secret,
        source: &CallerAddress,
        history: &BrowserHistory,
        now: Timestamp,
    ) -> Result<(Arc<Account>, Authentication), SignInError> {
        let identifier = Identifier::parse(typed).ok();
        let found = match &identifier {
            Some(identifier) => self.find(tenant, identifier).await?,
            None => None,
        };
        let target = match (&found, &identifier) {
            (Some((account, _)), _) => AttemptTarget::Account(&account.id),
            (None, Some(identifier)) => AttemptTarget::Unknown(identifier.as_str()),
            (None, None) => AttemptTarget::Unknown(typed),
        };
        let known_browser = found.as_ref().and_then(|(account, _)| history.known_to(account));
        let begun = self.begin(tenant, limits, target, source, known_browser, now);
        let (attempt, counted) = begun.ok_or(SignInError::Refused)?;

        let password = normalised_password(password).filter(|text| !self.samples.contains(&text.expose()));
        let can_match = password.is_some();
        let stored = found.as_ref().and_then(|(_, stored)| stored.as_ref());
        let foreign = stored.and_then(AccountPassword::foreign);
        let job = HashJob {
            // A text that cannot be a password costs as much as one that can.
            secret: password.unwrap_or_else(|| Secret::new(String::new())),
            salt: match (stored.and_then(AccountPassword::salt), foreign) {
                (Some(salt), _) => salt.clone(),
                // The salt of the hash that will replace the foreign hash.
                (None, Some(_)) => PasswordSalt::generate(),
                (None, None) => PasswordSalt::dummy(),
            },
            key: None,
            only_if: foreign.cloned(),
        };
        let hashed = self.pool.hash_if_right(tenant, job, Lane::SignIn, source).await;
        let Ok(hash) = hashed.map_err(|Busy| ()) else {
            attempt.forgive();
            counted.into_iter().for_each(CountedAttempt::forgive);
            return Err(SignInError::Busy);
        };
        let ((account, stored), counted) = found.zip(counted).ok_or(SignInError::Refused)?;
        let is_right = match (&hash, &stored) {
            (Some(hash), Some(stored)) => {
                stored.foreign().is_some() || self.passwords.matches(tenant, &account.id, stored, hash)
            }
            (None, _) | (_, None) => false,
        };
        if !can_match || !is_right {
            return Err(SignInError::Refused);
        }
        if account.status != AccountStatus::Active || !attempt.succeed() {
            counted.forgive();
            return Err(SignInError::Refused);
        }
        counted.succeed();
        if let (Some(stored), Some(hash)) = (stored.filter(|stored| stored.foreign().is_some()), hash) {
            self.rewrite(&account, &stored, &hash).await;
        }
        let authentication = Authentication::by_password(tenant.clone(), account.id.clone(), now);
        Ok((account, authentication))
    }

    /// Counts an attempt. `None` if a limit is reached.
    fn begin(
        &self,
        tenant: &TenantId,
        limits: PasswordLimits,
        target: AttemptTarget<'_>,
        source: &CallerAddress,
        known_browser: Option<BrowserId>,
        now: Timestamp,
    ) -> Option<(SignInAttempt<'_>, Option<CountedAttempt<'_>>)> {
        let attempt = self.throttle.begin(tenant, limits, target, source, known_browser, now);
        let AttemptTarget::Account(id) = target else { return attempt.ok().map(|attempt| (attempt, None)) };
        let begun = attempt.and_then(|attempt| {
            let counted = self.failure_runs.begin(tenant, id, known_browser, now);
            counted.map(|counted| (attempt, Some(counted))).ok_or(Reached::Account)
        });
        // Only if the account's own limit is reached. A source that fails at many accounts is refused at all
        // accounts, which says nothing about this one.
        if begun.as_ref().is_err_and(|reached| *reached == Reached::Account)
            && known_browser.is_none()
            && let Some(since) = self.failure_runs.refused(tenant, id, now)
        {
            self.throttled.add(tenant, id, since);
        }
        begun.ok()
    }

    /// Replaces another system's hash by a hash of this server. Ignores a failure of the store, because the
    /// next sign-in tries again. Writes nothing if the password was changed in the meantime.
    async fn rewrite(&self, account: &Account, before: &AccountPassword, hash: &SecretHash) {
        if let Some(after) = self.passwords.bind(&account.tenant, &account.id, hash) {
            let _ = self.store.replace_password(&account.tenant, &account.id, before, &after).await;
        }
    }

    /// Discards a row of another tenant, which only a faulty store returns.
    async fn find(
        &self,
        tenant: &TenantId,
        identifier: &Identifier,
    ) -> Stored<Option<(Arc<Account>, Option<AccountPassword>)>> {
        let found = self.store.find_by_identifier(tenant, identifier).await?;
        Ok(found.filter(|(account, _)| account.tenant == *tenant))
    }
}

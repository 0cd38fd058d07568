//! The loop of every edit: load the facts, decide, commit on the revision of the decision, publish. The loop
//! starts again if another writer committed first, or if slow work must be done first. With an idempotency
//! key, the loop first looks for the stored answer of an earlier request with the same key.

use std::pin::Pin;
use std::time::Duration;

use tenancy::StoreError;
use tokio::time::{sleep, timeout};
use values::{Lifetime, Timestamp};

use super::attempts::{ATTEMPTS, pause};
use super::idempotency::IdempotencyScope;
use super::load::Needs;
use super::{Administrator, Caller, Created, InTenant};
use crate::edit::EditError;
use crate::edit::{Edit, EditContext, Edited};
use crate::kinds::TenantState;
use crate::store::{Commit, CommitOutcome};

/// After this many commits that were too late, the request fails because the store is too slow.
const MOST_LATE: u32 = 3;

/// How often per second a waiting answer reads the clock.
const LOOKS_A_SECOND: u64 = 20;
/// The longest wait of an answer, in seconds. The store adds 2 s to a suspension for clocks that differ.
const LONGEST_PASS: u64 = 5;

/// The decision on the facts of one attempt.
#[expect(clippy::large_enum_variant, reason = "there is only one decision at a time, and it is not stored")]
pub(super) enum Decision<'a, V, P> {
    /// Commit this edit. The value becomes the answer, or a part of it.
    Commit {
        edit: Edit,
        value: V,
        /// How old the decision may be when it is written. `None`: any age.
        valid_for: Option<Lifetime>,
    },
    /// Wait for this slow work, then decide again.
    Prepare(Preparation<'a, P>),
}

/// Slow work that a decision depends on. Other writers of the tenant do not wait for it.
pub(super) type Preparation<'a, P> = Pin<Box<dyn Future<Output = Edited<P>> + Send + 'a>>;

impl InTenant<'_> {
    /// Decides and commits until a commit succeeds. `answer` gets the tenant as it is after the commit. An
    /// edit without changes is committed only to store the answer under its idempotency key. The same commit
    /// creates the row and stores the answer, so neither exists without the other.
    pub(super) async fn commit_with_retry<T, E: From<EditError>>(
        &self,
        needs: Needs,
        idempotency: Option<IdempotencyScope<T>>,
        mut decide: impl FnMut(EditContext<'_>) -> Result<Edit, E> + Send,
        mut answer: impl FnMut(&TenantState) -> Edited<T> + Send,
    ) -> Result<Created<T>, E> {
        let decide = |context: EditContext<'_>, _: &mut Option<()>| {
            Ok(Decision::Commit { edit: decide(context)?, value: (), valid_for: None })
        };
        let answer = |(), after: Option<TenantState>| answer(&after.ok_or(EditError::NotFound("tenant"))?);
        self.commit_prepared(needs, idempotency, None, decide, answer).await
    }

    /// Does the same as [`InTenant::commit_with_retry`] for a decision that depends on slow work, or
    /// with another answer.
    pub(super) async fn commit_prepared<'a, V, T, P, E: From<EditError>>(
        &'a self,
        needs: Needs,
        idempotency: Option<IdempotencyScope<T>>,
        mut prepared: Option<P>,
        mut decide: impl FnMut(EditContext<'_>, &mut Option<P>) -> Result<Decision<'a, V, P>, E> + Send,
        mut answer: impl FnMut(V, Option<TenantState>) -> Edited<T> + Send,
    ) -> Result<Created<T>, E> {
        let Self { caller, tenant, .. } = *self;
        let mut late = 0;
        let mut guard = self.tenant_locks.take(tenant).await.map_err(EditError::from)?;
        for attempt in 0..ATTEMPTS {
            pause(attempt).await;
            if let Some(value) = self.answered(idempotency.as_ref(), caller.now).await? {
                return Ok(Created { value, replayed: true });
            }
            let facts = self.load(tenant, &needs).await?;
            let now = if needs.keys { self.clock_of(caller) } else { caller.now };
            let context = EditContext { now, ..self.context(&facts) };
            let (edit, value, valid_for) = match decide(context, &mut prepared)? {
                Decision::Commit { edit, value, valid_for } => (edit, value, valid_for),
                Decision::Prepare(work) => {
                    drop(guard);
                    prepared = Some(work.await?);
                    guard = self.tenant_locks.take(tenant).await.map_err(EditError::from)?;
                    continue;
                }
            };
            let is_empty = edit.changes.is_empty() && edit.keys.due.is_empty();
            let (commit, after) =
                edit.into_commit(caller.authority.actor(), now, facts).ok_or(EditError::Contended)?;
            let value = answer(value, after)?;
            if is_empty && idempotency.is_none() {
                return Ok(Created { value, replayed: false });
            }
            let answer = self.seal_answer(idempotency.as_ref(), &value, now).await?;
            let commit = Commit { answer, ..commit };
            let left = valid_for.map(|valid_for| {
                let age = self.clock_of(caller).seconds().saturating_sub(now.seconds());
                Duration::from_secs(valid_for.seconds().saturating_sub(age))
            });
            let committed = match left {
                None => Some(self.commit(&commit).await?),
                Some(Duration::ZERO) => None,
                Some(left) => timeout(left, self.commit(&commit)).await.ok().transpose()?,
            };
            match committed {
                Some(CommitOutcome::Committed { resumed_until, .. }) => {
                    drop(guard);
                    self.pass(resumed_until, caller).await;
                    return Ok(Created { value, replayed: false });
                }
                Some(CommitOutcome::StaleRevision) => {}
                None => late += 1,
            }
            if late == MOST_LATE {
                let error = StoreError::unavailable("the key change takes too long");
                return Err(EditError::from(error).into());
            }
        }
        Err(EditError::Contended.into())
    }
}

impl Administrator {
    /// The current time, but never before the time of the request.
    fn clock_of(&self, caller: &Caller) -> Timestamp {
        caller.now.max((self.clock)())
    }

    /// Waits for the end of the current second before the request to resume is answered. Tokens have times in
    /// whole seconds, so a token of this second could seem to be issued before the suspension, by the clock
    /// of some replica. After the wait, no token request has to wait.
    async fn pass(&self, until: Option<Timestamp>, caller: &Caller) {
        let left =
            || until.map_or(0, |until| (until.seconds() + 1).saturating_sub(self.clock_of(caller).seconds()));
        for _ in 0..LOOKS_A_SECOND * left().min(LONGEST_PASS) {
            if left() == 0 {
                return;
            }
            sleep(Duration::from_millis(1_000 / LOOKS_A_SECOND)).await;
        }
    }

    async fn commit(&self, commit: &Commit) -> Edited<CommitOutcome> {
        let outcome = self.store.commit(commit).await?;
        if let CommitOutcome::Committed { .. } = outcome {
            (self.publish)(&commit.changed);
        }
        Ok(outcome)
    }
}

//! The loop of every edit: load what it needs, decide, commit on the revision that was decided on, publish. Where another writer was
//! faster, or slow work has to be done first, the loop starts over. With an idempotency key, the answer of an earlier request under that
//! key comes first.

use std::time::Duration;

use keys::life_cycle::Announcement;
use protocol::Timestamp;
use registry::ClientId;
use secrets::PasswordSalt;
use tenancy::{StoreError, TenantId};
use tokio::time::{sleep, timeout};

use super::idempotency::IdempotencyScope;
use super::key_material::{KeyMaterial, KeyOrigin};
use super::load::LoadScope;
use super::{Administrator, Caller, Created, NewSecretValue};
use crate::edit::{Edit, EditContext, Facts};
use crate::{CommitOutcome, CommitRequest, EditError, invalidations};

/// Each stale attempt means that another writer has committed.
pub(super) const ATTEMPTS: u32 = 20;

/// Commits that are too late before the store counts as too slow.
const MOST_LATE: u32 = 3;

/// The caller of an edit, its tenant, and what it needs.
#[derive(Clone, Copy)]
pub(super) struct EditRequest<'a> {
    pub(super) caller: &'a Caller,
    pub(super) tenant: &'a TenantId,
    pub(super) scope: LoadScope<'a>,
}

/// What is decided on the facts of one attempt.
pub(super) enum Decision<T> {
    /// To commit the edit and to answer this.
    Commit(Edit, T),
    /// To do this slow work and to decide again.
    Prepare(Preparation),
}

/// Slow work that an edit depends on.
pub(super) enum Preparation {
    /// Hash the secret of a client: the one that was sent, or a generated one.
    Secret { client: ClientId, sent: Option<protocol::Secret>, salt: Option<PasswordSalt> },
    /// Generate the announced key, unless it was imported, and seal it for its number.
    Key { announced: Announcement, origin: KeyOrigin },
}

/// The result of the slow work.
pub(super) enum Prepared {
    Secret(ClientId, NewSecretValue),
    Key(KeyMaterial),
}

impl Administrator {
    /// Decides and commits until a commit succeeds, and returns what was decided. An edit without changes is committed only for the
    /// answer under its idempotency key, which is written in the commit that makes the thing: there is no moment with only one of them.
    pub(super) async fn commit_with_retry<T, E: From<EditError>>(
        &self,
        request: EditRequest<'_>,
        idempotency: Option<IdempotencyScope<T>>,
        mut decide: impl FnMut(EditContext<'_>, &Facts) -> Result<(Edit, T), E> + Send,
    ) -> Result<Created<T>, E> {
        self.commit_prepared(request, idempotency, None, |context, facts, _| {
            decide(context, facts).map(|(edit, value)| Decision::Commit(edit, value))
        })
        .await
    }

    /// As [`Administrator::commit_with_retry`], for a decision that depends on slow work.
    pub(super) async fn commit_prepared<T, E: From<EditError>>(
        &self,
        request: EditRequest<'_>,
        idempotency: Option<IdempotencyScope<T>>,
        mut prepared: Option<Prepared>,
        mut decide: impl FnMut(EditContext<'_>, &Facts, Option<&Prepared>) -> Result<Decision<T>, E> + Send,
    ) -> Result<Created<T>, E> {
        let EditRequest { caller, tenant, scope } = request;
        let mut late = 0;
        let mut guard = self.tenant_locks.take(tenant).await;
        for attempt in 0..ATTEMPTS {
            pause(attempt).await;
            if let Some(value) = self.answered(idempotency.as_ref(), caller.now).await? {
                return Ok(Created { value, replayed: true });
            }
            let facts = self.load(tenant, scope).await?;
            let context = match scope {
                LoadScope::Keys { .. } => EditContext { now: self.clock_of(caller), ..self.context(caller) },
                _ => self.context(caller),
            };
            let (edit, value) = match decide(context, &facts, prepared.as_ref())? {
                Decision::Commit(edit, value) => (edit, value),
                Decision::Prepare(preparation) => {
                    // Other writers of the tenant do not wait for it.
                    drop(guard);
                    prepared = Some(self.prepare(tenant, preparation, prepared).await?);
                    guard = self.tenant_locks.take(tenant).await;
                    continue;
                }
            };
            if edit.is_empty() && idempotency.is_none() {
                return Ok(Created { value, replayed: false });
            }
            let idempotent = self.seal_answer(idempotency.as_ref(), &value, context.now).await?;
            let valid_for = edit.valid_for;
            let request = CommitRequest { idempotent, ..edit.into_request(context, &facts) };
            let left = valid_for.map(|valid_for| {
                let age = self.clock_of(caller).seconds().saturating_sub(context.now.seconds());
                Duration::from_secs(valid_for.seconds().saturating_sub(age))
            });
            let committed = match left {
                None => Some(self.commit(&request).await?),
                Some(Duration::ZERO) => None,
                Some(left) => timeout(left, self.commit(&request)).await.ok().transpose()?,
            };
            match committed {
                Some(true) => return Ok(Created { value, replayed: false }),
                Some(false) => {}
                None => late += 1,
            }
            if late == MOST_LATE {
                let error = StoreError::unavailable("it takes longer than keys can wait");
                return Err(EditError::from(error).into());
            }
        }
        Err(EditError::Contended.into())
    }

    async fn prepare(
        &self,
        tenant: &TenantId,
        preparation: Preparation,
        before: Option<Prepared>,
    ) -> Result<Prepared, EditError> {
        match preparation {
            Preparation::Secret { client, sent: Some(sent), salt } => {
                let salt = || salt.unwrap_or_else(PasswordSalt::generate);
                let secret = self.take_secret((tenant, &client), sent, salt).await?;
                Ok(Prepared::Secret(client, secret))
            }
            Preparation::Secret { client, sent: None, .. } => {
                let secret = self.generate_secret(tenant, &client);
                Ok(Prepared::Secret(client, secret))
            }
            Preparation::Key { announced, origin } => {
                let mut material = match before {
                    Some(Prepared::Key(material)) if material.origin() == origin => material,
                    _ => self.make_key(announced.spec()).await?,
                };
                self.seal_key(tenant, announced, &mut material).await?;
                Ok(Prepared::Key(material))
            }
        }
    }

    /// The time now, which is never before the request.
    fn clock_of(&self, caller: &Caller) -> Timestamp {
        caller.now.max((self.clock)())
    }

    /// Whether it was committed. If not, the revision that it was decided on is stale.
    async fn commit(&self, request: &CommitRequest) -> Result<bool, EditError> {
        match self.store.commit(request).await? {
            CommitOutcome::Committed { .. } => {
                (self.publish)(&invalidations(&request.changes));
                Ok(true)
            }
            CommitOutcome::StaleRevision => Ok(false),
        }
    }
}

/// A millisecond before the second attempt, then a millisecond longer each time.
pub(super) async fn pause(attempt: u32) {
    if attempt > 0 {
        sleep(Duration::from_millis(u64::from(attempt))).await;
    }
}

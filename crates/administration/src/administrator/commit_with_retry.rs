//! The steps of every edit: load what it needs, decide, commit on the revision of the decision, invalidate the caches. After a
//! concurrent commit it does all of them again.

use std::time::Duration;

use protocol::Timestamp;
use registry::ClientId;
use tenancy::{Issuer, TenantId};
use tokio::time::sleep;

use super::Administrator;
use crate::edit::{Edit, EditContext, Facts};
use crate::{
    ApplicationId, AuditRecord, Authority, CommitOutcome, CommitRequest, EditError, IdempotentAnswer,
    ManagedBy, RelatedClients, TenantState, invalidations,
};

/// Each time that it is superseded, another commit succeeded.
pub(super) const ATTEMPTS: u32 = 20;

/// Who asks for an edit of which tenant.
#[derive(Clone, Copy)]
pub(super) struct EditRequest<'a> {
    pub(super) by: &'a Authority,
    pub(super) tenant: &'a TenantId,
    pub(super) scope: LoadScope<'a>,
    pub(super) now: Timestamp,
}

/// What must be known before it is decided.
#[derive(Clone, Copy)]
pub(super) enum LoadScope<'a> {
    /// The whole tenant, and who has these issuers.
    Whole(&'a [Issuer]),
    /// The tenant, with these of its clients.
    Related(RelatedClients<'a>),
    /// The same, and how many clients it has: for one that is to be made.
    New(RelatedClients<'a>),
    /// The tenant, with an application and its client.
    Application(AboutApplication<'a>),
}

/// Which application is asked about.
#[derive(Clone, Copy)]
pub(super) struct AboutApplication<'a> {
    pub(super) id: &'a ApplicationId,
    /// The name that it is to have.
    pub(super) name: &'a str,
    /// The client that it is to have.
    pub(super) client: &'a str,
}

impl Administrator {
    /// Decides and writes, as often as it takes, and says what was decided in the end. Nothing is written where nothing changes.
    pub(super) async fn commit_with_retry<T, E: From<EditError>>(
        &self,
        edit_request: EditRequest<'_>,
        mut decide: impl FnMut(EditContext<'_>, &Facts) -> Result<(Edit, T), E> + Send,
    ) -> Result<T, E> {
        let _guard = self.tenant_locks.take(edit_request.tenant).await;
        for attempt in 0..ATTEMPTS {
            pause(attempt).await;
            let facts = self.load(edit_request).await?;
            let (edit, answer) = decide(self.context(edit_request.by, edit_request.now), &facts)?;
            if edit.is_empty() || self.commit(edit_request, &facts, edit, None).await? {
                return Ok(answer);
            }
        }
        Err(EditError::Contended.into())
    }

    pub(super) async fn load(&self, edit_request: EditRequest<'_>) -> Result<Facts, EditError> {
        Ok(match edit_request.scope {
            LoadScope::Whole(issuers) => Facts {
                state: self.store.load_state(edit_request.tenant).await?,
                issuer_owners: match issuers {
                    [] => Vec::new(),
                    issuers => self.store.find_issuer_owners(issuers).await?,
                },
                ..Facts::default()
            },
            LoadScope::Related(related) => {
                let state = self.store.load_with_related_clients(edit_request.tenant, related).await?;
                Facts { state, ..Facts::default() }
            }
            LoadScope::New(related) => {
                let state = self.store.load_with_related_clients(edit_request.tenant, related).await?;
                Facts {
                    state,
                    client_count: self.count_clients(edit_request.tenant).await?,
                    ..Facts::default()
                }
            }
            LoadScope::Application(about) => self.load_application(edit_request.tenant, about).await?,
        })
    }

    /// Read after the tenant, whose revision vouches for it. Nobody asks how far beyond the limit it is.
    async fn count_clients(&self, tenant: &TenantId) -> Result<u64, EditError> {
        Ok(self.store.count_clients(tenant, self.policy.clients).await?)
    }

    /// What is read after the tenant is what the tenant's revision vouches for, so the application is read twice: before, for the name of
    /// the client that has to be loaded, and after.
    async fn load_application(
        &self,
        tenant: &TenantId,
        about: AboutApplication<'_>,
    ) -> Result<Facts, EditError> {
        for attempt in 0..ATTEMPTS {
            pause(attempt).await;
            let known = self.store.find_application(tenant, about.id).await?.and_then(|known| known.client);
            let ids = [about.client, known.as_ref().map_or(about.client, ClientId::as_str)];
            let related = RelatedClients { ids: &ids, listed: &[about.client] };
            let state = self.store.load_with_related_clients(tenant, related).await?;
            let application = self.store.find_application(tenant, about.id).await?;
            if application.as_ref().and_then(|application| application.client.as_ref()) == known.as_ref() {
                let name_owner = self.store.find_application_named(tenant, about.name).await?;
                let client_count =
                    if about.client.is_empty() { 0 } else { self.count_clients(tenant).await? };
                return Ok(Facts { state, application, name_owner, client_count, ..Facts::default() });
            }
        }
        Err(EditError::Contended)
    }

    /// As [`Administrator::write`], of what was decided on these facts.
    pub(super) async fn commit(
        &self,
        edit_request: EditRequest<'_>,
        facts: &Facts,
        edit: Edit,
        idempotent: Option<IdempotentAnswer>,
    ) -> Result<bool, EditError> {
        let EditRequest { by, tenant, now, .. } = edit_request;
        let expected_revisions = facts.state.iter().map(|state| (tenant.clone(), state.revision)).collect();
        let before = facts.state.iter().map(|state| state.changed_by(&edit.changes)).collect();
        self.write(by, expected_revisions, before, edit, idempotent, now).await
    }

    /// Whether it was written; if not, something that the decision rests on has changed.
    pub(super) async fn write(
        &self,
        by: &Authority,
        expected_revisions: Vec<(TenantId, u64)>,
        before: Vec<TenantState>,
        edit: Edit,
        idempotent: Option<IdempotentAnswer>,
        now: Timestamp,
    ) -> Result<bool, EditError> {
        let Edit { changes, secrets, keys, tenant_metadata } = edit;
        let request = CommitRequest {
            managed_by: ManagedBy::Api,
            generation: None,
            expected_revisions,
            before,
            audit: changes.iter().map(|change| AuditRecord::of(change, by.actor(), now)).collect(),
            changes,
            secrets,
            first_keys: Vec::new(),
            keys,
            tenant_metadata,
            idempotent,
            now,
        };
        match self.store.commit(&request).await? {
            CommitOutcome::Committed { .. } => {
                (self.publish)(&invalidations(&request.changes));
                Ok(true)
            }
            CommitOutcome::StaleRevision => Ok(false),
        }
    }
}

/// Before the second attempt a millisecond, then a little longer each time.
pub(super) async fn pause(attempt: u32) {
    if attempt > 0 {
        sleep(Duration::from_millis(u64::from(attempt))).await;
    }
}

//! Tenants stop serving, serve again and are deleted: `latchkey:tenants` at the platform.

use protocol::Timestamp;
use tenancy::TenantId;

use super::{Administrator, EditRequest, LoadScope};
use crate::edit::{self, Edit, EditContext, Facts};
use crate::{Authority, EditError, Permission, TenantView};

impl Administrator {
    /// Stops it from serving.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn suspend_tenant(
        &self,
        by: &Authority,
        tenant: &TenantId,
        if_match: Option<&str>,
        now: Timestamp,
    ) -> Result<TenantView, EditError> {
        let decide = |context: EditContext<'_>, facts: &Facts| edit::suspend_tenant(context, facts, if_match);
        self.edit_tenant(by, tenant, &[], now, decide).await
    }

    /// Lets it serve again.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn resume_tenant(
        &self,
        by: &Authority,
        tenant: &TenantId,
        if_match: Option<&str>,
        now: Timestamp,
    ) -> Result<TenantView, EditError> {
        let decide = |context: EditContext<'_>, facts: &Facts| edit::resume_tenant(context, facts, if_match);
        self.edit_tenant(by, tenant, &[], now, decide).await
    }

    /// The first step of a deletion: it stops serving, and is deleted when its time of grace is over.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn schedule_tenant_deletion(
        &self,
        by: &Authority,
        tenant: &TenantId,
        if_match: Option<&str>,
        now: Timestamp,
    ) -> Result<TenantView, EditError> {
        let decide =
            |context: EditContext<'_>, facts: &Facts| edit::schedule_deletion(context, facts, if_match);
        self.edit_tenant(by, tenant, &[], now, decide).await
    }

    /// Takes the first step back.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn cancel_tenant_deletion(
        &self,
        by: &Authority,
        tenant: &TenantId,
        if_match: Option<&str>,
        now: Timestamp,
    ) -> Result<TenantView, EditError> {
        let decide =
            |context: EditContext<'_>, facts: &Facts| edit::cancel_deletion(context, facts, if_match);
        self.edit_tenant(by, tenant, &[], now, decide).await
    }

    /// The second step, of a tenant that has taken the first one: secrets and keys are destroyed, the id stays reserved.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn delete_tenant(
        &self,
        by: &Authority,
        tenant: &TenantId,
        if_match: Option<&str>,
        now: Timestamp,
    ) -> Result<(), EditError> {
        self.context(by, now).require_everywhere(Permission::Tenants)?;
        let edit_request = EditRequest { by, tenant, scope: LoadScope::Whole(&[]), now };
        self.commit_with_retry(edit_request, |context, facts| {
            Ok((edit::delete_tenant(context, facts, if_match)?, ()))
        })
        .await
    }

    /// The second step for all tenants whose time of grace is over; says how many.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn delete_due_tenants(&self, now: Timestamp) -> Result<usize, EditError> {
        let by = Authority::itself();
        let mut deleted = 0;
        for tenant in self.store.find_due_deletions(now, DELETIONS).await? {
            let edit_request = EditRequest { by: &by, tenant: &tenant, scope: LoadScope::Whole(&[]), now };
            // Between finding and loading an administrator may have undone the first step.
            let decide = |context: EditContext<'_>, facts: &Facts| {
                let due = facts.state.as_ref().is_some_and(|state| edit::is_due(state, now));
                let edit = if due { edit::delete_tenant(context, facts, None)? } else { Edit::default() };
                Ok::<_, EditError>((edit, usize::from(due)))
            };
            deleted += self.commit_with_retry(edit_request, decide).await?;
        }
        Ok(deleted)
    }

    /// Deletes client secrets that ended long ago, in all tenants; says how many.
    ///
    /// # Errors
    /// [`EditError`] where the store does not answer.
    pub async fn prune_ended_secrets(&self, now: Timestamp) -> Result<u64, EditError> {
        let mut pruned = 0;
        loop {
            let now_pruned = self.store.prune_ended_secrets(now, PRUNED_AT_ONCE).await?;
            pruned += now_pruned;
            if now_pruned < u64::from(PRUNED_AT_ONCE) {
                return Ok(pruned);
            }
        }
    }
}

/// So many at once; the rest have their turn at the next call.
const DELETIONS: u32 = 100;

/// The most secrets that one transaction deletes, so that no commit waits long for it.
const PRUNED_AT_ONCE: u32 = 1_000;

//! Tenants: `latchkey:tenants` of the platform.

use protocol::Timestamp;
use serde_json::{Value, json};
use tenancy::{Issuer, TenantId};

use super::clients::{created, new_client_id};
use super::commit_with_retry::EditRequest;
use super::idempotency::IdempotencyScope;
use super::load::LoadScope;
use super::{Administrator, Caller, Created, cursor};
use crate::edit::{self, Edit, EditContext, Facts, NewClientRow, TenantStep};
use crate::{
    CreatedTenant, EditError, FileSecret, NewTenant, Page, Permission, RelatedClients, TenantQuery,
    TenantView, search_terms,
};

/// How many tenants one call deletes; the next call deletes the rest.
const DELETIONS: u32 = 100;

/// The most secrets that one transaction deletes, so that no commit waits long for it.
const PRUNED_AT_ONCE: u32 = 1_000;

impl Administrator {
    /// Creates a tenant, and its first client if the document has one.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn create_tenant(
        &self,
        caller: &Caller,
        new: NewTenant,
    ) -> Result<Created<CreatedTenant>, EditError> {
        caller.authority.require_everywhere(Permission::Tenants)?;
        let NewTenant { id, client, settings } = new;
        let id = edit::new_tenant_id(&id)?;
        let first = match &client {
            Some(client) => {
                let client_id = new_client_id(client, "/client")?;
                let (names, chosen) =
                    ((&id, &client_id), client.client_secret.as_ref().map(FileSecret::expose));
                let secret = self.prepare_secret(names, chosen, "/client/client_secret").await?;
                Some((client_id, &client.settings, secret))
            }
            None => None,
        };
        let issuers = edit::patched_issuers(&id, &self.policy.public_url, &json!(settings));
        let request = EditRequest { caller, tenant: &id, scope: LoadScope::Whole(&issuers) };
        let platform = TenantId::parse(TenantId::PLATFORM).expect("the reserved id has the right shape");
        let idempotency = IdempotencyScope::of(caller, &platform, "create tenant")?;
        self.commit_with_retry(request, idempotency, |context, facts| {
            let first_row = first.as_ref().map(|(client_id, settings, secret)| NewClientRow {
                id: client_id.clone(),
                settings,
                secret: &secret.material,
                at: "/client",
            });
            let (edit, state) = edit::create_tenant(context, facts, &id, &settings, first_row.as_ref())?;
            let client = first.as_ref().zip(state.clients.first());
            let client = client.map(|((_, _, secret), row)| created(row, secret, caller.now));
            let tenant = TenantView::of(&state, &context.policy.public_url);
            Ok((edit, CreatedTenant { tenant, client }))
        })
        .await
    }

    /// A page of tenants. `cursor` is a page's `next_cursor`.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn tenants(
        &self,
        caller: &Caller,
        search: Option<&str>,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<TenantView>, EditError> {
        caller.authority.require_everywhere(Permission::Tenants)?;
        let size = cursor::page_size(limit);
        let query = TenantQuery {
            terms: search.map(search_terms).unwrap_or_default(),
            after: cursor.map(cursor::read_tenant).transpose()?,
            limit: size + 1,
        };
        let rows = self.store.list_tenants(&query).await?.into_iter();
        let rows = rows.map(|(place, state)| (place, TenantView::of(&state, &self.policy.public_url)));
        Ok(cursor::page(rows.collect(), size, |place| cursor::of_tenant(&place)))
    }

    /// One tenant.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn tenant(&self, caller: &Caller, tenant: &TenantId) -> Result<TenantView, EditError> {
        caller.authority.require_everywhere(Permission::Tenants)?;
        let facts = self.load(tenant, LoadScope::Related(RelatedClients::default())).await?;
        Ok(TenantView::of(facts.tenant()?, &self.policy.public_url))
    }

    /// Changes what the merge patch names.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn patch_tenant(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        patch: Value,
    ) -> Result<TenantView, EditError> {
        let issuers = edit::patched_issuers(tenant, &self.policy.public_url, &patch);
        let decide = |context: EditContext<'_>, facts: &Facts| edit::patch_tenant(context, facts, &patch);
        self.edit_tenant(caller, tenant, &issuers, decide).await
    }

    /// Suspends, resumes, restores or deletes a tenant.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn step_tenant(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        step: TenantStep,
    ) -> Result<TenantView, EditError> {
        let decide = |context: EditContext<'_>, facts: &Facts| edit::step_tenant(context, facts, step);
        self.edit_tenant(caller, tenant, &[], decide).await
    }

    async fn edit_tenant(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        issuers: &[Issuer],
        mut decide: impl FnMut(EditContext<'_>, &Facts) -> Result<Edit, EditError> + Send,
    ) -> Result<TenantView, EditError> {
        caller.authority.require_everywhere(Permission::Tenants)?;
        let request = EditRequest { caller, tenant, scope: LoadScope::Whole(issuers) };
        let edited = self.commit_with_retry(request, None, |context, facts| {
            let edit = decide(context, facts)?;
            let after = edit.tenant_after(context, facts)?;
            Ok::<_, EditError>((edit, TenantView::of(&after, &context.policy.public_url)))
        });
        Ok(edited.await?.value)
    }

    /// Deletes all tenants whose time of grace is over; returns how many.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn delete_due_tenants(&self, now: Timestamp) -> Result<usize, EditError> {
        let (caller, mut deleted) = (Caller::itself(now), 0);
        for tenant in self.store.find_due_deletions(now, DELETIONS).await? {
            let request = EditRequest { caller: &caller, tenant: &tenant, scope: LoadScope::Whole(&[]) };
            let done = self.commit_with_retry(request, None, |context, facts| {
                // An administrator may have cancelled the deletion since it was found to be due.
                let due = facts.state.as_ref().is_some_and(|state| edit::is_due(state, now));
                let delete = due.then(|| edit::step_tenant(context, facts, TenantStep::Delete));
                Ok::<_, EditError>((delete.transpose()?.unwrap_or_default(), usize::from(due)))
            });
            deleted += done.await?.value;
        }
        Ok(deleted)
    }

    /// Deletes client secrets that ended long ago, in all tenants; returns how many.
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

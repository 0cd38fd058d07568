//! Tenants are made, listed and changed: `latchkey:tenants` at the platform.

use protocol::Timestamp;
use serde_json::Value;
use tenancy::{Issuer, TenantId};

use super::clients::{created, new_client_id};
use super::idempotency::IdempotencyScope;
use super::{Administrator, Created, EditRequest, Idempotency, LoadScope, cursor};
use crate::edit::{self, Edit, EditContext, Facts, NewClientRow};
use crate::{
    Authority, CreatedTenant, EditError, NewTenant, Page, Permission, RelatedClients, TenantQuery,
    TenantView, search_terms,
};

impl Administrator {
    /// Makes a tenant, and its first client if one is asked for.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn create_tenant(
        &self,
        by: &Authority,
        new: NewTenant,
        idempotency: Option<&Idempotency>,
        now: Timestamp,
    ) -> Result<Created<CreatedTenant>, EditError> {
        self.context(by, now).require_everywhere(Permission::Tenants)?;
        let NewTenant { id, client, settings } = new;
        let id = edit::new_tenant_id(&id)?;
        let first = match &client {
            Some(client) => {
                let client_id = new_client_id(client, "/client")?;
                let (names, chosen) =
                    ((&id, &client_id), client.client_secret.as_ref().map(|secret| secret.as_str()));
                let secret = self.prepare_secret(names, chosen, "/client/client_secret").await?;
                Some((client_id, &client.settings, secret))
            }
            None => None,
        };
        let issuers = edit::patched_issuers(&id, &self.policy.public_url, &serde_json::json!(settings));
        let edit_request = EditRequest { by, tenant: &id, scope: LoadScope::Whole(&issuers), now };
        let platform = TenantId::parse(TenantId::PLATFORM).expect("the reserved id has the right shape");
        let idempotency_scope = IdempotencyScope::of(by, &platform, "create tenant", idempotency)?;
        self.commit_idempotently(edit_request, idempotency_scope, |context, facts| {
            let first_row = first.as_ref().map(|(client_id, settings, secret)| NewClientRow {
                id: client_id.clone(),
                settings,
                secret: &secret.material,
                at: "/client",
            });
            let (edit, state) = edit::create_tenant(context, facts, &id, &settings, first_row.as_ref())?;
            let client = first.as_ref().zip(state.clients.first());
            let client = client.map(|((_, _, secret), row)| created(row, secret, now));
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
        by: &Authority,
        search: Option<&str>,
        cursor: Option<&str>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Page<TenantView>, EditError> {
        self.context(by, now).require_everywhere(Permission::Tenants)?;
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
    pub async fn tenant(
        &self,
        by: &Authority,
        tenant: &TenantId,
        now: Timestamp,
    ) -> Result<TenantView, EditError> {
        self.context(by, now).require_everywhere(Permission::Tenants)?;
        let edit_request =
            EditRequest { by, tenant, scope: LoadScope::Related(RelatedClients::default()), now };
        let facts = self.load(edit_request).await?;
        Ok(TenantView::of(facts.tenant()?, &self.policy.public_url))
    }

    /// Changes what the merge patch names.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn patch_tenant(
        &self,
        by: &Authority,
        tenant: &TenantId,
        patch: Value,
        if_match: Option<&str>,
        now: Timestamp,
    ) -> Result<TenantView, EditError> {
        let issuers = edit::patched_issuers(tenant, &self.policy.public_url, &patch);
        let decide =
            |context: EditContext<'_>, facts: &Facts| edit::patch_tenant(context, facts, &patch, if_match);
        self.edit_tenant(by, tenant, &issuers, now, decide).await
    }

    pub(super) async fn edit_tenant(
        &self,
        by: &Authority,
        tenant: &TenantId,
        issuers: &[Issuer],
        now: Timestamp,
        mut decide: impl FnMut(EditContext<'_>, &Facts) -> Result<Edit, EditError> + Send,
    ) -> Result<TenantView, EditError> {
        self.context(by, now).require_everywhere(Permission::Tenants)?;
        let edit_request = EditRequest { by, tenant, scope: LoadScope::Whole(issuers), now };
        self.commit_with_retry(edit_request, |context, facts| {
            Ok::<_, EditError>((decide(context, facts)?, ()))
        })
        .await?;
        self.tenant(by, tenant, now).await
    }
}

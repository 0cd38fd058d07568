//! Clients: `latchkey:clients`, at the platform or in the tenant.

use protocol::Timestamp;
use registry::ClientId;
use serde_json::{Value, json};
use tenancy::TenantId;
use uuid::Uuid;

use super::idempotency::IdempotencyScope;
use super::{Administrator, Created, EditRequest, Idempotency, LoadScope, NewSecretValue, cursor};
use crate::edit::{self, Edit, EditContext, Facts, NewClientRow, invalid};
use crate::{
    Authority, ClientQuery, ClientState, ClientView, CreatedClient, CreatedSecret, EditError, NewClient,
    Page, Permission, RelatedClients, SecretView,
};

impl Administrator {
    /// Registers a client.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn create_client(
        &self,
        by: &Authority,
        tenant: &TenantId,
        new: NewClient,
        idempotency: Option<&Idempotency>,
        now: Timestamp,
    ) -> Result<Created<CreatedClient>, EditError> {
        self.context(by, now).require_in(tenant, Permission::Clients)?;
        let id = new_client_id(&new, "")?;
        let settings = json!(new.settings);
        let mut ids = edit::client_names(&settings);
        ids.push(id.as_str());
        let related = RelatedClients { ids: &ids, listed: &[id.as_str()] };
        let edit_request = EditRequest { by, tenant, scope: LoadScope::New(related), now };
        let idempotency_scope = IdempotencyScope::of(by, tenant, "create client", idempotency)?;
        let chosen = new.client_secret.as_ref().map(|secret| secret.as_str());
        let secret = self.prepare_secret((tenant, &id), chosen, "/client_secret").await?;
        let row = NewClientRow { id: id.clone(), settings: &new.settings, secret: &secret.material, at: "" };
        self.commit_idempotently(edit_request, idempotency_scope, |context, facts| {
            let (edit, client) = edit::create_client(context, facts, tenant, &row)?;
            Ok((edit, created(&client, &secret, now)))
        })
        .await
    }

    /// A page of a tenant's clients.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn clients(
        &self,
        by: &Authority,
        tenant: &TenantId,
        search: Option<&str>,
        cursor: Option<&str>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Page<ClientView>, EditError> {
        self.context(by, now).require_in(tenant, Permission::Clients)?;
        let size = cursor::page_size(limit);
        let query = ClientQuery {
            search: search.filter(|search| !search.is_empty()).map(str::to_owned),
            after: cursor.map(cursor::read_client).transpose()?,
            limit: size + 1,
        };
        self.load(EditRequest { by, tenant, scope: LoadScope::Related(RelatedClients::default()), now })
            .await?
            .tenant()?;
        let rows = self.store.list_clients(tenant, &query).await?.into_iter();
        let rows = rows.map(|row| (row.client.id.clone(), ClientView::of(&row, now)));
        Ok(cursor::page(rows.collect(), size, |place| place.to_string()))
    }

    /// One client.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn client(
        &self,
        by: &Authority,
        tenant: &TenantId,
        client: &ClientId,
        now: Timestamp,
    ) -> Result<ClientView, EditError> {
        Ok(ClientView::of(&self.client_state(by, tenant, client, now).await?, now))
    }

    /// Changes what the merge patch names.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn patch_client(
        &self,
        by: &Authority,
        tenant: &TenantId,
        client: &ClientId,
        patch: Value,
        if_match: Option<&str>,
        now: Timestamp,
    ) -> Result<ClientView, EditError> {
        self.edit_client(by, (tenant, client), &edit::client_names(&patch), now, |context, facts| {
            edit::patch_client(context, facts, (tenant, client), &patch, if_match)
        })
        .await?;
        self.client(by, tenant, client, now).await
    }

    /// Stops it from authenticating.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn suspend_client(
        &self,
        by: &Authority,
        tenant: &TenantId,
        client: &ClientId,
        if_match: Option<&str>,
        now: Timestamp,
    ) -> Result<ClientView, EditError> {
        self.edit_client(by, (tenant, client), &[], now, |context, facts| {
            edit::suspend_client(context, facts, (tenant, client), if_match)
        })
        .await?;
        self.client(by, tenant, client, now).await
    }

    /// Lets it authenticate again.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn resume_client(
        &self,
        by: &Authority,
        tenant: &TenantId,
        client: &ClientId,
        if_match: Option<&str>,
        now: Timestamp,
    ) -> Result<ClientView, EditError> {
        self.edit_client(by, (tenant, client), &[], now, |context, facts| {
            edit::resume_client(context, facts, (tenant, client), if_match)
        })
        .await?;
        self.client(by, tenant, client, now).await
    }

    /// Deletes it, with its secrets; the id stays reserved.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn delete_client(
        &self,
        by: &Authority,
        tenant: &TenantId,
        client: &ClientId,
        if_match: Option<&str>,
        now: Timestamp,
    ) -> Result<(), EditError> {
        self.edit_client(by, (tenant, client), &[], now, |context, facts| {
            edit::delete_client(context, facts, (tenant, client), if_match)
        })
        .await
    }

    /// A client's rows, for an administrator of the tenant's clients.
    pub(super) async fn client_state(
        &self,
        by: &Authority,
        tenant: &TenantId,
        client: &ClientId,
        now: Timestamp,
    ) -> Result<ClientState, EditError> {
        self.context(by, now).require_in(tenant, Permission::Clients)?;
        let related = RelatedClients { ids: &[client.as_str()], listed: &[] };
        let facts = self.load(EditRequest { by, tenant, scope: LoadScope::Related(related), now }).await?;
        Ok(facts.client(client)?.1.clone())
    }

    /// An edit of one client; `names` are those that it brings in beside the client's own.
    pub(super) async fn edit_client(
        &self,
        by: &Authority,
        (tenant, client): (&TenantId, &ClientId),
        names: &[&str],
        now: Timestamp,
        mut decide: impl FnMut(EditContext<'_>, &Facts) -> Result<Edit, EditError> + Send,
    ) -> Result<(), EditError> {
        self.context(by, now).require_in(tenant, Permission::Clients)?;
        let mut ids = names.to_vec();
        ids.push(client.as_str());
        let related = RelatedClients { ids: &ids, listed: &[client.as_str()] };
        let edit_request = EditRequest { by, tenant, scope: LoadScope::Related(related), now };
        self.commit_with_retry(edit_request, |context, facts| Ok((decide(context, facts)?, ()))).await
    }
}

/// The id that was asked for, or a new one; `at` is where the client stands in what was sent.
pub(super) fn new_client_id(new: &NewClient, at: &str) -> Result<ClientId, EditError> {
    let made = || Uuid::new_v4().to_string();
    let text = new.client_id.clone().unwrap_or_else(made);
    ClientId::parse(&text).map_err(|error| invalid(format!("{at}/client_id"), error.to_string()))
}

/// A client with the one secret that it has just been made with.
pub(super) fn created(row: &ClientState, secret: &NewSecretValue, now: Timestamp) -> CreatedClient {
    let shown = row.secrets.first().map(|made| CreatedSecret {
        client_secret: secret.value.expose().to_owned(),
        secret: SecretView::of(made, &row.secrets, &[], now),
    });
    CreatedClient { client: ClientView::of(row, now), secret: shown }
}

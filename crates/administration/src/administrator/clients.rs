//! Clients: `latchkey:clients`, of the platform or of the tenant.

use protocol::Timestamp;
use registry::ClientId;
use serde_json::{Value, json};
use tenancy::TenantId;

use super::commit_with_retry::EditRequest;
use super::idempotency::IdempotencyScope;
use super::load::LoadScope;
use super::{Administrator, Caller, Created, cursor};
use crate::edit::{self, ClientStep, Edit, EditContext, SecretMaterial};
use crate::{
    ClientQuery, ClientState, ClientView, CreatedClient, CreatedSecret, EditError, NewClient, Page,
    Permission, RelatedClients, SecretView,
};

impl Administrator {
    /// Registers a client.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn create_client(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        new: NewClient,
    ) -> Result<Created<CreatedClient>, EditError> {
        caller.authority.require_in(tenant, Permission::Clients)?;
        let row = self.prepare_client(tenant, &new, "").await?;
        let (settings, client) = (json!(new.settings), (tenant, &row.id));
        let idempotency = IdempotencyScope::of(caller, tenant, "create client");
        let decide = |context: EditContext<'_>| edit::create_client(context, tenant, &row);
        let answer = |made: &ClientState| Ok(created(made, &row.secret, caller.now));
        self.edit_client(caller, client, &edit::client_names(&settings), idempotency, decide, answer).await
    }

    /// A page of a tenant's clients.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn clients(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        search: Option<&str>,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<ClientView>, EditError> {
        caller.authority.require_in(tenant, Permission::Clients)?;
        let size = cursor::page_size(limit);
        let query = ClientQuery {
            search: search.filter(|search| !search.is_empty()).map(str::to_owned),
            after: cursor.map(cursor::read_client).transpose()?,
            limit: size + 1,
        };
        self.load(tenant, LoadScope::Related(RelatedClients::default())).await?.tenant()?;
        let rows = self.store.list_clients(tenant, &query).await?.into_iter();
        let rows = rows.map(|row| (row.client.id.clone(), ClientView::of(&row, caller.now)));
        Ok(cursor::page(rows.collect(), size, ToString::to_string))
    }

    /// One client.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn client(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        client: &ClientId,
    ) -> Result<ClientView, EditError> {
        Ok(ClientView::of(&self.client_state(caller, tenant, client).await?, caller.now))
    }

    /// Changes what the merge patch names.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn patch_client(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        client: &ClientId,
        patch: Value,
    ) -> Result<ClientView, EditError> {
        let names = edit::client_names(&patch);
        let decide = |context: EditContext<'_>| edit::patch_client(context, (tenant, client), &patch);
        let answer = |row: &ClientState| Ok(ClientView::of(row, caller.now));
        Ok(self.edit_client(caller, (tenant, client), &names, None, decide, answer).await?.value)
    }

    /// Suspends, resumes or deletes a client. A deleted client has no secrets, and its id stays reserved.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn step_client(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        client: &ClientId,
        step: ClientStep,
    ) -> Result<ClientView, EditError> {
        let decide = |context: EditContext<'_>| edit::step_client(context, (tenant, client), step);
        let answer = |row: &ClientState| Ok(ClientView::of(row, caller.now));
        Ok(self.edit_client(caller, (tenant, client), &[], None, decide, answer).await?.value)
    }

    /// Revokes all tokens that a client was issued until now. Whether it gets others is another question.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn revoke_client_tokens(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        client: &ClientId,
    ) -> Result<ClientView, EditError> {
        let decide = |context: EditContext<'_>| edit::revoke_client_tokens(context, (tenant, client));
        let answer = |row: &ClientState| Ok(ClientView::of(row, caller.now));
        Ok(self.edit_client(caller, (tenant, client), &[], None, decide, answer).await?.value)
    }

    /// A client's rows, for an administrator of the tenant's clients.
    pub(super) async fn client_state(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        client: &ClientId,
    ) -> Result<ClientState, EditError> {
        caller.authority.require_in(tenant, Permission::Clients)?;
        let related = RelatedClients { ids: &[client.as_str()], listed: &[] };
        let facts = self.load(tenant, LoadScope::Related(related)).await?;
        Ok(facts.client(client)?.1.clone())
    }

    /// Edits one client; `answer` gets its rows after the edit. `names` are those that the edit brings in beside the client's own.
    pub(super) async fn edit_client<T>(
        &self,
        caller: &Caller,
        (tenant, client): (&TenantId, &ClientId),
        names: &[&str],
        idempotency: Option<IdempotencyScope<T>>,
        decide: impl FnMut(EditContext<'_>) -> Result<Edit, EditError> + Send,
        mut answer: impl FnMut(&ClientState) -> Result<T, EditError> + Send,
    ) -> Result<Created<T>, EditError> {
        caller.authority.require_in(tenant, Permission::Clients)?;
        let mut ids = names.to_vec();
        ids.push(client.as_str());
        let related = RelatedClients { ids: &ids, listed: &[client.as_str()] };
        let request = EditRequest { caller, tenant, scope: LoadScope::Related(related) };
        self.commit_with_retry(request, idempotency, decide, |after| answer(after.client(client)?)).await
    }
}

/// A client with the one secret that it was created with.
pub(super) fn created(row: &ClientState, secret: &SecretMaterial, now: Timestamp) -> CreatedClient {
    let shown = row.secrets.first().map(|made| CreatedSecret {
        client_secret: secret.value.expose().to_owned(),
        secret: SecretView::of(made, &row.secrets, &[], now),
    });
    CreatedClient { client: ClientView::of(row, now), secret: shown }
}

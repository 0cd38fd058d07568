//! Clients: `latchkey:clients`, of the platform or of the tenant.

use protocol::Timestamp;
use registry::ClientId;
use serde_json::{Value, json};
use tenancy::TenantId;
use uuid::Uuid;

use super::commit_with_retry::EditRequest;
use super::idempotency::IdempotencyScope;
use super::load::LoadScope;
use super::{Administrator, Caller, Created, NewSecretValue, cursor};
use crate::edit::{self, ClientStep, Edit, EditContext, Facts, NewClientRow, invalid};
use crate::{
    ClientQuery, ClientState, ClientView, CreatedClient, CreatedSecret, EditError, FileSecret, NewClient,
    Page, Permission, RelatedClients, SecretView,
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
        let id = new_client_id(&new, "")?;
        let settings = json!(new.settings);
        let mut ids = edit::client_names(&settings);
        ids.push(id.as_str());
        let related = RelatedClients { ids: &ids, listed: &[id.as_str()] };
        let request = EditRequest { caller, tenant, scope: LoadScope::Related(related) };
        let idempotency = IdempotencyScope::of(caller, tenant, "create client")?;
        let chosen = new.client_secret.as_ref().map(FileSecret::expose);
        let secret = self.prepare_secret((tenant, &id), chosen, "/client_secret").await?;
        let row = NewClientRow { id: id.clone(), settings: &new.settings, secret: &secret.material, at: "" };
        self.commit_with_retry(request, idempotency, |context, facts| {
            let (edit, client) = edit::create_client(context, facts, tenant, &row)?;
            Ok((edit, created(&client, &secret, caller.now)))
        })
        .await
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
        Ok(cursor::page(rows.collect(), size, |place| place.to_string()))
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
        let row = self.edit_client(caller, (tenant, client), &names, |context, facts| {
            edit::patch_client(context, facts, (tenant, client), &patch)
        });
        Ok(ClientView::of(&row.await?, caller.now))
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
        let row = self.edit_client(caller, (tenant, client), &[], |context, facts| {
            edit::step_client(context, facts, (tenant, client), step)
        });
        Ok(ClientView::of(&row.await?, caller.now))
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

    /// Edits one client and returns its rows as they are then; `names` are those that the edit brings in beside the client's own.
    pub(super) async fn edit_client(
        &self,
        caller: &Caller,
        (tenant, client): (&TenantId, &ClientId),
        names: &[&str],
        mut decide: impl FnMut(EditContext<'_>, &Facts) -> Result<Edit, EditError> + Send,
    ) -> Result<ClientState, EditError> {
        caller.authority.require_in(tenant, Permission::Clients)?;
        let mut ids = names.to_vec();
        ids.push(client.as_str());
        let related = RelatedClients { ids: &ids, listed: &[client.as_str()] };
        let request = EditRequest { caller, tenant, scope: LoadScope::Related(related) };
        let edited = self.commit_with_retry(request, None, |context, facts| {
            let edit = decide(context, facts)?;
            let mut after = edit.tenant_after(context, facts)?;
            let row = after.clients.iter().position(|row| row.client.id == *client);
            let row = row.ok_or(EditError::NotFound("client"))?;
            Ok::<_, EditError>((edit, after.clients.swap_remove(row)))
        });
        Ok(edited.await?.value)
    }
}

/// The requested id, or a new one; `at` is the pointer to the client in the document.
pub(super) fn new_client_id(new: &NewClient, at: &str) -> Result<ClientId, EditError> {
    let made = || Uuid::new_v4().to_string();
    let text = new.client_id.clone().unwrap_or_else(made);
    ClientId::parse(&text).map_err(|error| invalid(format!("{at}/client_id"), error.to_string()))
}

/// A client with the one secret that it was created with.
pub(super) fn created(row: &ClientState, secret: &NewSecretValue, now: Timestamp) -> CreatedClient {
    let shown = row.secrets.first().map(|made| CreatedSecret {
        client_secret: secret.value.expose().to_owned(),
        secret: SecretView::of(made, &row.secrets, &[], now),
    });
    CreatedClient { client: ClientView::of(row, now), secret: shown }
}

//! API keys of clients. Their administration needs `latchkey:clients`, of the platform or of the tenant.

use std::sync::OnceLock;

use async_trait::async_trait;
use registry::{ApiKey, ApiKeyId, Client, ClientId};
use secrets::{GeneratedApiKey, hash_api_key};
use serde_json::Value;
use tenancy::TenantId;
use values::{Secret, Timestamp};

use super::commit_with_retry::EditRequest;
use super::cursor::Paging;
use super::idempotency::IdempotencyScope;
use super::load::{Scope, TenantAlone, UnreadableRow};
use super::resource::{Patch, Resource, TakeStep};
use super::{Administrator, Caller, Created, EditPolicy};
use crate::edit::api_key::{self, ApiKeyMaterial, ApiKeyStep};
use crate::edit::{EditContext, Edited, Facts};
use crate::{
    AdministrationStore, ApiKeyQuery, ApiKeySettings, ApiKeyState, ApiKeyView, CreatedApiKey, EditError,
    Page, Permission, RelatedClients, RotateApiKeySettings, RowLifecycle, TenantState, ViewContext,
};

/// A key and its client, which names it.
type KeyName = (ClientId, ApiKeyId);

impl Administrator {
    /// Creates one more key of a client.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn create_api_key(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        client: &ClientId,
        settings: ApiKeySettings,
    ) -> Edited<Created<CreatedApiKey>> {
        let decide = |context: EditContext<'_>, material: &ApiKeyMaterial| {
            api_key::create(context, client, material, &settings)
        };
        self.make_api_key(caller, (tenant, client), None, "create api key", decide).await
    }

    /// Creates a key that replaces another one, which ends after a grace period.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn rotate_api_key(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        (client, key): &KeyName,
        settings: RotateApiKeySettings,
    ) -> Edited<Created<CreatedApiKey>> {
        let decide = |context: EditContext<'_>, material: &ApiKeyMaterial| {
            api_key::rotate(context, (client, key), material, settings.grace)
        };
        let operation = format!("rotate api key {key}");
        self.make_api_key(caller, (tenant, client), Some(key), &operation, decide).await
    }

    /// A page of a tenant's keys with ended ones, in the order of their creation.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn api_keys(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        query: ApiKeyQuery,
        cursor: Option<&str>,
    ) -> Edited<Page<ApiKeyView>> {
        caller.authority.require_in(tenant, Permission::Clients)?;
        let page = Paging::new(cursor, query.limit)?;
        match &query.client {
            Some(client) => drop(self.client_state(caller, tenant, client).await?),
            None => _ = self.load(tenant, &TenantAlone).await?.tenant()?,
        }
        self.read_api_keys(caller, tenant, page, query).await
    }

    pub(super) async fn read_api_keys(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        page: Paging<(Timestamp, ApiKeyId)>,
        query: ApiKeyQuery,
    ) -> Edited<Page<ApiKeyView>> {
        let query = ApiKeyQuery { after: page.after.clone(), limit: page.rows(), ..query };
        let rows = self.store.list_api_keys(tenant, &query).await?;
        let place = |row: &ApiKeyState| (row.key.created_at, row.key.id.clone());
        Ok(page.readable(rows, place, |row| ApiKeyView::new(&row, caller.now)))
    }

    async fn make_api_key(
        &self,
        caller: &Caller,
        (tenant, client): (&TenantId, &ClientId),
        of: Option<&ApiKeyId>,
        operation: &str,
        decide: impl Fn(EditContext<'_>, &ApiKeyMaterial) -> Edited + Send + Sync,
    ) -> Edited<Created<CreatedApiKey>> {
        Client::authorize(&caller.authority, tenant)?;
        let idempotency = IdempotencyScope::new(caller, tenant, &format!("{operation} of {client}"));
        // The brand is known once the tenant is loaded. A further attempt uses the same key.
        let made = OnceLock::new();
        let generate = |context: EditContext<'_>| {
            let policy = context.facts.tenant()?.tenant.api_keys.as_ref();
            let brand = policy.and_then(|policy| policy.prefix.as_deref());
            Edited::Ok(made.get_or_init(|| self.generate_api_key(tenant, client, brand)))
        };
        let decide = |context: EditContext<'_>| decide(context, &generate(context)?.0);
        let answer = |after: &TenantState| {
            let (material, text) = made.get().ok_or(EditError::NotFound("api key"))?;
            let key = ApiKeyView::new(after.api_key(client, &material.id)?, caller.now);
            Ok(CreatedApiKey { api_key: text.expose().to_owned(), key })
        };
        let keys = of.cloned().into_iter().collect();
        let scope = Box::new(KeyNames { client: client.clone(), keys, counted_at: Some(caller.now) });
        let request = EditRequest { caller, tenant, scope };
        self.commit_with_retry(request, idempotency, decide, answer).await
    }

    fn generate_api_key(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        brand: Option<&str>,
    ) -> (ApiKeyMaterial, Secret) {
        let GeneratedApiKey { name, key, hint } = GeneratedApiKey::generate(brand);
        let hash = hash_api_key(&self.pepper, tenant, client.as_str(), key.expose());
        let id = name.parse().expect("a generated name is one");
        (ApiKeyMaterial { id, hash, hint }, key)
    }
}

/// The tenant with one of its clients, some of that client's keys, and the number of those that are live.
struct KeyNames {
    client: ClientId,
    keys: Vec<ApiKeyId>,
    counted_at: Option<Timestamp>,
}

#[async_trait]
impl Scope for KeyNames {
    async fn load(&self, store: &dyn AdministrationStore, tenant: &TenantId) -> Edited<Facts> {
        let ids = [self.client.as_str()];
        let related = RelatedClients { ids: &ids, listed: &[] };
        let mut state = store.load_with_related_clients(tenant, related).await?;
        let mut live_api_keys = 0;
        if let Some(counted_at) = self.counted_at {
            live_api_keys = store.count_live_api_keys(tenant, &self.client, counted_at).await?;
        }
        if let (Some(state), false) = (&mut state, self.keys.is_empty()) {
            state.api_keys = store.find_api_keys(tenant, &self.client, &self.keys).await?;
        }
        Ok(Facts { state, live_api_keys, ..Facts::default() })
    }
}

impl Resource for ApiKey {
    const PERMISSION: Permission = Permission::Clients;
    const PATCH: Patch<KeyName> = api_key::patch;
    const STEP: TakeStep<KeyName, ApiKeyStep> = api_key::step;
    type Id = KeyName;
    type View = ApiKeyView;
    type Step = ApiKeyStep;

    fn scope(_: &EditPolicy, _: &TenantId, (client, key): &KeyName, _: Option<&Value>) -> Box<dyn Scope> {
        Box::new(KeyNames { client: client.clone(), keys: vec![key.clone()], counted_at: None })
    }

    fn unreadable((client, key): &KeyName, ApiKeyStep::Revoke: ApiKeyStep) -> Option<UnreadableRow> {
        Some(UnreadableRow::ApiKey(client.clone(), key.clone()))
    }

    fn lifecycle<'a>(state: &'a TenantState, (client, key): &KeyName) -> Option<&'a RowLifecycle> {
        // Deleting a client deletes its keys.
        state.client(client).ok().filter(|row| row.lifecycle.deleted_at.is_none())?;
        Some(&state.api_key(client, key).ok()?.lifecycle)
    }

    fn view(context: ViewContext<'_>, state: &TenantState, (client, key): &KeyName) -> Edited<ApiKeyView> {
        Ok(ApiKeyView::new(state.api_key(client, key)?, context.now))
    }
}

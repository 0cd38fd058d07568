//! API keys of clients. Their administration needs `latchkey:clients`, of the platform or of the tenant.

use std::sync::OnceLock;

use registry::{ApiKey, ApiKeyId, Client, ClientId};
use secrets::{GeneratedApiKey, hash_api_key};
use serde_json::Value;
use values::{Secret, Timestamp};

use super::cursor::Paging;
use super::load::{Needs, UnreadableRow};
use super::resource::{Patch, Resource, TakeStep};
use super::{Created, InTenant};
use crate::edit::api_key::{self, ApiKeyMaterial, ApiKeyStep};
use crate::edit::{EditContext, Edited};
use crate::{
    ApiKeyQuery, ApiKeySettings, ApiKeyState, ApiKeyView, CreatedApiKey, EditError, Page, Permission,
    RotateApiKeySettings, RowLifecycle, TenantState, ViewContext,
};

/// A key and its client, which names it.
type KeyName = (ClientId, ApiKeyId);

impl InTenant<'_> {
    /// Creates one more key of a client.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn create_api_key(
        &self,
        client: &ClientId,
        settings: ApiKeySettings,
    ) -> Edited<Created<CreatedApiKey>> {
        let decide = |context: EditContext<'_>, material: &ApiKeyMaterial| {
            api_key::create(context, client, material, &settings)
        };
        self.make_api_key(client, None, "create api key", decide).await
    }

    /// Creates a key that replaces another one, which ends after a grace period.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn rotate_api_key(
        &self,
        (client, key): &KeyName,
        settings: RotateApiKeySettings,
    ) -> Edited<Created<CreatedApiKey>> {
        let decide = |context: EditContext<'_>, material: &ApiKeyMaterial| {
            api_key::rotate(context, client, key, material, settings.grace)
        };
        let operation = format!("rotate api key {key}");
        self.make_api_key(client, Some(key), &operation, decide).await
    }

    /// A page of a tenant's keys with ended ones, in the order of their creation.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn api_keys(&self, query: ApiKeyQuery, cursor: Option<&str>) -> Edited<Page<ApiKeyView>> {
        self.require(Permission::Clients)?;
        let page = Paging::new(cursor, query.limit)?;
        match &query.client {
            Some(client) => drop(self.client_state(client).await?),
            None => _ = self.load(self.tenant, &Needs::default()).await?.tenant()?,
        }
        self.read_api_keys(page, query).await
    }

    pub(super) async fn read_api_keys(
        &self,
        page: Paging<(Timestamp, ApiKeyId)>,
        query: ApiKeyQuery,
    ) -> Edited<Page<ApiKeyView>> {
        let query = ApiKeyQuery { after: page.after.clone(), limit: page.rows(), ..query };
        let rows = self.store.list_api_keys(self.tenant, &query).await?;
        let place = |row: &ApiKeyState| (row.key.created_at, row.key.id.clone());
        Ok(page.readable(rows, place, |row| ApiKeyView::new(&row, self.caller.now)))
    }

    async fn make_api_key(
        &self,
        client: &ClientId,
        of: Option<&ApiKeyId>,
        operation: &str,
        decide: impl Fn(EditContext<'_>, &ApiKeyMaterial) -> Edited + Send + Sync,
    ) -> Edited<Created<CreatedApiKey>> {
        let caller = self.caller;
        Client::authorize(self)?;
        let idempotency = self.idempotency(&format!("{operation} of {client}"));
        // The brand is known once the tenant is loaded. A further attempt uses the same key.
        let made = OnceLock::new();
        let generate = |context: EditContext<'_>| {
            let policy = context.facts.tenant()?.tenant.api_keys.as_ref();
            let brand = policy.and_then(|policy| policy.prefix.as_deref());
            Edited::Ok(made.get_or_init(|| self.generate_api_key(client, brand)))
        };
        let decide = |context: EditContext<'_>| decide(context, &generate(context)?.0);
        let answer = |after: &TenantState| {
            let (material, text) = made.get().ok_or(EditError::NotFound("api key"))?;
            let key = ApiKeyView::new(after.api_key(client, &material.id)?, caller.now);
            Ok(CreatedApiKey { api_key: text.expose().to_owned(), key })
        };
        let needs = Needs {
            api_key: of.map(|key| (client.clone(), key.clone())),
            live_api_keys: Some((client.clone(), caller.now)),
            ..Needs::client(client)
        };
        self.commit_with_retry(needs, idempotency, decide, answer).await
    }

    fn generate_api_key(&self, client: &ClientId, brand: Option<&str>) -> (ApiKeyMaterial, Secret) {
        let GeneratedApiKey { name, key, hint } = GeneratedApiKey::generate(brand);
        let hash = hash_api_key(&self.pepper, self.tenant, client.as_str(), key.expose());
        let id = name.parse().expect("a generated name is one");
        (ApiKeyMaterial { id, hash, hint }, key)
    }
}

impl Resource for ApiKey {
    const PERMISSION: Permission = Permission::Clients;
    const PATCH: Patch<KeyName> = api_key::patch;
    const STEP: TakeStep<KeyName, ApiKeyStep> = api_key::step;
    type Id = KeyName;
    type View = ApiKeyView;
    type Step = ApiKeyStep;

    fn needs(_: &InTenant<'_>, name: &KeyName, _: Option<&Value>) -> Needs {
        Needs { api_key: Some(name.clone()), ..Needs::client(&name.0) }
    }

    fn unreadable((client, key): &KeyName, ApiKeyStep::Revoke: ApiKeyStep) -> Option<Needs> {
        Some(Needs { unreadable: Some(UnreadableRow::ApiKey(key.clone())), ..Needs::client(client) })
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

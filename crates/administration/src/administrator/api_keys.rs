//! API keys of clients. Their administration needs `latchkey:clients`, of the platform or of the tenant.

use std::sync::OnceLock;

use registry::{ApiKey, ApiKeyId, Client, ClientId};
use secrets::{GeneratedApiKey, hash_api_key, presented_api_key};
use serde_json::{Value, json};
use tenancy::Stored;
use values::{Secret, Timestamp};

use super::cursor::Paging;
use super::load::Needs;
use super::resource::Resource;
use super::{Administrator, Created, InTenant};
use crate::documents;
use crate::documents::{ApiKeyView, CreatedApiKey, Instant};
use crate::edit::EditError;
use crate::edit::api_key;
use crate::edit::api_key::Material;
use crate::edit::{EditContext, Edited};
use crate::kinds::api_key::Name;
use crate::kinds::state::RowLifecycle;
use crate::kinds::{Permission, TenantState};
use crate::store::UnreadableRow;
use crate::{edit, kinds};

impl Administrator {
    /// The API keys with this value, or `None` if the text cannot be an API key. Only the id is searched for
    /// in all tenants.
    pub(super) async fn find_api_keys_by_value(&self, text: &Secret) -> Stored<Option<Vec<ApiKey>>> {
        let Some(id) = ApiKeyId::of_key(text.expose()) else { return Ok(None) };
        let mut keys = self.store.find_api_keys_named(&id).await?;
        keys.retain(|key| {
            let (tenant, client) = (&key.tenant, key.client.as_str());
            key.hash.is_of(&presented_api_key(&self.pepper, tenant, client, text.expose()))
        });
        Ok(Some(keys))
    }
}

impl InTenant<'_> {
    pub async fn create_api_key(
        &self,
        client: &ClientId,
        settings: documents::ApiKeySettings,
    ) -> Edited<Created<CreatedApiKey>> {
        let decide = |context: EditContext<'_>, material: &Material| {
            api_key::create(context, client, material, &settings)
        };
        self.make_api_key(client, None, "create api key", decide).await
    }

    /// Creates a key that replaces another one, which ends after a grace period.
    pub async fn rotate_api_key(
        &self,
        (client, key): &Name,
        settings: documents::RotateApiKeySettings,
    ) -> Edited<Created<CreatedApiKey>> {
        let decide = |context: EditContext<'_>, material: &Material| {
            api_key::rotate(context, client, key, material, settings.grace)
        };
        let operation = format!("rotate api key {key}");
        self.make_api_key(client, Some(key), &operation, decide).await
    }

    /// A page of a tenant's keys, including expired and revoked keys, in the order of their creation.
    pub async fn api_keys(
        &self,
        query: kinds::api_key::Query,
        cursor: Option<&str>,
    ) -> Edited<documents::Page<ApiKeyView>> {
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
        query: kinds::api_key::Query,
    ) -> Edited<documents::Page<ApiKeyView>> {
        let query = kinds::api_key::Query { after: page.after.clone(), limit: page.rows(), ..query };
        let rows = self.store.list_api_keys(self.tenant, &query).await?;
        let place = |row: &kinds::api_key::State| (row.key.created_at, row.key.id.clone());
        Ok(page.readable(rows, place, |row| ApiKeyView::new(&row, self.caller.now)))
    }

    /// Moves the end of a key to this time, or revokes the key with its tokens.
    pub(super) async fn end_api_key(&self, name: &Name, end: Option<Timestamp>) -> Edited<()> {
        let ended = match end {
            Some(end) => self.patch::<ApiKey>(name, json!({ "expires_at": Instant(end) })).await,
            None => self.step::<ApiKey>(name, edit::api_key::Step::Revoke).await,
        };
        ended.map(drop)
    }

    async fn make_api_key(
        &self,
        client: &ClientId,
        of: Option<&ApiKeyId>,
        operation: &str,
        decide: impl Fn(EditContext<'_>, &Material) -> Edited + Send + Sync,
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

    fn generate_api_key(&self, client: &ClientId, brand: Option<&str>) -> (Material, Secret) {
        let GeneratedApiKey { name, key, hint } = GeneratedApiKey::generate(brand);
        let hash = hash_api_key(&self.pepper, self.tenant, client.as_str(), key.expose());
        let id = name.parse().expect("a generated name is one");
        (Material { id, hash, hint }, key)
    }
}

impl Resource for ApiKey {
    const PERMISSION: Permission = Permission::Clients;
    type Id = Name;
    type View = ApiKeyView;
    type Step = edit::api_key::Step;
    const PATCH: fn(EditContext<'_>, &Name, &Value) -> Edited = api_key::patch;
    const TAKE_STEP: fn(EditContext<'_>, &Name, Self::Step) -> Edited = api_key::step;

    fn needs(_: &InTenant<'_>, name: &Name, _: Option<&Value>) -> Needs {
        Needs { api_key: Some(name.clone()), ..Needs::client(&name.0) }
    }

    fn unreadable((client, key): &Name, edit::api_key::Step::Revoke: edit::api_key::Step) -> Option<Needs> {
        Some(Needs { unreadable: Some(UnreadableRow::ApiKey(key.clone())), ..Needs::client(client) })
    }

    fn lifecycle<'a>(state: &'a TenantState, (client, key): &Name) -> Option<&'a RowLifecycle> {
        // Deleting a client deletes its keys.
        state.client(client).ok().filter(|row| row.lifecycle.deleted_at.is_none())?;
        Some(&state.api_key(client, key).ok()?.lifecycle)
    }

    fn view(
        context: documents::ViewContext<'_>,
        state: &TenantState,
        (client, key): &Name,
    ) -> Edited<ApiKeyView> {
        Ok(ApiKeyView::new(state.api_key(client, key)?, context.now))
    }
}

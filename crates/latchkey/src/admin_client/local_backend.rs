//! The backend of an operator with access to the store, who may do everything. The audit names the user of this machine.

use std::mem::take;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use administration::{
    Actor, Administrator, AuditQuery, AuditView, Authority, BrokenTokensView, ClientView, CreatedClient,
    CreatedSecret, CreatedTenant, EditError, ImportSettings, Invalidation, KeyStatusView, KeyView,
    KeysChanged, NewClient, NewSecretSettings, NewTenant, Page, RotateSettings, SecretView, TenantView,
};
use async_trait::async_trait;
use cache::Caches;
use keys::{KeyId, KeyPool};
use protocol::Timestamp;
use registry::{ClientId, SecretId};
use serde_json::Value;
use tenancy::TenantId;

use super::{AdminBackend, AdminClientError, ClientStep, KeyDocument, PageRequest, TenantStep, publish};
use crate::database::Database;
use crate::platform::{caches, edit_policy, redis};
use crate::settings::{Environment, Variable, read};
use crate::start_error::StartError;
use crate::{clock, sealing};

/// An open store.
pub(crate) struct LocalBackend {
    database: Database,
    administrator: Administrator,
    by: Authority,
    caches: Caches,
    /// Committed, and not yet told.
    changed: Arc<Mutex<Vec<Invalidation>>>,
}

impl LocalBackend {
    pub(crate) async fn open(config: &Path, environment: &Environment) -> Result<Self, StartError> {
        let loaded = read(config, environment)?;
        let not_open = |error| AdminClientError::StoreNotOpen(Box::new(error));
        let database = Database::open(&loaded.storage).await.map_err(not_open)?;
        let rows = database.administration();
        let sealer = sealing::sealer(&loaded.sealing_keys, &*rows, database.is_embedded()).await?;
        let pepper = sealing::pepper(&*rows, &*sealer, clock::now()).await?;
        let redis = redis(loaded.redis_url.as_deref(), &pepper)?;
        let caches = caches(&database, redis, &loaded);
        let changed = Arc::new(Mutex::new(Vec::new()));
        let announce = {
            let changed = Arc::clone(&changed);
            Arc::new(move |committed: &[Invalidation]| {
                changed.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(committed);
            })
        };
        // The caller waits for the key; a pool would go on making more.
        let pool = KeyPool::new(0);
        let (policy, clock) = (edit_policy(&loaded), Arc::new(clock::now));
        let administrator = Administrator::new(rows, sealer, pepper, pool, policy, announce, clock);
        let by = Authority::operator(Actor { name: actor(environment), source: None });
        Ok(Self { database, administrator, by, caches, changed })
    }

    /// Makes the first administrator.
    pub(crate) async fn init_admin(&self, name: &str) -> Result<CreatedClient, AdminClientError> {
        self.publish_after(self.administrator.init_admin(&self.by, name, clock::now()).await).await
    }

    async fn publish_after<T>(&self, done: Result<T, EditError>) -> Result<T, AdminClientError> {
        let changed = take(&mut *self.changed.lock().unwrap_or_else(PoisonError::into_inner));
        publish(&self.caches, &changed).await;
        Ok(done?)
    }
}

#[async_trait]
impl AdminBackend for LocalBackend {
    async fn create_tenant(&self, new: NewTenant) -> Result<CreatedTenant, AdminClientError> {
        let created = self.administrator.create_tenant(&self.by, new, None, clock::now()).await;
        Ok(self.publish_after(created).await?.value)
    }

    async fn tenants(&self, request: &PageRequest) -> Result<Page<TenantView>, AdminClientError> {
        let PageRequest { search, cursor, limit } = request;
        let (search, cursor) = (search.as_deref(), cursor.as_deref());
        Ok(self.administrator.tenants(&self.by, search, cursor, *limit, clock::now()).await?)
    }

    async fn tenant(&self, tenant: &TenantId) -> Result<TenantView, AdminClientError> {
        Ok(self.administrator.tenant(&self.by, tenant, clock::now()).await?)
    }

    async fn patch_tenant(&self, tenant: &TenantId, patch: Value) -> Result<TenantView, AdminClientError> {
        self.publish_after(self.administrator.patch_tenant(&self.by, tenant, patch, None, clock::now()).await)
            .await
    }

    async fn step_tenant(&self, tenant: &TenantId, step: TenantStep) -> Result<TenantView, AdminClientError> {
        let (by, now) = (&self.by, clock::now());
        let administrator = &self.administrator;
        let done = match step {
            TenantStep::Suspend => administrator.suspend_tenant(by, tenant, None, now).await,
            TenantStep::Resume => administrator.resume_tenant(by, tenant, None, now).await,
            TenantStep::Delete => administrator.schedule_tenant_deletion(by, tenant, None, now).await,
            TenantStep::Restore => administrator.cancel_tenant_deletion(by, tenant, None, now).await,
        };
        self.publish_after(done).await
    }

    async fn delete_tenant(&self, tenant: &TenantId) -> Result<(), AdminClientError> {
        self.publish_after(self.administrator.delete_tenant(&self.by, tenant, None, clock::now()).await).await
    }

    async fn create_client(
        &self,
        tenant: &TenantId,
        new: NewClient,
    ) -> Result<CreatedClient, AdminClientError> {
        let created = self.administrator.create_client(&self.by, tenant, new, None, clock::now()).await;
        Ok(self.publish_after(created).await?.value)
    }

    async fn clients(
        &self,
        tenant: &TenantId,
        request: &PageRequest,
    ) -> Result<Page<ClientView>, AdminClientError> {
        let PageRequest { search, cursor, limit } = request;
        let (search, cursor) = (search.as_deref(), cursor.as_deref());
        Ok(self.administrator.clients(&self.by, tenant, search, cursor, *limit, clock::now()).await?)
    }

    async fn client(&self, tenant: &TenantId, client: &ClientId) -> Result<ClientView, AdminClientError> {
        Ok(self.administrator.client(&self.by, tenant, client, clock::now()).await?)
    }

    async fn patch_client(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        patch: Value,
    ) -> Result<ClientView, AdminClientError> {
        let now = clock::now();
        self.publish_after(self.administrator.patch_client(&self.by, tenant, client, patch, None, now).await)
            .await
    }

    async fn step_client(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        step: ClientStep,
    ) -> Result<ClientView, AdminClientError> {
        let (by, now) = (&self.by, clock::now());
        let done = match step {
            ClientStep::Suspend => self.administrator.suspend_client(by, tenant, client, None, now).await,
            ClientStep::Resume => self.administrator.resume_client(by, tenant, client, None, now).await,
        };
        self.publish_after(done).await
    }

    async fn delete_client(&self, tenant: &TenantId, client: &ClientId) -> Result<(), AdminClientError> {
        let now = clock::now();
        self.publish_after(self.administrator.delete_client(&self.by, tenant, client, None, now).await).await
    }

    async fn secrets(
        &self,
        tenant: &TenantId,
        client: &ClientId,
    ) -> Result<Vec<SecretView>, AdminClientError> {
        Ok(self.administrator.secrets(&self.by, tenant, client, clock::now()).await?)
    }

    async fn create_secret(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        settings: NewSecretSettings,
    ) -> Result<CreatedSecret, AdminClientError> {
        let now = clock::now();
        let created = self.administrator.create_secret(&self.by, tenant, client, settings, None, now).await;
        Ok(self.publish_after(created).await?.value)
    }

    async fn rotate_secret(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        settings: RotateSettings,
    ) -> Result<CreatedSecret, AdminClientError> {
        let now = clock::now();
        let created = self.administrator.rotate_secret(&self.by, tenant, client, settings, None, now).await;
        Ok(self.publish_after(created).await?.value)
    }

    async fn expire_secret(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        secret: &SecretId,
        expires_at: Option<Timestamp>,
    ) -> Result<SecretView, AdminClientError> {
        let now = clock::now();
        let done = self.administrator.expire_secret(&self.by, tenant, client, secret, expires_at, now).await;
        self.publish_after(done).await
    }

    async fn revoke_secret(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        secret: &SecretId,
    ) -> Result<SecretView, AdminClientError> {
        let done = self.administrator.revoke_secret(&self.by, tenant, client, secret, clock::now()).await;
        self.publish_after(done).await
    }

    async fn keys(&self, tenant: &TenantId) -> Result<Vec<KeyView>, AdminClientError> {
        Ok(self.administrator.keys(&self.by, tenant, clock::now()).await?)
    }

    async fn key(&self, tenant: &TenantId, key: KeyId) -> Result<KeyDocument, AdminClientError> {
        let (key, public) = self.administrator.public_key(&self.by, tenant, key, clock::now()).await?;
        Ok(KeyDocument { key, public })
    }

    async fn rotate_key(&self, tenant: &TenantId) -> Result<KeysChanged, AdminClientError> {
        let done = self.administrator.rotate_key(&self.by, tenant, None, clock::now()).await;
        Ok(self.publish_after(done).await?.value)
    }

    async fn rotate_key_in_emergency(&self, tenant: &TenantId) -> Result<KeysChanged, AdminClientError> {
        let done = self.administrator.rotate_key_in_emergency(&self.by, tenant, None, clock::now()).await;
        Ok(self.publish_after(done).await?.value)
    }

    async fn revoke_key(&self, tenant: &TenantId, key: KeyId) -> Result<KeysChanged, AdminClientError> {
        self.publish_after(self.administrator.revoke_key(&self.by, tenant, key, clock::now()).await).await
    }

    async fn key_effects(
        &self,
        tenant: &TenantId,
        key: Option<KeyId>,
    ) -> Result<Vec<BrokenTokensView>, AdminClientError> {
        Ok(self.administrator.key_effects(&self.by, tenant, key, clock::now()).await?)
    }

    async fn import_key(
        &self,
        tenant: &TenantId,
        settings: ImportSettings,
    ) -> Result<KeysChanged, AdminClientError> {
        let done = self.administrator.import_key(&self.by, tenant, settings, None, clock::now()).await;
        Ok(self.publish_after(done).await?.value)
    }

    async fn key_status(&self, tenant: &TenantId) -> Result<KeyStatusView, AdminClientError> {
        Ok(self.administrator.key_status(&self.by, tenant, clock::now()).await?)
    }

    async fn audit(
        &self,
        query: AuditQuery,
        cursor: Option<&str>,
    ) -> Result<Page<AuditView>, AdminClientError> {
        Ok(self.administrator.audit(&self.by, query, cursor).await?)
    }

    async fn close(&self) {
        self.database.close().await;
    }
}

/// Who it is on this machine, as far as the environment says.
fn actor(environment: &Environment) -> String {
    let name = ["USER", "LOGNAME"].into_iter().find_map(|name| match environment.get(name) {
        Some(Variable::Text(text)) if !text.expose().is_empty() => Some(text.expose().to_owned()),
        Some(Variable::Text(_) | Variable::NotText) | None => None,
    });
    format!("cli:{}", name.as_deref().unwrap_or("unknown"))
}

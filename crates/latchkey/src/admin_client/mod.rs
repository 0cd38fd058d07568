//! How the command line manages tenants: the store itself, or the administration API of a running server. Both take
//! and give the same documents, so the commands do not know which one it is.

mod arguments;
mod credential;
mod error;
mod http;
mod http_backend;
mod local_backend;
mod publish;

pub(crate) use arguments::{AdminArguments, AdminCommandArguments, parse_tenant};
pub(crate) use error::{AdminClientError, ApiFieldError};
pub(crate) use local_backend::LocalBackend;
pub(crate) use publish::publish;

use std::path::Path;

use administration::{
    AuditQuery, AuditView, BrokenTokensView, ClientView, CreatedClient, CreatedSecret, CreatedTenant,
    ImportSettings, KeyStatusView, KeyView, KeysChanged, NewClient, NewSecretSettings, NewTenant, Page,
    PublicKeyView, RotateSettings, SecretView, TenantView,
};
use async_trait::async_trait;
use keys::KeyId;
use protocol::Timestamp;
use registry::{ClientId, SecretId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tenancy::TenantId;

use crate::settings::Environment;
use crate::start_error::StartError;

/// Which page of a list.
#[derive(Clone, Debug, Default)]
pub(crate) struct PageRequest {
    pub(crate) search: Option<String>,
    pub(crate) cursor: Option<String>,
    pub(crate) limit: u32,
}

/// What can be done to a tenant as a whole, and taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TenantStep {
    Suspend,
    Resume,
    /// The first step of a deletion.
    Delete,
    /// Takes that back.
    Restore,
}

/// What can be done to a client as a whole, and taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientStep {
    Suspend,
    Resume,
}

/// A signing key with its public half.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct KeyDocument {
    #[serde(flatten)]
    pub(crate) key: KeyView,
    #[serde(flatten)]
    pub(crate) public: PublicKeyView,
}

/// Changes and shows what there is.
#[async_trait]
pub(crate) trait AdminBackend: Send + Sync {
    async fn create_tenant(&self, new: NewTenant) -> Result<CreatedTenant, AdminClientError>;
    async fn tenants(&self, request: &PageRequest) -> Result<Page<TenantView>, AdminClientError>;
    async fn tenant(&self, tenant: &TenantId) -> Result<TenantView, AdminClientError>;
    async fn patch_tenant(&self, tenant: &TenantId, patch: Value) -> Result<TenantView, AdminClientError>;
    async fn step_tenant(&self, tenant: &TenantId, step: TenantStep) -> Result<TenantView, AdminClientError>;
    /// The second step of a deletion.
    async fn delete_tenant(&self, tenant: &TenantId) -> Result<(), AdminClientError>;

    async fn create_client(
        &self,
        tenant: &TenantId,
        new: NewClient,
    ) -> Result<CreatedClient, AdminClientError>;
    async fn clients(
        &self,
        tenant: &TenantId,
        request: &PageRequest,
    ) -> Result<Page<ClientView>, AdminClientError>;
    async fn client(&self, tenant: &TenantId, client: &ClientId) -> Result<ClientView, AdminClientError>;
    async fn patch_client(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        patch: Value,
    ) -> Result<ClientView, AdminClientError>;
    async fn step_client(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        step: ClientStep,
    ) -> Result<ClientView, AdminClientError>;
    async fn delete_client(&self, tenant: &TenantId, client: &ClientId) -> Result<(), AdminClientError>;

    async fn secrets(
        &self,
        tenant: &TenantId,
        client: &ClientId,
    ) -> Result<Vec<SecretView>, AdminClientError>;
    async fn create_secret(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        settings: NewSecretSettings,
    ) -> Result<CreatedSecret, AdminClientError>;
    async fn rotate_secret(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        settings: RotateSettings,
    ) -> Result<CreatedSecret, AdminClientError>;
    async fn expire_secret(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        secret: &SecretId,
        expires_at: Option<Timestamp>,
    ) -> Result<SecretView, AdminClientError>;
    async fn revoke_secret(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        secret: &SecretId,
    ) -> Result<SecretView, AdminClientError>;

    async fn keys(&self, tenant: &TenantId) -> Result<Vec<KeyView>, AdminClientError>;
    async fn key(&self, tenant: &TenantId, key: KeyId) -> Result<KeyDocument, AdminClientError>;
    async fn rotate_key(&self, tenant: &TenantId) -> Result<KeysChanged, AdminClientError>;
    async fn rotate_key_in_emergency(&self, tenant: &TenantId) -> Result<KeysChanged, AdminClientError>;
    async fn revoke_key(&self, tenant: &TenantId, key: KeyId) -> Result<KeysChanged, AdminClientError>;
    /// What revoking this key breaks, or an emergency where none is named. Changes nothing.
    async fn key_effects(
        &self,
        tenant: &TenantId,
        key: Option<KeyId>,
    ) -> Result<Vec<BrokenTokensView>, AdminClientError>;
    async fn import_key(
        &self,
        tenant: &TenantId,
        settings: ImportSettings,
    ) -> Result<KeysChanged, AdminClientError>;
    async fn key_status(&self, tenant: &TenantId) -> Result<KeyStatusView, AdminClientError>;

    async fn audit(
        &self,
        query: AuditQuery,
        cursor: Option<&str>,
    ) -> Result<Page<AuditView>, AdminClientError>;

    /// Ends in good order.
    async fn close(&self);
}

/// Opens the requested backend. With `--server` no settings are read: the server has them.
pub(crate) async fn open(
    config: &Path,
    arguments: &AdminArguments,
    environment: Environment,
) -> Result<Box<dyn AdminBackend>, StartError> {
    match &arguments.server {
        Some(server) => Ok(Box::new(http_backend::HttpBackend::open(server, arguments, &environment).await?)),
        None => Ok(Box::new(LocalBackend::open(config, &environment).await?)),
    }
}

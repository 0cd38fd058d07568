//! Finds credentials across all tenants, without knowing their clients. Only reports of leaks use it.

use async_trait::async_trait;
use registry::{ApiKey, ApiKeyId, ClientId, ClientSecret, SecretPath};
use tenancy::{Stored, TenantId};

/// Reads candidates. The hash decides which one is the reported credential.
#[async_trait]
pub trait LeakedCredentials: Send + Sync {
    /// The generated secrets with this hint, in the order of their paths, after this one.
    async fn find_secrets_by_hint(
        &self,
        hint: &str,
        after: Option<&SecretPath>,
        limit: u32,
    ) -> Stored<Vec<(TenantId, ClientId, ClientSecret)>>;

    /// The API keys of this name.
    async fn find_api_keys_named(&self, key: &ApiKeyId) -> Stored<Vec<ApiKey>>;
}

//! Finds credentials across all tenants, without knowing their clients. Only reports of leaks use it.

use async_trait::async_trait;
use registry::{ClientId, ClientSecret, SecretPath};
use tenancy::{Stored, TenantId};

/// Reads candidates. The caller compares hashes to find the reported credential.
#[async_trait]
pub trait LeakedCredentials: Send + Sync {
    /// The generated secrets with this hint after a position, in the order of tenant, client and id.
    async fn find_secrets_by_hint(
        &self,
        hint: &str,
        after: Option<&SecretPath>,
        limit: u32,
    ) -> Stored<Vec<(TenantId, ClientId, ClientSecret)>>;
}

//! The key sets that clients of tests publish.

use async_trait::async_trait;
use keys::PublicKeys;
use registry::{FetchedJwks, JwksFetcher};
use tenancy::TenantId;

use super::MemoryStore;

impl MemoryStore {
    /// From now on this URL has this document for this tenant, or none.
    pub fn publish_jwks(&self, tenant: &TenantId, url: &str, document: Option<&str>) {
        let key = (tenant.clone(), url.to_owned());
        let published = &mut self.rows().published_jwks;
        match document {
            Some(document) => published.insert(key, document.to_owned()),
            None => published.remove(&key),
        };
    }
}

#[async_trait]
impl JwksFetcher for MemoryStore {
    async fn fetch_jwks(&self, tenant: &TenantId, url: &str) -> Option<FetchedJwks> {
        let document = self.rows().published_jwks.get(&(tenant.clone(), url.to_owned()))?.clone();
        let keys = PublicKeys::read_of_client(&document).ok()?;
        Some(FetchedJwks { keys, size: document.len(), max_age: None })
    }
}

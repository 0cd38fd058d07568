//! Writes the keys that verifiers have fetched to the store.

use administration::{AdministrationStore, VerifierFetch};
use async_trait::async_trait;
use keys::{JwksFetch, JwksFetches, KeyId};
use tenancy::{StoreError, TenantId, UsageBuffer};

use crate::batch_writer::Buffered;

#[async_trait]
impl Buffered for JwksFetches {
    const WHAT: &'static str = "key fetches of verifiers";
    type Owner = TenantId;
    type User = String;
    type Newest = KeyId;

    fn buffer(&self) -> &UsageBuffer<TenantId, String, KeyId> {
        &self.0
    }

    /// Verifiers poll, so a dropped one returns soon.
    fn dropped(&self) -> u64 {
        0
    }

    async fn write(store: &dyn AdministrationStore, rows: &[JwksFetch]) -> Result<(), StoreError> {
        let rows: Vec<_> = rows.iter().map(row).collect();
        store.record_verifier_fetches(&rows).await
    }
}

fn row(seen: &JwksFetch) -> VerifierFetch {
    let JwksFetch { owner: tenant, user: verifier, at: last_fetch_at, newest: newest_key } = seen.clone();
    VerifierFetch { tenant, verifier, last_fetch_at, newest_key }
}

//! Writes the keys that verifiers have fetched to the store.

use administration::{AdministrationStore, VerifierFetch};
use async_trait::async_trait;
use keys::{JwksFetch, JwksFetches, JwksReader, KeyId};
use secrets::ClientAddress;
use tenancy::{Stored, TenantId, UsageBuffer};

use crate::batch_writer::Buffered;

#[async_trait]
impl Buffered for JwksFetches<ClientAddress> {
    const WHAT: &'static str = "key fetches of verifiers";
    type Owner = TenantId;
    type User = JwksReader<ClientAddress>;
    type Newest = KeyId;

    fn buffer(&self) -> &UsageBuffer<TenantId, JwksReader<ClientAddress>, KeyId> {
        &self.0
    }

    /// Verifiers poll, so a dropped fetch is recorded again soon.
    fn dropped(&self) -> u64 {
        0
    }

    async fn write(store: &dyn AdministrationStore, rows: &[JwksFetch<ClientAddress>]) -> Stored<()> {
        let rows: Vec<_> = rows.iter().map(row).collect();
        store.record_verifier_fetches(&rows).await
    }
}

fn row(seen: &JwksFetch<ClientAddress>) -> VerifierFetch {
    VerifierFetch {
        tenant: seen.owner.clone(),
        verifier: seen.user.to_string(),
        last_fetch_at: seen.at,
        newest_key: seen.newest,
    }
}

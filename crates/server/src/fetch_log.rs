//! Records in the store which keys verifiers have fetched.

use administration::store::{AdministrationStore, VerifierFetch};
use async_trait::async_trait;
use keys::{JwksFetch, JwksFetches, JwksReader, KeyId};
use secrets::CallerAddress;
use tenancy::{Stored, TenantId, UsageBuffer};

use crate::batch_writer::Buffered;

#[async_trait]
impl Buffered for JwksFetches<CallerAddress> {
    const WHAT: &'static str = "key set fetches of verifiers";
    type Owner = TenantId;
    type User = JwksReader<CallerAddress>;
    type Newest = KeyId;

    fn buffer(&self) -> &UsageBuffer<TenantId, JwksReader<CallerAddress>, KeyId> {
        &self.0
    }

    /// Verifiers fetch repeatedly, so a dropped fetch is soon recorded again.
    fn dropped(&self) -> u64 {
        0
    }

    async fn write(store: &dyn AdministrationStore, rows: &[JwksFetch<CallerAddress>]) -> Stored<()> {
        let rows: Vec<_> = rows.iter().map(row).collect();
        store.record_verifier_fetches(&rows).await
    }
}

fn row(seen: &JwksFetch<CallerAddress>) -> VerifierFetch {
    VerifierFetch {
        tenant: seen.owner.clone(),
        verifier: seen.user.to_string(),
        last_fetch_at: seen.at,
        newest_key: seen.newest,
    }
}

//! Writes the last uses of API keys to the store.

use administration::{AdministrationStore, ApiKeyUsage, UsedFrom};
use async_trait::async_trait;
use registry::{ApiKeyId, LastUsedApiKeys, Outcome, UsedApiKey};
use secrets::ClientAddress;
use tenancy::{Stored, TenantId, UsageBuffer};

use crate::batch_writer::Buffered;

#[async_trait]
impl Buffered for LastUsedApiKeys {
    const WHAT: &'static str = "uses of API keys";
    type Owner = (TenantId, ApiKeyId, Outcome);
    type User = ClientAddress;
    type Newest = ();

    fn buffer(&self) -> &UsageBuffer<Self::Owner, ClientAddress> {
        &self.0
    }

    async fn write(store: &dyn AdministrationStore, rows: &[UsedApiKey]) -> Stored<()> {
        let rows: Vec<_> = rows.iter().map(row).collect();
        store.record_api_key_usage(&rows).await
    }
}

fn row(used: &UsedApiKey) -> ApiKeyUsage {
    let (tenant, key, outcome) = used.owner.clone();
    ApiKeyUsage { tenant, key, from: UsedFrom::presented(used.user.to_string(), outcome, used.at) }
}

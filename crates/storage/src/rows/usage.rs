//! Where secrets were used from, and which verifiers fetched keys.

use administration::{SecretUsage, VerifierFetch};
use registry::SecretId;
use tenancy::StoreError;

use crate::column::{client_id, key_id, tenant_id, timestamp};

row! {
#[derive(Debug)]
pub(crate) struct UsageRow {
    tenant_id: String,
    client_id: String,
    secret_id: String,
    address: String,
    last_used_at: i64,
}
}

row! {
#[derive(Debug)]
pub(crate) struct FetchRow {
    tenant_id: String,
    verifier: String,
    last_fetch_at: i64,
    newest_key: i64,
}
}

impl TryFrom<UsageRow> for SecretUsage {
    type Error = StoreError;

    fn try_from(row: UsageRow) -> Result<Self, Self::Error> {
        Ok(Self {
            tenant: tenant_id(&row.tenant_id)?,
            client: client_id(&row.client_id)?,
            secret: SecretId::new(&row.secret_id),
            address: row.address,
            at: timestamp(row.last_used_at),
        })
    }
}

impl TryFrom<FetchRow> for VerifierFetch {
    type Error = StoreError;

    fn try_from(row: FetchRow) -> Result<Self, Self::Error> {
        Ok(Self {
            tenant: tenant_id(&row.tenant_id)?,
            verifier: row.verifier,
            last_fetch_at: timestamp(row.last_fetch_at),
            newest_key: key_id(row.newest_key)?,
        })
    }
}

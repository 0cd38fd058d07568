//! One line about a tenant, and one line of the log of changes.

use administration::{Invalidation, TenantSummary};
use sqlx::FromRow;
use tenancy::StoreError;

use crate::postgres::column::{client_id, tenant_id, unreadable};
use crate::postgres::lifecycle_columns::LifecycleColumns;
use crate::postgres::tenant_row::fingerprint;

#[derive(Debug, FromRow)]
pub(crate) struct SummaryRow {
    tenant_id: String,
    #[sqlx(flatten)]
    lifecycle: LifecycleColumns,
    fingerprint: Option<Vec<u8>>,
}

impl TryFrom<SummaryRow> for TenantSummary {
    type Error = StoreError;

    fn try_from(row: SummaryRow) -> Result<Self, Self::Error> {
        Ok(Self {
            tenant: tenant_id(&row.tenant_id)?,
            lifecycle: row.lifecycle.lifecycle()?,
            fingerprint: row.fingerprint.as_deref().map(fingerprint).transpose()?,
        })
    }
}

/// A line of the log of changes.
#[derive(Debug, FromRow)]
pub(crate) struct ChangeRow {
    pub(crate) position: i64,
    kind: String,
    tenant_id: String,
    client_id: Option<String>,
}

impl ChangeRow {
    pub(crate) fn change(self) -> Result<(i64, Invalidation), StoreError> {
        let tenant = tenant_id(&self.tenant_id)?;
        let changed = match (self.kind.as_str(), self.client_id) {
            ("tenant", None) => Invalidation::Tenant(tenant),
            ("keys", None) => Invalidation::Keys(tenant),
            ("client", Some(client)) => Invalidation::Client(tenant, client_id(&client)?),
            (kind, _) => return Err(unreadable("kind", format_args!("unknown kind {kind:?}"))),
        };
        Ok((self.position, changed))
    }
}

//! One line about a tenant, and one line of the log of changes.

use administration::{Invalidation, TenantSummary};
use registry::ClientId;
use sqlx::FromRow;
use tenancy::{StoreError, TenantId};

use crate::column::{standing, unreadable};
use crate::tenant_row::fingerprint;

#[derive(Debug, FromRow)]
pub(crate) struct SummaryRow {
    tenant_id: String,
    managed_by: String,
    suspended_at: Option<i64>,
    retired_at: Option<i64>,
    deleted_at: Option<i64>,
    fingerprint: Option<Vec<u8>>,
}

impl TryFrom<SummaryRow> for TenantSummary {
    type Error = StoreError;

    fn try_from(row: SummaryRow) -> Result<Self, Self::Error> {
        Ok(Self {
            tenant: tenant_id(&row.tenant_id)?,
            standing: standing(&row.managed_by, row.suspended_at, row.retired_at, row.deleted_at)?,
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
            ("client", Some(client)) => {
                let client = ClientId::parse(&client).map_err(|cause| unreadable("client_id", cause))?;
                Invalidation::Client(tenant, client)
            }
            (kind, _) => return Err(unreadable("kind", format_args!("unknown kind {kind:?}"))),
        };
        Ok((self.position, changed))
    }
}

pub(crate) fn tenant_id(text: &str) -> Result<TenantId, StoreError> {
    TenantId::parse(text).map_err(|cause| unreadable("tenant_id", cause))
}

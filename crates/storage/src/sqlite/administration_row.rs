//! One line about a tenant, one line of the log of changes, and one of the audit.

use administration::{AuditRecord, Invalidation, TenantSummary};
use registry::ClientId;
use sqlx::FromRow;
use tenancy::{StoreError, TenantId};

use crate::sqlite::column::{json, timestamp, unreadable};
use crate::sqlite::lifecycle_columns::LifecycleColumns;
use crate::sqlite::tenant_row::fingerprint;

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
            ("client", Some(client)) => {
                let client = ClientId::parse(&client).map_err(|cause| unreadable("client_id", cause))?;
                Invalidation::Client(tenant, client)
            }
            (kind, _) => return Err(unreadable("kind", format_args!("unknown kind {kind:?}"))),
        };
        Ok((self.position, changed))
    }
}

/// A line of the audit.
#[derive(Debug, FromRow)]
pub(crate) struct AuditRow {
    tenant_id: String,
    position: i64,
    at: i64,
    actor: String,
    source: Option<String>,
    action: String,
    subject: String,
    detail: String,
}

impl AuditRow {
    pub(crate) fn record(self) -> Result<(i64, AuditRecord), StoreError> {
        let Self { tenant_id: tenant, position, at, actor, source, action, subject, detail } = self;
        let (tenant, detail) = (tenant_id(&tenant)?, json("detail", &detail)?);
        Ok((position, AuditRecord { at: timestamp(at), actor, source, action, tenant, subject, detail }))
    }
}

pub(crate) fn tenant_id(text: &str) -> Result<TenantId, StoreError> {
    TenantId::parse(text).map_err(|cause| unreadable("tenant_id", cause))
}

//! Applications, generations, answers to idempotency keys, the audit and the log of changes.

use administration::{Application, ApplicationId, AuditRecord, Generation, IdempotentAnswer, Invalidation};
use tenancy::StoreError;
use tracing::warn;

use super::texts::Texts;
use crate::column::{bytes32, client_id, fingerprint, json, tenant_id, timestamp, unreadable};

row! {
#[derive(Debug)]
pub(crate) struct ApplicationRow {
    tenant_id: String,
    application_id: String,
    name: String,
    client_id: Option<String>,
    document: String,
    created_at: i64,
}
}

row! {
#[derive(Debug)]
pub(crate) struct GenerationRow {
    number: i64,
    content: Vec<u8>,
    applied_at: i64,
    left_out: Texts,
}
}

row! {
#[derive(Debug)]
pub(crate) struct AnswerRow {
    tenant_id: String,
    key: Vec<u8>,
    request: Vec<u8>,
    sealed: Vec<u8>,
    expires_at: i64,
}
}

row! {
#[derive(Debug)]
pub(crate) struct AuditRow {
    position: i64,
    tenant_id: String,
    at: i64,
    actor: String,
    source: Option<String>,
    action: String,
    subject: String,
    detail: String,
}
}

row! {
#[derive(Debug)]
pub(crate) struct ChangeRow {
    position: i64,
    kind: String,
    tenant_id: String,
    client_id: Option<String>,
}
}

impl TryFrom<ApplicationRow> for Application {
    type Error = StoreError;

    fn try_from(row: ApplicationRow) -> Result<Self, Self::Error> {
        Ok(Self {
            tenant: tenant_id(&row.tenant_id)?,
            id: application_id(&row.application_id)?,
            name: row.name,
            client: row.client_id.as_deref().map(client_id).transpose()?,
            document: json("document", &row.document)?,
            created_at: timestamp(row.created_at),
        })
    }
}

impl TryFrom<GenerationRow> for Generation {
    type Error = StoreError;

    fn try_from(row: GenerationRow) -> Result<Self, Self::Error> {
        Ok(Self {
            number: row.number.unsigned_abs(),
            content: fingerprint(&row.content)?,
            applied_at: timestamp(row.applied_at),
            left_out: row.left_out.0.iter().map(|id| tenant_id(id)).collect::<Result<_, _>>()?,
        })
    }
}

impl TryFrom<AnswerRow> for IdempotentAnswer {
    type Error = StoreError;

    fn try_from(row: AnswerRow) -> Result<Self, Self::Error> {
        Ok(Self {
            tenant: tenant_id(&row.tenant_id)?,
            key: bytes32("key", &row.key)?,
            request: bytes32("request", &row.request)?,
            sealed: row.sealed,
            expires_at: timestamp(row.expires_at),
        })
    }
}

impl AuditRow {
    pub(crate) fn record(self) -> Result<(i64, AuditRecord), StoreError> {
        let record = AuditRecord {
            at: timestamp(self.at),
            actor: self.actor,
            source: self.source,
            action: self.action,
            tenant: tenant_id(&self.tenant_id)?,
            subject: self.subject,
            detail: json("detail", &self.detail)?,
        };
        Ok((self.position, record))
    }
}

impl ChangeRow {
    /// The changes that a feed has not reported yet. Moves its position behind them.
    pub(crate) fn follow(rows: Vec<Self>, position: &mut i64) -> Vec<Invalidation> {
        let mut changed = Vec::with_capacity(rows.len());
        for row in rows {
            *position = row.position;
            match row.change() {
                Ok((_, invalidation)) => changed.push(invalidation),
                // A newer program may log kinds that this one does not cache.
                Err(error) => {
                    warn!(error = &error as &dyn std::error::Error, "a logged change is not understood");
                }
            }
        }
        changed
    }

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

pub(crate) fn application_id(text: &str) -> Result<ApplicationId, StoreError> {
    ApplicationId::parse(text).ok_or_else(|| unreadable("application_id", "not a UUID"))
}

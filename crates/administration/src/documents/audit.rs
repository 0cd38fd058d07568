//! An audit record as interfaces show it.

use protocol::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::instant::Instant;
use crate::AuditRecord;

/// Who did what, when, from where, with the values before and after. Never a secret, never a hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditView {
    /// Its place in the order of all records.
    pub position: i64,
    /// When.
    #[serde(with = "protocol::rfc3339")]
    #[schemars(with = "Instant")]
    pub at: Timestamp,
    /// Who, as `client:platform/ops`.
    #[schemars(example = &"client:platform/ops")]
    pub actor: String,
    /// From which address, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What, as `client.changed`.
    #[schemars(example = &"client.changed")]
    pub action: String,
    /// Whose row.
    pub tenant: String,
    /// Which row.
    pub subject: String,
    /// `{"field": {"before": …, "after": …}}`.
    #[schemars(with = "Map<String, Value>")]
    pub detail: Value,
}

impl AuditView {
    /// Of a record at its place.
    #[must_use]
    pub fn of(position: i64, record: AuditRecord) -> Self {
        let AuditRecord { at, actor, source, action, tenant, subject, detail } = record;
        Self { position, at, actor, source, action, tenant: tenant.to_string(), subject, detail }
    }
}

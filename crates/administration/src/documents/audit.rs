//! An audit record as interfaces show it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::AuditRecord;

/// Who did what, when, from where, with the values before and after. Never a secret, never a hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditView {
    /// Its number in the audit of its tenant, from 1 on.
    pub position: i64,
    /// The record.
    #[serde(flatten)]
    pub record: AuditRecord,
}

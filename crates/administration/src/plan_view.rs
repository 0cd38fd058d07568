//! A plan and the drift as JSON documents for programs. Changes have the names of the audit.

use protocol::{Scope, ScopeToken};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use tenancy::TenantId;
use values::Timestamp;

use crate::{Actor, AuditRecord, Change, Conflict, Deviation};

/// One entry of a list.
#[derive(Serialize)]
struct PlanEntry<'a> {
    /// The action of a change, as in the audit, such as `client.changed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<String>,
    tenant: &'a TenantId,
    /// The row within the tenant, as in the audit; of a change or a deviation.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    /// `{"field": {"before": …, "after": …}}` of a change, else a text.
    detail: Value,
}

impl Serialize for Change {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let record = AuditRecord::from_change(self, &Actor::default(), Timestamp::from_seconds(0));
        let AuditRecord { action, tenant, subject, detail, .. } = record;
        PlanEntry { action: Some(action), tenant: &tenant, subject: Some(subject), detail }
            .serialize(serializer)
    }
}

impl Serialize for Conflict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let detail = json!(self.to_string());
        PlanEntry { action: None, tenant: self.tenant(), subject: None, detail }.serialize(serializer)
    }
}

impl Serialize for Deviation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let subject = Some(self.subject.in_audit());
        let (tenant, detail) = (self.subject.tenant(), json!(self.detail));
        PlanEntry { action: None, tenant, subject, detail }.serialize(serializer)
    }
}

/// A scope as a list.
pub(crate) fn tokens<S: Serializer>(scope: &Scope, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(scope.iter().map(ScopeToken::as_str))
}

//! An audit record as interfaces show it.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use values::cropped;

use super::schema::JsonSchema;
use super::{CLIENT, TENANT};
use crate::audit::AuditRecord;
use crate::documents::{ClientSettings, TenantSettings};
use crate::kinds::fields::members;

/// Who did what, when and from where, with the values before and after. It never contains a secret or a hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditView {
    /// Its number in the tenant's audit log, starting at 1.
    pub position: i64,
    /// The record.
    #[serde(flatten)]
    pub record: AuditRecord,
}

/// A changed field. Without `before` the field or the row is new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    pub field: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

impl AuditRecord {
    /// The changed fields with their values, and the number of fields of a new row that have their default.
    /// Long values are cut.
    #[must_use]
    pub fn field_changes(&self) -> (Vec<FieldChange>, usize) {
        let nothing = Map::new();
        let fields = self.detail.as_object().unwrap_or(&nothing);
        let defaults = match &*self.action {
            "client.added" => members(&CLIENT, &ClientSettings::default()),
            "tenant.added" => members(&TENANT, &TenantSettings::default()),
            _ => Vec::new(),
        };
        let is_default = |(name, change): &(&String, &Value)| {
            defaults.iter().any(|(field, value)| *name == field && change["after"] == **value)
        };
        let (default, said): (Vec<_>, Vec<_>) = fields.iter().partition(is_default);
        let text = |value: &Value| cropped(value.as_str().unwrap_or(&value.to_string()));
        let changed = said.into_iter().map(|(field, change)| {
            let [before, after] = ["before", "after"].map(|side| change.get(side));
            let after = if before.is_none() { after.or(Some(change)) } else { after };
            FieldChange { field: field.clone(), before: before.map(text), after: after.map(text) }
        });
        (changed.collect(), default.len())
    }

    /// The changes in words.
    #[must_use]
    pub fn changes(&self) -> String {
        let (changed, defaults) = self.field_changes();
        let mut words: Vec<String> = changed.iter().map(FieldChange::to_string).collect();
        match defaults {
            0 => {}
            1 => words.push("and 1 default".to_owned()),
            count => words.push(format!("and {count} defaults")),
        }
        words.join(", ")
    }
}

impl fmt::Display for FieldChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let after = self.after.as_deref().unwrap_or("none");
        match &self.before {
            Some(before) => write!(f, "{} {before} -> {after}", self.field),
            None => write!(f, "{} {after}", self.field),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::authority::Actor;

    #[test]
    fn record_lists_changes_and_counts_defaults() {
        let now = values::Timestamp::from_seconds(0);
        let tenant = tenancy::TenantId::parse("acme").unwrap();
        for (action, detail, expected) in [
            ("client.changed", json!({ "name": { "before": "A", "after": "B" } }), "name A -> B"),
            ("client.changed", json!({ "jwks": { "before": "k" } }), "jwks k -> none"),
            (
                "client.added",
                json!({ "audiences": { "after": "[api]" }, "first_party": { "after": "false" }, "require_pkce": { "after": "false" } }),
                "audiences [api], require_pkce false, and 1 default",
            ),
            ("secret.added", json!({ "expires_at": null, "form": "chosen" }), "expires_at null, form chosen"),
            ("account.added", json!({ "fields": ["email"] }), r#"fields ["email"]"#),
            ("tenant.tokens_revoked", json!({}), ""),
        ] {
            let what = (action, "svc".to_owned(), detail);
            let record = AuditRecord::new(Actor::default(), now, tenant.clone(), what);
            assert_eq!(record.changes(), expected, "{action}");
        }
    }
}

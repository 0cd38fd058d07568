//! An audit record as interfaces show it.

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

impl AuditRecord {
    /// The changes for people: each field with its values. For a new row, also the number of fields that have
    /// their default.
    #[must_use]
    pub fn changes(&self) -> String {
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
        let mut words: Vec<String> = said.into_iter().map(|(name, change)| in_words(name, change)).collect();
        match default.len() {
            0 => {}
            1 => words.push("and 1 default".to_owned()),
            count => words.push(format!("and {count} defaults")),
        }
        words.join(", ")
    }
}

fn in_words(name: &str, change: &Value) -> String {
    let text = |value: &Value| cropped(value.as_str().unwrap_or(&value.to_string()));
    match (change.get("before"), change.get("after")) {
        (None, None) => format!("{name} {}", text(change)),
        (None, Some(after)) => format!("{name} {}", text(after)),
        (before, after) => {
            let [before, after] = [before, after].map(|value| value.map_or_else(|| "none".to_owned(), text));
            format!("{name} {before} -> {after}")
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

//! Advice as interfaces show it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::schema::JsonSchema;
use crate::rules::advice::{Advice, RULES};

/// Suggestions for the administrators of a tenant, about one page of its clients. The first page also covers
/// the tenant and its API keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AdviceList {
    /// Sorted by rule.
    pub items: Vec<AdviceView>,
    /// Whether usage was counted for less than 30 days. The rules about unused things then make no
    /// suggestions.
    pub is_too_early_for_usage: bool,
    /// Send it as `cursor` to get the next clients; absent on the last page. Opaque.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A suggestion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AdviceView {
    /// The rule (docs/usage.md).
    #[schemars(extend("enum" = RULES.map(|(name, _)| name)))]
    pub rule: String,
    /// A client, or a client with its secret or API key; empty for the tenant.
    #[schemars(example = &"billing/s1")]
    pub subject: String,
    /// The facts behind the suggestion.
    pub evidence: String,
    /// What to do: a command, or the change to make in the declaring file.
    pub action: String,
    /// A request that makes the change, if a single merge patch can. Latchkey does not send it for you.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<PatchView>,
}

/// A merge patch (RFC 7396).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PatchView {
    /// The client.
    pub client_id: String,
    /// The changes.
    pub body: Value,
}

impl AdviceList {
    pub(crate) fn new(is_counted: bool, advice: Vec<Advice>, next_cursor: Option<String>) -> Self {
        let view = |Advice { rule, subject, evidence, action, patch }: Advice| AdviceView {
            rule: rule.to_owned(),
            subject,
            evidence,
            action,
            patch: patch.map(|(client, body)| PatchView { client_id: client.to_string(), body }),
        };
        Self {
            items: advice.into_iter().map(view).collect(),
            is_too_early_for_usage: !is_counted,
            next_cursor,
        }
    }
}

//! Advice as interfaces show it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::schema::JsonSchema;
use crate::rules::advice::{Advice, RULES};

/// What a tenant's administrators could do better, about a page of its clients. The first page says it about
/// the tenant and its API keys, too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AdviceList {
    /// By rule.
    pub items: Vec<AdviceView>,
    /// Whether usage was counted for less than 30 days: then the rules on what is not used are silent.
    pub is_too_early_for_usage: bool,
    /// To be sent as `cursor` for the next clients; absent after the last ones. Opaque.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A piece of advice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AdviceView {
    /// The rule (docs/usage.md).
    #[schemars(extend("enum" = RULES.map(|(name, _)| name)))]
    pub rule: String,
    /// A client, or a client with its secret or API key; empty for the tenant.
    #[schemars(example = &"billing/s1")]
    pub subject: String,
    /// The facts that say so.
    pub evidence: String,
    /// What to do: a command, or what to change in the file that declares it.
    pub action: String,
    /// A request that does it, where one merge patch does. Nothing sends it by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<PatchView>,
}

/// A merge patch (RFC 7396).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PatchView {
    /// Which client.
    pub client_id: String,
    /// What changes.
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

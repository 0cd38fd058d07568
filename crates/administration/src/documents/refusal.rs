//! A refused request as interfaces show it.

use serde::{Deserialize, Serialize};

use super::Instant;
use super::schema::JsonSchema;
use crate::audit::refusals::Refusal;

/// A refused request. Its client, scope and source are what the server knows of them; nothing else that
/// the request held is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RefusalView {
    /// When.
    pub at: Instant,
    /// The `x-request-id` of the answer, which the access log has, too.
    #[schemars(example = &"5f0a1c9d3be27a41")]
    pub request_id: String,
    /// The pattern of the route.
    #[schemars(example = &"/api/v1/tenant/{id}/oauth/token")]
    pub route: String,
    /// The status of the answer.
    #[schemars(example = 401)]
    pub status: u32,
    /// The error code of the answer, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"invalid_client")]
    pub error: Option<String>,
    /// Why, which the caller does not learn.
    #[schemars(example = &"wrong_secret")]
    pub reason: String,
    /// What was found.
    pub detail: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// The registered client that the request names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Whether the client had authenticated, or presented a secret or an API key of its own that has ended.
    /// Otherwise nothing proves that the client sent the request.
    pub client_is_proven: bool,
    /// How the client was presented.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"client_secret_basic")]
    pub auth_method: Option<String>,
    /// The first scope that the client may not have; left out if it is long or looks like a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_scope: Option<String>,
    /// The caller's address; of IPv6 its network.
    #[schemars(example = &"192.0.2.7")]
    pub source: String,
}

impl RefusalView {
    /// `detail` and `fix` are the sentences for the refusal's reason.
    #[must_use]
    pub fn new(refusal: Refusal, detail: String, fix: String) -> Self {
        let given = |text: String| Some(text).filter(|text| !text.is_empty());
        Self {
            at: refusal.at.into(),
            request_id: refusal.request_id,
            route: refusal.route,
            status: refusal.status,
            error: given(refusal.error),
            reason: refusal.reason,
            detail,
            fix: given(fix),
            client_id: refusal.client.map(|client| client.to_string()),
            client_is_proven: refusal.is_proven,
            auth_method: given(refusal.auth_method),
            refused_scope: given(refusal.scope),
            source: refusal.source,
        }
    }
}

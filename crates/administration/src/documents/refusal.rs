//! A refused request as interfaces show it.

use serde::{Deserialize, Serialize};

use super::Instant;
use super::schema::JsonSchema;
use crate::audit::refusals::Refusal;

/// A refused request. Client, scope and source are what the server knows about them; nothing else from the
/// request is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RefusalView {
    /// When.
    pub at: Instant,
    /// The `x-request-id` of the response, which is also in the access log.
    #[schemars(example = &"5f0a1c9d3be27a41")]
    pub request_id: String,
    /// The route pattern.
    #[schemars(example = &"/api/v1/tenant/{id}/oauth/token")]
    pub route: String,
    /// The status of the response.
    #[schemars(example = 401)]
    pub status: u32,
    /// The error code of the response, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"invalid_client")]
    pub error: Option<String>,
    /// The reason, which the caller does not see.
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
    /// Whether the client authenticated, or presented its own expired or revoked secret or API key. Otherwise
    /// nothing proves that the client sent the request.
    pub client_is_proven: bool,
    /// The authentication method that the request used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"client_secret_basic")]
    pub auth_method: Option<String>,
    /// The first scope that the client is not allowed to request; omitted if it is long or looks like a
    /// secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_scope: Option<String>,
    /// The caller's address; for IPv6, its network.
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

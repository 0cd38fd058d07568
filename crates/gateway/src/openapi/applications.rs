//! Schemas of applications, whose answers have their members in two spellings. Each member may also be spelled in camel case; the answer is
//! spelled as the request was.

#![expect(dead_code, reason = "the fields are read by the derive, at compile time")]

use schemars::JsonSchema;
use serde_json::{Map, Value};

/// An application. Members that are not listed here and have no effect are kept, as `url`, `logo_url` and `contacts`.
#[derive(JsonSchema)]
pub(super) struct Application {
    #[schemars(extend("readOnly" = true))]
    id: Option<String>,
    /// Once in its tenant.
    #[schemars(example = &"Backend Service")]
    name: String,
    description: Option<String>,
    #[schemars(extend("readOnly" = true))]
    client_id: Option<String>,
    #[schemars(extend("readOnly" = true))]
    client_secret: Option<String>,
    auth_flow_id: Option<String>,
    inbound_auth_config: Option<Vec<InboundAuthConfig>>,
}

/// How the application gets tokens; one at most.
#[derive(JsonSchema)]
pub(super) struct InboundAuthConfig {
    /// Always `oauth2`.
    #[schemars(example = &"oauth2")]
    r#type: String,
    config: ApplicationClient,
}

/// The application's client.
#[derive(JsonSchema)]
pub(super) struct ApplicationClient {
    /// Made where there is none.
    client_id: Option<String>,
    /// Made where there is none.
    #[schemars(extend("format" = "password"))]
    client_secret: Option<String>,
    #[schemars(extend("examples" = [["client_credentials"]]))]
    grant_types: Option<Vec<String>>,
    #[schemars(example = &"client_secret_basic")]
    token_endpoint_auth_method: Option<String>,
    scopes: Option<Vec<String>>,
    #[schemars(extend("writeOnly" = true))]
    redirect_uris: Option<Vec<String>>,
    #[schemars(extend("writeOnly" = true), with = "Option<Map<String, Value>>")]
    token: Option<String>,
}

/// Some applications.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(super) struct Applications {
    total_results: u64,
    count: u64,
    applications: Vec<Application>,
}

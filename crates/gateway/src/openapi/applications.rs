//! Schemas of the Thunder-compatible API. Each member may also be spelled in camel case; the answer is spelled as the request was.

use std::collections::BTreeMap;

use utoipa::ToSchema;

/// A sign-in: with `applicationId` and `flowType` to begin, with `flowId` to go on.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct Flow {
    /// One of `admin.applications` in the operator's settings.
    #[schema(example = "550e8400-e29b-41d4-a716-446655440000")]
    application_id: Option<String>,
    /// Always `AUTHENTICATION`.
    #[schema(example = "AUTHENTICATION")]
    flow_type: Option<String>,
    /// Of the answer before; also as `executionId`.
    flow_id: Option<String>,
    /// `username`, `password` and `requested_permissions`.
    inputs: Option<BTreeMap<String, String>>,
}

/// Where the sign-in stands.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct FlowStep {
    flow_id: Option<String>,
    execution_id: Option<String>,
    step_id: Option<String>,
    /// `COMPLETE`, `INCOMPLETE` or `ERROR`.
    #[schema(example = "COMPLETE")]
    flow_status: String,
    r#type: Option<String>,
    #[schema(value_type = Option<Object>)]
    data: Option<String>,
    /// A JWT for an hour, to be sent as a bearer token to `/applications`.
    assertion: Option<String>,
    #[schema(example = "Invalid credentials")]
    failure_reason: Option<String>,
}

/// An application. Members that are not listed here and have no effect are kept, as `url`, `logo_url` and `contacts`.
#[derive(ToSchema)]
pub(crate) struct Application {
    #[schema(read_only)]
    id: Option<String>,
    /// Once in its tenant.
    #[schema(example = "Backend Service")]
    name: String,
    description: Option<String>,
    #[schema(read_only)]
    client_id: Option<String>,
    #[schema(read_only)]
    client_secret: Option<String>,
    auth_flow_id: Option<String>,
    inbound_auth_config: Option<Vec<InboundAuthConfig>>,
}

/// How the application gets tokens; one at most.
#[derive(ToSchema)]
pub(crate) struct InboundAuthConfig {
    /// Always `oauth2`.
    #[schema(example = "oauth2")]
    r#type: String,
    config: ApplicationClient,
}

/// The application's client.
#[derive(ToSchema)]
pub(crate) struct ApplicationClient {
    /// Made where there is none.
    client_id: Option<String>,
    /// Made where there is none.
    #[schema(format = Password)]
    client_secret: Option<String>,
    #[schema(example = json!(["client_credentials"]))]
    grant_types: Option<Vec<String>>,
    #[schema(example = "client_secret_basic")]
    token_endpoint_auth_method: Option<String>,
    scopes: Option<Vec<String>>,
    #[schema(write_only)]
    redirect_uris: Option<Vec<String>>,
    #[schema(write_only, value_type = Option<Object>)]
    token: Option<String>,
}

/// Some applications.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct Applications {
    total_results: u64,
    count: u64,
    applications: Vec<Application>,
}

/// How this surface says no.
#[derive(ToSchema)]
#[schema(as = Coded)]
pub(crate) struct ThunderError {
    /// What programs act on.
    #[schema(example = "APP-1020")]
    code: String,
    #[schema(example = "Application already exists")]
    message: String,
    description: String,
}

//! The OpenAPI document. Its schemas describe the wire for people and generators; the types that the program uses are in `protocol`.

#![expect(dead_code, reason = "the fields are read by the derive, at compile time")]

pub(crate) mod administration;
pub(crate) mod applications;

use std::collections::BTreeMap;

use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi, ToSchema};

use crate::routes;

/// The document as JSON, indented, with a newline at the end.
///
/// # Panics
/// Never: the document is made of strings and maps of strings.
#[must_use]
pub fn document() -> String {
    #[expect(clippy::expect_used, reason = "a document of strings is always JSON")]
    let mut text = Document::openapi().to_pretty_json().expect("the document is JSON");
    text.push('\n');
    text
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Latchkey",
        description = "Multi-tenant identity platform for machines. Every tenant has its own issuer, clients, scopes and signing keys below its own path.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        routes::token,
        routes::introspect,
        routes::jwks,
        routes::metadata,
        routes::strategies,
        routes::protected_resource,
        routes::admin::tenants::list,
        routes::admin::tenants::create,
        routes::admin::tenants::look,
        routes::admin::tenants::patch,
        routes::admin::tenants::delete,
        routes::admin::tenant_state::suspend,
        routes::admin::tenant_state::resume,
        routes::admin::tenant_state::restore,
        routes::admin::clients::list,
        routes::admin::clients::create,
        routes::admin::clients::look,
        routes::admin::clients::patch,
        routes::admin::clients::delete,
        routes::admin::client_state::suspend,
        routes::admin::client_state::resume,
        routes::admin::secrets::list,
        routes::admin::secrets::create,
        routes::admin::secrets::rotate,
        routes::admin::secrets::expire,
        routes::admin::secrets::revoke,
        routes::admin::signing_keys::list,
        routes::admin::signing_keys::look,
        routes::admin::signing_keys::status,
        routes::admin::key_commands::rotate,
        routes::admin::key_commands::import,
        routes::admin::key_commands::revoke,
        routes::admin::audit::of_platform,
        routes::admin::audit::of_tenant,
        routes::execute,
        routes::create,
        routes::list,
        routes::get,
        routes::replace,
        routes::delete,
        routes::live,
        routes::ready,
        routes::metrics,
        routes::document,
        routes::page,
        routes::script,
    ),
    modifiers(&Schemes),
)]
struct Document;

struct Schemes;

const ADMIN_TOKEN: &str = "An access token of the tenant `platform` with the one audience `urn:latchkey:admin`, or of the tenant in the path with the one audience `urn:latchkey:tenant:{id}`, asked for with `resource`";

impl Modify for Schemes {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        components.add_security_scheme(
            "client_secret_basic",
            SecurityScheme::Http(Http::new(HttpAuthScheme::Basic)),
        );
        components
            .add_security_scheme("access_token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
        let mut assertion = Http::new(HttpAuthScheme::Bearer);
        assertion.description = Some("The assertion that POST /flow/execute answers with".to_owned());
        components.add_security_scheme("assertion", SecurityScheme::Http(assertion));
        let mut bearer = Http::new(HttpAuthScheme::Bearer);
        bearer.bearer_format = Some("JWT".to_owned());
        bearer.description = Some(ADMIN_TOKEN.to_owned());
        components.add_security_scheme("admin_token", SecurityScheme::Http(bearer));
    }
}

/// RFC 6749 section 4.4.2, RFC 8707 section 2.1. A parameter sent twice is refused, but for `resource`; an unknown one is ignored; an
/// empty one counts as absent.
#[derive(ToSchema)]
pub(crate) struct TokenForm {
    /// Always `client_credentials`.
    #[schema(example = "client_credentials")]
    grant_type: String,
    /// Unless the Authorization header names the client.
    #[schema(example = "your-client-id")]
    client_id: Option<String>,
    /// Unless the Authorization header holds it; never in both.
    #[schema(example = "your-client-secret", format = Password)]
    client_secret: Option<String>,
    /// Space-separated, at most 128; all that is registered when absent.
    #[schema(example = "api:read api:write")]
    scope: Option<String>,
    /// Where the token is to be used, an absolute URI; may be repeated, at most 16 times.
    resource: Option<Vec<String>>,
}

/// RFC 6749 section 5.1.
#[derive(ToSchema)]
pub(crate) struct Token {
    /// A signed JWT.
    access_token: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    token_type: String,
    /// Seconds.
    #[schema(example = 3600)]
    expires_in: u64,
    /// What was granted.
    #[schema(example = "api:read api:write")]
    scope: Option<String>,
}

/// RFC 7662 section 2.1.
#[derive(ToSchema)]
pub(crate) struct IntrospectionForm {
    /// The access token.
    token: String,
    /// Ignored: there is one type of token.
    token_type_hint: Option<String>,
    /// Unless the Authorization header names the client.
    client_id: Option<String>,
    /// Unless the Authorization header holds it; never in both.
    #[schema(format = Password)]
    client_secret: Option<String>,
}

/// RFC 7662 section 2.2. Only `active` where that is false.
#[derive(ToSchema)]
pub(crate) struct Introspection {
    /// Whether the token is alive and the caller's to know.
    active: bool,
    scope: Option<String>,
    client_id: Option<String>,
    token_type: Option<String>,
    /// Seconds since 1970-01-01T00:00:00Z.
    exp: Option<u64>,
    /// Seconds since 1970-01-01T00:00:00Z.
    iat: Option<u64>,
    /// Seconds since 1970-01-01T00:00:00Z.
    nbf: Option<u64>,
    sub: Option<String>,
    aud: Option<Audience>,
    iss: Option<String>,
    jti: Option<String>,
}

/// RFC 7519 section 4.1.3: one value as a string, several as an array.
#[derive(serde::Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Audience {
    One(String),
    Many(Vec<String>),
}

/// RFC 7517 section 5.
#[derive(ToSchema)]
pub(crate) struct JwkSet {
    keys: Vec<BTreeMap<String, String>>,
}

/// RFC 8414 section 2.
#[derive(ToSchema)]
pub(crate) struct Metadata {
    issuer: String,
    token_endpoint: Option<String>,
    jwks_uri: String,
    scopes_supported: Option<Vec<String>>,
    response_types_supported: Vec<String>,
    grant_types_supported: Vec<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    introspection_endpoint: String,
    introspection_endpoint_auth_methods_supported: Vec<String>,
}

/// What a tenant offers.
#[derive(ToSchema)]
pub(crate) struct Strategies {
    #[schema(example = "test-tenant")]
    tenant_id: String,
    #[schema(example = "Test Tenant")]
    tenant_name: String,
    strategies: Vec<Strategy>,
}

/// One of them.
#[derive(ToSchema)]
pub(crate) struct Strategy {
    #[schema(example = "oauth2")]
    name: String,
    #[schema(example = "OAuth2 Authorization Server")]
    r#type: String,
}

/// The sample resource server's answer.
#[derive(ToSchema)]
pub(crate) struct Sample {
    #[schema(example = "Protected resource data")]
    data: String,
    tenant: String,
    caller: Caller,
    scopes: Vec<String>,
}

/// Who called.
#[derive(ToSchema)]
pub(crate) struct Caller {
    /// `machine` where the token speaks for the client itself.
    #[schema(example = "machine")]
    r#type: String,
    client_id: String,
}

/// The program serves.
#[derive(ToSchema)]
pub(crate) struct Live {
    /// Always `live`.
    #[schema(example = "live")]
    status: String,
}

/// Whether callers should be sent here.
#[derive(ToSchema)]
pub(crate) struct Ready {
    /// `ready` or `not_ready`.
    #[schema(example = "ready")]
    status: String,
    /// By the name of the part: `store`, `keys`, and `draining` while the program ends.
    checks: BTreeMap<String, Check>,
}

/// How one part is doing.
#[derive(ToSchema)]
pub(crate) struct Check {
    /// `ok`; `degraded`: missed, but callers are served; `failed`: callers cannot be served.
    #[schema(example = "ok")]
    status: String,
    /// Why it is not ok.
    reason: Option<String>,
}

/// RFC 6749 section 5.2.
#[derive(ToSchema)]
pub(crate) struct Error {
    /// What programs act on.
    #[schema(example = "invalid_client")]
    error: String,
    /// What people read.
    #[schema(example = "Client authentication failed")]
    error_description: String,
}

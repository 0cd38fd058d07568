//! The OpenAPI document: paths from `paths`, schemas from the types that the program reads and writes.

mod forms;
mod paths;
mod schemas;

use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::OpenApi;

/// The document as JSON, indented, with a newline at the end.
///
/// # Panics
/// Never: the document is made of strings and maps of strings.
#[must_use]
pub fn document() -> String {
    let mut api = Api::openapi();
    api.components = None;
    let components = Components { schemas: schemas::all(), security_schemes: security_schemes() };
    #[expect(clippy::expect_used, reason = "a document of strings is always JSON")]
    let mut text = serde_json::to_string_pretty(&Document { api, components }).expect("the document is JSON");
    text.push('\n');
    text
}

#[derive(Serialize)]
struct Document {
    #[serde(flatten)]
    api: utoipa::openapi::OpenApi,
    components: Components,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Components {
    schemas: Map<String, Value>,
    security_schemes: Value,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Latchkey",
        description = "Multi-tenant identity platform for machines. Every tenant has its own issuer, clients, scopes and signing keys below its own path.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        paths::oauth::token,
        paths::oauth::introspect,
        paths::oauth::jwks,
        paths::oauth::metadata,
        paths::oauth::strategies,
        paths::oauth::protected_resource,
        paths::tenants::list_tenants,
        paths::tenants::create_tenant,
        paths::tenants::get_tenant,
        paths::tenants::patch_tenant,
        paths::tenants::delete_tenant,
        paths::tenants::suspend_tenant,
        paths::tenants::resume_tenant,
        paths::tenants::restore_tenant,
        paths::tenants::read_audit,
        paths::tenants::read_tenant_audit,
        paths::clients::list_clients,
        paths::clients::create_client,
        paths::clients::get_client,
        paths::clients::patch_client,
        paths::clients::delete_client,
        paths::clients::suspend_client,
        paths::clients::resume_client,
        paths::clients::list_secrets,
        paths::clients::create_secret,
        paths::clients::rotate_secret,
        paths::clients::expire_secret,
        paths::clients::revoke_secret,
        paths::keys::list_keys,
        paths::keys::get_key,
        paths::keys::get_key_status,
        paths::keys::rotate_key,
        paths::keys::import_key,
        paths::keys::revoke_key,
        paths::applications::execute,
        paths::applications::create,
        paths::applications::list,
        paths::applications::get,
        paths::applications::replace,
        paths::applications::delete,
        paths::operations::live,
        paths::operations::ready,
        paths::operations::metrics,
        paths::operations::document,
        paths::operations::page,
        paths::operations::script,
    )
)]
struct Api;

const ADMIN_TOKEN: &str = "An access token of the tenant `platform` with the one audience `urn:latchkey:admin`, or of the tenant in the path with the one audience `urn:latchkey:tenant:{id}`, asked for with `resource`";

fn security_schemes() -> Value {
    json!({
        "access_token": { "type": "http", "scheme": "bearer" },
        "admin_token": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": ADMIN_TOKEN },
        "assertion": {
            "type": "http",
            "scheme": "bearer",
            "description": "The assertion that POST /flow/execute answers with",
        },
        "client_secret_basic": { "type": "http", "scheme": "basic" },
    })
}

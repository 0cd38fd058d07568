//! The OpenAPI document: operations from `paths`, schemas from the types that the program reads and writes.

mod forms;
mod operation;
mod paths;
mod schemas;

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::openapi::{OpenApi, Paths};

use paths::{applications, clients, keys, oauth, operations, tenants};

/// The document as JSON, indented, with a newline at the end.
///
/// # Panics
/// Never: the document is made of strings and maps of strings.
#[must_use]
pub fn document() -> String {
    #[expect(clippy::expect_used, reason = "the document does not depend on anything outside the program")]
    let mut text = build().and_then(|document| serde_json::to_string_pretty(&document)).expect("OpenAPI");
    text.push('\n');
    text
}

#[derive(Serialize)]
struct Document {
    #[serde(flatten)]
    api: OpenApi,
    components: Value,
}

fn build() -> serde_json::Result<Document> {
    let (mut paths, mut types) = (Paths::new(), Vec::new());
    for (tag, operations) in [
        ("tokens", oauth::tokens()),
        ("discovery", oauth::discovery()),
        ("sample", oauth::sample()),
        ("administration", tenants::operations()),
        ("administration", clients::operations()),
        ("administration", keys::operations()),
        ("applications", applications::operations()),
        ("operations", operations::operations()),
        ("documentation", operations::documentation()),
    ] {
        for operation in operations {
            types.extend_from_slice(&operation.schemas);
            operation.add_to(&mut paths, tag)?;
        }
    }
    let info = json!({
        "title": "Latchkey",
        "description": "Multi-tenant identity platform for machines. Every tenant has its own issuer, clients, scopes and signing keys below its own path.",
        "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        "version": env!("CARGO_PKG_VERSION"),
    });
    let components = json!({ "schemas": schemas::of(&types), "securitySchemes": security_schemes() });
    Ok(Document { api: OpenApi::new(serde_json::from_value(info)?, paths), components })
}

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

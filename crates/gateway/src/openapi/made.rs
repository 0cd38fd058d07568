//! Generates the OpenAPI document: operations from `paths` and from the endpoints of the admin API,
//! schemas from the types that the program parses and serializes.

use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::openapi::{OpenApi, Paths};

use super::{schemas, tags};

const DESCRIPTION: &str = "Multi-tenant identity platform for services and people. Every tenant has its own \
    issuer, clients, scopes and signing keys under its own path.\n\n1. **Get a token**: a client posts its \
    credentials to the tenant's token endpoint. The examples use the client of the sample \
    configuration.\n2. **Verify the token**: an API fetches the tenant's keys and verifies tokens \
    locally.\n3. **Administer**: `latchkey admin init` creates the first administrator. The administrator \
    requests a token of the tenant `platform` with `resource=urn:latchkey:admin`, and sends it as a bearer \
    token.\n\nAt every path, the server answers a malformed, too large or too slow request head with 400, \
    431 or 408, and connections beyond the limit with 503.";

/// Indented JSON with a newline at the end.
///
/// # Panics Never: the document consists of strings and maps of strings.
#[must_use]
pub fn openapi_of_types() -> String {
    #[expect(clippy::expect_used, reason = "the document does not depend on anything outside the program")]
    let mut text = build().and_then(|document| serde_json::to_string_pretty(&document)).expect("OpenAPI");
    text.push('\n');
    text
}

#[derive(Serialize)]
struct FinishedDocument {
    #[serde(flatten)]
    api: OpenApi,
    servers: Value,
    tags: Value,
    components: Value,
}

fn build() -> serde_json::Result<FinishedDocument> {
    let (mut paths, mut types, mut tags) = (Paths::new(), Vec::new(), Vec::new());
    for (name, description, files) in tags::groups() {
        tags.push(json!({ "name": name, "description": description }));
        for operation in files.iter().flat_map(|file| file()) {
            let operation = operation.with_common_errors().with_examples();
            types.extend_from_slice(&operation.schemas);
            operation.add_to(&mut paths, name)?;
        }
    }
    let info = json!({
        "title": "Latchkey",
        "description": DESCRIPTION,
        "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        "version": env!("CARGO_PKG_VERSION"),
    });
    let servers = json!([
        { "url": "/", "description": "The server that serves this document" },
        { "url": "http://localhost:3000", "description": "The sample configuration on this machine" },
    ]);
    let components = json!({ "schemas": schemas::of(&types), "securitySchemes": security_schemes() });
    let api = OpenApi::new(serde_json::from_value(info)?, paths);
    Ok(FinishedDocument { api, servers, tags: tags.into(), components })
}

const ADMIN_TOKEN: &str = "An access token of the tenant `platform` with the single audience \
    `urn:latchkey:admin`, or of the tenant in the path with the single audience `urn:latchkey:tenant:{id}`; \
    request it with `resource`";

fn security_schemes() -> Map<String, Value> {
    let schemes = [
        ("access_token", json!({ "type": "http", "scheme": "bearer" })),
        (
            "admin_token",
            json!({ "type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": ADMIN_TOKEN }),
        ),
        (
            "assertion",
            json!({
                "type": "http",
                "scheme": "bearer",
                "description": "The assertion that POST /flow/execute returns",
            }),
        ),
        ("client_secret_basic", json!({ "type": "http", "scheme": "basic" })),
    ];
    schemes.map(|(name, scheme)| (name.to_owned(), scheme)).into_iter().collect()
}

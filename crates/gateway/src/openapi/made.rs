//! The whole document from the types: operations from `paths` and from the endpoints of administration,
//! schemas from the types that the program reads and writes.

use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::openapi::{OpenApi, Paths};

use super::{schemas, tags};

const DESCRIPTION: &str = "Multi-tenant identity platform for services and people. Every tenant has its own issuer, clients, scopes and signing keys below its own path.\n\n\
1. **Get a token**: a client posts its credentials to the token endpoint of its tenant. The examples are the client of the sample configuration.\n\
2. **Verify it**: an API fetches the tenant's keys and checks tokens by itself.\n\
3. **Administer**: `latchkey admin init` makes the first administrator. It fetches a token of the tenant `platform` with \
`resource=urn:latchkey:admin`, and sends it as bearer token.\n\n\
A head that is no HTTP, too large or too slow is answered with 400, 431 or 408 at every path, and more connections than are allowed with 503.";

/// The whole document as JSON, indented, with a newline at the end.
///
/// # Panics
/// Never: the document is made of strings and maps of strings.
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
        { "url": "/", "description": "The address that serves this document" },
        { "url": "http://localhost:3000", "description": "The sample configuration on this machine" },
    ]);
    let components = json!({ "schemas": schemas::of(&types), "securitySchemes": security_schemes() });
    let api = OpenApi::new(serde_json::from_value(info)?, paths);
    Ok(FinishedDocument { api, servers, tags: tags.into(), components })
}

const ADMIN_TOKEN: &str = "An access token of the tenant `platform` with the one audience `urn:latchkey:admin`, or of the tenant in the path with the one audience `urn:latchkey:tenant:{id}`, asked for with `resource`";

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
                "description": "The assertion that POST /flow/execute answers with",
            }),
        ),
        ("client_secret_basic", json!({ "type": "http", "scheme": "basic" })),
    ];
    schemes.map(|(name, scheme)| (name.to_owned(), scheme)).into_iter().collect()
}

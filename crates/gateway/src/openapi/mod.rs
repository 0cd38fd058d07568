//! The OpenAPI document: operations from `paths` and from the endpoints of administration, schemas from the
//! types that the program reads and writes.

mod errors;
mod examples;
mod forms;
mod operation;
mod paths;
mod schemas;
mod tags;

use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::openapi::{OpenApi, Paths};

use crate::Surface;

pub(crate) use crate::request::MERGE_PATCH;
pub(crate) use examples::{ACCOUNT, merged, whole};
pub(crate) use operation::{MERGED, NOT_MODIFIED, NameInPath, Operation, admin};
pub(crate) use tags::Group;

const DESCRIPTION: &str = "Multi-tenant identity platform for services and people. Every tenant has its own issuer, clients, scopes and signing keys below its own path.\n\n\
1. **Get a token**: a client posts its credentials to the token endpoint of its tenant. The examples are the client of the sample configuration.\n\
2. **Verify it**: an API fetches the tenant's keys and checks tokens by itself.\n\
3. **Administer**: `latchkey admin init` makes the first administrator. It fetches a token of the tenant `platform` with \
`resource=urn:latchkey:admin`, and sends it as bearer token.\n\n\
A head that is no HTTP, too large or too slow is answered with 400, 431 or 408 at every path, and more connections than are allowed with 503.";

const OF_ONE_LISTENER: &str = "This is what this listener serves. Other listeners of the server may serve more; `latchkey openapi` prints the whole document.\n\n";

/// The whole document as JSON, indented, with a newline at the end.
#[must_use]
pub fn document() -> String {
    document_of(Surface::ALL)
}

/// The same with the paths that a listener serves.
///
/// # Panics
/// Never: the document is made of strings and maps of strings.
pub(crate) fn document_of(surface: Surface) -> String {
    #[expect(clippy::expect_used, reason = "the document does not depend on anything outside the program")]
    let mut text =
        build(surface).and_then(|document| serde_json::to_string_pretty(&document)).expect("OpenAPI");
    text.push('\n');
    text
}

#[derive(Serialize)]
struct Document {
    #[serde(flatten)]
    api: OpenApi,
    servers: Value,
    tags: Value,
    components: Value,
}

fn build(surface: Surface) -> serde_json::Result<Document> {
    let (mut paths, mut types, mut tags) = (Paths::new(), Vec::new(), Vec::new());
    for (name, description, files) in tags::groups() {
        let operations = files.iter().flat_map(|file| file());
        let served: Vec<_> = operations.filter(|operation| surface.serves(operation.path)).collect();
        tags.extend((!served.is_empty()).then(|| json!({ "name": name, "description": description })));
        for operation in served {
            let operation = operation.with_common_errors().with_examples();
            types.extend_from_slice(&operation.schemas);
            operation.add_to(&mut paths, name)?;
        }
    }
    let is_whole = surface.public && surface.admin;
    let info = json!({
        "title": "Latchkey",
        "description": format!("{}{DESCRIPTION}", if is_whole { "" } else { OF_ONE_LISTENER }),
        "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        "version": env!("CARGO_PKG_VERSION"),
    });
    let mut servers = vec![json!({ "url": "/", "description": "The address that serves this document" })];
    if is_whole {
        let sample = "The sample configuration on this machine";
        servers.push(json!({ "url": "http://localhost:3000", "description": sample }));
    }
    let mut schemes = security_schemes();
    let operations = serde_json::to_string(&paths)?;
    schemes.retain(|name, _| operations.contains(&format!("\"{name}\":")));
    let components = json!({ "schemas": schemas::of(&types), "securitySchemes": schemes });
    let api = OpenApi::new(serde_json::from_value(info)?, paths);
    Ok(Document { api, servers: servers.into(), tags: tags.into(), components })
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

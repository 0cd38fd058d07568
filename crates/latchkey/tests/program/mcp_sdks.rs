//! Tests the metadata with libraries for agents: both official SDKs of the Model Context Protocol refuse a
//! document without `authorization_endpoint`.

use serde_json::{Value, json};

use crate::foreign::{node_module, python};
use crate::program::Program;
use crate::running::tenant_path;

/// Two tenants of each kind, and whether people sign in there.
const TENANTS: [(&str, bool); 4] =
    [("acme", false), ("globex", false), ("initech", true), ("umbrella", true)];

// [metadata RFC 8414 §2 c]
#[tokio::test]
async fn mcp_sdks_read_the_metadata_of_tenants() {
    let tenants = TENANTS.map(|(tenant, signs_in)| {
        let strategies = json!({ "oauth2": { "enabled": true }, "oidc": { "enabled": signs_in } });
        (tenant.to_owned(), json!({ "strategies": strategies }))
    });
    // JSON is also YAML.
    let settings = json!({
        "server": { "public_url": "http://localhost:3000", "listeners": [{ "address": "127.0.0.1:0" }] },
        "storage": { "url": "sqlite://data/latchkey.db" },
        "keys": { "sealing_key": { "file": "keys/sealing.key" } },
        "tenants": Value::Object(tenants.into_iter().collect()),
    });
    let (_folder, program) = Program::serving(&settings.to_string());
    let (mut documents, mut expected) = (Vec::new(), Vec::new());
    for (tenant, signs_in) in TENANTS {
        let names = ["oauth-authorization-server", "openid-configuration"];
        for name in names.into_iter().take(if signs_in { 2 } else { 1 }) {
            let document = program.get(&tenant_path(tenant, &format!("/.well-known/{name}"))).await.json();
            documents.push(json!({ "name": name, "document": document }));
            let issuer = format!("http://localhost:3000{}", tenant_path(tenant, ""));
            let types: &[&str] = if signs_in { &["code"] } else { &[] };
            expected.push(json!({
                "issuer": issuer,
                "authorization_endpoint": format!("{issuer}/oauth/authorize"),
                "token_endpoint": format!("{issuer}/oauth/token"),
                "response_types_supported": types,
                "without": false,
            }));
        }
    }
    let documents = Value::Array(documents).to_string();
    let environment = [("DOCUMENTS", documents.as_str())];
    for ran in [
        node_module(include_str!("scripts/mcp-metadata.mjs"), &environment),
        python(include_str!("scripts/mcp_metadata.py"), &environment),
    ] {
        let read: Value = serde_json::from_str(&ran.output()).unwrap();
        assert_eq!(read, Value::Array(expected.clone()));
    }
    program.stop();
}

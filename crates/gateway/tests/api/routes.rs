//! Every path of the gateway: those of the OpenAPI document, and their aliases. The tests that iterate over these lists fail for a new path
//! without a row.

use serde_json::Value;

use crate::client_fixtures::SVC;

/// Paths that the document mentions in the description of another path, and that path.
pub(crate) const ALIASES: [(&str, &str); 7] = [
    ("/oauth/token", "/api/v1/tenant/{id}/oauth/token"),
    ("/oauth2/token", "/api/v1/tenant/{id}/oauth/token"),
    ("/oauth2/introspect", "/api/v1/tenant/{id}/oauth/introspect"),
    ("/oauth2/jwks", "/api/v1/tenant/{id}/.well-known/jwks.json"),
    (
        "/api/v1/tenant/{id}/.well-known/openid-configuration",
        "/api/v1/tenant/{id}/.well-known/oauth-authorization-server",
    ),
    (
        "/.well-known/oauth-authorization-server/api/v1/tenant/{id}",
        "/api/v1/tenant/{id}/.well-known/oauth-authorization-server",
    ),
    ("/docs/start.js", "/docs/scalar.js"),
];

/// The paths of the document with their methods.
pub(crate) fn documented() -> Vec<(String, String)> {
    let document: Value = serde_json::from_str(&gateway::openapi_document()).unwrap();
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            routes.push((method.clone(), path.clone()));
        }
    }
    routes
}

/// All paths with their methods: the document's and the aliases.
pub(crate) fn all() -> Vec<(String, String)> {
    let mut routes = documented();
    for (alias, of) in ALIASES {
        let method = routes.iter().find(|(_, path)| path == of).map(|(method, _)| method.clone());
        routes.push((method.unwrap_or_else(|| panic!("{of} is not in the document")), alias.to_owned()));
    }
    routes.sort();
    routes
}

/// The path with every parameter filled in, at this tenant.
pub(crate) fn placed(path: &str, tenant: &str) -> String {
    let path = path.replace("{id}", tenant).replace("{client}", SVC);
    path.replace("{secret}", "1").replace("{kid}", "oauth2-key-1")
}

/// Whether the path belongs to the admin API.
pub(crate) fn is_admin(path: &str) -> bool {
    let below = ["clients", "keys", "audit"].map(|part| format!("/api/v1/tenant/{{id}}/{part}"));
    path.starts_with("/api/v1/admin/") || below.iter().any(|prefix| path.starts_with(prefix.as_str()))
}

/// Whether the path is for people: it signs them in or requires the resulting assertion.
pub(crate) fn is_of_people(path: &str) -> bool {
    path.starts_with("/flow/") || path.starts_with("/applications")
}

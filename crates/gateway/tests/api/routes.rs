//! The paths of the gateway, from the OpenAPI document. Tests that iterate over this list fail if a
//! new path has no row in their tables.

use tenancy::Logo;

use crate::prelude::*;

/// The account of the first person in a test, and an unknown session.
const ACCOUNT: &str = "usr_aeaqcaibaeaqcaibaeaqcaibae";
const SESSION: &str = "AAAAAAAAAAAAAAAAAAAAAA";
const DIGEST: &str = "digest";

/// Methods and paths in order.
pub(crate) fn all() -> Vec<(String, String)> {
    let document: Value = serde_json::from_str(&gateway::openapi_document()).unwrap();
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            routes.push((method.clone(), path.clone()));
        }
    }
    routes.sort();
    routes
}

/// Fills in all parameters.
pub(crate) fn placed(path: &str, tenant: &str) -> String {
    let path = path.replace("{id}", tenant).replace("{client}", SVC);
    let path = path.replace("{secret}", "1").replace("{kid}", "oauth2-key-1");
    let path = path.replace("{account}", ACCOUNT).replace("{session}", SESSION);
    let path = path.replace("{issuer}", &format!("api/v1/tenant/{tenant}"));
    let path = path.replace("{hash}", DIGEST).replace("{file}", "pages.css");
    if path.ends_with("/forward-auth") { path + "?audience=api" } else { path }
}

/// Gives a tenant the logo whose hash [`placed`] fills in. The bytes contain the tenant's name.
pub(crate) fn show_logo(tenant: &mut Tenant) {
    let content = [b"RIFF\0\0\0\0WEBP", tenant.id.as_str().as_bytes()].concat();
    tenant.branding.logo = Some(Logo::new(DIGEST.to_owned(), content));
}

pub(crate) fn is_admin(path: &str) -> bool {
    let below =
        ["clients", "accounts", "keys", "api-keys", "audit", "usage", "refusals", "advice", "console-links"]
            .map(|part| format!("/api/v1/tenant/{{id}}/{part}"));
    path.starts_with("/api/v1/admin/") || below.iter().any(|prefix| path.starts_with(prefix.as_str()))
}

/// Whether the path signs people in, or requires the assertion of a sign-in.
pub(crate) fn is_of_people(path: &str) -> bool {
    path.starts_with("/flow/") || path.starts_with("/applications")
}

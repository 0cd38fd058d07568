//! The routes of the platform in its OpenAPI document.

use reqwest::Method;
use serde_json::Value;

/// The credential that a route requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RouteAccess {
    /// A token of administration.
    Administration,
    /// The assertion of a sign-in at the Thunder-compatible API.
    Assertion,
    /// Client authentication.
    Client,
    Token,
    /// None: a page, a key set or metadata.
    Public,
}

/// A method and a path, which has placeholders in braces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ProbedRoute {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) access: RouteAccess,
}

/// Accepts reports of leaked credentials from anybody, so every value that is sent there would be reported as
/// leaked.
pub(super) const LEAKS: &str = "/api/v1/secrets/leaked";

impl ProbedRoute {
    pub(super) fn all(document: &Value) -> Vec<Self> {
        let mut routes = Vec::new();
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                let Ok(method) = Method::from_bytes(method.to_uppercase().as_bytes()) else { continue };
                let access = access(&operation["security"]);
                routes.push(Self { method, path: path.clone(), access });
            }
        }
        routes
    }

    /// Whether the route reads a form or URL parameters before it authenticates the caller.
    pub(super) fn reads_parameters(&self) -> bool {
        matches!(self.access, RouteAccess::Client | RouteAccess::Token | RouteAccess::Public)
    }

    /// Whether the path has this placeholder.
    pub(super) fn names(&self, name: &str) -> bool {
        self.path.contains(&format!("{{{name}}}"))
    }
}

fn access(security: &Value) -> RouteAccess {
    let schemes = [
        ("admin_token", RouteAccess::Administration),
        ("assertion", RouteAccess::Assertion),
        ("client_secret_basic", RouteAccess::Client),
        ("access_token", RouteAccess::Token),
    ];
    let one_of = |scheme: &str| {
        security.as_array().into_iter().flatten().any(|alternative| alternative.get(scheme).is_some())
    };
    let found = schemes.into_iter().find(|(scheme, _)| one_of(scheme));
    found.map_or(RouteAccess::Public, |(_, access)| access)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_documented_operation_is_a_route() {
        let document: Value = serde_json::from_str(&gateway::openapi_document()).unwrap();
        let routes = ProbedRoute::all(&document);
        let find = |method: Method, path: &str| {
            let found = routes.iter().find(|route| route.method == method && route.path == path);
            found.unwrap_or_else(|| panic!("{path}")).access
        };
        let below = |path| format!("/api/v1/tenant/{{id}}{path}");
        assert_eq!(find(Method::DELETE, &below("/clients/{client}")), RouteAccess::Administration);
        assert_eq!(find(Method::POST, &below("/oauth/token")), RouteAccess::Client);
        assert_eq!(find(Method::GET, &below("/oauth/userinfo")), RouteAccess::Token);
        assert_eq!(find(Method::GET, &below("/account")), RouteAccess::Public);
        assert_eq!(find(Method::PUT, "/applications/{application}"), RouteAccess::Assertion);
        let operations = document["paths"].as_object().unwrap().values();
        let operations: usize = operations.map(|item| item.as_object().unwrap().len()).sum();
        assert_eq!(routes.len(), operations, "a new route is tried without work");
    }
}

//! The routes of the platform, as its OpenAPI document lists them.

use reqwest::Method;
use serde_json::Value;

/// What a route asks its callers for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RouteAccess {
    /// A token of administration.
    Administration,
    /// The assertion of a sign-in at the Thunder-compatible API.
    Assertion,
    /// Client authentication.
    Client,
    /// An access token.
    Token,
    /// Nothing: a page, a key set, metadata.
    Public,
}

/// A method at a path, which has names in braces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ProbedRoute {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) access: RouteAccess,
}

/// Takes leaked credentials from anybody: what it is sent is reported as leaked.
pub(super) const LEAKS: &str = "/api/v1/secrets/leaked";

impl ProbedRoute {
    /// The routes of an OpenAPI document, in its order.
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

    /// Whether it reads a form, or parameters of a URL, before it knows its caller.
    pub(super) fn reads_parameters(&self) -> bool {
        matches!(self.access, RouteAccess::Client | RouteAccess::Token | RouteAccess::Public)
    }

    /// Whether its path has this name.
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
    fn each_operation_of_the_document_is_a_route_with_its_access() {
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

//! All routes on one page.

pub(crate) mod admin;
mod documentation;
pub(crate) mod health;
mod introspect;
mod jwks;
mod metadata;
mod metrics;
pub(crate) mod protected_resource;
pub(crate) mod strategies;
mod token;
mod unknown;

use std::rc::Rc;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::guard::{Any, Get, Head};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, ServiceConfig};
use actix_web::{FromRequest, Handler, Resource, Responder, ResponseError as _};

use crate::Surface;
use crate::failure::Failure;
use crate::hosts::HostNames;
use crate::metrics::Metrics;
use crate::respond::{OAuthError, Problem};
use crate::route::Route;
use crate::thunder::{ThunderError, applications, flow};
use admin::admin_resource;

/// Registers what an address serves; the paths of administration under these names only.
pub(crate) fn configure(
    surface: Surface,
    hosts: Rc<HostNames>,
    metrics: &Metrics,
) -> impl FnOnce(&mut ServiceConfig) {
    move |config| {
        let mut routes = Routes { config, metrics, hosts: None };
        routes.service(get("/health/live", health::live)).service(get("/health/ready", health::ready));
        // First, because routes are tried in their order, and tokens are what most requests ask for.
        if surface.public {
            routes
                .service(post("/api/v1/tenant/{id}/oauth/token", token::token))
                .service(post("/oauth/token", token::token))
                .service(post("/oauth2/token", token::token))
                .service(post("/api/v1/tenant/{id}/oauth/introspect", introspect::introspect))
                .service(post("/oauth2/introspect", introspect::introspect))
                .service(get("/api/v1/tenant/{id}/strategies", strategies::strategies))
                .service(get("/api/v1/tenant/{id}/.well-known/jwks.json", jwks::jwks))
                .service(get("/oauth2/jwks", jwks::jwks))
                .service(get("/api/v1/tenant/{id}/.well-known/openid-configuration", metadata::metadata))
                .service(get(
                    "/api/v1/tenant/{id}/.well-known/oauth-authorization-server",
                    metadata::metadata,
                ))
                .service(get(
                    "/.well-known/oauth-authorization-server/api/v1/tenant/{id}",
                    metadata::metadata,
                ))
                .service(get("/api/v1/protected-resource", protected_resource::protected_resource))
                .service(get("/openapi.json", documentation::document))
                .service(get("/docs", documentation::page))
                .service(get("/docs/scalar.js", documentation::script))
                .service(get("/docs/start.js", documentation::start));
        }
        if surface.admin {
            routes.hosts = Some(hosts);
            routes
                .service(flow::route("/flow/execute"))
                .service(applications::all("/applications"))
                .service(applications::one("/applications/{application}"))
                .service(get("/metrics", metrics::metrics))
                .service(
                    admin_resource("/api/v1/admin/tenants")
                        .get(admin::tenants::list)
                        .post(admin::tenants::create),
                )
                .service(
                    admin_resource("/api/v1/admin/tenants/{id}")
                        .get(admin::tenants::look)
                        .patch(admin::tenants::patch)
                        .delete(admin::tenants::delete),
                )
                .service(
                    admin_resource("/api/v1/admin/tenants/{id}/suspend").post(admin::tenant_state::suspend),
                )
                .service(
                    admin_resource("/api/v1/admin/tenants/{id}/resume").post(admin::tenant_state::resume),
                )
                .service(
                    admin_resource("/api/v1/admin/tenants/{id}/restore").post(admin::tenant_state::restore),
                )
                .service(admin_resource("/api/v1/admin/audit").get(admin::audit::of_platform))
                .service(
                    admin_resource("/api/v1/tenant/{id}/clients")
                        .get(admin::clients::list)
                        .post(admin::clients::create),
                )
                .service(
                    admin_resource("/api/v1/tenant/{id}/clients/{client}")
                        .get(admin::clients::look)
                        .patch(admin::clients::patch)
                        .delete(admin::clients::delete),
                )
                .service(
                    admin_resource("/api/v1/tenant/{id}/clients/{client}/suspend")
                        .post(admin::client_state::suspend),
                )
                .service(
                    admin_resource("/api/v1/tenant/{id}/clients/{client}/resume")
                        .post(admin::client_state::resume),
                )
                .service(
                    admin_resource("/api/v1/tenant/{id}/clients/{client}/secrets")
                        .get(admin::secrets::list)
                        .post(admin::secrets::create),
                )
                .service(
                    admin_resource("/api/v1/tenant/{id}/clients/{client}/secrets/rotate")
                        .post(admin::secrets::rotate),
                )
                .service(
                    admin_resource("/api/v1/tenant/{id}/clients/{client}/secrets/{secret}")
                        .patch(admin::secrets::expire)
                        .delete(admin::secrets::revoke),
                )
                .service(
                    admin_resource("/api/v1/tenant/{id}/keys")
                        .get(admin::signing_keys::list)
                        .post(admin::key_commands::import),
                )
                // Before the path of one key, which would take these words for its name.
                .service(admin_resource("/api/v1/tenant/{id}/keys/rotate").post(admin::key_commands::rotate))
                .service(admin_resource("/api/v1/tenant/{id}/keys/status").get(admin::signing_keys::status))
                .service(
                    admin_resource("/api/v1/tenant/{id}/keys/{kid}")
                        .get(admin::signing_keys::look)
                        .delete(admin::key_commands::revoke),
                )
                .service(admin_resource("/api/v1/tenant/{id}/audit").get(admin::audit::of_tenant));
        }
        config.default_service(web::to(unknown::unknown_path));
    }
}

/// Where routes are registered, each with its pattern and its numbers: asking the library for the pattern would match all routes
/// again for each request.
struct Routes<'a> {
    config: &'a mut ServiceConfig,
    metrics: &'a Metrics,
    /// The names under which what follows is served; any, where there are none.
    hosts: Option<Rc<HostNames>>,
}

impl Routes<'_> {
    fn service(&mut self, resource: impl Into<(&'static str, Resource)>) -> &mut Self {
        let (pattern, resource) = resource.into();
        let series = self.metrics.series(pattern);
        let resource = resource.app_data(Route { pattern, series });
        match self.hosts.clone() {
            Some(hosts) => {
                let named = from_fn(move |request: ServiceRequest, next: Next<BoxBody>| {
                    let admitted = hosts.admit(&request);
                    async move {
                        if admitted { next.call(request).await } else { Ok(misdirected(request, pattern)) }
                    }
                });
                ServiceConfig::service(self.config, resource.wrap(named))
            }
            None => ServiceConfig::service(self.config, resource),
        };
        self
    }
}

/// In the words of the path.
fn misdirected(request: ServiceRequest, pattern: &str) -> ServiceResponse<BoxBody> {
    let response = match pattern {
        "/metrics" => OAuthError::from(Failure::Misdirected).error_response(),
        _ if admin::unknown::is_admin(pattern) => Problem::from(Failure::Misdirected).error_response(),
        _ => ThunderError::from(Failure::Misdirected).error_response(),
    };
    request.into_response(response)
}

fn post<F, Args>(path: &'static str, handler: F) -> (&'static str, Resource)
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    let route = web::post().to(handler);
    (path, web::resource(path).route(route).default_service(web::to(unknown::not_post)))
}

/// "All general-purpose servers MUST support the methods GET and HEAD" (RFC 9110 §9.1).
fn get<F, Args>(path: &'static str, handler: F) -> (&'static str, Resource)
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    let route = web::route().guard(Any(Get()).or(Head())).to(handler);
    (path, web::resource(path).route(route).default_service(web::to(unknown::not_get)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_paths_of_administration_begin_with_is_known() {
        let metrics = Metrics::default();
        let hosts = Rc::new(HostNames::new("http://localhost", &[]));
        let surface = Surface { public: false, admin: true };
        drop(actix_web::App::new().configure(configure(surface, hosts, &metrics)));
        let mut patterns = metrics.patterns();
        patterns.retain(|pattern| !pattern.starts_with("/health/"));
        let begins = |pattern: &str, with: &str| {
            pattern.strip_prefix(with).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        for pattern in &patterns {
            assert!(Surface::ADMIN_PATHS.iter().any(|with| begins(pattern, with)), "{pattern}");
        }
        for with in Surface::ADMIN_PATHS {
            assert!(patterns.iter().any(|pattern| begins(pattern, with)), "{with}");
        }
    }
}

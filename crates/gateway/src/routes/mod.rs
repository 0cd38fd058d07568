//! All routes on one page.

mod documentation;
mod health;
mod introspect;
mod jwks;
mod metadata;
mod metrics;
mod protected_resource;
mod strategies;
mod token;
mod unknown;

use std::sync::Arc;

use actix_web::guard::{Any, Get, Head};
use actix_web::web::{self, ServiceConfig};
use actix_web::{FromRequest, Handler, Resource, Responder};

use crate::Surface;
use crate::incoming::Incoming;
use crate::metrics::{Metrics, Series};
use crate::server::DefaultTenant;

pub(crate) use documentation::{__path_document, __path_page, __path_script};
pub(crate) use health::{__path_live, __path_ready};
pub(crate) use introspect::__path_introspect;
pub(crate) use jwks::__path_jwks;
pub(crate) use metadata::__path_metadata;
pub(crate) use metrics::__path_metrics;
pub(crate) use protected_resource::__path_protected_resource;
pub(crate) use strategies::__path_strategies;
pub(crate) use token::__path_token;

/// The route that took a request: its pattern, and where its requests are counted on this worker.
#[derive(Clone)]
pub(crate) struct Route {
    pub(crate) pattern: &'static str,
    pub(crate) series: Arc<Series>,
}

/// Registers what an address serves.
pub(crate) fn configure(surface: Surface, metrics: &Metrics) -> impl FnOnce(&mut ServiceConfig) {
    move |config| {
        let mut routes = Routes { config, metrics };
        routes.service(get("/health/live", health::live)).service(get("/health/ready", health::ready));
        if surface.admin {
            routes.service(get("/metrics", metrics::metrics));
        }
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
        config.default_service(web::to(unknown::unknown_path));
    }
}

/// Where routes are registered, each with its pattern and its numbers: asking the library for the pattern would match all routes
/// again for each request.
struct Routes<'a> {
    config: &'a mut ServiceConfig,
    metrics: &'a Metrics,
}

impl Routes<'_> {
    fn service(&mut self, (pattern, resource): (&'static str, Resource)) -> &mut Self {
        let series = self.metrics.series(pattern);
        ServiceConfig::service(self.config, resource.app_data(Route { pattern, series }));
        self
    }
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

/// The tenant that the path names, or the default one on the paths without a tenant. No tenant has the empty name.
fn tenant_name<'a>(incoming: &'a Incoming, default_tenant: &'a DefaultTenant) -> &'a str {
    incoming.tenant().or(default_tenant.0.as_deref()).unwrap_or_default()
}

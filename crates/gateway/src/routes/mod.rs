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
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{FromRequest, Handler, Resource, Responder, ResponseError as _};
use administration::Permission::{Audit, Clients, Keys, Tenants};
use administration::{ClientStep, TenantStep};

use crate::authorization::BearerAccess;
use crate::failure::Failure;
use crate::hosts::HostNames;
use crate::metrics::Metrics;
use crate::respond::{OAuthError, Problem};
use crate::route::Route;
use crate::thunder::{ThunderError, applications, flow};
use crate::{Services, Surface};
use admin::{AdminResource, audit, clients, key_commands, secrets, signing_keys, tenants};

pub(crate) use admin::{AdminAccess, tenant_of_admin_path};

/// Registers what an address serves; the paths of administration under these names only.
pub(crate) fn configure(
    surface: Surface,
    hosts: Rc<HostNames>,
    metrics: &Metrics,
    services: Data<Services>,
) -> impl FnOnce(&mut ServiceConfig) {
    move |config| {
        let mut routes = Routes { config, metrics, hosts: None };
        routes.serve([get("/health/live", health::live), get("/health/ready", health::ready)]);
        // First, because routes are tried in their order, and tokens are what most requests ask for.
        if surface.public {
            routes.serve([
                post("/api/v1/tenant/{id}/oauth/token", token::token),
                post("/oauth/token", token::token),
                post("/oauth2/token", token::token),
                post("/api/v1/tenant/{id}/oauth/introspect", introspect::introspect),
                post("/oauth2/introspect", introspect::introspect),
                get("/api/v1/tenant/{id}/strategies", strategies::strategies),
                get("/api/v1/tenant/{id}/.well-known/jwks.json", jwks::jwks),
                get("/oauth2/jwks", jwks::jwks),
                get("/api/v1/tenant/{id}/.well-known/openid-configuration", metadata::metadata),
                get("/api/v1/tenant/{id}/.well-known/oauth-authorization-server", metadata::metadata),
                get("/.well-known/oauth-authorization-server/api/v1/tenant/{id}", metadata::metadata),
                get("/api/v1/protected-resource", protected_resource::protected_resource),
                get("/openapi.json", documentation::document),
                get("/docs", documentation::page),
                get("/docs/scalar.js", documentation::script),
                get("/docs/start.js", documentation::start),
            ]);
        }
        if surface.admin {
            admin_surface(&mut routes, hosts, Rc::new(BearerAccess(services)));
        }
        config.default_service(web::to(unknown::unknown_path));
    }
}

/// Registers the admin API alone, under no particular names.
pub(crate) fn configure_administration(
    access: Rc<dyn AdminAccess>,
    metrics: &Metrics,
) -> impl FnOnce(&mut ServiceConfig) {
    move |config| {
        administration(&mut Routes { config, metrics, hosts: None }, access);
        config.default_service(web::to(unknown::unknown_path));
    }
}

/// What listeners serve with the admin surface, under the names of administration.
fn admin_surface(routes: &mut Routes<'_>, hosts: Rc<HostNames>, access: Rc<dyn AdminAccess>) {
    routes.hosts = Some(hosts);
    routes.serve([
        flow::route("/flow/execute"),
        applications::all("/applications"),
        applications::one("/applications/{application}"),
        get("/metrics", metrics::metrics),
    ]);
    administration(routes, access);
}

/// The admin API, each method with the permission that it requires.
fn administration(routes: &mut Routes<'_>, access: Rc<dyn AdminAccess>) {
    let at = |pattern| AdminResource::at(pattern, &access);
    routes.serve([
        at("/api/v1/admin/tenants").get(Tenants, tenants::list).post(Tenants, tenants::create),
        at("/api/v1/admin/tenants/{id}")
            .get(Tenants, tenants::look)
            .patch(Tenants, tenants::patch)
            .delete(Tenants, tenants::delete),
        at("/api/v1/admin/tenants/{id}/suspend").post(Tenants, tenants::step(TenantStep::Suspend)),
        at("/api/v1/admin/tenants/{id}/resume").post(Tenants, tenants::step(TenantStep::Resume)),
        at("/api/v1/admin/tenants/{id}/restore").post(Tenants, tenants::step(TenantStep::CancelDeletion)),
        at("/api/v1/admin/audit").get(Audit, audit::of_platform),
        at("/api/v1/tenant/{id}/clients").get(Clients, clients::list).post(Clients, clients::create),
        at("/api/v1/tenant/{id}/clients/{client}")
            .get(Clients, clients::look)
            .patch(Clients, clients::patch)
            .delete(Clients, clients::delete),
        at("/api/v1/tenant/{id}/clients/{client}/suspend").post(Clients, clients::step(ClientStep::Suspend)),
        at("/api/v1/tenant/{id}/clients/{client}/resume").post(Clients, clients::step(ClientStep::Resume)),
        at("/api/v1/tenant/{id}/clients/{client}/secrets")
            .get(Clients, secrets::list)
            .post(Clients, secrets::create),
        at("/api/v1/tenant/{id}/clients/{client}/secrets/rotate").post(Clients, secrets::rotate),
        at("/api/v1/tenant/{id}/clients/{client}/secrets/{secret}")
            .patch(Clients, secrets::expire)
            .delete(Clients, secrets::revoke),
        at("/api/v1/tenant/{id}/keys").get(Keys, signing_keys::list).post(Tenants, key_commands::import),
        // Before the path of one key, which would take these words for its name.
        at("/api/v1/tenant/{id}/keys/rotate").post(Keys, key_commands::rotate),
        at("/api/v1/tenant/{id}/keys/status").get(Keys, signing_keys::status),
        at("/api/v1/tenant/{id}/keys/{kid}").get(Keys, signing_keys::look).delete(Keys, key_commands::revoke),
        at("/api/v1/tenant/{id}/audit").get(Audit, audit::of_tenant),
    ]);
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
    fn serve<R: Into<(&'static str, Resource)>>(&mut self, resources: impl IntoIterator<Item = R>) {
        for (pattern, resource) in resources.into_iter().map(Into::into) {
            let series = self.metrics.series(pattern);
            let resource = resource.app_data(Route { pattern, series });
            let Some(hosts) = self.hosts.clone() else {
                self.config.service(resource);
                continue;
            };
            self.config.service(resource.wrap(from_fn(
                move |request: ServiceRequest, next: Next<BoxBody>| {
                    let admitted = hosts.admit(&request);
                    async move {
                        if admitted { next.call(request).await } else { Ok(misdirected(request, pattern)) }
                    }
                },
            )));
        }
    }
}

/// In the words of the path.
fn misdirected(request: ServiceRequest, pattern: &str) -> ServiceResponse<BoxBody> {
    let response = match pattern {
        "/metrics" => OAuthError::from(Failure::Misdirected).error_response(),
        _ if unknown::is_admin(pattern) => Problem::from(Failure::Misdirected).error_response(),
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
    public(path, web::post().to(handler), "POST")
}

/// "All general-purpose servers MUST support the methods GET and HEAD" (RFC 9110 §9.1).
fn get<F, Args>(path: &'static str, handler: F) -> (&'static str, Resource)
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    public(path, web::route().guard(Any(Get()).or(Head())).to(handler), "GET, HEAD")
}

fn public(path: &'static str, route: actix_web::Route, methods: &'static str) -> (&'static str, Resource) {
    let wrong_method = async move || OAuthError::from(Failure::MethodNotAllowed(methods)).error_response();
    (path, web::resource(path).route(route).default_service(web::to(wrong_method)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use administration::{Administrator, Caller};
    use async_trait::async_trait;

    use super::*;
    use crate::authorization::RequiredPermission;
    use crate::raw_request::RawRequest;

    /// Of routes that are registered and not called.
    struct NoAccess;

    #[async_trait(?Send)]
    impl AdminAccess for NoAccess {
        fn administrator(&self) -> &Arc<Administrator> {
            unreachable!("nothing is called")
        }

        async fn authorize(&self, _: &RawRequest, _: RequiredPermission<'_>) -> Result<Caller, Problem> {
            unreachable!("nothing is called")
        }
    }

    #[test]
    fn what_the_paths_of_administration_begin_with_is_known() {
        let metrics = Metrics::default();
        let hosts = Rc::new(HostNames::new("http://localhost", &[]));
        drop(actix_web::App::new().configure(|config| {
            admin_surface(&mut Routes { config, metrics: &metrics, hosts: None }, hosts, Rc::new(NoAccess));
        }));
        let patterns = metrics.patterns();
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

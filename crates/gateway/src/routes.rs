//! All routes.

pub(crate) mod admin;
mod assets;
pub(crate) mod caught_mail;
pub(crate) mod console;
mod direct;
pub(crate) mod documentation;
mod error_page;
mod forward_auth;
pub(crate) mod front;
pub(crate) mod health;
mod introspect;
mod jwks;
mod leaked;
mod metadata;
mod metrics;
pub(crate) mod openid;
pub(crate) mod protected_resource;
mod public_route;
mod revocations;
mod revoke;
pub(crate) mod strategies;
mod token;
mod unknown;
mod usage;

use std::rc::Rc;

use actix_http::Extensions;
use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{Resource, ResponseError as _};

use crate::authentication::{AdminAccess, BearerAccess};
use crate::metrics::WorkerMetrics;
use crate::page::with_pages;
use crate::request::{HostNames, Route, ServerFailure, cross_origin};
use crate::respond::{OAuthError, Problem};
use crate::thunder::{ThunderError, applications, flow};
use crate::{CaughtMail, ListenerSurface, Services};

pub(crate) use direct::DirectRoutes;
pub(crate) use metadata::KnownIssuers;
use public_route::{PublicRoute, any, get, post};

/// Registers the routes of a listener. The paths of administration are served only under `hosts`.
pub(crate) fn configure(
    surface: ListenerSurface,
    (has_front_page, caught_mail): (bool, Option<CaughtMail>),
    hosts: Rc<HostNames>,
    metrics: &WorkerMetrics,
    services: Data<Services>,
    direct: &DirectRoutes,
) -> impl FnOnce(&mut ServiceConfig) {
    move |config| {
        let mut routes = Routes { config, metrics, hosts: None, are_shared: false };
        routes.serve([get("/health/live", health::live), get("/health/ready", health::ready)]);
        if surface.public {
            routes.are_shared = true;
            let frequent = [
                post("/api/v1/tenant/{id}/oauth/token", token::token),
                get("/api/v1/tenant/{id}/.well-known/jwks.json", jwks::jwks),
                post("/oauth/token", token::token),
                post("/oauth2/token", token::token),
                get("/oauth2/jwks", jwks::jwks),
            ];
            routes.serve_directly(direct, frequent);
            routes.serve([
                // RFC 7009 §2: "The client requests the revocation of a particular token by
                // making an HTTP POST request".
                post("/api/v1/tenant/{id}/oauth/revoke", revoke::revoke),
                post("/oauth2/revoke", revoke::revoke),
                post("/oauth/revoke", revoke::revoke),
                post("/api/v1/tenant/{id}/oauth/par", openid::par::push),
                post("/oauth2/par", openid::par::push),
                get("/api/v1/tenant/{id}/oauth/userinfo", openid::userinfo::userinfo)
                    .post(openid::userinfo::userinfo),
                get("/oauth2/userinfo", openid::userinfo::userinfo).post(openid::userinfo::userinfo),
                post("/api/v1/tenant/{id}/oauth/device_authorization", openid::device_authorization::begin),
                post("/oauth2/device_authorization", openid::device_authorization::begin),
                get("/api/v1/tenant/{id}/.well-known/openid-configuration", metadata::metadata),
                get("/api/v1/tenant/{id}/.well-known/oauth-authorization-server", metadata::metadata),
                get("/.well-known/oauth-authorization-server/api/v1/tenant/{id}", metadata::metadata),
            ]);
            routes.are_shared = false;
            let frequent = [
                post("/api/v1/tenant/{id}/oauth/introspect", introspect::introspect),
                post("/oauth2/introspect", introspect::introspect),
                any("/api/v1/tenant/{id}/oauth/forward-auth", forward_auth::forward_auth),
            ];
            routes.serve_directly(direct, frequent);
            routes.serve([
                get("/api/v1/tenant/{id}/oauth/revocations", revocations::revocations),
                post("/api/v1/tenant/{id}/oauth/usage", usage::usage),
                get("/api/v1/tenant/{id}/oauth/authorize", with_pages(openid::authorize::navigate))
                    .post(with_pages(openid::authorize::post)),
                get("/oauth2/authorize", with_pages(openid::authorize::navigate))
                    .post(with_pages(openid::authorize::post)),
                post("/api/v1/tenant/{id}/oauth/sign-in", with_pages(openid::sign_in::sign_in)),
                get("/api/v1/tenant/{id}/oauth/logout", with_pages(openid::logout::navigate))
                    .post(with_pages(openid::logout::post)),
                get("/oauth2/logout", with_pages(openid::logout::navigate))
                    .post(with_pages(openid::logout::post)),
                get("/api/v1/tenant/{id}/device", with_pages(openid::device::navigate))
                    .post(with_pages(openid::device::post)),
                get("/device", with_pages(openid::device::navigate)).post(with_pages(openid::device::post)),
                get("/api/v1/tenant/{id}/account", with_pages(openid::account::navigate))
                    .post(with_pages(openid::account::post)),
                get("/account", with_pages(openid::account::navigate))
                    .post(with_pages(openid::account::post)),
                get("/api/v1/tenant/{id}/account/set-password", with_pages(openid::set_password::navigate))
                    .post(with_pages(openid::set_password::post)),
                get("/api/v1/tenant/{id}/oauth/recover", with_pages(openid::recover::navigate))
                    .post(with_pages(openid::recover::post)),
                get("/api/v1/tenant/{id}/oauth/verify", with_pages(openid::verify::navigate))
                    .post(with_pages(openid::verify::post)),
                get("/api/v1/tenant/{id}/strategies", strategies::strategies),
                get("/api/v1/protected-resource", protected_resource::protected_resource),
                post("/api/v1/secrets/leaked", leaked::report),
                get("/assets/{hash}/{file}", assets::asset),
                get("/api/v1/tenant/{id}/oauth/theme/{file}", assets::theme),
                get("/api/v1/tenant/{id}/oauth/logo/{hash}", assets::logo),
            ]);
        }
        if surface.admin {
            admin_surface(&mut routes, Rc::clone(&hosts), Rc::new(BearerAccess(services)));
        }
        if surface.serves_console() {
            routes.hosts = Some(Rc::clone(&hosts));
            routes.serve(console::routes());
        }
        if let Some(caught) = caught_mail.filter(|_| has_front_page) {
            routes.hosts = Some(hosts);
            routes.serve(caught_mail::routes(caught));
        }
        routes.hosts = None;
        if has_front_page {
            routes.serve([get("/", front::page)]);
        }
        routes.serve([
            get("/openapi.json", documentation::document(surface)),
            get("/docs", documentation::page(surface)),
            get("/docs/errors", error_page::page),
            get("/docs/config.schema.json", documentation::settings_schema),
        ]);
        if surface.public {
            // Registered last, because the pattern also matches other routes.
            routes.are_shared = true;
            routes.serve([
                get("/.well-known/openid-configuration", metadata::of_issuer),
                get("/.well-known/oauth-authorization-server", metadata::of_issuer),
                get("/{issuer}/.well-known/openid-configuration", metadata::of_issuer),
                get("/.well-known/oauth-authorization-server/{issuer}", metadata::of_issuer),
            ]);
        }
        config.default_service(web::to(unknown::unknown_path));
    }
}

/// Registers only the admin API, under any host name.
pub(crate) fn configure_administration(
    access: Rc<dyn AdminAccess>,
    metrics: &WorkerMetrics,
) -> impl FnOnce(&mut ServiceConfig) {
    move |config| {
        administration(&mut Routes { config, metrics, hosts: None, are_shared: false }, access);
        config.default_service(web::to(unknown::unknown_path));
    }
}

fn admin_surface(routes: &mut Routes<'_>, hosts: Rc<HostNames>, access: Rc<dyn AdminAccess>) {
    routes.hosts = Some(hosts);
    routes.serve([
        flow::route("/flow/execute"),
        applications::all("/applications"),
        applications::one("/applications/{application}"),
        get("/metrics", metrics::metrics).into(),
    ]);
    administration(routes, access);
}

/// Each file of `admin` contains some of the endpoints.
fn administration(routes: &mut Routes<'_>, access: Rc<dyn AdminAccess>) {
    routes.serve(admin::resources(admin::operations(), &access));
}

/// Registers routes with their patterns and counters. The library itself could find the pattern of
/// a request only by matching all routes again.
struct Routes<'a> {
    config: &'a mut ServiceConfig,
    metrics: &'a WorkerMetrics,
    /// The host names for the routes that are registered next. `None` for any name.
    hosts: Option<Rc<HostNames>>,
    /// Whether scripts of any origin may call the routes that are registered next (CORS).
    are_shared: bool,
}

impl Routes<'_> {
    /// Registers routes that are matched before the router. They are also in the router, because
    /// only the router matches paths with escapes.
    fn serve_directly(&mut self, direct: &DirectRoutes, routes: impl IntoIterator<Item = PublicRoute>) {
        for route in routes {
            let mut data = Extensions::new();
            data.insert(Route::new(route.pattern, self.metrics.series(route.pattern), self.are_shared));
            direct.push(route.pattern, Rc::new(data), (route.to_handlers[0])());
            self.serve([route]);
        }
    }

    fn serve<R: Into<(&'static str, Resource)>>(&mut self, resources: impl IntoIterator<Item = R>) {
        for (pattern, resource) in resources.into_iter().map(Into::into) {
            let series = self.metrics.series(pattern);
            let mut resource = resource.app_data(Route::new(pattern, series, self.are_shared));
            if self.are_shared {
                let preflight = web::route().guard(cross_origin::is_preflight());
                resource = resource.route(preflight.to(cross_origin::preflight));
            }
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

/// The form of the error depends on the path.
fn misdirected(request: ServiceRequest, pattern: &str) -> ServiceResponse<BoxBody> {
    let response = match pattern {
        "/metrics" => OAuthError::from(ServerFailure::Misdirected).error_response(),
        _ if unknown::is_admin(pattern) => Problem::from(ServerFailure::Misdirected).error_response(),
        _ => ThunderError::from(ServerFailure::Misdirected).error_response(),
    };
    request.into_response(response)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use administration::administrator::{Administrator, Caller};
    use async_trait::async_trait;

    use super::*;
    use crate::authentication::RequiredPermission;
    use crate::request::RawRequest;

    /// For routes that are registered but never called.
    struct NoAccess;

    #[async_trait(?Send)]
    impl AdminAccess for NoAccess {
        fn administrator(&self) -> &Arc<Administrator> {
            unreachable!("nothing is called")
        }

        fn tokens(&self) -> crate::TokenServices {
            unreachable!("nothing is called")
        }

        async fn authorize(&self, _: &RawRequest, _: RequiredPermission<'_>) -> Result<Caller, Problem> {
            unreachable!("nothing is called")
        }
    }

    #[test]
    fn admin_path_list_covers_all_admin_routes() {
        let metrics = WorkerMetrics::default();
        let hosts = Rc::new(HostNames::new("http://localhost", &[]));
        drop(actix_web::App::new().configure(|config| {
            admin_surface(
                &mut Routes { config, metrics: &metrics, hosts: None, are_shared: false },
                hosts,
                Rc::new(NoAccess),
            );
        }));
        let patterns = metrics.patterns();
        let begins = |pattern: &str, with: &str| {
            pattern.strip_prefix(with).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        for pattern in &patterns {
            assert!(ListenerSurface::ADMIN_PATHS.iter().any(|with| begins(pattern, with)), "{pattern}");
        }
        for with in ListenerSurface::ADMIN_PATHS {
            assert!(patterns.iter().any(|pattern| begins(pattern, with)), "{with}");
        }
    }

    #[test]
    fn reserved_issuer_paths_cover_all_routes() {
        let document: serde_json::Value = serde_json::from_str(&crate::openapi_document()).unwrap();
        let paths = document["paths"].as_object().unwrap().keys().map(String::as_str);
        let own = console::routes().into_iter().map(|route| route.pattern);
        let of_program = ["/openapi.json", "/docs", "/docs/errors", "/metrics", "/device", "/account"];
        let paths: Vec<&str> = paths.chain(own).chain(of_program).collect();
        let begins = |pattern: &str, with: &str| {
            pattern.strip_prefix(with).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        for pattern in paths.iter().filter(|pattern| **pattern != "/" && !pattern.starts_with("/{issuer}")) {
            assert!(
                administration::rules::PROGRAM_PATHS.iter().any(|with| begins(pattern, with)),
                "{pattern}"
            );
        }
        for with in administration::rules::PROGRAM_PATHS {
            assert!(paths.iter().any(|pattern| begins(pattern, with)), "{with}");
        }
    }
}

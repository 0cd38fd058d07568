//! A path of the admin API with its methods, so that what it does not take is told with what it does.

use actix_web::guard::{Any, Get, Head};
use actix_web::{FromRequest, Handler, Resource, Responder, Route, web};

use super::unknown::{Allowed, wrong_method};

/// A path in the making.
pub(in crate::routes) struct AdminResource {
    pattern: &'static str,
    resource: Resource,
    allowed: Vec<&'static str>,
}

/// A path that takes nothing yet.
pub(in crate::routes) fn admin_resource(pattern: &'static str) -> AdminResource {
    AdminResource { pattern, resource: web::resource(pattern), allowed: Vec::new() }
}

impl AdminResource {
    /// "All general-purpose servers MUST support the methods GET and HEAD" (RFC 9110 §9.1).
    pub(in crate::routes) fn get<F: Handler<A>, A: FromRequest + 'static>(self, handler: F) -> Self
    where
        F::Output: Responder + 'static,
    {
        self.with("GET, HEAD", web::route().guard(Any(Get()).or(Head())), handler)
    }

    pub(in crate::routes) fn post<F: Handler<A>, A: FromRequest + 'static>(self, handler: F) -> Self
    where
        F::Output: Responder + 'static,
    {
        self.with("POST", web::post(), handler)
    }

    pub(in crate::routes) fn patch<F: Handler<A>, A: FromRequest + 'static>(self, handler: F) -> Self
    where
        F::Output: Responder + 'static,
    {
        self.with("PATCH", web::patch(), handler)
    }

    pub(in crate::routes) fn delete<F: Handler<A>, A: FromRequest + 'static>(self, handler: F) -> Self
    where
        F::Output: Responder + 'static,
    {
        self.with("DELETE", web::delete(), handler)
    }

    fn with<F: Handler<A>, A: FromRequest + 'static>(
        mut self,
        method: &'static str,
        route: Route,
        handler: F,
    ) -> Self
    where
        F::Output: Responder + 'static,
    {
        self.allowed.push(method);
        Self { resource: self.resource.route(route.to(handler)), ..self }
    }
}

impl From<AdminResource> for (&'static str, Resource) {
    fn from(admin_resource: AdminResource) -> Self {
        let allowed = Allowed(admin_resource.allowed.join(", "));
        let resource = admin_resource.resource.app_data(allowed).default_service(web::to(wrong_method));
        (admin_resource.pattern, resource)
    }
}

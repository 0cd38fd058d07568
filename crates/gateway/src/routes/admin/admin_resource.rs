//! A path of the admin API with its methods, each with the permission that it takes. The methods become the `Allow` header of the
//! answer to any other one.

use std::rc::Rc;

use actix_web::guard::{Any, Get, Head};
use actix_web::{Resource, Route, web};
use administration::Permission;

use super::Answer;
use super::admin_request::{AdminAccess, AdminRequest};
use super::names::Target;
use super::unknown::{Allowed, wrong_method};
use crate::raw_request::RawRequest;

/// A path and its routes, under construction.
pub(in crate::routes) struct AdminResource<A> {
    access: Rc<A>,
    pattern: &'static str,
    resource: Resource,
    allowed: Vec<&'static str>,
}

impl<A: AdminAccess> AdminResource<A> {
    /// A path without methods.
    pub(in crate::routes) fn at(pattern: &'static str, access: &Rc<A>) -> Self {
        Self { access: Rc::clone(access), pattern, resource: web::resource(pattern), allowed: Vec::new() }
    }

    /// "All general-purpose servers MUST support the methods GET and HEAD" (RFC 9110 §9.1).
    pub(in crate::routes) fn get<T: Target, F: Future<Output = Answer> + 'static>(
        self,
        permission: Permission,
        handler: fn(AdminRequest<T>) -> F,
    ) -> Self {
        self.with("GET, HEAD", web::route().guard(Any(Get()).or(Head())), permission, handler)
    }

    pub(in crate::routes) fn post<T: Target, F: Future<Output = Answer> + 'static>(
        self,
        permission: Permission,
        handler: fn(AdminRequest<T>) -> F,
    ) -> Self {
        self.with("POST", web::post(), permission, handler)
    }

    pub(in crate::routes) fn patch<T: Target, F: Future<Output = Answer> + 'static>(
        self,
        permission: Permission,
        handler: fn(AdminRequest<T>) -> F,
    ) -> Self {
        self.with("PATCH", web::patch(), permission, handler)
    }

    pub(in crate::routes) fn delete<T: Target, F: Future<Output = Answer> + 'static>(
        self,
        permission: Permission,
        handler: fn(AdminRequest<T>) -> F,
    ) -> Self {
        self.with("DELETE", web::delete(), permission, handler)
    }

    fn with<T: Target, F: Future<Output = Answer> + 'static>(
        mut self,
        method: &'static str,
        route: Route,
        permission: Permission,
        handler: fn(AdminRequest<T>) -> F,
    ) -> Self {
        let access = Rc::clone(&self.access);
        let authorized = move |raw: RawRequest| {
            let access = Rc::clone(&access);
            async move { handler(AdminRequest::open(&*access, raw, permission).await?).await }
        };
        self.allowed.push(method);
        Self { resource: self.resource.route(route.to(authorized)), ..self }
    }
}

impl<A> From<AdminResource<A>> for (&'static str, Resource) {
    fn from(admin_resource: AdminResource<A>) -> Self {
        let allowed = Allowed(admin_resource.allowed.join(", "));
        let resource = admin_resource.resource.app_data(allowed).default_service(web::to(wrong_method));
        (admin_resource.pattern, resource)
    }
}

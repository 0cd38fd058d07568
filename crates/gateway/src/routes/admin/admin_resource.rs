//! A path of the admin API with its methods, each with the permission that it takes. The methods become the `Allow` header of the
//! answer to any other one.

use std::rc::Rc;

use actix_web::{Resource, ResponseError as _, Route, web};
use administration::Permission;
use futures_util::future::LocalBoxFuture;

use super::Answer;
use super::admin_request::{AdminAccess, AdminRequest};
use super::names::Target;
use crate::failure::Failure;
use crate::methods;
use crate::raw_request::RawRequest;
use crate::respond::Problem;

/// What serves a method: an asynchronous function of an authorized request.
pub(crate) trait AdminHandler<T>: AsyncFn(AdminRequest<T>) -> Answer + Clone + 'static {}

impl<T, H: AsyncFn(AdminRequest<T>) -> Answer + Clone + 'static> AdminHandler<T> for H {}

/// A path and its routes, under construction.
pub(crate) struct AdminResource {
    access: Rc<dyn AdminAccess>,
    pattern: &'static str,
    resource: Resource,
    allowed: Vec<&'static str>,
}

impl AdminResource {
    /// A path without methods.
    pub(crate) fn at(pattern: &'static str, access: &Rc<dyn AdminAccess>) -> Self {
        Self { access: Rc::clone(access), pattern, resource: web::resource(pattern), allowed: Vec::new() }
    }

    pub(crate) fn get<T: Target, H: AdminHandler<T>>(self, permission: Permission, handler: H) -> Self {
        self.with("GET, HEAD", methods::get(), permission, handler)
    }

    pub(crate) fn post<T: Target, H: AdminHandler<T>>(self, permission: Permission, handler: H) -> Self {
        self.with("POST", methods::post(), permission, handler)
    }

    pub(crate) fn patch<T: Target, H: AdminHandler<T>>(self, permission: Permission, handler: H) -> Self {
        self.with("PATCH", web::patch(), permission, handler)
    }

    pub(crate) fn delete<T: Target, H: AdminHandler<T>>(self, permission: Permission, handler: H) -> Self {
        self.with("DELETE", web::delete(), permission, handler)
    }

    fn with<T: Target, H: AdminHandler<T>>(
        self,
        method: &'static str,
        route: Route,
        permission: Permission,
        handler: H,
    ) -> Self {
        let access = Rc::clone(&self.access);
        let serve = move |raw| -> LocalBoxFuture<'static, Answer> {
            let (access, handler) = (Rc::clone(&access), handler.clone());
            Box::pin(async move { handler(AdminRequest::open(&*access, raw, permission).await?).await })
        };
        self.serve(method, route, Rc::new(serve))
    }

    /// Behind one type for all handlers, or the library would be compiled again for each.
    fn serve(
        mut self,
        method: &'static str,
        route: Route,
        serve: Rc<dyn Fn(RawRequest) -> LocalBoxFuture<'static, Answer>>,
    ) -> Self {
        self.allowed.push(method);
        Self { resource: self.resource.route(route.to(move |raw| serve(raw))), ..self }
    }
}

impl From<AdminResource> for (&'static str, Resource) {
    fn from(admin_resource: AdminResource) -> Self {
        let AdminResource { pattern, resource, allowed, .. } = admin_resource;
        let allowed: Rc<str> = allowed.join(", ").into();
        let wrong_method = move || {
            let refusal = Problem::from(Failure::MethodNotAllowed(&allowed));
            async move { refusal.error_response() }
        };
        (pattern, resource.default_service(web::to(wrong_method)))
    }
}

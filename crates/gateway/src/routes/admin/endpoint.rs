//! An operation of the admin API as a value: its method and path, the permission that it takes, what serves it, and what the OpenAPI
//! document says of it. Routes and document are made from these values, so that they cannot differ.

use std::rc::Rc;

use actix_web::{Resource, ResponseError as _, web};
use administration::Permission;
use futures_util::future::LocalBoxFuture;
use utoipa::openapi::HttpMethod::{self, Delete, Get, Patch, Post};

use super::Answer;
use super::admin_request::{AdminAccess, AdminRequest};
use super::names::Target;
use super::row::{self, Row};
use crate::failure::Failure;
use crate::methods;
use crate::openapi::{Operation, admin};
use crate::raw_request::RawRequest;
use crate::respond::Problem;

/// What serves a method: an asynchronous function of an authorized request.
pub(crate) trait AdminHandler<T>: AsyncFn(AdminRequest<T>) -> Answer + Clone + 'static {}

impl<T, H: AsyncFn(AdminRequest<T>) -> Answer + Clone + 'static> AdminHandler<T> for H {}

/// Behind one type for all handlers, or the library would be compiled again for each.
type Serve = Rc<dyn Fn(Rc<dyn AdminAccess>, RawRequest) -> LocalBoxFuture<'static, Answer>>;

/// Adds to an operation what the document says of it.
type Describe = fn(Operation) -> Operation;

/// An operation.
pub(crate) struct Endpoint {
    method: HttpMethod,
    pub(crate) path: &'static str,
    permission: Permission,
    serve: Serve,
    /// What all operations of its form say, and what it says itself.
    describe: [Describe; 2],
}

impl Endpoint {
    /// An operation at a path, for who has the permission.
    pub(crate) fn at<T: Target, H: AdminHandler<T>>(
        method: HttpMethod,
        path: &'static str,
        permission: Permission,
        handler: H,
        describe: Describe,
    ) -> Self {
        Self::new((method, path), permission, handler, [|it| it, describe])
    }

    /// Shows a row.
    pub(crate) fn look_at<R: Row>(path: &'static str, describe: Describe) -> Self {
        Self::new((Get, path), R::PERMISSION, row::look::<R>, [row::describe_look::<R>, describe])
    }

    /// Changes what a merge patch of a row's settings names.
    pub(crate) fn change<R: Row>(path: &'static str, describe: Describe) -> Self {
        Self::new((Patch, path), R::PERMISSION, row::patch::<R>, [row::describe_patch::<R>, describe])
    }

    /// Takes a step of a row's life, which may be taken again without harm.
    pub(crate) fn step<R: Row>(path: &'static str, step: R::Step, describe: Describe) -> Self {
        Self::new((Post, path), R::PERMISSION, row::step::<R>(step), [row::describe_step::<R>, describe])
    }

    /// Deletes a row by this step.
    pub(crate) fn end<R: Row>(path: &'static str, step: R::Step, describe: Describe) -> Self {
        Self::new(
            (Delete, path),
            R::PERMISSION,
            row::delete::<R>(step),
            [row::describe_delete::<R>, describe],
        )
    }

    fn new<T: Target, H: AdminHandler<T>>(
        (method, path): (HttpMethod, &'static str),
        permission: Permission,
        handler: H,
        describe: [Describe; 2],
    ) -> Self {
        let serve = move |access: Rc<dyn AdminAccess>, raw| -> LocalBoxFuture<'static, Answer> {
            let handler = handler.clone();
            Box::pin(async move { handler(AdminRequest::open(&*access, raw, permission).await?).await })
        };
        Self { method, path, permission, serve: Rc::new(serve), describe }
    }

    /// What the document says of it.
    pub(crate) fn described(self) -> Operation {
        let [of_its_form, of_its_own] = self.describe;
        of_its_own(of_its_form(admin(self.method, self.path, self.permission)))
    }
}

/// The paths of these operations. A path with a literal segment comes before one that has a name there.
pub(crate) fn resources(
    mut endpoints: Vec<Endpoint>,
    access: &Rc<dyn AdminAccess>,
) -> Vec<(&'static str, Resource)> {
    endpoints.sort_by_key(|endpoint| endpoint.path);
    let paths = endpoints.chunk_by(|one, other| one.path == other.path);
    paths.map(|methods| (methods[0].path, resource(methods, access))).collect()
}

/// A path with its methods. They become the `Allow` header of the answer to any other one.
fn resource(endpoints: &[Endpoint], access: &Rc<dyn AdminAccess>) -> Resource {
    let (mut resource, mut allowed) = (web::resource(endpoints[0].path), Vec::new());
    for endpoint in endpoints {
        let (route, names) = match endpoint.method {
            Get => (methods::get(), "GET, HEAD"),
            Patch => (web::patch(), "PATCH"),
            Delete => (web::delete(), "DELETE"),
            _ => (methods::post(), "POST"),
        };
        let (access, serve) = (Rc::clone(access), Rc::clone(&endpoint.serve));
        resource = resource.route(route.to(move |raw| serve(Rc::clone(&access), raw)));
        allowed.push(names);
    }
    let allowed: Rc<str> = allowed.join(", ").into();
    resource.default_service(web::to(move || {
        let refusal = Problem::from(Failure::MethodNotAllowed(&allowed));
        async move { refusal.error_response() }
    }))
}

//! An operation of the admin API as a value: its method and path, the permission that it needs, its handler,
//! and its description in the OpenAPI document. Routes and document are made from these values, so that they
//! cannot differ.

use std::rc::Rc;

use actix_web::{Resource, ResponseError as _, web};
use administration::Permission;
use futures_util::future::LocalBoxFuture;

use super::Answer;
use super::admin_request::AdminRequest;
use super::names::PathNames;
use crate::authentication::AdminAccess;
use crate::openapi::HttpMethod::{self, Delete, Get, Patch};
use crate::openapi::{Operation, admin};
use crate::request::{ServerFailure, methods};
use crate::respond::Problem;

/// The handler of a method: an asynchronous function of an authorized request.
pub(crate) trait AdminHandler<T>: AsyncFn(AdminRequest<T>) -> Answer + Clone + 'static {}

impl<T, H: AsyncFn(AdminRequest<T>) -> Answer + Clone + 'static> AdminHandler<T> for H {}

/// An operation at a path, for a caller with the permission. Without one, for a caller with any permission.
pub(super) fn at<T: PathNames>(
    method: HttpMethod,
    path: &'static str,
    permission: impl Into<Option<Permission>>,
    handler: impl AdminHandler<T>,
) -> Operation {
    let permission = permission.into();
    let serve = move |access: Rc<dyn AdminAccess>, raw| -> LocalBoxFuture<'static, Answer> {
        let handler = handler.clone();
        Box::pin(async move { handler(AdminRequest::open(&*access, raw, permission).await?).await })
    };
    admin(method, path, permission, Rc::new(serve)).naming(&T::names())
}

/// The paths of these operations. A path with a literal segment comes before one with a name at that place.
pub(crate) fn resources(
    mut operations: Vec<Operation>,
    access: &Rc<dyn AdminAccess>,
) -> Vec<(&'static str, Resource)> {
    operations.sort_by_key(|operation| operation.path);
    let paths = operations.chunk_by(|one, other| one.path == other.path);
    paths.map(|methods| (methods[0].path, resource(methods, access))).collect()
}

/// A path with its methods, which are the `Allow` header of the response to any other method.
fn resource(operations: &[Operation], access: &Rc<dyn AdminAccess>) -> Resource {
    let (mut resource, mut allowed) = (web::resource(operations[0].path), Vec::new());
    for operation in operations {
        let Some(serve) = operation.serve.clone() else { continue };
        let (route, names) = match operation.method {
            Get => (methods::get(), "GET, HEAD"),
            Patch => (web::patch(), "PATCH"),
            Delete => (web::delete(), "DELETE"),
            _ => (methods::post(), "POST"),
        };
        let access = Rc::clone(access);
        resource = resource.route(route.to(move |raw| serve(Rc::clone(&access), raw)));
        allowed.push(names);
    }
    let allowed: Rc<str> = allowed.join(", ").into();
    resource.default_service(web::to(move || {
        let refusal = Problem::from(ServerFailure::MethodNotAllowed(&allowed));
        async move { refusal.error_response() }
    }))
}

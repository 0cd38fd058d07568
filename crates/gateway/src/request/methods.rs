//! Matches the methods of a route. The guards of the library record each method that they compare,
//! with two allocations, for a 405 response that this server creates itself.

use actix_web::guard::fn_guard;
use actix_web::http::Method;
use actix_web::{Route, web};

/// "All general-purpose servers MUST support the methods GET and HEAD" (RFC 9110 §9.1).
pub(crate) fn get() -> Route {
    route(&[Method::GET, Method::HEAD])
}

pub(crate) fn post() -> Route {
    route(&[Method::POST])
}

fn route(methods: &'static [Method]) -> Route {
    web::route().guard(fn_guard(move |context| methods.contains(&context.head().method)))
}

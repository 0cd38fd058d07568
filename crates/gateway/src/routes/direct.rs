//! Matches routes by their literal segments before the router runs. The router tries one regular
//! expression after the other and copies the captures, which is slower.
//!
//! A path that matches here would match the same pattern in the router. Every other request goes to
//! the router, including paths with escapes and other methods.

use std::cell::RefCell;
use std::rc::Rc;

use actix_http::Extensions;
use actix_web::body::BoxBody;
use actix_web::dev::{Service, ServiceFactory, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::{Error, Route};
use futures_util::future::{FutureExt as _, LocalBoxFuture, TryFutureExt as _, try_join_all};

type RouteService = <Route as ServiceFactory<ServiceRequest>>::Service;

/// The middleware between the access log and the router.
#[derive(Clone, Default)]
pub(crate) struct DirectRoutes(Rc<RefCell<Vec<DirectRoute<Route>>>>);

pub(crate) struct DirectService<S> {
    routes: Vec<DirectRoute<RouteService>>,
    router: S,
}

struct DirectRoute<T> {
    pattern: Pattern,
    /// The data that the router would add to the request.
    data: Rc<Extensions>,
    route: T,
}

/// A pattern with at most one parameter.
#[derive(Clone, Copy)]
struct Pattern {
    before: &'static str,
    /// The segments after the parameter.
    after: Option<&'static str>,
}

impl DirectRoutes {
    pub(super) fn push(&self, pattern: &'static str, data: Rc<Extensions>, route: Route) {
        self.0.borrow_mut().push(DirectRoute { pattern: Pattern::new(pattern), data, route });
    }
}

impl Pattern {
    fn new(pattern: &'static str) -> Self {
        match pattern.split_once("{id}") {
            Some((before, after)) => Self { before, after: Some(after) },
            None => Self { before: pattern, after: None },
        }
    }

    fn matches(self, path: &str) -> bool {
        let Some(rest) = path.strip_prefix(self.before) else { return false };
        match self.after {
            Some(after) => {
                rest.strip_suffix(after).is_some_and(|segment| !segment.is_empty() && !segment.contains('/'))
            }
            None => rest.is_empty(),
        }
    }
}

impl<S> Transform<S, ServiceRequest> for DirectRoutes
where
    S: Service<
            ServiceRequest,
            Response = ServiceResponse<BoxBody>,
            Error = Error,
            Future = LocalBoxFuture<'static, Result<ServiceResponse<BoxBody>, Error>>,
        > + 'static,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = Error;
    type Transform = DirectService<S>;
    type InitError = ();
    type Future = LocalBoxFuture<'static, Result<Self::Transform, ()>>;

    fn new_transform(&self, router: S) -> Self::Future {
        let routes = self.0.borrow();
        let routes = routes.iter().map(|DirectRoute { pattern, data, route }| {
            let (pattern, data) = (*pattern, Rc::clone(data));
            route.new_service(()).map_ok(move |route| DirectRoute { pattern, data, route })
        });
        try_join_all(routes).map_ok(|routes| DirectService { routes, router }).boxed_local()
    }
}

impl<S> Service<ServiceRequest> for DirectService<S>
where
    S: Service<
            ServiceRequest,
            Response = ServiceResponse<BoxBody>,
            Error = Error,
            Future = LocalBoxFuture<'static, Result<ServiceResponse<BoxBody>, Error>>,
        >,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = Error;
    type Future = S::Future;

    forward_ready!(router);

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        for DirectRoute { pattern, data, route } in &self.routes {
            if pattern.matches(request.uri().path()) && route.check(&mut request) {
                request.add_data_container(Rc::clone(data));
                return route.call(request);
            }
        }
        self.router.call(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pattern_variable_matches_one_whole_segment() {
        for (pattern, path, expected) in [
            ("/tenant/{id}/token", "/tenant/acme/token", true),
            ("/tenant/{id}/token", "/tenant/%61cme/token", true),
            ("/tenant/{id}/token", "/tenant//token", false),
            ("/tenant/{id}/token", "/tenant/token", false),
            ("/tenant/{id}/token", "/tenant/acme/x/token", false),
            ("/tenant/{id}/token", "/tenant/acme/token/", false),
            ("/tenant/{id}/token", "/tenant/acme/tokens", false),
            ("/tenant/{id}/token", "/tenant/acme/%74oken", false),
            ("/tenant/{id}/token", "/x/tenant/acme/token", false),
            ("/token", "/token", true),
            ("/token", "/token/", false),
            ("/token", "/tokens", false),
            ("/token", "/toke", false),
        ] {
            assert_eq!(Pattern::new(pattern).matches(path), expected, "{pattern} {path}");
        }
    }
}

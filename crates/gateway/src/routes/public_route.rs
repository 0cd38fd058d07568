//! A public path: its handlers, and the responses to other methods and to preflights.

use actix_web::{FromRequest, Handler, Resource, Responder, ResponseError as _, web};

use crate::request::{ServerFailure, methods};
use crate::respond::OAuthError;

/// Other methods get 405.
pub(super) struct PublicRoute {
    pub(super) pattern: &'static str,
    pub(super) methods: &'static str,
    /// Each function creates a handler, because the route is registered in several places.
    pub(super) to_handlers: Vec<Box<dyn Fn() -> actix_web::Route>>,
}

pub(super) fn post<Args: FromRequest + 'static>(
    pattern: &'static str,
    handler: impl Handler<Args, Output: Responder + 'static>,
) -> PublicRoute {
    PublicRoute { pattern, methods: "POST", to_handlers: Vec::new() }.with(methods::post, handler)
}

pub(super) fn get<Args: FromRequest + 'static>(
    pattern: &'static str,
    handler: impl Handler<Args, Output: Responder + 'static>,
) -> PublicRoute {
    PublicRoute { pattern, methods: "GET, HEAD", to_handlers: Vec::new() }.with(methods::get, handler)
}

pub(super) fn any<Args: FromRequest + 'static>(
    pattern: &'static str,
    handler: impl Handler<Args, Output: Responder + 'static>,
) -> PublicRoute {
    PublicRoute { pattern, methods: "", to_handlers: Vec::new() }.with(web::route, handler)
}

impl PublicRoute {
    pub(super) fn post<Args: FromRequest + 'static>(
        self,
        handler: impl Handler<Args, Output: Responder + 'static>,
    ) -> Self {
        Self { methods: "GET, HEAD, POST", ..self }.with(methods::post, handler)
    }

    fn with<Args: FromRequest + 'static>(
        mut self,
        route: fn() -> actix_web::Route,
        handler: impl Handler<Args, Output: Responder + 'static>,
    ) -> Self {
        self.to_handlers.push(Box::new(move || route().to(handler.clone())));
        self
    }
}

impl From<PublicRoute> for (&'static str, Resource) {
    fn from(PublicRoute { pattern, methods, to_handlers }: PublicRoute) -> Self {
        let wrong_method =
            async move || OAuthError::from(ServerFailure::MethodNotAllowed(methods)).error_response();
        // The path of an issuer may have several segments.
        let mut resource = web::resource(pattern.replace("{issuer}", "{issuer:.*}"));
        for to_handler in to_handlers {
            resource = resource.route(to_handler());
        }
        (pattern, resource.default_service(web::to(wrong_method)))
    }
}

//! One line a request, written after the response: method, route, status, tenant, client, latency, request id. Never a path as it
//! was sent, a header or a body: each could hold a secret.

use std::future::{Ready, ready};
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use actix_http::body::{BodySize, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::http::header::{CONTENT_LENGTH, HeaderName, HeaderValue, TRANSFER_ENCODING};
use actix_web::http::{Method, StatusCode};
use actix_web::rt::time::Instant;
use actix_web::web::Bytes;
use actix_web::{Error, HttpMessage as _};
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use pin_project_lite::pin_project;
use registry::ClientId;
use tenancy::TenantId;

use crate::connection::Deadlines;
use crate::respond::Refusal;
use crate::routes::RoutePattern;

/// What a handler tells the log.
#[derive(Default)]
pub(crate) struct Notes {
    pub(crate) tenant: Option<TenantId>,
    /// Only a client that has proven who it is: an unproven identifier may be anything, even a secret in the wrong field.
    pub(crate) client: Option<ClientId>,
}

/// The middleware, outermost.
pub(crate) struct AccessLog;

pub(crate) struct AccessLogService<S> {
    service: Rc<S>,
}

pin_project! {
    /// A body that knows when it has been handed to the connection: its line is written when both are dropped.
    pub(crate) struct LoggedBody<B> {
        #[pin]
        body: B,
        _line: Line,
    }
}

struct Line {
    method: Method,
    route: Option<&'static str>,
    status: StatusCode,
    notes: Notes,
    started: Instant,
    request_id: HeaderValue,
    deadlines: Option<Rc<Deadlines>>,
}

impl<S, B> Transform<S, ServiceRequest> for AccessLog
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<LoggedBody<B>>;
    type Error = Error;
    type Transform = AccessLogService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(AccessLogService { service: Rc::new(service) }))
    }
}

impl<S, B> Service<ServiceRequest> for AccessLogService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<LoggedBody<B>>;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self::Response, Error>>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let deadlines = request.conn_data::<Rc<Deadlines>>().cloned();
        if let Some(deadlines) = &deadlines {
            deadlines.request_began(has_body(&request));
        }
        request.extensions_mut().insert(Notes::default());
        let mut line = Line::begin(request.method().clone(), deadlines);
        let service = Rc::clone(&self.service);
        Box::pin(async move {
            // A panic in one request must not end the connections of all others on this worker.
            let outcome = AssertUnwindSafe(service.call(request)).catch_unwind().await;
            let mut response = outcome.unwrap_or_else(|_| Err(Refusal::fault(&Panicked).into()))?;
            line.route = response.request().app_data::<RoutePattern>().map(|pattern| pattern.0);
            line.status = response.status();
            line.notes = response.request().extensions_mut().remove::<Notes>().unwrap_or_default();
            response.headers_mut().insert(HeaderName::from_static("x-request-id"), line.request_id.clone());
            Ok(response.map_body(|_, body| LoggedBody { body, _line: line }))
        })
    }
}

impl<B: MessageBody> MessageBody for LoggedBody<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, B::Error>>> {
        self.project().body.poll_next(cx)
    }
}

impl Line {
    fn begin(method: Method, deadlines: Option<Rc<Deadlines>>) -> Self {
        Self {
            method,
            route: None,
            status: StatusCode::INTERNAL_SERVER_ERROR,
            notes: Notes::default(),
            started: Instant::now(),
            request_id: request_id(),
            deadlines,
        }
    }
}

/// A line is written when the body that it describes is gone, or when the request is, whichever way that came.
impl Drop for Line {
    fn drop(&mut self) {
        if let Some(deadlines) = &self.deadlines {
            deadlines.request_ended(Instant::now());
        }
        tracing::info!(
            target: "access",
            method = self.method.as_str(),
            route = self.route.unwrap_or("-"),
            status = self.status.as_u16(),
            tenant = self.notes.tenant.as_ref().map_or("-", TenantId::as_str),
            client_id = self.notes.client.as_ref().map_or("-", ClientId::as_str),
            latency_us = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX),
            request_id = self.request_id.to_str().unwrap_or_default(),
        );
    }
}

/// Unique over all processes: 64 random bits drawn at start, then counted up.
fn request_id() -> HeaderValue {
    static FIRST: LazyLock<u64> = LazyLock::new(|| RandomState::new().build_hasher().finish());
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = FIRST.wrapping_add(COUNT.fetch_add(1, Ordering::Relaxed));
    HeaderValue::try_from(format!("{number:016x}")).unwrap_or_else(|_| HeaderValue::from_static("-"))
}

/// A request's handler panicked; the panic itself has been reported by the panic hook.
#[derive(Debug, thiserror::Error)]
#[error("the handler panicked")]
struct Panicked;

fn has_body(request: &ServiceRequest) -> bool {
    let headers = request.headers();
    headers.contains_key(TRANSFER_ENCODING) || headers.get(CONTENT_LENGTH).is_some_and(|length| length != "0")
}

//! Writes one line for each request after its response: method, route, status, tenant, client, latency,
//! request id, address, user agent. A line contains no path as it was sent, no body, and no header but the
//! user agent, because each could contain a secret. The metrics count the same facts at the same moment.

mod log_entry;
mod short_text;
mod unparsed_requests;

use std::cell::RefCell;
use std::future::{Ready, ready};
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_http::ConnectionType;
use actix_http::body::{BodySize, MessageBody};
use actix_web::Error;
use actix_web::dev::{Payload, Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::http::header::{CONTENT_LENGTH, HeaderName, TRANSFER_ENCODING, USER_AGENT};
use actix_web::web::{Bytes, Data};
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use pin_project_lite::pin_project;

use crate::connection::Deadlines;
use crate::metrics::{Series, WorkerMetrics};
use crate::options::BaseUrl;
use crate::readiness::Readiness;
use crate::request::{FIELDS, RequestLogFields, Route, Sharing, caller, claims_to_be_forwarded};
use crate::respond::{OAuthError, Protective, link_help};
use log_entry::LogEntry;
pub(crate) use unparsed_requests::log_unparsed;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The middleware, outermost.
#[derive(Clone)]
pub(crate) struct AccessLog {
    /// Counts requests that no route takes.
    pub(crate) unknown: Arc<Series>,
    pub(crate) readiness: Arc<Readiness>,
    pub(crate) protective: Protective,
    /// Counts requests whose forwarding headers are ignored. None if the listener trusts a proxy.
    pub(crate) unread_forwarding: Option<Arc<WorkerMetrics>>,
}

pub(crate) struct AccessLogService<S> {
    service: Rc<S>,
    log: AccessLog,
}

pin_project! {
    /// A body with its log entry: the line is written when the connection has taken the body and drops it.
    pub(crate) struct LoggedBody<B> {
        #[pin]
        body: B,
        _entry: LogEntry,
    }
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
        ready(Ok(AccessLogService { service: Rc::new(service), log: self.clone() }))
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

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let deadlines = request.conn_data::<Rc<Deadlines>>().cloned();
        if let Some(deadlines) = &deadlines {
            deadlines.request_began(has_body(&mut request));
        }
        let AccessLog { unknown, readiness, protective, unread_forwarding } = &self.log;
        if let Some(metrics) = unread_forwarding
            && claims_to_be_forwarded(request.headers())
        {
            metrics.forwarding_was_not_read();
        }
        let mut entry = LogEntry::begin(request.method().clone(), Arc::clone(unknown), deadlines);
        entry.address = caller(request.request());
        entry.user_agent = request.headers().get(USER_AGENT).cloned();
        let (service, readiness, protective) = (Rc::clone(&self.service), Arc::clone(readiness), *protective);
        Box::pin(async move {
            // A panic in one request must not end the connections of all others on this worker.
            let served = AssertUnwindSafe(service.call(request)).catch_unwind();
            let fields = RequestLogFields { request_id: entry.request_id, ..RequestLogFields::default() };
            let mut served = pin!(FIELDS.scope(RefCell::new(fields), served));
            let outcome = served.as_mut().await;
            entry.fields = served.take_value().unwrap_or_default().into_inner();
            let outcome = outcome.unwrap_or_else(|_| Err(OAuthError::fault(&Panicked).into()));
            let mut response = outcome.inspect_err(|error| entry.failed(error))?;
            let mut sharing = None;
            if let Some(route) = response.request().app_data::<Route>() {
                (entry.route, entry.series) = (Some(route.pattern), Arc::clone(&route.series));
                let head = response.request().head();
                sharing = route.is_shared.then(|| Sharing::new(&head.method, head.headers()));
            }
            if let Some(sharing) = sharing {
                sharing.allow(response.headers_mut());
            }
            entry.answered(response.response());
            // The last response of a connection says that the connection ends. While the program drains, the
            // caller then sends its next request to another instance, and not into a connection that is being
            // closed.
            if readiness.is_draining() || entry.leaves_a_body() {
                response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
            }
            if response.status().as_u16() >= 400
                && let Some(base) = response.request().app_data::<Data<BaseUrl>>().cloned()
            {
                link_help(response.response_mut(), &base.0);
            }
            protective.protect(response.headers_mut());
            if let Some(id) = entry.request_id {
                response.headers_mut().insert(X_REQUEST_ID, id.to_header());
            }
            Ok(response.map_body(|_, body| LoggedBody { body, _entry: entry }))
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

/// A request's handler panicked; the panic itself has been reported by the panic hook.
#[derive(Debug, thiserror::Error)]
#[error("the handler panicked")]
struct Panicked;

fn has_body(request: &mut ServiceRequest) -> bool {
    if matches!(request.parts_mut().1, Payload::None) {
        return false;
    }
    let headers = request.headers();
    headers.contains_key(TRANSFER_ENCODING) || headers.get(CONTENT_LENGTH).is_some_and(|length| length != "0")
}

//! What is known of one request when it is over: one line in the log, and the same in the numbers.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use actix_web::http::header::HeaderValue;
use actix_web::http::{Method, StatusCode};
use actix_web::rt::time::Instant;
use actix_web::{Error, HttpResponse};
use protocol::{ErrorCode, SigningAlgorithm};
use registry::ClientId;
use tenancy::TenantId;

use crate::connection::Deadlines;
use crate::metrics::{Answered, Series};

/// The fields of a log line that a handler sets.
#[derive(Default)]
pub(crate) struct RequestLogFields {
    pub(crate) tenant: Option<TenantId>,
    /// Only a client that has proven who it is: an unproven identifier may be anything, even a secret in the wrong field.
    pub(crate) client: Option<ClientId>,
    /// What the token of the answer was signed with.
    pub(crate) signed: Option<SigningAlgorithm>,
    /// What was refused in an answer that is no error of HTTP.
    pub(crate) error: Option<ErrorCode>,
}

pub(super) struct LogEntry {
    /// None for what did not become a request.
    method: Option<Method>,
    pub(super) route: Option<&'static str>,
    pub(super) series: Arc<Series>,
    /// None until there is an answer.
    status: Option<StatusCode>,
    error: Option<ErrorCode>,
    pub(super) fields: RequestLogFields,
    started: Instant,
    pub(super) request_id: HeaderValue,
    deadlines: Option<Rc<Deadlines>>,
}

impl LogEntry {
    pub(super) fn begin(method: Method, series: Arc<Series>, deadlines: Option<Rc<Deadlines>>) -> Self {
        Self {
            method: Some(method),
            route: None,
            series,
            status: None,
            error: None,
            fields: RequestLogFields::default(),
            started: Instant::now(),
            request_id: request_id(),
            deadlines,
        }
    }

    /// Of a head that was answered without becoming a request. The answer has no identifier.
    pub(super) fn unparsed(series: Arc<Series>, status: StatusCode, started: Instant) -> Self {
        let request_id = HeaderValue::from_static("-");
        let mut entry = Self::begin(Method::GET, series, None);
        (entry.method, entry.status) = (None, Some(status));
        (entry.started, entry.request_id) = (started, request_id);
        entry
    }

    /// Whether a body is still to come that is not read: the next bytes would be taken for it.
    pub(super) fn leaves_a_body(&self) -> bool {
        self.deadlines.as_ref().is_some_and(|deadlines| deadlines.is_body_unread())
    }

    pub(super) fn answered<B>(&mut self, response: &HttpResponse<B>) {
        self.status = Some(response.status());
        if response.status().as_u16() >= 400 {
            self.error = response.extensions().get::<ErrorCode>().copied();
        }
    }

    /// Without a response the library answers for us.
    pub(super) fn failed(&mut self, error: &Error) {
        self.answered(&error.error_response());
    }
}

/// A line is written when the body that it describes is gone, or when the request is, whichever way that came.
impl Drop for LogEntry {
    fn drop(&mut self) {
        if let Some(deadlines) = &self.deadlines {
            deadlines.request_ended(Instant::now());
        }
        let took = self.started.elapsed();
        self.series.record(
            Answered {
                status: self.status.map(|status| status.as_u16()),
                error: self.error.or(self.fields.error),
                signed: self.fields.signed,
            },
            took,
        );
        tracing::info!(
            target: "access",
            method = self.method.as_ref().map_or("-", Method::as_str),
            route = self.route.unwrap_or("-"),
            // Nobody reads the answer of a request that was given up.
            status = self.status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).as_u16(),
            tenant = self.fields.tenant.as_ref().map_or("-", TenantId::as_str),
            client_id = self.fields.client.as_ref().map_or("-", ClientId::as_str),
            latency_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
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

//! The facts about one finished request: one line in the log, and the same facts in the metrics.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::http::header::HeaderValue;
use actix_web::http::{Method, StatusCode};
use actix_web::rt::time::Instant;
use actix_web::{Error, HttpResponse};
use administration::Refusal;
use protocol::{ErrorCode, RefusalReason};
use registry::ClientId;
use tenancy::TenantId;

use super::short_text::{ShortText, USER_AGENT_BYTES};
use crate::connection::Deadlines;
use crate::metrics::Series;
use crate::request::{RequestId, RequestLogFields, RequestObserver, RequestRefusal};

/// The longest text of an IPv6 address, with an IPv4 address at its end.
const ADDRESS_BYTES: usize = 45;

pub(super) struct LogEntry {
    /// None if the head did not become a request.
    method: Option<Method>,
    pub(super) route: Option<&'static str>,
    pub(super) series: Arc<Series>,
    /// None until there is a response.
    status: Option<StatusCode>,
    error: Option<ErrorCode>,
    refused: Option<RequestRefusal>,
    pub(super) fields: RequestLogFields,
    started: Instant,
    /// None if the response has no identifier.
    pub(super) request_id: Option<RequestId>,
    /// The caller's address, as the rule of trusted proxies says.
    pub(super) address: Option<IpAddr>,
    /// The header as it was sent.
    pub(super) user_agent: Option<HeaderValue>,
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
            refused: None,
            fields: RequestLogFields::default(),
            started: Instant::now(),
            request_id: Some(RequestId::next()),
            address: None,
            user_agent: None,
            deadlines,
        }
    }

    /// The entry of a head that was answered without becoming a request. The response has no identifier.
    /// `peer` is the other end of the connection.
    pub(super) fn unparsed(
        series: Arc<Series>,
        status: StatusCode,
        started: Instant,
        peer: Option<IpAddr>,
    ) -> Self {
        let mut entry = Self::begin(Method::GET, series, None);
        (entry.method, entry.status) = (None, Some(status));
        (entry.started, entry.request_id, entry.address) = (started, None, peer);
        entry
    }

    /// Whether an unread body may still arrive: the connection would read it as the next request.
    pub(super) fn leaves_a_body(&self) -> bool {
        self.deadlines.as_ref().is_some_and(|deadlines| deadlines.is_body_unread())
    }

    pub(super) fn answered<B>(&mut self, response: &HttpResponse<B>) {
        self.status = Some(response.status());
        if response.status().as_u16() >= 400 {
            let extensions = response.extensions();
            self.error = extensions.get::<ErrorCode>().copied();
            self.refused = extensions.get::<RequestRefusal>().cloned();
        }
    }

    /// Counts the request, and stores a refused one.
    fn observe(&self, tenant: Option<&TenantId>, error: Option<ErrorCode>, reason: Option<RefusalReason>) {
        let RequestLogFields { observer, happened, client: registered, .. } = &self.fields;
        let (Some(RequestObserver { usage, refusals, source, now }), Some(tenant)) = (observer, tenant)
        else {
            return;
        };
        let Some(reason) = reason else {
            if let Some(counter) = happened {
                usage.note(tenant, registered.as_ref(), *counter, *now);
            }
            return;
        };
        let refused = self.refused.as_ref();
        let client = registered.as_ref().or_else(|| refused.and_then(RequestRefusal::claimed_client));
        usage.note_refusal(tenant, client, reason, *now);
        refusals.note(Refusal {
            tenant: tenant.clone(),
            at: *now,
            request_id: self.request_id.as_ref().map_or("-", RequestId::as_str).to_owned(),
            route: self.route.unwrap_or("-").to_owned(),
            status: self.status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).as_u16().into(),
            error: error.map_or("", ErrorCode::as_str).to_owned(),
            reason: reason.as_str().to_owned(),
            client: client.cloned(),
            is_proven: registered.is_some() && !self.fields.is_client_unproven,
            auth_method: self
                .fields
                .authentication
                .map_or("", |attempted| attempted.method.as_str())
                .to_owned(),
            scope: refused.and_then(RequestRefusal::scope).unwrap_or_default().to_owned(),
            source: source.to_string(),
        });
    }

    /// Records the response that the library makes of an error.
    pub(super) fn failed(&mut self, error: &Error) {
        self.answered(&error.error_response());
    }
}

/// Writes the line when the response's body is dropped, or the request without a response.
impl Drop for LogEntry {
    fn drop(&mut self) {
        let now = Instant::now();
        if let Some(deadlines) = &self.deadlines {
            deadlines.request_ended(now);
        }
        let took = now - self.started;
        let error = self.error.or(self.fields.error);
        let refused = self.refused.as_ref();
        let reason = refused.map(|refused| refused.reason).or(self.fields.reason);
        let tenant = self.fields.tenant.as_ref().or_else(|| refused.and_then(RequestRefusal::tenant));
        self.series.record(self.status.map(|status| status.as_u16()), error, &self.fields, took);
        self.observe(tenant, error, reason);
        let mut address = ShortText::<ADDRESS_BYTES>::new();
        if let Some(known) = self.address {
            let _ = write!(address, "{known}");
        }
        let user_agent = self.user_agent.as_ref().map_or(&[][..], HeaderValue::as_bytes);
        tracing::info!(
            target: "access",
            method = self.method.as_ref().map_or("-", Method::as_str),
            route = self.route.unwrap_or("-"),
            // A client that left does not read the status.
            status = self.status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).as_u16(),
            tenant = tenant.map_or("-", TenantId::as_str),
            client_id = self.fields.client.as_ref().map_or("-", ClientId::as_str),
            latency_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            request_id = self.request_id.as_ref().map_or("-", RequestId::as_str),
            address = address.as_str(),
            user_agent = ShortText::<USER_AGENT_BYTES>::cleaned(user_agent).as_str(),
            // Only a request that presents a client has this field in its line.
            auth_method = self.fields.authentication.map(|attempted| attempted.method.as_str()),
            // These are in the line of a refused request only.
            error = error.map(ErrorCode::as_str),
            reason = reason.map(RefusalReason::as_str),
            claimed_client_id = refused.and_then(RequestRefusal::claimed_client).map(ClientId::as_str),
            refused_scope = refused.and_then(RequestRefusal::scope),
        );
    }
}

//! A request before its handler: route, head, body, log fields and failures.

mod body;
pub(crate) mod cross_origin;
mod failure;
mod forwarded;
mod hosts;
mod log_fields;
pub(crate) mod methods;
mod raw_request;
mod refused;
mod request_id;
mod route;
mod tenant_request;

pub(crate) use body::{BodyBounds, BodyError, WipedBody};
pub(crate) use cross_origin::Sharing;
pub(crate) use failure::ServerFailure;
pub use forwarded::{ForwardingHeader, TrustedPeers};
pub(crate) use forwarded::{claims_to_be_forwarded, parameter};
pub(crate) use hosts::HostNames;
pub(crate) use log_fields::{FIELDS, RequestLogFields, RequestObserver, request_id};
pub(crate) use raw_request::{FORM, JSON, MERGE_PATCH, NDJSON, RawRequest, VisitedTenant, caller};
pub(crate) use refused::{LoggedName, RequestRefusal};
pub(crate) use request_id::RequestId;
pub(crate) use route::Route;
pub(crate) use tenant_request::{TenantRequest, serve_form};

//! A request as it comes: its route, its head and its body, what is noted of it, and how it fails on the way.

pub(crate) mod body;
pub(crate) mod cross_origin;
pub(crate) mod failure;
pub(crate) mod forwarded;
pub(crate) mod hosts;
pub(crate) mod log_fields;
pub(crate) mod methods;
pub(crate) mod raw_request;
pub(crate) mod refused;
pub(crate) mod request_id;
pub(crate) mod route;
pub(crate) mod tenant_request;

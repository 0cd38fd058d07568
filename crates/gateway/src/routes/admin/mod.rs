//! The admin API: tenants of the platform, clients, secrets, accounts and signing keys of a tenant, and the audit of all. A handler gets an
//! authorized request, reads its query or body, and passes it to administration, which decides.

pub(crate) mod account_sign_ins;
pub(crate) mod accounts;
pub(crate) mod audit;
pub(crate) mod clients;
pub(crate) mod explain;
pub(crate) mod key_commands;
pub(crate) mod secrets;
pub(crate) mod signing_keys;
pub(crate) mod tenants;

mod admin_request;
mod endpoint;
mod idempotency;
mod names;
mod query;
mod row;

pub(crate) use admin_request::AdminAccess;
pub(crate) use endpoint::{Serve, resources};

use actix_web::HttpResponse;

use crate::raw_request::RawRequest;
use crate::respond::Problem;

/// What every handler of the admin API answers with.
type Answer = Result<HttpResponse, Problem>;

/// The tenant that a path below `/api/v1/tenant/` names, as it was sent.
pub(crate) fn tenant_of_admin_path(raw: &RawRequest) -> Option<&str> {
    raw.pattern().starts_with("/api/v1/tenant/").then(|| raw.place("id").unwrap_or_default())
}

//! The admin API: tenants of the platform, clients, secrets and signing keys of a tenant, and the audit of all. A handler finds out who asks, reads
//! what is asked, and hands it to administration, which decides.

pub(crate) mod audit;
pub(crate) mod client_state;
pub(crate) mod clients;
pub(crate) mod key_commands;
pub(crate) mod secrets;
pub(crate) mod signing_keys;
pub(crate) mod tenant_state;
pub(crate) mod tenants;

mod admin_resource;
mod idempotency;
mod names;
mod query;
pub(super) mod unknown;

pub(super) use admin_resource::admin_resource;

use actix_web::HttpResponse;

use crate::respond::Problem;

/// What every handler of the admin API answers with.
type Answer = Result<HttpResponse, Problem>;

//! The admin API: tenants of the platform, clients, secrets, accounts and signing keys of a tenant, and the
//! audit of all of them. A handler gets an authorized request, reads its query or body, and passes it to
//! administration, which decides.

mod account_sign_ins;
mod accounts;
mod advice;
mod api_keys;
mod audit;
mod clients;
mod console;
mod explain;
mod key_commands;
mod refusals;
mod report_signatures;
mod secrets;
mod signing_keys;
mod status;
mod tenants;
mod usage;

mod admin_request;
mod answer;
mod endpoint;
mod groups;
pub(crate) mod idempotency;
mod names;
mod query;
mod row;

use answer::Answer;
pub(crate) use answer::Serve;
pub(crate) use endpoint::resources;
pub(crate) use groups::{GROUPS, operations};
pub(crate) use names::{decoded, encoded};
pub use report_signatures::{ReportStatement, SignatureReading};
pub(crate) use usage::{example as usage_example, span_of_form};

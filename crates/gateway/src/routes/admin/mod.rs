//! The admin API: tenants of the platform, clients, secrets, accounts and signing keys of a tenant, and the audit of all. A handler gets an
//! authorized request, reads its query or body, and passes it to administration, which decides.

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
mod secrets;
mod signing_keys;
mod status;
mod tenants;
mod usage;

mod admin_request;
mod endpoint;
mod idempotency;
mod names;
mod query;
mod row;

pub(crate) use admin_request::AdminAccess;
pub(crate) use endpoint::{Serve, resources};
pub(crate) use names::{decoded, encoded};
pub(crate) use usage::{example as usage_example, span_of_form};

use actix_web::HttpResponse;

use crate::openapi::{Group, Operation};
use crate::raw_request::RawRequest;
use crate::respond::Problem;

/// The groups of its operations, in the order in which a reader meets them.
pub(crate) const GROUPS: [Group; 9] = [
    (
        "Tenants",
        "Create, change, suspend and delete tenants: with `latchkey:tenants` of the platform.",
        &[tenants::endpoints],
    ),
    (
        "Clients",
        "A tenant's clients: with `latchkey:clients` of the platform or of the tenant.",
        &[clients::endpoints, explain::endpoints],
    ),
    (
        "Client secrets",
        "Several secrets of a client may be live at once, so that one is replaced without an outage.",
        &[secrets::endpoints],
    ),
    (
        "API keys",
        "Credentials of a client that name themselves, and opaque tokens with a part of its scope, for its customers.",
        &[api_keys::endpoints],
    ),
    (
        "Accounts",
        "A tenant's people, their sessions and consents: with `latchkey:accounts` of the platform or of the tenant.",
        &[accounts::endpoints, account_sign_ins::endpoints],
    ),
    (
        "Signing keys",
        "A tenant's keys, from their announcement to their removal: with `latchkey:keys` of the platform or of the tenant.",
        &[signing_keys::endpoints, key_commands::endpoints],
    ),
    (
        "Usage",
        "How often tokens were issued, refused, asked about and revoked, and why requests were refused: with `latchkey:audit`.",
        &[usage::endpoints, refusals::endpoints, advice::endpoints, status::endpoints],
    ),
    (
        "Console",
        "A browser that acts for the caller of this API, for as long as the caller's credential is valid.",
        &[console::endpoints],
    ),
    ("Audit", "Who did what, when, from where: with `latchkey:audit`.", &[audit::endpoints]),
];

/// All its operations.
pub(crate) fn operations() -> Vec<Operation> {
    GROUPS.iter().flat_map(|(_, _, files)| *files).flat_map(|file| file()).collect()
}

/// What every handler of the admin API answers with.
type Answer = Result<HttpResponse, Problem>;

/// The tenant that a path below `/api/v1/tenant/` names, as it was sent.
pub(crate) fn tenant_of_admin_path(raw: &RawRequest) -> Option<&str> {
    raw.pattern().starts_with("/api/v1/tenant/").then(|| raw.place("id").unwrap_or_default())
}

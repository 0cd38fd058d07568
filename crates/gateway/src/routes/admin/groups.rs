//! The tags of the admin API in the OpenAPI document.

use super::{
    account_sign_ins, accounts, advice, api_keys, audit, clients, console, explain, key_commands, refusals,
    report_signatures, secrets, signing_keys, status, tenants, usage,
};
use crate::openapi::{Group, Operation};

/// In the order of the documentation.
pub(crate) const GROUPS: [Group; 9] = [
    (
        "Tenants",
        "Create, change, suspend and delete tenants, and sign reports about the platform. Requires \
            `latchkey:tenants` of the platform.",
        &[tenants::endpoints, report_signatures::endpoints],
    ),
    (
        "Clients",
        "A tenant's clients. Requires `latchkey:clients` of the platform or of the tenant.",
        &[clients::endpoints, explain::endpoints],
    ),
    (
        "Client secrets",
        "A client can have several live secrets, so you can replace a secret without an outage.",
        &[secrets::endpoints],
    ),
    (
        "API keys",
        "Opaque keys for a client's customers, which identify the client and carry part of its scope.",
        &[api_keys::endpoints],
    ),
    (
        "Accounts",
        "A tenant's people, their sessions and consents. Requires `latchkey:accounts` of the platform or of \
            the tenant.",
        &[accounts::endpoints, account_sign_ins::endpoints],
    ),
    (
        "Signing keys",
        "A tenant's keys, from publication to removal. Requires `latchkey:keys` of the platform or of the tenant.",
        &[signing_keys::endpoints, key_commands::endpoints],
    ),
    (
        "Usage",
        "How many tokens were issued, refused, introspected and revoked, and why requests were refused. \
            Requires `latchkey:audit`.",
        &[usage::endpoints, refusals::endpoints, advice::endpoints, status::endpoints],
    ),
    (
        "Console",
        "A browser session that acts for the caller of this API, as long as the caller's credential is valid.",
        &[console::endpoints],
    ),
    ("Audit", "Who did what, when and from where. Requires `latchkey:audit`.", &[audit::endpoints]),
];

pub(crate) fn operations() -> Vec<Operation> {
    GROUPS.iter().flat_map(|(_, _, files)| *files).flat_map(|file| file()).collect()
}

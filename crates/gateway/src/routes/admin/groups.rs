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
        "Create, change, suspend and delete tenants, and have a report about the platform signed: with `latchkey:tenants` of the platform.",
        &[tenants::endpoints, report_signatures::endpoints],
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

pub(crate) fn operations() -> Vec<Operation> {
    GROUPS.iter().flat_map(|(_, _, files)| *files).flat_map(|file| file()).collect()
}

//! The groups of the operations, in the order in which a reader meets them.

use super::operation::Operation;
use super::paths::{applications, oauth, openid, operations};
use crate::routes::admin::{
    account_sign_ins, accounts, audit, clients, explain, key_commands, secrets, signing_keys, tenants,
};

/// Operations that belong together: a name, a description, and the files that have them.
type Group = (&'static str, &'static str, &'static [fn() -> Vec<Operation>]);

pub(super) const GROUPS: [Group; 16] = [
    (
        "Get a token",
        "The token endpoint (RFC 6749 section 4.4), of a tenant and of the default tenant.",
        &[oauth::tokens],
    ),
    (
        "Sign people in",
        "The OpenID Provider of a tenant (OpenID Connect Core): people come by their browsers.",
        &[openid::operations],
    ),
    ("Introspect a token", "What a token is worth now (RFC 7662).", &[oauth::introspection]),
    ("Revoke a token", "A client ends its token (RFC 7009).", &[oauth::revocation]),
    (
        "Verify a token",
        "Public keys (RFC 7517) and metadata (RFC 8414) for verifiers and clients.",
        &[oauth::discovery],
    ),
    ("Sample API", "A protected resource of this server, to try a token at.", &[oauth::sample]),
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
        "Accounts",
        "A tenant's people, their sessions and consents: with `latchkey:accounts` of the platform or of the tenant.",
        &[accounts::endpoints, account_sign_ins::endpoints],
    ),
    (
        "Signing keys",
        "A tenant's keys, from their announcement to their removal: with `latchkey:keys` of the platform or of the tenant.",
        &[signing_keys::endpoints, key_commands::endpoints],
    ),
    ("Audit", "Who did what, when, from where: with `latchkey:audit`.", &[audit::endpoints]),
    (
        "Applications",
        "The Thunder-compatible API: a person signs in, and manages applications of the default tenant.",
        &[applications::operations],
    ),
    ("Pages for people", "What the pages load that people see in a browser.", &[operations::assets]),
    ("Health and metrics", "For supervisors, load balancers and Prometheus.", &[operations::operations]),
    ("This documentation", "The OpenAPI document and the page that shows it.", &[operations::documentation]),
];

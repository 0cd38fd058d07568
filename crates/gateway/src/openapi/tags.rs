//! The groups of the operations, in the order in which a reader meets them.

use serde_json::{Value, json};

use super::operation::Operation;
use super::paths::{applications, clients, keys, oauth, operations, tenants};

/// The name of a group, its description, and its operations.
type Group = (&'static str, &'static str, fn() -> Vec<Operation>);

const GROUPS: [Group; 12] = [
    (
        "Get a token",
        "The token endpoint (RFC 6749 section 4.4), of a tenant and of the default tenant.",
        oauth::tokens,
    ),
    ("Introspect a token", "What a token is worth now (RFC 7662).", oauth::introspection),
    (
        "Verify a token",
        "Public keys (RFC 7517) and metadata (RFC 8414) for verifiers and clients.",
        oauth::discovery,
    ),
    ("Sample API", "A protected resource of this server, to try a token at.", oauth::sample),
    (
        "Tenants",
        "Create, change, suspend and delete tenants: with `latchkey:tenants` of the platform.",
        tenants::operations,
    ),
    (
        "Clients",
        "A tenant's clients: with `latchkey:clients` of the platform or of the tenant.",
        clients::operations,
    ),
    (
        "Client secrets",
        "Several secrets of a client may be live at once, so that one is replaced without an outage.",
        clients::secrets,
    ),
    (
        "Signing keys",
        "A tenant's keys, from their announcement to their removal: with `latchkey:keys` of the platform or of the tenant.",
        keys::operations,
    ),
    ("Audit", "Who did what, when, from where: with `latchkey:audit`.", tenants::audit),
    (
        "Applications",
        "The Thunder-compatible API: a person signs in, and manages applications of the default tenant.",
        applications::operations,
    ),
    ("Health and metrics", "For supervisors, load balancers and Prometheus.", operations::operations),
    ("This documentation", "The OpenAPI document and the page that shows it.", operations::documentation),
];

/// The operations of each group.
pub(super) fn operations() -> impl Iterator<Item = (&'static str, Vec<Operation>)> {
    GROUPS.into_iter().map(|(name, _, operations)| (name, operations()))
}

/// The groups with their descriptions.
pub(super) fn descriptions() -> Value {
    GROUPS.iter().map(|(name, description, _)| json!({ "name": name, "description": description })).collect()
}

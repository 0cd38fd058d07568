//! The groups of the operations, in the order in which a reader meets them.

use serde_json::{Value, json};

use super::operation::Operation;
use super::paths::{accounts, applications, clients, keys, oauth, openid, operations, tenants};

/// Operations that belong together.
pub(super) struct Group {
    pub(super) name: &'static str,
    description: &'static str,
    operations: fn() -> Vec<Operation>,
}

const fn group(name: &'static str, description: &'static str, operations: fn() -> Vec<Operation>) -> Group {
    Group { name, description, operations }
}

pub(super) const GROUPS: [Group; 16] = [
    group(
        "Get a token",
        "The token endpoint (RFC 6749 section 4.4), of a tenant and of the default tenant.",
        oauth::tokens,
    ),
    group(
        "Sign people in",
        "The OpenID Provider of a tenant (OpenID Connect Core): people come by their browsers.",
        openid::operations,
    ),
    group("Introspect a token", "What a token is worth now (RFC 7662).", oauth::introspection),
    group("Revoke a token", "A client ends its token (RFC 7009).", oauth::revocation),
    group(
        "Verify a token",
        "Public keys (RFC 7517) and metadata (RFC 8414) for verifiers and clients.",
        oauth::discovery,
    ),
    group("Sample API", "A protected resource of this server, to try a token at.", oauth::sample),
    group(
        "Tenants",
        "Create, change, suspend and delete tenants: with `latchkey:tenants` of the platform.",
        tenants::operations,
    ),
    group(
        "Clients",
        "A tenant's clients: with `latchkey:clients` of the platform or of the tenant.",
        clients::operations,
    ),
    group(
        "Client secrets",
        "Several secrets of a client may be live at once, so that one is replaced without an outage.",
        clients::secrets,
    ),
    group(
        "Accounts",
        "A tenant's people, their sessions and consents: with `latchkey:accounts` of the platform or of the tenant.",
        accounts::operations,
    ),
    group(
        "Signing keys",
        "A tenant's keys, from their announcement to their removal: with `latchkey:keys` of the platform or of the tenant.",
        keys::operations,
    ),
    group("Audit", "Who did what, when, from where: with `latchkey:audit`.", tenants::audit),
    group(
        "Applications",
        "The Thunder-compatible API: a person signs in, and manages applications of the default tenant.",
        applications::operations,
    ),
    group("Pages for people", "What the pages load that people see in a browser.", operations::assets),
    group("Health and metrics", "For supervisors, load balancers and Prometheus.", operations::operations),
    group(
        "This documentation",
        "The OpenAPI document and the page that shows it.",
        operations::documentation,
    ),
];

impl Group {
    pub(super) fn operations(&self) -> Vec<Operation> {
        (self.operations)()
    }

    /// Its entry in the document.
    pub(super) fn described(&self) -> Value {
        json!({ "name": self.name, "description": self.description })
    }
}

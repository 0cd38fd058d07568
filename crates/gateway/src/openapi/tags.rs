//! The groups of the operations, in the order in which a reader meets them.

use serde_json::{Value, json};

use super::operation::Operation;
use super::paths::{applications, oauth, openid, operations};
use crate::routes::admin::{
    Endpoint, account_sign_ins, accounts, audit, clients, explain, key_commands, secrets, signing_keys,
    tenants,
};

/// Operations that belong together.
pub(super) struct Group {
    pub(super) name: &'static str,
    description: &'static str,
    members: Members,
}

enum Members {
    Described(fn() -> Vec<Operation>),
    /// Of the admin API: the routes are made from the same values.
    Served(&'static [fn() -> Vec<Endpoint>]),
}

const fn group(name: &'static str, description: &'static str, operations: fn() -> Vec<Operation>) -> Group {
    Group { name, description, members: Members::Described(operations) }
}

const fn served(
    name: &'static str,
    description: &'static str,
    endpoints: &'static [fn() -> Vec<Endpoint>],
) -> Group {
    Group { name, description, members: Members::Served(endpoints) }
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
    served(
        "Tenants",
        "Create, change, suspend and delete tenants: with `latchkey:tenants` of the platform.",
        &[tenants::endpoints],
    ),
    served(
        "Clients",
        "A tenant's clients: with `latchkey:clients` of the platform or of the tenant.",
        &[clients::endpoints, explain::endpoints],
    ),
    served(
        "Client secrets",
        "Several secrets of a client may be live at once, so that one is replaced without an outage.",
        &[secrets::endpoints],
    ),
    served(
        "Accounts",
        "A tenant's people, their sessions and consents: with `latchkey:accounts` of the platform or of the tenant.",
        &[accounts::endpoints, account_sign_ins::endpoints],
    ),
    served(
        "Signing keys",
        "A tenant's keys, from their announcement to their removal: with `latchkey:keys` of the platform or of the tenant.",
        &[signing_keys::endpoints, key_commands::endpoints],
    ),
    served("Audit", "Who did what, when, from where: with `latchkey:audit`.", &[audit::endpoints]),
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
        match self.members {
            Members::Described(operations) => operations(),
            Members::Served(_) => self.endpoints().into_iter().map(Endpoint::described).collect(),
        }
    }

    /// Those of the admin API.
    pub(super) fn endpoints(&self) -> Vec<Endpoint> {
        match self.members {
            Members::Described(_) => Vec::new(),
            Members::Served(endpoints) => endpoints.iter().flat_map(|of| of()).collect(),
        }
    }

    /// Its entry in the document.
    pub(super) fn described(&self) -> Value {
        json!({ "name": self.name, "description": self.description })
    }
}

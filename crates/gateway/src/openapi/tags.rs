//! The tags of the document, in the order of the documentation.

use super::Group;
use super::paths::{applications, oauth, openid, operations};
use crate::routes::admin;

/// The tags of the admin API are defined next to their routes.
pub(super) fn groups() -> impl Iterator<Item = &'static Group> {
    BEFORE_ADMINISTRATION.iter().chain(&admin::GROUPS).chain(&AFTER_ADMINISTRATION)
}

const BEFORE_ADMINISTRATION: [Group; 8] = [
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
    ("Read own usage", "What a client did itself: docs/usage.md.", &[oauth::own_usage]),
    (
        "Verify a token",
        "Public keys (RFC 7517) and metadata (RFC 8414) for verifiers and clients.",
        &[oauth::discovery],
    ),
    ("Report a leak", "Who finds a secret or an API key reports it here: docs/secrets.md.", &[oauth::leaks]),
    ("Sample API", "A protected resource of this server, to try a token at.", &[oauth::sample]),
];

const AFTER_ADMINISTRATION: [Group; 4] = [
    (
        "Applications",
        "The Thunder-compatible API: a person signs in, and manages applications of the default tenant.",
        &[applications::operations],
    ),
    ("Pages for people", "What the pages load that people see in a browser.", &[operations::assets]),
    ("Health and metrics", "For supervisors, load balancers and Prometheus.", &[operations::operations]),
    ("This documentation", "The OpenAPI document and the page that shows it.", &[operations::documentation]),
];

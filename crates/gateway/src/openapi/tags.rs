//! The tags of the document, in the order of the documentation.

use super::Group;
use super::paths::{applications, oauth, openid, operations};
use crate::routes::admin;

/// The tags of the admin API are defined next to their routes.
pub(super) fn groups() -> impl Iterator<Item = &'static Group> {
    BEFORE_ADMINISTRATION.iter().chain(&admin::GROUPS).chain(&AFTER_ADMINISTRATION)
}

const BEFORE_ADMINISTRATION: [Group; 9] = [
    (
        "Get a token",
        "The token endpoint (RFC 6749 section 4.4), for a tenant and for the default tenant.",
        &[oauth::tokens],
    ),
    (
        "Sign people in",
        "The OpenID Provider of a tenant (OpenID Connect Core), for people with a browser.",
        &[openid::operations],
    ),
    ("Introspect a token", "Find out whether a token is valid now (RFC 7662).", &[oauth::introspection]),
    (
        "Forward authentication",
        "A proxy asks whether it may forward a request to an API: docs/protect-an-api.md.",
        &[oauth::forward_auth],
    ),
    ("Revoke a token", "A client revokes its own token (RFC 7009).", &[oauth::revocation]),
    ("Read your own usage", "A client's own activity: docs/usage.md.", &[oauth::own_usage]),
    (
        "Verify a token",
        "Public keys (RFC 7517) and metadata (RFC 8414) for verifiers and clients.",
        &[oauth::discovery],
    ),
    (
        "Report a leak",
        "Report a secret or an API key that you found in public: docs/secrets.md.",
        &[oauth::leaks],
    ),
    ("Sample API", "A protected resource on this server where you can try a token.", &[oauth::sample]),
];

const AFTER_ADMINISTRATION: [Group; 4] = [
    (
        "Applications",
        "The Thunder-compatible API: a person signs in and manages applications of the default tenant.",
        &[applications::operations],
    ),
    ("Pages for people", "Files that the pages for people load in a browser.", &[operations::assets]),
    ("Health and metrics", "For supervisors, load balancers and Prometheus.", &[operations::operations]),
    ("This documentation", "The OpenAPI document, as JSON and as a page.", &[operations::documentation]),
];

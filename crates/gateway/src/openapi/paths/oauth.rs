//! The authorization server: tokens, introspection, keys, metadata, and the sample resource server.

use serde_json::json;
use utoipa::openapi::HttpMethod::{Get, Post};

use crate::openapi::forms::{Error, Introspection, IntrospectionForm, JwkSet, Metadata, Token, TokenForm};
use crate::openapi::operation::{FORM, Operation, on};
use crate::routes::{protected_resource, strategies};

const INVALID_CLIENT: (&str, &str) = ("401", "invalid_client, with WWW-Authenticate: Basic");
const NO_AUTHORIZATION_SERVER: (&str, &str) = ("404", "Unknown or suspended tenant, or one without oauth2");
const TOO_MANY_FAILURES: (&str, &str) = (
    "429",
    "invalid_client, and too many authentications of this source failed before it; Retry-After says when it may fail again",
);

pub(crate) fn tokens() -> Vec<Operation> {
    vec![
        on(Post, "/api/v1/tenant/{id}/oauth/token")
            .named("token", "Fetch an access token.")
            .also("The default tenant is also served at /oauth/token and /oauth2/token.")
            .body::<TokenForm>(FORM, None)
            .secured(json!({}))
            .secured(json!({ "client_secret_basic": [] }))
            .answer::<Token>("200", "A token (RFC 6749 section 5.1)")
            .errors::<Error>(&[
                ("400", "invalid_request, unauthorized_client, unsupported_grant_type, invalid_scope or invalid_target (RFC 6749 section 5.2, RFC 8707 section 2)"),
                INVALID_CLIENT,
                NO_AUTHORIZATION_SERVER,
                ("408", "Head not complete in 5 s or body not in 10 s"),
                ("413", "Body over 65536 bytes"),
                ("415", "Body is not a form"),
                TOO_MANY_FAILURES,
                ("503", "Store or hash queue cannot take the request; Retry-After says when"),
            ]),
        on(Post, "/api/v1/tenant/{id}/oauth/introspect")
            .named("introspect", "Ask about an access token.")
            .also("The default tenant is also served at /oauth2/introspect.")
            .body::<IntrospectionForm>(FORM, None)
            .secured(json!({}))
            .secured(json!({ "client_secret_basic": [] }))
            .answer::<Introspection>("200", "What the caller may know (RFC 7662 section 2.2); {\"active\":false} for everything else")
            .errors::<Error>(&[
                ("400", "invalid_request"),
                INVALID_CLIENT,
                NO_AUTHORIZATION_SERVER,
                TOO_MANY_FAILURES,
                ("503", "The truth is not known now; Retry-After says when"),
            ]),
    ]
}

pub(crate) fn discovery() -> Vec<Operation> {
    vec![
        on(Get, "/api/v1/tenant/{id}/.well-known/jwks.json")
            .named("jwks", "Fetch a tenant's public keys.")
            .also("The default tenant is also served at /oauth2/jwks.")
            .answer::<JwkSet>("200", "The key set; ETag and Cache-Control say how long to keep it, shorter as a new key comes near")
            .empty_answer("304", "If-None-Match names the present key set")
            .errors::<Error>(&[("404", "Unknown tenant, or a suspended one without a key")]),
        on(Get, "/api/v1/tenant/{id}/.well-known/oauth-authorization-server")
            .named("metadata", "Fetch a tenant's metadata.")
            .also("The same document is at …/.well-known/openid-configuration and at /.well-known/oauth-authorization-server/api/v1/tenant/{id}.")
            .answer::<Metadata>("200", "What works (RFC 8414 section 2)")
            .errors::<Error>(&[NO_AUTHORIZATION_SERVER]),
        on(Get, "/api/v1/tenant/{id}/strategies")
            .named("strategies", "List the strategies that a tenant has enabled.")
            .answer::<strategies::Answer<'static>>("200", "The strategies, in the order oauth2, oidc")
            .errors::<Error>(&[("404", "Unknown or suspended tenant")]),
    ]
}

pub(crate) fn sample() -> Vec<Operation> {
    vec![
        on(Get, "/api/v1/protected-resource")
            .named("protected_resource", "Try a token at the sample resource server.")
            .secured(json!({ "access_token": [] }))
            .answer::<protected_resource::Answer<'static>>("200", "The token does")
            .errors::<Error>(&[
                ("401", "invalid_token, with WWW-Authenticate: Bearer; without a token no error code (RFC 6750 section 3.1)"),
                ("403", "insufficient_scope"),
                ("404", "No sample resource server is configured"),
            ]),
    ]
}

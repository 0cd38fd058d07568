//! Paths of the authorization server: tokens, introspection, keys, metadata, and the sample resource server.

use crate::openapi::schemas::{
    Error, Introspection, IntrospectionForm, JwkSet, Metadata, Sample, Strategies, Token, TokenForm,
};

/// Fetch an access token.
#[utoipa::path(
    post, path = "/api/v1/tenant/{id}/oauth/token", tag = "tokens",
    params(("id" = String, Path, description = "Tenant id. The default tenant is also served at /oauth/token and /oauth2/token.")),
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"),
    security((), ("client_secret_basic" = [])),
    responses(
        (status = 200, description = "A token (RFC 6749 section 5.1)", body = Token),
        (status = 400, description = "invalid_request, unauthorized_client, unsupported_grant_type, invalid_scope or invalid_target (RFC 6749 section 5.2, RFC 8707 section 2)", body = Error),
        (status = 401, description = "invalid_client, with WWW-Authenticate: Basic", body = Error),
        (status = 404, description = "Unknown or suspended tenant, or one without oauth2", body = Error),
        (status = 408, description = "Head not complete in 5 s or body not in 10 s", body = Error),
        (status = 413, description = "Body over 65536 bytes", body = Error),
        (status = 415, description = "Body is not a form", body = Error),
        (status = 429, description = "invalid_client, and too many authentications of this source failed before it; Retry-After says when it may fail again", body = Error),
        (status = 503, description = "Store or hash queue cannot take the request; Retry-After says when", body = Error),
    )
)]
pub(crate) fn token() {}

/// Ask about an access token.
#[utoipa::path(
    post, path = "/api/v1/tenant/{id}/oauth/introspect", tag = "tokens",
    params(("id" = String, Path, description = "Tenant id. The default tenant is also served at /oauth2/introspect.")),
    request_body(content = IntrospectionForm, content_type = "application/x-www-form-urlencoded"),
    security((), ("client_secret_basic" = [])),
    responses(
        (status = 200, description = "What the caller may know (RFC 7662 section 2.2); {\"active\":false} for everything else", body = Introspection),
        (status = 400, description = "invalid_request", body = Error),
        (status = 401, description = "invalid_client, with WWW-Authenticate: Basic", body = Error),
        (status = 404, description = "Unknown or suspended tenant, or one without oauth2", body = Error),
        (status = 429, description = "invalid_client, and too many authentications of this source failed before it; Retry-After says when it may fail again", body = Error),
        (status = 503, description = "The truth is not known now; Retry-After says when", body = Error),
    )
)]
pub(crate) fn introspect() {}

/// Fetch a tenant's public keys.
#[utoipa::path(
    get, path = "/api/v1/tenant/{id}/.well-known/jwks.json", tag = "discovery",
    params(("id" = String, Path, description = "Tenant id. The default tenant is also served at /oauth2/jwks.")),
    responses(
        (status = 200, description = "The key set; ETag and Cache-Control say how long to keep it, shorter as a new key comes near", body = JwkSet),
        (status = 304, description = "If-None-Match names the present key set"),
        (status = 404, description = "Unknown tenant, or a suspended one without a key", body = Error),
    )
)]
pub(crate) fn jwks() {}

/// Fetch a tenant's metadata.
#[utoipa::path(
    get, path = "/api/v1/tenant/{id}/.well-known/oauth-authorization-server", tag = "discovery",
    params(("id" = String, Path, description = "Tenant id. The same document is at …/.well-known/openid-configuration and at /.well-known/oauth-authorization-server/api/v1/tenant/{id}.")),
    responses(
        (status = 200, description = "What works (RFC 8414 section 2)", body = Metadata),
        (status = 404, description = "Unknown or suspended tenant, or one without oauth2", body = Error),
    )
)]
pub(crate) fn metadata() {}

/// List the strategies that a tenant has enabled.
#[utoipa::path(
    get, path = "/api/v1/tenant/{id}/strategies", tag = "discovery",
    params(("id" = String, Path, description = "Tenant id")),
    responses(
        (status = 200, description = "The strategies, in the order oauth2, oidc", body = Strategies),
        (status = 404, description = "Unknown or suspended tenant", body = Error),
    )
)]
pub(crate) fn strategies() {}

/// Try a token at the sample resource server.
#[utoipa::path(
    get, path = "/api/v1/protected-resource", tag = "sample",
    security(("access_token" = [])),
    responses(
        (status = 200, description = "The token does", body = Sample),
        (status = 401, description = "invalid_token, with WWW-Authenticate: Bearer; without a token no error code (RFC 6750 section 3.1)", body = Error),
        (status = 403, description = "insufficient_scope", body = Error),
        (status = 404, description = "No sample resource server is configured", body = Error),
    )
)]
pub(crate) fn protected_resource() {}

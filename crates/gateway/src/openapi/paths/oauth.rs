//! The authorization server: tokens, introspection, keys, metadata, and the sample resource server.
//! The default tenant also has paths without a tenant.

use administration::documents::UsageView;
use administration::documents::schema::JsonSchema;
use serde_json::json;

use crate::openapi::HttpMethod::{Get, Post};
use crate::openapi::forms::{
    Introspection, IntrospectionForm, JwkSet, LeakedSecrets, Metadata, Token, TokenForm, UsageForm,
};
use crate::openapi::operation::{FORM, Operation, on};
use crate::request::JSON;
use crate::routes::admin::usage_example;
use crate::routes::{protected_resource, strategies};

pub(super) const INVALID_CLIENT: (&str, &str) = ("401", "invalid_client, with WWW-Authenticate: Basic");
const NO_AUTHORIZATION_SERVER: (&str, &str) = ("404", "Unknown or suspended tenant, or one without oauth2");
const TOO_MANY_FAILURES: (&str, &str) = (
    "429",
    "invalid_client after too many failed authentications from this source; Retry-After says when to try again",
);

pub(crate) fn tokens() -> Vec<Operation> {
    vec![
        token("/api/v1/tenant/{id}/oauth/token").named("token", "Get an access token."),
        token("/oauth/token").named("default_token", "Get an access token from the default tenant."),
        token("/oauth2/token")
            .named("default_token_oauth2", "Get an access token from the default tenant (alternative path)."),
    ]
}

pub(crate) fn introspection() -> Vec<Operation> {
    vec![
        introspect("/api/v1/tenant/{id}/oauth/introspect").named("introspect", "Introspect an access token."),
        introspect("/oauth2/introspect")
            .named("default_introspect", "Introspect an access token of the default tenant."),
    ]
}

pub(crate) fn forward_auth() -> Vec<Operation> {
    vec![
        on(Get, "/api/v1/tenant/{id}/oauth/forward-auth")
            .named("forward_auth", "Decide about a request that a proxy wants to forward.")
            .secured(json!({ "access_token": [] }))
            .query(
                "string",
                "audience",
                "The API's audience, which the token must have. Without it the answer is 400",
            )
            .query("string", "scope", "Scopes that the token must have, separated by spaces")
            .empty_answer(
                "200",
                "The proxy may forward the request with X-Auth-Tenant, X-Auth-Subject, X-Auth-Client and X-Auth-Scope",
            )
            .empty_answer(
                "401",
                "invalid_token, or without a code if there was no token; WWW-Authenticate says why",
            )
            .errors(&[
                ("400", "The proxy's demand cannot be read, for example without an audience"),
                ("403", "insufficient_scope"),
                TOO_MANY_FAILURES,
            ]),
    ]
}

pub(crate) fn own_usage() -> Vec<Operation> {
    vec![
        client_form::<UsageForm>("/api/v1/tenant/{id}/oauth/usage")
            .named("own_usage", "Get a client's own usage.")
            .request_example(|| {
                json!({
                    "client_id": "your-client-id",
                    "client_secret": "your-client-secret",
                    "by": "day",
                })
            })
            .answer::<UsageView>("200", "The client's activity, at most one minute old")
            .answer_example(usage_example)
            .errors(&[
                ("400", "invalid_request"),
                INVALID_CLIENT,
                NO_AUTHORIZATION_SERVER,
                TOO_MANY_FAILURES,
            ]),
    ]
}

pub(crate) fn leaks() -> Vec<Operation> {
    vec![
        on(Post, "/api/v1/secrets/leaked")
            .named("report_leaked_secrets", "Report leaked client secrets and API keys.")
            .body::<LeakedSecrets>(
                JSON,
                Some("Or the list of GitHub secret scanning, from which only `token` is used"),
            )
            .request_example(|| json!({ "secrets": ["a client secret or an API key"] }))
            .empty_answer("202", "Accepted, whether or not the value is known")
            .errors(&[
                ("413", "The body is too large"),
                ("429", "Too many reports from this address"),
                ("503", "Too many reports are waiting"),
            ]),
    ]
}

pub(crate) fn revocation() -> Vec<Operation> {
    vec![
        revoke("/api/v1/tenant/{id}/oauth/revoke").named("revoke", "Revoke an access token."),
        revoke("/oauth/revoke").named("default_revoke", "Revoke an access token of the default tenant."),
        revoke("/oauth2/revoke").named(
            "default_revoke_oauth2",
            "Revoke an access token of the default tenant (alternative path).",
        ),
    ]
}

/// A form that contains the client's credentials, unless the Authorization header contains them.
pub(super) fn client_form<T: JsonSchema>(path: &'static str) -> Operation {
    let form = on(Post, path).body::<T>(FORM, None);
    form.secured(json!({})).secured(json!({ "client_secret_basic": [] }))
}

fn revoke(path: &'static str) -> Operation {
    client_form::<IntrospectionForm>(path)
        .empty_answer(
            "200",
            "The token is no longer valid, or was not a valid token of this client (RFC 7009 section 2.2)",
        )
        .errors(&[("400", "invalid_request"), INVALID_CLIENT, NO_AUTHORIZATION_SERVER, TOO_MANY_FAILURES])
}

fn token(path: &'static str) -> Operation {
    client_form::<TokenForm>(path)
        .answer::<Token>("200", "A token (RFC 6749 section 5.1)")
        .errors(&[
            ("400", "invalid_request, unauthorized_client, unsupported_grant_type, invalid_scope, invalid_target, invalid_dpop_proof or use_dpop_nonce (RFC 6749 section 5.2, RFC 8707 section 2, RFC 9449 sections 5 and 8)"),
            INVALID_CLIENT,
            NO_AUTHORIZATION_SERVER,
            TOO_MANY_FAILURES,
        ])
}

fn introspect(path: &'static str) -> Operation {
    client_form::<IntrospectionForm>(path)
        .answer::<Introspection>(
            "200",
            "What the caller is allowed to know (RFC 7662 section 2.2); {\"active\":false} for everything else",
        )
        .errors(&[("400", "invalid_request"), INVALID_CLIENT, NO_AUTHORIZATION_SERVER, TOO_MANY_FAILURES])
}

pub(crate) fn discovery() -> Vec<Operation> {
    vec![
        jwks("/api/v1/tenant/{id}/.well-known/jwks.json").named("jwks", "Get a tenant's public keys."),
        jwks("/oauth2/jwks").named("default_jwks", "Get the default tenant's public keys."),
        on(Get, "/api/v1/tenant/{id}/oauth/revocations")
            .named("revocations", "Get a tenant's revocations.")
            .text("200", "A JWS in compact form with the claims that docs/revocation.md describes; ETag and \
                Cache-Control say how long to keep it", "application/jwt")
            .empty_answer("304", "If-None-Match contains the ETag of the current feed")
            .errors(&[("404", "Unknown tenant, a tenant without a key, or a tenant that was suspended long ago")]),
        metadata("/api/v1/tenant/{id}/.well-known/oauth-authorization-server")
            .named("metadata", "Get a tenant's metadata."),
        metadata("/api/v1/tenant/{id}/.well-known/openid-configuration").named(
            "openid_configuration",
            "Get a tenant's metadata at the path where OpenID Connect clients look for it.",
        ),
        metadata("/.well-known/oauth-authorization-server/api/v1/tenant/{id}").named(
            "metadata_of_issuer",
            "Get a tenant's metadata at the path that RFC 8414 section 3 defines for its issuer.",
        ),
        metadata("/.well-known/openid-configuration").named(
            "openid_configuration_of_public_url",
            "Get the metadata of the tenant whose issuer is the public URL.",
        ),
        metadata("/.well-known/oauth-authorization-server").named(
            "metadata_of_public_url",
            "Get the metadata of the tenant whose issuer is the public URL (RFC 8414).",
        ),
        metadata("/{issuer}/.well-known/openid-configuration").named(
            "openid_configuration_of_own_issuer",
            "Get a tenant's metadata at the path that OpenID Connect Discovery section 4 defines for its issuer.",
        ),
        metadata("/.well-known/oauth-authorization-server/{issuer}").named(
            "metadata_of_own_issuer",
            "Get a tenant's metadata at the path that RFC 8414 section 3.1 defines for its issuer.",
        ),
        on(Get, "/api/v1/tenant/{id}/strategies")
            .named("strategies", "List the strategies that a tenant has enabled.")
            .answer::<strategies::StrategyAnswer<'static>>("200", "The strategies, in the order oauth2, oidc")
            .errors(&[("404", "Unknown or suspended tenant")]),
    ]
}

fn jwks(path: &'static str) -> Operation {
    on(Get, path)
        .answer::<JwkSet>(
            "200",
            "The key set; ETag and Cache-Control say how long to keep it, which is shorter when a new key is due soon",
        )
        .empty_answer("304", "If-None-Match contains the ETag of the current key set")
        .errors(&[("404", "Unknown tenant, or a suspended tenant without a key")])
}

fn metadata(path: &'static str) -> Operation {
    on(Get, path)
        .answer::<Metadata>("200", "The supported features (RFC 8414 section 2)")
        .errors(&[NO_AUTHORIZATION_SERVER])
}

pub(crate) fn sample() -> Vec<Operation> {
    vec![
        on(Get, "/api/v1/protected-resource")
            .named("protected_resource", "Try a token at the sample resource server.")
            .secured(json!({ "access_token": [] }))
            .answer::<protected_resource::Answer<'static>>("200", "The token is accepted")
            .empty_answer(
                "401",
                "WWW-Authenticate says why; if a token was sent, the body contains the \
                error too (RFC 6750 section 3.1)",
            )
            .errors(&[
                ("400", "The Authorization header was sent more than once"),
                ("403", "insufficient_scope"),
                ("404", "No sample resource server is configured"),
            ]),
    ]
}

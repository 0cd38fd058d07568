//! The authorization server: tokens, introspection, keys, metadata, and the sample resource server. The
//! default tenant has paths without a tenant as well.

use administration::UsageView;
use administration::schema::JsonSchema;
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
    "invalid_client, and too many authentications of this source failed before it; Retry-After says when it may fail again",
);

pub(crate) fn tokens() -> Vec<Operation> {
    vec![
        token("/api/v1/tenant/{id}/oauth/token").named("token", "Fetch an access token."),
        token("/oauth/token").named("default_token", "Fetch an access token of the default tenant."),
        token("/oauth2/token")
            .named("default_token_oauth2", "Fetch an access token of the default tenant, by another path."),
    ]
}

pub(crate) fn introspection() -> Vec<Operation> {
    vec![
        introspect("/api/v1/tenant/{id}/oauth/introspect").named("introspect", "Ask about an access token."),
        introspect("/oauth2/introspect")
            .named("default_introspect", "Ask the default tenant about an access token."),
    ]
}

pub(crate) fn own_usage() -> Vec<Operation> {
    vec![
        client_form::<UsageForm>("/api/v1/tenant/{id}/oauth/usage")
            .named("own_usage", "Read a client's own usage.")
            .request_example(|| {
                json!({
                    "client_id": "your-client-id",
                    "client_secret": "your-client-secret",
                    "by": "day",
                })
            })
            .answer::<UsageView>("200", "What the client did, up to a minute late")
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
            .named(
                "report_leaked_secrets",
                "Report client secrets and API keys that were found where they should not be.",
            )
            .body::<LeakedSecrets>(
                JSON,
                Some("Or the list of GitHub's secret scanning, of which `token` is read"),
            )
            .request_example(|| json!({ "secrets": ["a client secret or an API key"] }))
            .empty_answer("202", "Taken, whatever it was")
            .errors(&[
                ("413", "The body is too large"),
                ("429", "Too many reports from this address"),
                ("503", "Too many reports wait"),
            ]),
    ]
}

pub(crate) fn revocation() -> Vec<Operation> {
    vec![
        revoke("/api/v1/tenant/{id}/oauth/revoke").named("revoke", "Revoke an access token."),
        revoke("/oauth/revoke").named("default_revoke", "Revoke an access token of the default tenant."),
        revoke("/oauth2/revoke")
            .named("default_revoke_oauth2", "Revoke an access token of the default tenant, by another path."),
    ]
}

/// The form of a client that authenticates by its members, or by the Authorization header.
pub(super) fn client_form<T: JsonSchema>(path: &'static str) -> Operation {
    let form = on(Post, path).body::<T>(FORM, None);
    form.secured(json!({})).secured(json!({ "client_secret_basic": [] }))
}

fn revoke(path: &'static str) -> Operation {
    client_form::<IntrospectionForm>(path)
        .empty_answer(
            "200",
            "The token is not valid any more, or was not a valid token of this client (RFC 7009 section 2.2)",
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
            "What the caller may know (RFC 7662 section 2.2); {\"active\":false} for everything else",
        )
        .errors(&[("400", "invalid_request"), INVALID_CLIENT, NO_AUTHORIZATION_SERVER, TOO_MANY_FAILURES])
}

pub(crate) fn discovery() -> Vec<Operation> {
    vec![
        jwks("/api/v1/tenant/{id}/.well-known/jwks.json").named("jwks", "Fetch a tenant's public keys."),
        jwks("/oauth2/jwks").named("default_jwks", "Fetch the default tenant's public keys."),
        on(Get, "/api/v1/tenant/{id}/oauth/revocations")
            .named("revocations", "Fetch what a tenant has revoked.")
            .text("200", "A JWS in compact form, whose claims docs/revocation.md describes; ETag and Cache-Control say how long to keep it", "application/jwt")
            .empty_answer("304", "If-None-Match names the present feed")
            .errors(&[("404", "Unknown tenant, a tenant without a key, or one that was suspended long ago")]),
        metadata("/api/v1/tenant/{id}/.well-known/oauth-authorization-server")
            .named("metadata", "Fetch a tenant's metadata."),
        metadata("/api/v1/tenant/{id}/.well-known/openid-configuration").named(
            "openid_configuration",
            "Fetch a tenant's metadata where OpenID Connect clients look for it.",
        ),
        metadata("/.well-known/oauth-authorization-server/api/v1/tenant/{id}").named(
            "metadata_of_issuer",
            "Fetch a tenant's metadata at the path that RFC 8414 section 3 gives its issuer.",
        ),
        metadata("/.well-known/openid-configuration").named(
            "openid_configuration_of_public_url",
            "Fetch the metadata of the tenant whose issuer is the public URL.",
        ),
        metadata("/.well-known/oauth-authorization-server").named(
            "metadata_of_public_url",
            "Fetch the metadata of the tenant whose issuer is the public URL, by RFC 8414.",
        ),
        metadata("/{issuer}/.well-known/openid-configuration").named(
            "openid_configuration_of_own_issuer",
            "Fetch a tenant's metadata at the path that OpenID Connect Discovery section 4 gives its issuer.",
        ),
        metadata("/.well-known/oauth-authorization-server/{issuer}").named(
            "metadata_of_own_issuer",
            "Fetch a tenant's metadata at the path that RFC 8414 section 3.1 gives its issuer.",
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
            "The key set; ETag and Cache-Control say how long to keep it, shorter as a new key comes near",
        )
        .empty_answer("304", "If-None-Match names the present key set")
        .errors(&[("404", "Unknown tenant, or a suspended one without a key")])
}

fn metadata(path: &'static str) -> Operation {
    on(Get, path)
        .answer::<Metadata>("200", "What works (RFC 8414 section 2)")
        .errors(&[NO_AUTHORIZATION_SERVER])
}

pub(crate) fn sample() -> Vec<Operation> {
    vec![
        on(Get, "/api/v1/protected-resource")
            .named("protected_resource", "Try a token at the sample resource server.")
            .secured(json!({ "access_token": [] }))
            .answer::<protected_resource::Answer<'static>>("200", "The token does")
            .empty_answer("401", "The challenge in WWW-Authenticate says why; its error is in a body, too, unless no token was sent (RFC 6750 section 3.1)")
            .errors(&[
                ("400", "The Authorization header was sent more than once"),
                ("403", "insufficient_scope"),
                ("404", "No sample resource server is configured"),
            ]),
    ]
}

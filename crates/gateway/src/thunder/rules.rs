//! The rules of an application, and the client that it asks for. Codes and defaults are those of the Thunder-compatible API;
//! the rules of clients are administration's.

use administration::ApplicationContext;
use protocol::{ClientAuthenticationMethod, GrantType, Lifetime, Scope, ScopeToken, Secret};
use registry::{Client, ClientId};
use secrets::{MAX_SECRET_LENGTH, is_fit_secret};
use tenancy::{Issuer, Tenant};

use super::code::Code;
use super::code::{
    INVALID_AUTH_FLOW_ID, INVALID_AUTH_METHOD, INVALID_CLIENT_ID, INVALID_GRANT_TYPE,
    INVALID_INBOUND_AUTH_CONFIG, INVALID_NAME, INVALID_OAUTH_CONFIG, INVALID_PUBLIC_CLIENT,
    INVALID_REDIRECT_URI, INVALID_REGISTRATION_FLOW_ID, INVALID_RESPONSE_TYPE,
};
use super::document::{ApplicationDocument, OauthConfig, Token};
use super::{ThunderError, uris};

const LONGEST_NAME: usize = 255;

/// Checks a document. None where it asks for no client.
pub(super) fn judge(
    document: &ApplicationDocument,
    secret: Option<&Secret>,
    context: ApplicationContext<'_>,
) -> Result<Option<Client>, ThunderError> {
    let name = &document.name;
    if name.trim().is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
        return refused(INVALID_NAME, "name must be 1 to 255 bytes without control characters");
    }
    let flows = [
        (&document.auth_flow_id, INVALID_AUTH_FLOW_ID, "auth_flow_id"),
        (&document.registration_flow_id, INVALID_REGISTRATION_FLOW_ID, "registration_flow_id"),
    ];
    for (flow, code, member) in flows {
        if flow.as_ref().is_some_and(|flow| flow.chars().any(char::is_control)) {
            return refused(code, format!("{member} must be a name without control characters"));
        }
    }
    uris::check(document)?;
    let inbound = document.inbound_auth_config.as_deref().unwrap_or_default();
    match inbound {
        [] if secret.is_some() => {
            refused(INVALID_INBOUND_AUTH_CONFIG, "a client_secret needs an oauth2 config")
        }
        [] => Ok(None),
        [one] if one.r#type == "oauth2" => match &one.config {
            Some(config) => judge_client(config, secret, context).map(Some),
            None => refused(INVALID_INBOUND_AUTH_CONFIG, "config is missing"),
        },
        [_] => refused(INVALID_INBOUND_AUTH_CONFIG, "type must be oauth2"),
        _ => refused(INVALID_INBOUND_AUTH_CONFIG, "there may be one entry"),
    }
}

fn judge_client(
    config: &OauthConfig,
    secret: Option<&Secret>,
    context: ApplicationContext<'_>,
) -> Result<Client, ThunderError> {
    let authentication_method = method(config)?;
    let grant_types = grant_types(config)?;
    if config.response_types.iter().flatten().any(|response| response != "code") {
        return refused(
            INVALID_RESPONSE_TYPE,
            "response_types may hold `code`; `token` is the implicit grant, which is not served",
        );
    }
    let redirects = config.redirect_uris.as_deref().unwrap_or_default();
    if let Some(uri) = redirects.iter().find(|uri| !uris::is_redirect_uri(uri)) {
        return refused(INVALID_REDIRECT_URI, format!("not an absolute URI without a fragment: {uri:?}"));
    }
    if grant_types.contains(&GrantType::AuthorizationCode) && redirects.is_empty() {
        return refused(
            INVALID_OAUTH_CONFIG,
            "the grant authorization_code, which is the default, needs redirect_uris; for a service send \"grant_types\": [\"client_credentials\"]",
        );
    }
    if authentication_method == ClientAuthenticationMethod::None {
        check_public(config, &grant_types, secret)?;
    }
    if secret.is_some_and(|secret| !is_fit_secret(secret.expose())) {
        let why = format!("client_secret must be 1 to {MAX_SECRET_LENGTH} bytes without control characters");
        return refused(INVALID_OAUTH_CONFIG, why);
    }
    let scope = scope(config)?;
    let token = config.token.clone().unwrap_or_default();
    let id = client_id(config)?.unwrap_or_else(|| context.client_id.clone());
    let tenant = context.tenant;
    Ok(Client {
        authentication_method,
        grant_types,
        resources: audiences(tenant, &scope),
        scope,
        access_token_lifetime: lifetime(&token)?,
        issuer: issuer(&token, tenant)?,
        ..Client::new(tenant.id.clone(), id)
    })
}

fn client_id(config: &OauthConfig) -> Result<Option<ClientId>, ThunderError> {
    let Some(text) = config.client_id.as_deref().filter(|text| !text.is_empty()) else { return Ok(None) };
    let Ok(id) = ClientId::parse(text) else {
        return refused(INVALID_CLIENT_ID, "client_id must be 1 to 255 bytes without control characters");
    };
    Ok(Some(id))
}

fn method(config: &OauthConfig) -> Result<ClientAuthenticationMethod, ThunderError> {
    let is_public = config.public_client == Some(true);
    match config.token_endpoint_auth_method.as_deref().filter(|method| !method.is_empty()) {
        Some("client_secret_basic" | "client_secret_post") if is_public => {
            refused(INVALID_PUBLIC_CLIENT, "a public client has the method none")
        }
        Some("client_secret_basic" | "client_secret_post") => Ok(ClientAuthenticationMethod::ClientSecret),
        Some("none") => Ok(ClientAuthenticationMethod::None),
        None if is_public => Ok(ClientAuthenticationMethod::None),
        None => Ok(ClientAuthenticationMethod::ClientSecret),
        Some(_) => refused(
            INVALID_AUTH_METHOD,
            "token_endpoint_auth_method must be client_secret_basic, client_secret_post or none",
        ),
    }
}

fn check_public(
    config: &OauthConfig,
    grant_types: &[GrantType],
    secret: Option<&Secret>,
) -> Result<(), ThunderError> {
    if config.public_client == Some(false) {
        return refused(INVALID_PUBLIC_CLIENT, "the method none is a public client's");
    }
    if secret.is_some() {
        return refused(INVALID_PUBLIC_CLIENT, "a public client has no secret");
    }
    if grant_types.contains(&GrantType::ClientCredentials) {
        return refused(INVALID_PUBLIC_CLIENT, "client_credentials needs a client that can keep a secret");
    }
    Ok(())
}

fn grant_types(config: &OauthConfig) -> Result<Vec<GrantType>, ThunderError> {
    let mut grants = Vec::new();
    for name in config.grant_types.iter().flatten() {
        let Ok(grant) = name.parse() else {
            return refused(INVALID_GRANT_TYPE, format!("there is no grant {name:?} here"));
        };
        if !grants.contains(&grant) {
            grants.push(grant);
        }
    }
    if grants.is_empty() {
        grants.push(GrantType::AuthorizationCode);
    }
    Ok(grants)
}

fn scope(config: &OauthConfig) -> Result<Scope, ThunderError> {
    let parse = |text: &String| {
        if text.starts_with(ScopeToken::RESERVED_PREFIX) {
            return refused(
                INVALID_OAUTH_CONFIG,
                "scopes that begin latchkey: are given by administrators only",
            );
        }
        ScopeToken::parse(text)
            .or_else(|error| refused(INVALID_OAUTH_CONFIG, format!("scope {text:?}: {error}")))
    };
    config.scopes.iter().flatten().map(parse).collect()
}

/// Some callers send zero for an absent lifetime.
fn lifetime(token: &Token) -> Result<Option<Lifetime>, ThunderError> {
    match token.access_token.as_ref().and_then(|access| access.validity_period) {
        None | Some(0) => Ok(None),
        Some(seconds) if seconds <= Lifetime::LONGEST.seconds() => Ok(Some(Lifetime::from_seconds(seconds))),
        Some(_) => refused(INVALID_OAUTH_CONFIG, "validity_period is longer than 100 years"),
    }
}

fn issuer(token: &Token, tenant: &Tenant) -> Result<Option<Issuer>, ThunderError> {
    let Some(text) = token.issuer.as_deref().filter(|text| !text.is_empty()) else { return Ok(None) };
    if !tenant.is_issuer(text) {
        return refused(
            INVALID_OAUTH_CONFIG,
            "token.issuer must be the tenant's issuer or one of its issuer_aliases",
        );
    }
    let issuer = Issuer::parse(text).or_else(|error| refused(INVALID_OAUTH_CONFIG, error.to_string()))?;
    Ok(Some(issuer).filter(|issuer| *issuer != tenant.issuer))
}

/// The resource servers that an application may name in `resource`: those that own one of its scopes, in the tenant's order.
fn audiences(tenant: &Tenant, scope: &Scope) -> Vec<String> {
    let owns = |scopes: &Scope| scope.iter().any(|token| scopes.contains(token));
    let servers = tenant.resource_servers.iter().filter(|server| owns(&server.scopes));
    servers.map(|server| server.audience.clone()).collect()
}

fn refused<T>(code: &'static Code, description: impl Into<String>) -> Result<T, ThunderError> {
    Err(ThunderError::new(code, description))
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;

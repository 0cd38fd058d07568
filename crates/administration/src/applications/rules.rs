//! Whether an application may stand, and what its client is registered for. Codes and defaults are those that this surface's callers
//! know; what a client may be at all is the registry's rule.

use protocol::{ClientAuthenticationMethod, GrantType, Lifetime, Scope, ScopeToken, Secret};
use registry::{Client, ClientId, ClientStatus, IntrospectionRight, MAX_SECRET_LENGTH, is_fit_secret};
use tenancy::{Issuer, Tenant, TenantId};

use super::ApplicationCode::{
    InvalidAuthFlowId, InvalidAuthMethod, InvalidClientId, InvalidGrantType, InvalidInboundAuthConfig,
    InvalidName, InvalidOauthConfig, InvalidPublicClient, InvalidRedirectUri, InvalidRegistrationFlowId,
    InvalidResponseType,
};
use super::document::{ApplicationDocument, OauthConfig, Token};
use super::{ApplicationCode, RejectedApplication, owned, uris};

/// What a client of an application is registered for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Registration {
    /// Absent where one is to be made.
    pub(crate) client_id: Option<ClientId>,
    pub(crate) authentication_method: ClientAuthenticationMethod,
    pub(crate) grant_types: Vec<GrantType>,
    pub(crate) resources: Vec<String>,
    pub(crate) scope: Scope,
    pub(crate) access_token_lifetime: Option<Lifetime>,
    pub(crate) issuer: Option<Issuer>,
}

impl Registration {
    /// The client of this id, without a name and without secrets. It has no audiences: its tokens are for itself unless the request
    /// names a resource.
    pub(crate) fn client(self, tenant: &TenantId, id: ClientId) -> Client {
        Client {
            tenant: tenant.clone(),
            id,
            name: String::new(),
            status: ClientStatus::Active,
            authentication_method: self.authentication_method,
            grant_types: self.grant_types,
            audiences: Vec::new(),
            resources: self.resources,
            scope: self.scope,
            access_token_lifetime: self.access_token_lifetime,
            issuer: self.issuer,
            introspection: IntrospectionRight::Own,
            secrets: Vec::new(),
        }
    }
}

/// A hundred years, as in the operator's file.
const LONGEST_LIFETIME: u64 = 36_525 * 86_400;
const LONGEST_NAME: usize = 255;

/// Judges a document; nothing where it asks for no client.
pub(crate) fn judge(
    document: &ApplicationDocument,
    secret: Option<&Secret>,
    tenant: &Tenant,
) -> Result<Option<Registration>, RejectedApplication> {
    let name = &document.name;
    if name.trim().is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
        return refused(InvalidName, "name must be 1 to 255 bytes without control characters");
    }
    let flows = [
        (&document.auth_flow_id, InvalidAuthFlowId, "auth_flow_id"),
        (&document.registration_flow_id, InvalidRegistrationFlowId, "registration_flow_id"),
    ];
    for (flow, code, member) in flows {
        if flow.as_ref().is_some_and(|flow| flow.chars().any(char::is_control)) {
            return refused(code, format!("{member} must be a name without control characters"));
        }
    }
    uris::check(document)?;
    let inbound = document.inbound_auth_config.as_deref().unwrap_or_default();
    match inbound {
        [] if secret.is_some() => refused(InvalidInboundAuthConfig, "a client_secret needs an oauth2 config"),
        [] => Ok(None),
        [one] if one.r#type == "oauth2" => match &one.config {
            Some(config) => judge_client(config, secret, tenant).map(Some),
            None => refused(InvalidInboundAuthConfig, "config is missing"),
        },
        [_] => refused(InvalidInboundAuthConfig, "type must be oauth2"),
        _ => refused(InvalidInboundAuthConfig, "there may be one entry"),
    }
}

fn judge_client(
    config: &OauthConfig,
    secret: Option<&Secret>,
    tenant: &Tenant,
) -> Result<Registration, RejectedApplication> {
    let authentication_method = method(config)?;
    let grant_types = grant_types(config)?;
    if config.response_types.iter().flatten().any(|response| response != "code") {
        return refused(
            InvalidResponseType,
            "response_types may hold `code`; `token` is the implicit grant, which is not served",
        );
    }
    let redirects = config.redirect_uris.as_deref().unwrap_or_default();
    if let Some(uri) = redirects.iter().find(|uri| !uris::is_redirect_uri(uri)) {
        return refused(InvalidRedirectUri, format!("not an absolute URI without a fragment: {uri:?}"));
    }
    if grant_types.contains(&GrantType::AuthorizationCode) && redirects.is_empty() {
        return refused(
            InvalidOauthConfig,
            "the grant authorization_code, which is the default, needs redirect_uris; for a service send \"grant_types\": [\"client_credentials\"]",
        );
    }
    if authentication_method == ClientAuthenticationMethod::None {
        check_public(config, &grant_types, secret)?;
    }
    if secret.is_some_and(|secret| !is_fit_secret(secret.expose())) {
        let why = format!("client_secret must be 1 to {MAX_SECRET_LENGTH} bytes without control characters");
        return refused(InvalidOauthConfig, why);
    }
    let scope = scope(config)?;
    let token = config.token.clone().unwrap_or_default();
    Ok(Registration {
        client_id: client_id(config)?,
        authentication_method,
        grant_types,
        resources: owned::audiences(tenant, &scope),
        scope,
        access_token_lifetime: lifetime(&token)?,
        issuer: issuer(&token, tenant)?,
    })
}

fn client_id(config: &OauthConfig) -> Result<Option<ClientId>, RejectedApplication> {
    let Some(text) = config.client_id.as_deref().filter(|text| !text.is_empty()) else { return Ok(None) };
    let Ok(id) = ClientId::parse(text) else {
        return refused(InvalidClientId, "client_id must be 1 to 255 bytes without control characters");
    };
    Ok(Some(id))
}

fn method(config: &OauthConfig) -> Result<ClientAuthenticationMethod, RejectedApplication> {
    let is_public = config.public_client == Some(true);
    match config.token_endpoint_auth_method.as_deref().filter(|method| !method.is_empty()) {
        Some("client_secret_basic" | "client_secret_post") if is_public => {
            refused(InvalidPublicClient, "a public client has the method none")
        }
        Some("client_secret_basic" | "client_secret_post") => Ok(ClientAuthenticationMethod::ClientSecret),
        Some("none") => Ok(ClientAuthenticationMethod::None),
        None if is_public => Ok(ClientAuthenticationMethod::None),
        None => Ok(ClientAuthenticationMethod::ClientSecret),
        Some(_) => refused(
            InvalidAuthMethod,
            "token_endpoint_auth_method must be client_secret_basic, client_secret_post or none",
        ),
    }
}

fn check_public(
    config: &OauthConfig,
    grant_types: &[GrantType],
    secret: Option<&Secret>,
) -> Result<(), RejectedApplication> {
    if config.public_client == Some(false) {
        return refused(InvalidPublicClient, "the method none is a public client's");
    }
    if secret.is_some() {
        return refused(InvalidPublicClient, "a public client has no secret");
    }
    if grant_types.contains(&GrantType::ClientCredentials) {
        return refused(InvalidPublicClient, "client_credentials needs a client that can keep a secret");
    }
    Ok(())
}

fn grant_types(config: &OauthConfig) -> Result<Vec<GrantType>, RejectedApplication> {
    let mut grants = Vec::new();
    for name in config.grant_types.iter().flatten() {
        let Ok(grant) = name.parse() else {
            return refused(InvalidGrantType, format!("there is no grant {name:?} here"));
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

fn scope(config: &OauthConfig) -> Result<Scope, RejectedApplication> {
    let parse = |text: &String| {
        if text.starts_with(ScopeToken::RESERVED_PREFIX) {
            return refused(
                InvalidOauthConfig,
                "scopes that begin latchkey: are given by administrators only",
            );
        }
        ScopeToken::parse(text)
            .or_else(|error| refused(InvalidOauthConfig, format!("scope {text:?}: {error}")))
    };
    config.scopes.iter().flatten().map(parse).collect()
}

/// Zero is how some callers say that there is nothing.
fn lifetime(token: &Token) -> Result<Option<Lifetime>, RejectedApplication> {
    match token.access_token.as_ref().and_then(|access| access.validity_period) {
        None | Some(0) => Ok(None),
        Some(seconds) if seconds <= LONGEST_LIFETIME => Ok(Some(Lifetime::from_seconds(seconds))),
        Some(_) => refused(InvalidOauthConfig, "validity_period is longer than 100 years"),
    }
}

fn issuer(token: &Token, tenant: &Tenant) -> Result<Option<Issuer>, RejectedApplication> {
    let Some(text) = token.issuer.as_deref().filter(|text| !text.is_empty()) else { return Ok(None) };
    if !tenant.is_issuer(text) {
        return refused(
            InvalidOauthConfig,
            "token.issuer must be the tenant's issuer or one of its issuer_aliases",
        );
    }
    let issuer = Issuer::parse(text).or_else(|error| refused(InvalidOauthConfig, error.to_string()))?;
    Ok(Some(issuer).filter(|issuer| *issuer != tenant.issuer))
}

fn refused<T>(code: ApplicationCode, description: impl Into<String>) -> Result<T, RejectedApplication> {
    Err(RejectedApplication::new(code, description))
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;

//! The rules of the Thunder-compatible API for applications, with its codes and defaults. The
//! client is translated into settings, which `administration` validates like those of files and of
//! the admin API.

use std::collections::BTreeSet;

use administration::documents::application::{ApplicationContext, ApplicationError};
use administration::documents::{ClientSettings, TokenSettings};
use administration::edit::{EditError, FieldError};
use administration::rules;
use protocol::{GrantType, Scope, ScopeToken};
use registry::{Client, ClientId};
use secrets::{MAX_SECRET_LENGTH, is_fit_secret};
use tenancy::Tenant;
use values::{Lifetime, Secret};

use super::code::Code;
use super::code::{
    INVALID_AUTH_FLOW_ID, INVALID_AUTH_METHOD, INVALID_CLIENT_ID, INVALID_GRANT_TYPE,
    INVALID_INBOUND_AUTH_CONFIG, INVALID_NAME, INVALID_OAUTH_CONFIG, INVALID_PUBLIC_CLIENT,
    INVALID_REDIRECT_URI, INVALID_REGISTRATION_FLOW_ID, INVALID_RESPONSE_TYPE,
};
use super::document::{ApplicationDocument, OauthConfig, TokenDocument};
use super::{ThunderError, ThunderResult, uris};

const LONGEST_NAME: usize = 255;

/// Returns `None` if the application has no client.
pub(super) fn judge(
    document: &ApplicationDocument,
    secret: Option<&Secret>,
    context: ApplicationContext<'_>,
) -> ThunderResult<Option<Client>> {
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
        _ => refused(INVALID_INBOUND_AUTH_CONFIG, "only one entry is allowed"),
    }
}

/// `administration` validates the settings; each of its errors gets the code of its member.
fn judge_client(
    config: &OauthConfig,
    secret: Option<&Secret>,
    context: ApplicationContext<'_>,
) -> ThunderResult<Client> {
    let tenant = context.tenant;
    let token = config.token.clone().unwrap_or_default();
    let (method, grant_types) = (method(config)?, grant_types(config));
    let has_codes = grant_types.iter().any(|name| name == GrantType::AuthorizationCode.as_str());
    let settings = ClientSettings {
        token_endpoint_auth_method: method.to_owned(),
        grant_types,
        redirect_uris: distinct(config.redirect_uris.as_deref().filter(|_| has_codes)),
        require_pkce: !has_codes || method == "none" || config.pkce_required != Some(false),
        scopes: distinct(config.scopes.as_deref()),
        access_token_lifetime: lifetime(&token),
        token: TokenSettings { issuer: token.issuer.filter(|issuer| !issuer.is_empty()) },
        ..ClientSettings::default()
    };
    let mut errors = rules::FieldErrors::from_interface(rules::Interface::Adapter);
    let client = rules::check_client(&mut errors, tenant, context.client_id, &settings);
    let (errors, _) = errors.into_parts();
    if let Some((name, _)) = first_refused(&errors, "/grant_types/", &settings.grant_types) {
        return refused(INVALID_GRANT_TYPE, format!("the grant type {name:?} is not supported here"));
    }
    if config.response_types.iter().flatten().any(|response| response != "code") {
        return refused(
            INVALID_RESPONSE_TYPE,
            "response_types can contain `code`; `token` is the implicit grant, which is not supported",
        );
    }
    let redirects = config.redirect_uris.as_deref().unwrap_or_default();
    if let Some(uri) = redirects.iter().find(|uri| !uris::is_redirect_uri(uri)) {
        return refused(INVALID_REDIRECT_URI, format!("not an absolute URI without a fragment: {uri:?}"));
    }
    if has_codes && redirects.is_empty() {
        return refused(
            INVALID_OAUTH_CONFIG,
            "the default grant type authorization_code needs redirect_uris; for a service send \
                \"grant_types\": [\"client_credentials\"]",
        );
    }
    if let Some((uri, why)) = first_refused(&errors, "/redirect_uris/", &settings.redirect_uris) {
        return refused(INVALID_REDIRECT_URI, format!("{why}: {uri:?}"));
    }
    if client.is_public() {
        check_public(config, &client.grant_types, secret)?;
    }
    if secret.is_some_and(|secret| !is_fit_secret(secret.expose())) {
        let why = format!("client_secret must be 1 to {MAX_SECRET_LENGTH} bytes without control characters");
        return refused(INVALID_OAUTH_CONFIG, why);
    }
    if let Some((scope, why)) = first_refused(&errors, "/scopes/", &settings.scopes) {
        return match ScopeToken::parse(scope) {
            _ if scope.starts_with(ScopeToken::RESERVED_PREFIX) => refused(
                INVALID_OAUTH_CONFIG,
                "only administrators can grant scopes that begin with latchkey:",
            ),
            Err(error) => refused(INVALID_OAUTH_CONFIG, format!("scope {scope:?}: {error}")),
            Ok(_) => refused(INVALID_OAUTH_CONFIG, format!("scope {scope:?}: {why}")),
        };
    }
    let id = client_id(config)?.unwrap_or_else(|| context.client_id.clone());
    if settings.access_token_lifetime.is_some_and(|lifetime| lifetime > Lifetime::LONGEST) {
        return refused(INVALID_OAUTH_CONFIG, "validity_period is longer than 100 years");
    }
    if errors.iter().any(|error| error.pointer == "/token/issuer") {
        return refused(
            INVALID_OAUTH_CONFIG,
            "token.issuer must be the tenant's issuer or one of its issuer_aliases",
        );
    }
    if !errors.is_empty() {
        return Err(ApplicationError::Client(EditError::Invalid(errors)).into());
    }
    let issuer = client.issuer.filter(|issuer| *issuer != tenant.issuer);
    let (name, resources) = (id.to_string(), audiences(tenant, &client.scope));
    Ok(Client { id, name, issuer, resources, ..client })
}

/// The first item of a list with an error. `list` is the JSON pointer of the list with a slash at
/// its end.
fn first_refused<'a>(
    errors: &'a [FieldError],
    list: &str,
    items: &'a [String],
) -> Option<(&'a String, &'a str)> {
    let index = |error: &FieldError| error.pointer.strip_prefix(list)?.parse::<usize>().ok();
    errors.iter().find_map(|error| Some((items.get(index(error)?)?, &*error.detail)))
}

fn client_id(config: &OauthConfig) -> ThunderResult<Option<ClientId>> {
    let Some(text) = config.client_id.as_deref().filter(|text| !text.is_empty()) else { return Ok(None) };
    let Ok(id) = ClientId::parse(text) else {
        return refused(INVALID_CLIENT_ID, "client_id must be 1 to 255 bytes without control characters");
    };
    Ok(Some(id))
}

fn method(config: &OauthConfig) -> ThunderResult<&str> {
    let is_public = config.public_client == Some(true);
    match config.token_endpoint_auth_method.as_deref().filter(|method| !method.is_empty()) {
        Some("client_secret_basic" | "client_secret_post") if is_public => {
            refused(INVALID_PUBLIC_CLIENT, "a public client must use the method none")
        }
        Some(method @ ("client_secret_basic" | "client_secret_post" | "none")) => Ok(method),
        None => Ok(if is_public { "none" } else { "client_secret_basic" }),
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
) -> ThunderResult<()> {
    if config.public_client == Some(false) {
        return refused(INVALID_PUBLIC_CLIENT, "only a public client can use the method none");
    }
    if secret.is_some() {
        return refused(INVALID_PUBLIC_CLIENT, "a public client cannot have a secret");
    }
    if grant_types.contains(&GrantType::ClientCredentials) {
        return refused(INVALID_PUBLIC_CLIENT, "client_credentials needs a client that can keep a secret");
    }
    Ok(())
}

/// Removes duplicates, because callers may repeat items.
fn distinct(items: Option<&[String]>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    items.unwrap_or_default().iter().filter(|item| seen.insert(*item)).cloned().collect()
}

fn grant_types(config: &OauthConfig) -> Vec<String> {
    let named = distinct(config.grant_types.as_deref());
    if named.is_empty() { vec![GrantType::AuthorizationCode.as_str().to_owned()] } else { named }
}

/// Some callers send 0 for a missing lifetime.
fn lifetime(token: &TokenDocument) -> Option<Lifetime> {
    let seconds = token.access_token.as_ref()?.validity_period?;
    (seconds > 0).then(|| Lifetime::from_seconds(seconds))
}

/// The resource servers that have one of the application's scopes, in the tenant's order. The
/// client may request them.
fn audiences(tenant: &Tenant, scope: &Scope) -> Vec<String> {
    let owns = |scopes: &Scope| scope.iter().any(|token| scopes.contains(token));
    let servers = tenant.resource_servers.iter().filter(|server| owns(&server.scopes));
    servers.map(|server| server.audience.clone()).collect()
}

fn refused<T>(code: &'static Code, description: impl Into<String>) -> ThunderResult<T> {
    Err(ThunderError::new(code, description))
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;

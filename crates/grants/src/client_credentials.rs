//! The client credentials grant: a client asks on its own behalf (RFC 6749 §4.4, RFC 8707 §2.1).

use protocol::{Audience, ErrorCode, ErrorResponse, GrantType, ResourceIndicator, Scope, ScopeToken, Timestamp};
use tenancy::TokenFormat;

use crate::{AccessTokenClaims, Grantee, JwtId};

/// What the client asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientCredentialsRequest<'a> {
    /// The scope; `None` asks for all that is registered.
    pub(crate) scope: Option<&'a Scope>,
    /// Where the token is to be used; none means the client's audiences.
    pub(crate) resources: &'a [ResourceIndicator],
}

/// A token that may be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) claims: AccessTokenClaims,
    pub(crate) scope: Scope,
}

/// Why there is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the client is not registered for the client credentials grant")]
    GrantNotRegistered,
    #[error("the scope is more than the client may have")]
    ScopeNotAllowed,
    #[error("the resource is not the client's to ask for")]
    ResourceNotAllowed,
    #[error("the tenant asks for opaque tokens, which are not served")]
    FormatNotServed,
}

/// Judges the request. A scope is granted whole or refused: a token that silently lacks one fails later, at somebody else.
pub(crate) fn decide(
    request: &ClientCredentialsRequest<'_>,
    grantee: &Grantee<'_>,
    now: Timestamp,
    jti: &JwtId,
) -> Result<Grant, Refusal> {
    if !grantee.client.grant_types.contains(&GrantType::ClientCredentials) {
        return Err(Refusal::GrantNotRegistered);
    }
    if grantee.tenant.access_token.format != TokenFormat::Jwt {
        return Err(Refusal::FormatNotServed);
    }
    let aud = audience(request.resources, grantee)?;
    let scope = scope(request, grantee)?;
    let claims = AccessTokenClaims {
        iss: grantee.issuer(),
        sub: grantee.client.id.to_string(),
        aud,
        exp: now + grantee.lifetime(),
        iat: now,
        nbf: now,
        jti: jti.to_string(),
        scope: (!scope.is_empty()).then(|| scope.to_string()),
        client_id: grantee.client.id.to_string(),
    };
    Ok(Grant { claims, scope })
}

/// One resource is a string and several are an array (RFC 8707 §2); audiences from configuration are an array; where neither is
/// there, the client itself (a departure from RFC 9068 §3, which wants a default resource).
fn audience(resources: &[ResourceIndicator], grantee: &Grantee<'_>) -> Result<Audience, Refusal> {
    let client = grantee.client;
    let mut asked: Vec<String> = Vec::with_capacity(resources.len());
    for resource in resources.iter().map(ResourceIndicator::as_str) {
        if !client.audiences.iter().chain(&client.resources).any(|allowed| allowed == resource) {
            return Err(Refusal::ResourceNotAllowed);
        }
        if !asked.iter().any(|known| known == resource) {
            asked.push(resource.to_owned());
        }
    }
    Ok(match (asked.len(), client.audiences.is_empty()) {
        (0, true) => Audience::One(client.id.to_string()),
        (0, false) => Audience::Many(client.audiences.clone()),
        (1, _) => Audience::One(asked.remove(0)),
        _ => Audience::Many(asked),
    })
}

fn scope(request: &ClientCredentialsRequest<'_>, grantee: &Grantee<'_>) -> Result<Scope, Refusal> {
    let registered = &grantee.client.scope;
    let means_something = |token: &ScopeToken| {
        request.resources.is_empty()
            || request.resources.iter().any(|resource| grantee.tenant.scope_belongs_to(token, resource.as_str()))
    };
    match request.scope {
        Some(asked) if asked.iter().all(|token| registered.contains(token) && means_something(token)) => {
            Ok(asked.clone())
        }
        Some(_) => Err(Refusal::ScopeNotAllowed),
        None => Ok(registered.iter().filter(|token| means_something(token)).cloned().collect()),
    }
}

impl From<Refusal> for ErrorResponse {
    fn from(refusal: Refusal) -> Self {
        let (error, description) = match refusal {
            Refusal::GrantNotRegistered => {
                (ErrorCode::UnauthorizedClient, "The client is not authorized to use this grant type")
            }
            Refusal::ScopeNotAllowed => (ErrorCode::InvalidScope, "The requested scope is not allowed for this client"),
            Refusal::ResourceNotAllowed => {
                (ErrorCode::InvalidTarget, "The requested resource is not allowed for this client")
            }
            Refusal::FormatNotServed => {
                (ErrorCode::UnsupportedGrantType, "This server does not serve the token format of this tenant")
            }
        };
        Self::new(error, description)
    }
}

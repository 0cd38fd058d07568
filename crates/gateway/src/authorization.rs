//! Who asks the admin API, and with what authority? The whole platform is administered with tokens of the tenant `platform` only, a
//! tenant also with its own. A token alone is not enough: its client must be there and active now, and holds what both the token and
//! its registration of today say.

use std::sync::Arc;

use administration::{Actor, Authority, Permission};
use grants::{AccessTokenClaims, BearerError, GrantError};
use keys::{KeyError, TokenError};
use protocol::{BearerToken, Scope, Timestamp};
use tenancy::{Tenant, TenantError, TenantId};

use crate::Services;
use crate::failure::Failure;
use crate::raw_request::RawRequest;
use crate::respond::Problem;

/// What is to be administered, and with which permission.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RequiredPermission<'a> {
    /// The platform.
    Platform(Permission),
    /// The tenant of this name, which may be that of no tenant.
    Tenant(&'a str, Permission),
}

/// The bearer's authority, if it suffices for this path. No body has been read before.
pub(crate) async fn authorize(
    services: &Services,
    raw: &RawRequest,
    required: RequiredPermission<'_>,
    now: Timestamp,
) -> Result<Authority, Problem> {
    if !raw.is_plain() {
        return Err(Failure::UnknownPath.into());
    }
    let token = BearerToken::from_authorization(raw.authorization()?).ok_or_else(Problem::token_required)?;
    let (tenant, claims) = verify(services, &token, required, now).await?;
    // Revoking a client or a scope counts from the next request on, not only when its tokens have expired.
    let client = services.authenticator.find_active(&tenant.id, &claims.client_id).await?;
    let Some(client) = client else { return Err(Problem::invalid_token("Token client is not active")) };
    raw.log(|fields| {
        fields.tenant = Some(tenant.id.clone());
        fields.client = Some(client.id.clone());
    });
    let claimed = Scope::parse(claims.scope.as_deref().unwrap_or_default()).unwrap_or_default();
    let granted = claimed.iter().filter(|token| client.scope.contains(token)).cloned().collect();
    let actor = Actor {
        name: format!("client:{}/{}", tenant.id, client.id),
        source: raw.address().map(|address| address.to_string()),
    };
    let authority = if is_platform(&tenant) {
        Authority::of_platform(actor, &granted)
    } else {
        Authority::of_tenant(actor, tenant.id.clone(), &granted)
    };
    let authority = required.check(authority)?;
    if raw.writes() {
        services.writes.spend(&tenant.id, now).map_err(Failure::TooManyWrites)?;
    }
    Ok(authority)
}

impl RequiredPermission<'_> {
    fn check(self, authority: Authority) -> Result<Authority, Problem> {
        let (holds, permission) = match self {
            Self::Platform(permission) => (authority.holds_everywhere(permission), permission),
            Self::Tenant(name, permission) => match TenantId::parse(name) {
                Ok(tenant) => (authority.holds_in(&tenant, permission), permission),
                Err(_) => (authority.holds_everywhere(permission), permission),
            },
        };
        if holds { Ok(authority) } else { Err(Problem::insufficient_scope(permission)) }
    }
}

/// The token's tenant and claims. The platform's tokens are tried first: its administrators reach every tenant, suspended ones too,
/// while a tenant that does not serve has no tokens that are worth anything.
async fn verify(
    services: &Services,
    token: &BearerToken,
    required: RequiredPermission<'_>,
    now: Timestamp,
) -> Result<(Arc<Tenant>, AccessTokenClaims), Problem> {
    let mut unreadable = None;
    if let Some(platform) = resolve(services, TenantId::PLATFORM).await? {
        match services.engine.admit_administrator(&platform, token, now).await {
            Ok(claims) => return Ok((platform, claims)),
            Err(GrantError::Bearer(BearerError::Token(TokenError::ForeignIssuer))) => {}
            Err(GrantError::Keys(KeyError::Store(error))) => return Err(error.into()),
            // The platform's keys cannot be opened: a tenant's administrators go on with theirs.
            Err(GrantError::Keys(error)) => unreadable = Some(error),
            Err(error) => return Err(error.into()),
        }
    }
    if let RequiredPermission::Tenant(name, _) = required
        && let Some(tenant) = resolve(services, name).await?
        && !is_platform(&tenant)
    {
        match services.engine.admit_administrator(&tenant, token, now).await {
            Ok(claims) => return Ok((tenant, claims)),
            Err(GrantError::Bearer(BearerError::Token(error))) if is_proven(error) => {
                return Err(Problem::invalid_token(error.description()));
            }
            Err(GrantError::Bearer(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let foreign = || Problem::invalid_token(TokenError::ForeignIssuer.description());
    Err(unreadable.map_or_else(foreign, Problem::from))
}

/// Whether the signature was good, so that the bearer may be told more. To everybody else an unknown tenant, a suspended one and
/// another one's look the same.
const fn is_proven(error: TokenError) -> bool {
    match error {
        TokenError::Expired | TokenError::NotYetValid | TokenError::WrongTyp | TokenError::WrongAudience => {
            true
        }
        TokenError::Malformed
        | TokenError::HeaderNotAllowed
        | TokenError::AlgorithmNotAllowed
        | TokenError::ForeignIssuer
        | TokenError::UnknownKey
        | TokenError::SignatureInvalid => false,
    }
}

async fn resolve(services: &Services, name: &str) -> Result<Option<Arc<Tenant>>, Problem> {
    match services.tenants.resolve(name).await {
        Ok(tenant) => Ok(Some(tenant)),
        Err(TenantError::Unknown) => Ok(None),
        Err(TenantError::Store(error)) => Err(error.into()),
    }
}

fn is_platform(tenant: &Tenant) -> bool {
    tenant.id.as_str() == TenantId::PLATFORM
}

//! Authorizes callers of the admin API by their token. Tokens of the tenant `platform` can
//! administer the whole platform. Tokens of another tenant can administer that tenant. The token's
//! client must exist and be active now. The caller has the scopes that are both in the token and in
//! the client's current registration.

use std::sync::Arc;

use actix_web::web::Data;
use administration::administrator::console_session::ConsoleToken;
use administration::administrator::{Administrator, Caller};
use administration::kinds::Permission;
use administration::kinds::authority::{Actor, Authority};
use async_trait::async_trait;
use grants::{BearerError, GrantError, UnconfirmedToken};
use keys::{KeyError, TokenError};
use protocol::{PresentedToken, RefusalReason, Scope};
use registry::credential_of_token;
use tenancy::{Tenant, TenantError, TenantId};
use values::Timestamp;

use crate::request::{RawRequest, ServerFailure, TenantRequest};
use crate::respond::Problem;
use crate::{Services, TokenServices};

/// How routes of the admin API get their services and their caller. A listener has
/// [`BearerAccess`], which authorizes by token. [`OperatorApi`](crate::OperatorApi) has no listener
/// and uses its own implementation.
#[async_trait(?Send)]
pub(crate) trait AdminAccess: 'static {
    fn administrator(&self) -> &Arc<Administrator>;

    /// For routes that explain or revoke tokens.
    fn tokens(&self) -> TokenServices;

    /// Returns the caller if it has the permission. Called before the body is read.
    async fn authorize(&self, raw: &RawRequest, required: RequiredPermission<'_>) -> Result<Caller, Problem>;
}

/// The admin API of a listener: each caller has exactly the permissions of its token.
pub(crate) struct BearerAccess(pub(crate) Data<Services>);

/// The permission that a route requires, and for which tenant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequiredPermission<'a> {
    /// `None` accepts a caller with any permission.
    permission: Option<Permission>,
    /// The tenant may not exist. `None` for the whole platform.
    tenant: Option<&'a str>,
}

#[async_trait(?Send)]
impl AdminAccess for BearerAccess {
    fn administrator(&self) -> &Arc<Administrator> {
        &self.0.administrator
    }

    fn tokens(&self) -> TokenServices {
        self.0.tokens.clone()
    }

    async fn authorize(&self, raw: &RawRequest, required: RequiredPermission<'_>) -> Result<Caller, Problem> {
        let services = &self.0;
        let now = (services.clock)();
        if !raw.is_plain() {
            return Err(ServerFailure::UnknownPath.into());
        }
        let token =
            PresentedToken::from_authorization(raw.authorization()?).ok_or_else(Problem::token_required)?;
        let (tenant, admitted) = verify(services, &token, required, now).await?;
        let request = TenantRequest { services, tenant: &tenant, raw, now };
        let claims = request.confirm(&token, admitted).await?;
        // Reads the client again, so that suspending a client or removing a scope takes effect with
        // the next request, before the client's tokens expire.
        let client = services.tokens.authenticator.find_active(&tenant.id, &claims.client_id).await?;
        let client = client.ok_or_else(|| {
            Problem::invalid_token(RefusalReason::TokenClientNotActive, "Token client is not active")
        })?;
        raw.log(|fields| {
            fields.tenant = Some(tenant.id.clone());
            fields.client = Some(client.id.clone());
        });
        let claimed = Scope::parse(claims.scope.as_deref().unwrap_or_default()).unwrap_or_default();
        let granted = claimed.iter().filter(|token| client.scope.contains(token)).cloned().collect();
        let (dpop, certificate) =
            claims.cnf.map_or((None, None), |confirmation| (confirmation.jkt(), confirmation.x5t_s256()));
        let actor = Actor {
            name: Authority::client_name(&tenant.id, &client.id),
            source: raw.address().map(|address| address.to_string()),
            credential: credential_of_token(&client, &claims.jti, certificate),
            sender_constraint: match (dpop, certificate) {
                (None, None) => None,
                (Some(_), None) => Some("dpop".to_owned()),
                (None, Some(_)) => Some("certificate".to_owned()),
                (Some(_), Some(_)) => Some("dpop certificate".to_owned()),
            },
        };
        let sender_constraint = actor.sender_constraint.clone();
        let authority = required.check(Authority::of_client(actor, &tenant.id, &granted))?;
        if raw.writes() {
            services
                .writes
                .spend(&tenant.id, tenant.limits.admin_writes, now)
                .map_err(ServerFailure::TooManyWrites)?;
        }
        let token = ConsoleToken {
            client: client.id.clone(),
            jti: claims.jti,
            issued_at: claims.iat,
            scope: claimed,
            certificate,
            sender_constraint,
            ends_at: Some(claims.exp),
        };
        Ok(Caller { token: Some(token), ..Caller::new(authority, now) })
    }
}

impl<'a> RequiredPermission<'a> {
    /// Paths below `/api/v1/tenant/` belong to one tenant; all others belong to the platform.
    pub(crate) fn of_route(raw: &'a RawRequest, permission: Option<Permission>) -> Self {
        Self { permission, tenant: tenant_of_admin_path(raw) }
    }

    fn check(self, authority: Authority) -> Result<Authority, Problem> {
        let tenant = self.tenant.and_then(|tenant| TenantId::parse(tenant).ok());
        let holds = |permission| match &tenant {
            Some(tenant) => authority.holds_in(tenant, permission),
            None => authority.holds_everywhere(permission),
        };
        let is_enough = match self.permission {
            Some(permission) => holds(permission),
            None => Permission::NAMED.into_iter().any(|(_, permission)| holds(permission)),
        };
        if is_enough { Ok(authority) } else { Err(Problem::insufficient_scope(self.permission)) }
    }
}

/// Unchanged from the path.
fn tenant_of_admin_path(raw: &RawRequest) -> Option<&str> {
    raw.pattern().starts_with("/api/v1/tenant/").then(|| raw.place("id").unwrap_or_default())
}

/// Verifies the token and returns its tenant. Tries the platform's keys first, because its
/// administrators can manage every tenant, even a suspended one. Refuses tokens of a suspended
/// tenant.
async fn verify(
    services: &Services,
    token: &PresentedToken,
    required: RequiredPermission<'_>,
    now: Timestamp,
) -> Result<(Arc<Tenant>, UnconfirmedToken), Problem> {
    let mut unreadable = None;
    if let Some(platform) = resolve(services, TenantId::PLATFORM).await? {
        match services.tokens.engine.admit_administrator(&platform, token, now).await {
            Ok(token) => return Ok((platform, token)),
            Err(GrantError::Bearer(BearerError::Token(TokenError::ForeignIssuer))) => {}
            Err(GrantError::Keys(KeyError::Store(error))) => return Err(error.into()),
            // If the platform's keys cannot be opened, administrators of a tenant can still use
            // their own tokens.
            Err(GrantError::Keys(error)) => unreadable = Some(error),
            Err(error) => return Err(error.into()),
        }
    }
    if let Some(name) = required.tenant
        && let Some(tenant) = resolve(services, name).await?
        && !is_platform(&tenant)
    {
        match services.tokens.engine.admit_administrator(&tenant, token, now).await {
            Ok(token) => return Ok((tenant, token)),
            // A caller without a valid signature gets the same answer for an unknown tenant, a
            // suspended tenant and another tenant.
            Err(GrantError::Bearer(BearerError::Token(error))) if error.is_proven() => {
                return Err(BearerError::Token(error).into());
            }
            Err(GrantError::Bearer(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(unreadable.map_or_else(|| BearerError::Token(TokenError::ForeignIssuer).into(), Problem::from))
}

async fn resolve(services: &Services, name: &str) -> Result<Option<Arc<Tenant>>, Problem> {
    match services.tokens.tenants.resolve(name).await {
        Ok(tenant) => Ok(Some(tenant)),
        Err(TenantError::Unknown | TenantError::Suspended(_) | TenantError::StrategyNotEnabled(_)) => {
            Ok(None)
        }
        Err(TenantError::Store(error)) => Err(error.into()),
    }
}

fn is_platform(tenant: &Tenant) -> bool {
    tenant.id.as_str() == TenantId::PLATFORM
}

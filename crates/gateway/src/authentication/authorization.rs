//! Authorizes the bearer of a token at the admin API. Only tokens of the tenant `platform` administer the
//! platform. A tenant's own tokens also administer the tenant. A token alone is not enough: its client must
//! exist and be active now. The client has the scopes that are both in the token and in its present
//! registration.

use std::sync::Arc;

use actix_web::web::Data;
use administration::{Actor, Administrator, Authority, Caller, ClientToken, Permission};
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

/// What the routes of the admin API are served with. A listener has [`BearerAccess`], which
/// authorizes by token; the service without a listener has [`OperatorApi`](crate::OperatorApi)'s own.
#[async_trait(?Send)]
pub(crate) trait AdminAccess: 'static {
    /// The service that decides and commits.
    fn administrator(&self) -> &Arc<Administrator>;

    /// What the token endpoint decides with.
    fn tokens(&self) -> TokenServices;

    /// The caller at the time of the request, if its authority suffices. No body has been read yet.
    async fn authorize(&self, raw: &RawRequest, required: RequiredPermission<'_>) -> Result<Caller, Problem>;
}

/// A listener's access to the admin API: each caller has the authority of its token, and no caller can get
/// another one.
pub(crate) struct BearerAccess(pub(crate) Data<Services>);

/// The permission that a route requires, and where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequiredPermission<'a> {
    /// Any of them where none is named.
    permission: Option<Permission>,
    /// The id of a tenant, which need not exist. None for the whole platform.
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
        // Suspending a client or removing a scope takes effect with the next request, before its tokens have
        // expired.
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
            name: format!("client:{}/{}", tenant.id, client.id),
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
        let token = ClientToken {
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
    /// Paths below `/api/v1/tenant/` concern one tenant, all others the platform.
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

/// The tenant that a path below `/api/v1/tenant/` names, as it was sent.
fn tenant_of_admin_path(raw: &RawRequest) -> Option<&str> {
    raw.pattern().starts_with("/api/v1/tenant/").then(|| raw.place("id").unwrap_or_default())
}

/// Verifies the token, and returns its tenant. The platform's keys are tried first: its administrators may
/// manage every tenant, also a suspended one. The tokens of a tenant that does not serve are invalid.
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
            // If the platform's keys cannot be opened, a tenant's administrators can still use their own
            // tokens.
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
            // Without a valid signature an unknown tenant, a suspended tenant and another tenant get the same
            // answer.
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

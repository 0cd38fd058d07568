//! The permissions of a session's owner. A session stores no permissions: each request derives them
//! from the current client or account, and checks that the credential is still valid.

use std::net::IpAddr;
use std::sync::Arc;

use accounts::AccountId;
use administration::administrator::console_session::{ConsoleHolder, ConsoleSession, ConsoleToken};
use administration::kinds::Permission;
use administration::kinds::authority::{Actor, Authority};
use protocol::{Scope, ScopeToken};
use registry::{IssuedToken, credential_of_token};
use tenancy::{Stored, Tenant, TenantError, TenantId};

use crate::Services;

/// The authority of the session's owner, and the name of the owner for people. `None` if the owner no
/// longer exists or has no permission any more.
pub(super) async fn authority(
    services: &Services,
    session: &ConsoleSession,
    source: Option<IpAddr>,
) -> Stored<Option<(Authority, String)>> {
    let named = |authority| (authority, session.actor.clone());
    let actor = Actor {
        name: session.actor.clone(),
        source: source.map(|source| source.to_string()),
        ..Actor::default()
    };
    match &session.holder {
        ConsoleHolder::Operator if session.tenant.as_str() != TenantId::PLATFORM => Ok(None),
        // Never the operator's own authority. That one exists only without a listener.
        ConsoleHolder::Operator => Ok(Some(named(Authority::of_platform(actor, &all_permissions())))),
        ConsoleHolder::Client(token) => {
            Ok(of_client(services, &session.tenant, token, actor).await?.map(named))
        }
        ConsoleHolder::Account(account) => of_account(services, session, account, actor).await,
    }
}

async fn of_client(
    services: &Services,
    home: &TenantId,
    token: &ConsoleToken,
    actor: Actor,
) -> Stored<Option<Authority>> {
    if !token.is_before_end((services.clock)()) {
        return Ok(None);
    }
    let Some(tenant) = serving(services, home).await? else { return Ok(None) };
    let ConsoleToken { client, jti, issued_at, scope, certificate, sender_constraint, .. } = token;
    let issued = IssuedToken { client: client.as_str(), jti, issued_at: *issued_at, person: None };
    if services.tokens.engine.has_revoked(&tenant, issued).await? {
        return Ok(None);
    }
    let found = services.tokens.authenticator.find_active(home, client.as_str()).await?;
    Ok(found.map(|client| {
        let granted = scope.iter().filter(|token| client.scope.contains(token)).cloned().collect();
        let credential = credential_of_token(&client, jti, *certificate);
        let sender_constraint = sender_constraint.clone();
        Authority::of_client(Actor { credential, sender_constraint, ..actor }, home, &granted)
    }))
}

/// The owner must still be allowed to sign in, and must not have been signed out everywhere since
/// the session's authentication.
async fn of_account(
    services: &Services,
    session: &ConsoleSession,
    account: &AccountId,
    actor: Actor,
) -> Stored<Option<(Authority, String)>> {
    let home = &session.tenant;
    let Some(_) = serving(services, home).await? else { return Ok(None) };
    let found = services.rows.accounts.find_account(home, account).await?;
    let found = found.filter(|account| {
        account.accepts_authentication_of(session.proven_at) && !account.permissions.is_empty()
    });
    Ok(found.map(|account| {
        let authority = Authority::of_account(actor, home.clone(), &account.permissions);
        (authority, account.display_name().to_owned())
    }))
}

async fn serving(services: &Services, tenant: &TenantId) -> Stored<Option<Arc<Tenant>>> {
    match services.tokens.tenants.resolve(tenant.as_str()).await {
        Ok(tenant) => Ok(Some(tenant)),
        Err(TenantError::Store(error)) => Err(error),
        Err(TenantError::Unknown | TenantError::Suspended(_) | TenantError::StrategyNotEnabled(_)) => {
            Ok(None)
        }
    }
}

fn all_permissions() -> Scope {
    Permission::NAMED.into_iter().filter_map(|(name, _)| ScopeToken::parse(name).ok()).collect()
}

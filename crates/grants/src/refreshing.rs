//! Refreshing: uses a refresh token, and signs the next tokens. A token that was used before ends the whole
//! grant (RFC 9700 §4.14.2).

use protocol::{ErrorResponse, GrantType, IntrospectedRefreshToken, TokenResponse};
use registry::{Client, IntrospectionRight, RevocationFacts, SenderKeys};
use tenancy::{Stored, Tenant};
use values::{Secret, Timestamp};

use crate::redemption::Issue;
use crate::refresh_family::TokenUse;
use crate::refresh_token::{RefreshTokenError, RefreshTokenRequest, decide, rotates};
use crate::refresh_token_text::{self, RefreshToken};
use crate::{
    Engine, FamilyKey, FamilyStep, FoundFamily, GrantError, Granted, Grantee, RefreshFamily, Reused, Signed,
    grant_check, redemption,
};

/// The tokens for a refresh token.
pub(crate) async fn refresh(
    engine: &Engine,
    grantee: &Grantee<'_>,
    request: &RefreshTokenRequest,
    sender: &SenderKeys,
    issue: Issue,
) -> Result<Signed<TokenResponse>, GrantError> {
    let (Grantee { tenant, client }, Issue { now, jti, .. }) = (*grantee, issue);
    let cnf = grant_check::check(GrantType::RefreshToken, grantee, sender)?;
    let tokens = engine.authorizations.refresh_tokens();
    let token = tokens.read(&tenant.id, &client.id, request.refresh_token.expose());
    let token = token.ok_or_else(|| refused(&RefreshTokenError::NotValid))?;
    let (family, granted, is_changed) = take_step(engine, grantee, request, &token, sender, issue).await?;
    let signed = redemption::sign(engine, grantee, &family.grant(&granted), cnf, now, jti).await?;
    let mut signed = signed.ok_or_else(|| refused(&RefreshTokenError::NotValid))?;
    signed.value.refresh_token = is_changed.then(|| tokens.next(&tenant.id, &client.id, &token));
    Ok(signed)
}

/// The family with what the request gets of it, and whether the client gets the next token.
async fn take_step(
    engine: &Engine,
    grantee @ Grantee { tenant, client }: &Grantee<'_>,
    request: &RefreshTokenRequest,
    token: &RefreshToken,
    sender: &SenderKeys,
    Issue { now, source, .. }: Issue,
) -> Result<(RefreshFamily, Granted, bool), GrantError> {
    let (store, policy) = (engine.authorizations.store(), client.refresh_token_policy(tenant));
    // Before the step, so that without them the token stays as it is.
    let facts = engine.facts_to_issue(tenant).await?;
    let not_valid = || refused(&RefreshTokenError::NotValid);
    let granted =
        |family: &RefreshFamily| decide(family, client, request, sender).map_err(|error| refused(&error));
    let is_changed = rotates(policy.rotation, client);
    let step = FamilyStep {
        key: token.key,
        client: &client.id,
        secret_digest: token.secret_digest,
        generation: token.generation,
        sender: *sender,
        idle: policy.idle,
        session: tenant.sign_in.session,
    };
    // A request for less may be refused, and then its token must stay as it is.
    let mut may_step = is_changed && !request.narrows();
    // The loop runs twice: one of two concurrent requests takes the step, and the other one finds that it was
    // taken.
    for _ in 0..2 {
        if may_step && let Some(family) = store.step_family(&tenant.id, &step, now).await? {
            if family.is_revoked(&facts) {
                return Err(not_valid());
            }
            let granted = granted(&family)?;
            return Ok((family, granted, true));
        }
        let found = find_live(engine, tenant, &facts, &token.key, now).await?.ok_or_else(not_valid)?;
        match found.judge(&tenant.id, &client.id, token, policy.grace, now) {
            TokenUse::Ended => return Err(not_valid()),
            TokenUse::Reused => {
                // A sender that cannot use a token cannot end its grant either.
                if !found.family.is_proven_by(sender) {
                    return Err(not_valid());
                }
                engine
                    .end_reused_grant(
                        grantee,
                        token.key.id,
                        &found.family.account,
                        Reused::RefreshToken,
                        now,
                        source,
                    )
                    .await?;
                return Err(refused(&RefreshTokenError::Reused));
            }
            TokenUse::Retried => return Ok((found.family.clone(), granted(&found.family)?, true)),
            TokenUse::Current => {
                let granted = granted(&found.family)?;
                if !is_changed {
                    if let Some(idle_until) = found.family.noted_use(&policy, now) {
                        store.note_use_of_family(&tenant.id, &token.key, idle_until).await?;
                    }
                    return Ok((found.family, granted, false));
                }
                may_step = true;
            }
        }
    }
    Err(not_valid())
}

/// Ends the grant, if the text is a refresh token of this client. The answer does not reveal whether it is
/// one (RFC 7009 §2.2).
pub(crate) async fn revoke(
    engine: &Engine,
    tenant: &Tenant,
    client: &Client,
    text: &Secret,
    now: Timestamp,
) -> Result<(), GrantError> {
    let Some(token) = engine.authorizations.refresh_tokens().read(&tenant.id, &client.id, text.expose())
    else {
        return Ok(());
    };
    let Some(found) = find(engine, tenant, &token.key, now).await? else { return Ok(()) };
    // RFC 7009 §2.1: "If the particular token is a refresh token and the authorization server supports the
    // revocation of access tokens, then the authorization server SHOULD also invalidate all access tokens
    // based on the same authorization grant".
    if found.family.has(&tenant.id, &client.id, &token) && found.family.ended_at.is_none() {
        engine.end_grant(&Grantee { tenant, client }, token.key.id, &found.family.account, now).await?;
    }
    Ok(())
}

/// Only its client, and a caller that may introspect all tokens of the tenant, learn something of a refresh
/// token. An API learns nothing, because no API receives one.
pub(crate) async fn introspect(
    engine: &Engine,
    Grantee { tenant, client }: &Grantee<'_>,
    text: &Secret,
    now: Timestamp,
) -> Result<Option<IntrospectedRefreshToken>, GrantError> {
    let tokens = engine.authorizations.refresh_tokens();
    let own = tokens.read(&tenant.id, &client.id, text.expose());
    let may_see_others = client.introspection == IntrospectionRight::Tenant;
    let of_others = || may_see_others.then(|| refresh_token_text::claimed_key(text.expose())).flatten();
    let Some(key) = own.as_ref().map(|token| token.key).or_else(of_others) else { return Ok(None) };
    let facts = engine.facts(tenant).await?;
    let Some(found) = find_live(engine, tenant, &facts, &key, now).await? else { return Ok(None) };
    let family = &found.family;
    let token = own.or_else(|| tokens.read(&tenant.id, &family.client, text.expose()));
    let Some(token) = token else { return Ok(None) };
    let holder = engine.find_client(&tenant.id, &family.client).await?;
    let holder = holder.filter(|holder| holder.status == registry::ClientStatus::Active);
    let Some(holder) = holder else { return Ok(None) };
    let grace = holder.refresh_token_policy(tenant).grace;
    let judged = found.judge(&tenant.id, &holder.id, &token, grace, now);
    if !matches!(judged, TokenUse::Current | TokenUse::Retried) {
        return Ok(None);
    }
    let sub = engine.authorizations.subjects().sub(&Grantee { tenant, client: &holder }, &family.account);
    Ok(Some(IntrospectedRefreshToken {
        scope: family.granted.scope.clone(),
        client_id: family.client.as_str().to_owned(),
        exp: family.idle_until.min(family.expires_at).seconds(),
        iat: family.created_at.seconds(),
        sub,
        iss: tenant.issuer.as_str().to_owned(),
    }))
}

/// Finds the family. It is not live if its tenant, its client or its credential was revoked.
async fn find_live(
    engine: &Engine,
    tenant: &Tenant,
    facts: &RevocationFacts,
    key: &FamilyKey,
    now: Timestamp,
) -> Stored<Option<FoundFamily>> {
    let found = find(engine, tenant, key, now).await?;
    Ok(found.map(|found| FoundFamily { is_live: found.is_live && !found.family.is_revoked(facts), ..found }))
}

async fn find(
    engine: &Engine,
    tenant: &Tenant,
    key: &FamilyKey,
    now: Timestamp,
) -> Stored<Option<FoundFamily>> {
    engine.authorizations.store().find_family(&tenant.id, key, tenant.sign_in.session, now).await
}

fn refused(error: &RefreshTokenError) -> GrantError {
    let scope = match error {
        RefreshTokenError::Scope(tokens) => tokens.first().cloned(),
        _ => None,
    };
    GrantError::Refused { response: ErrorResponse::from(error), scope }
}

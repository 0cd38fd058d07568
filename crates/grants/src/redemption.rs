//! Redeems authorization codes: uses the code up and signs the tokens. A second use revokes the
//! grant (RFC 6749 §4.1.2). Device codes get their tokens here, too.

use std::net::IpAddr;

use protocol::{Confirmation, GrantType, TokenResponse};
use registry::{ClaimPlace, Client, CredentialTag, GroupsClaim, PersonOfToken, SenderKeys};
use serde_json::{Map, Value};
use sessions::SessionId;
use uuid::Uuid;
use values::Timestamp;

use crate::authorization_code::{self, AuthorizationCodeError, AuthorizationCodeRequest};
use crate::person_grant::{self, PersonGrant};
use crate::{
    AuthorizationCode, Engine, GrantError, GrantId, GrantedGroups, Grantee, NewFamily, OneTime,
    OneTimeContent, OneTimeStore, Reused, Signed, grant_check, id_token, userinfo,
};

/// The circumstances in which tokens are issued.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Issue {
    pub(crate) now: Timestamp,
    pub(crate) credential: CredentialTag,
    /// For the access token.
    pub(crate) jti: Uuid,
    pub(crate) source: Option<IpAddr>,
}

pub(crate) async fn redeem(
    engine: &Engine,
    grantee: &Grantee<'_>,
    request: &AuthorizationCodeRequest,
    sender: &SenderKeys,
    issue @ Issue { now, credential, .. }: Issue,
) -> Result<Signed<TokenResponse>, GrantError> {
    let cnf = grant_check::check(GrantType::AuthorizationCode, grantee, sender)?;
    let id = engine.authorizations.codes.grant(&grantee.tenant.id, &request.code);
    let family = begin_family(engine, grantee, id, sender, credential, now);
    // Loads the revocations before using the code up, so that the code stays valid if loading
    // fails.
    let facts = engine.facts_to_issue(grantee.tenant).await?;
    let code = use_up(engine, grantee, request, sender, id, family.clone(), issue).await?;
    if facts.revoke_grant(code.client.as_str(), None, code.created_at) {
        return Err(AuthorizationCodeError::NotValid.into());
    }
    let signed = tokens(engine, grantee, &code, id, family, cnf, issue).await?;
    Ok(signed.ok_or(AuthorizationCodeError::NotValid)?)
}

/// The tokens for a record that was used up. Returns `None` if no person has allowed the request,
/// if the person has revoked the consent since, or if the grant has ended in the meantime.
pub(crate) async fn tokens<T: OneTimeContent>(
    engine: &Engine,
    grantee: &Grantee<'_>,
    record: &OneTime<T>,
    id: GrantId,
    family: Option<NewFamily>,
    cnf: Option<Confirmation>,
    issue: Issue,
) -> Result<Option<Signed<TokenResponse>>, GrantError> {
    let (Some(allowed), Some(grant)) = (record.content.allowed(), record.grant(id)) else { return Ok(None) };
    if engine.is_consent_revoked(grantee, allowed.account, allowed.at).await {
        return Ok(None);
    }
    let Some(mut signed) = sign(engine, grantee, &grant, cnf, issue.now, issue.jti).await? else {
        return Ok(None);
    };
    let tokens = engine.authorizations.refresh_tokens();
    let first = family.and_then(|new| Some(tokens.first(&new, &record.family(&new)?)));
    signed.value.refresh_token = first;
    Ok(Some(signed))
}

/// `None` if the client gets no refresh tokens.
pub(crate) fn begin_family(
    engine: &Engine,
    Grantee { tenant, client }: &Grantee<'_>,
    id: GrantId,
    sender: &SenderKeys,
    credential: CredentialTag,
    now: Timestamp,
) -> Option<NewFamily> {
    let tokens = engine.authorizations.refresh_tokens();
    let policy = client.refresh_token_policy(tenant);
    let (sender, credential) = bound_to(client, sender, credential);
    let begin = || tokens.begin(&tenant.id, id, sender, credential, policy, now);
    client.gets_refresh_tokens().then(begin)
}

/// The keys that the family of a public client is bound to. The family of another client is bound
/// to its credential instead, because such a client may change its keys (RFC 9449 §5, RFC 8705 §4).
fn bound_to(
    client: &Client,
    sender: &SenderKeys,
    credential: CredentialTag,
) -> (SenderKeys, Option<CredentialTag>) {
    if client.is_public() { (*sender, None) } else { (SenderKeys::default(), Some(credential)) }
}

/// Returns `None` if the grant has ended in the meantime, for example by a second use of its code.
pub(crate) async fn sign(
    engine: &Engine,
    grantee: &Grantee<'_>,
    grant: &PersonGrant<'_>,
    cnf: Option<Confirmation>,
    now: Timestamp,
    jti: Uuid,
) -> Result<Option<Signed<TokenResponse>>, GrantError> {
    let id = grant.id.to_string();
    let names = engine.authorizations.subjects().names(grantee, grant.account, grant.session);
    let person = PersonOfToken {
        account: grant.account.as_str(),
        sub: &names.sub,
        session: grant.session.map(SessionId::as_str),
        grant: Some(&id),
    };
    let Some(now) = engine.first_valid_second_of(grantee, person, now).await? else { return Ok(None) };
    let claims = person_grant::claims(grant, &names, grantee, cnf, now, jti);
    let key = engine.access_token_key(grantee, &claims, now).await?;
    let signs_in = grant.granted.has_scope("openid");
    let (person, groups) = claims_of_person(engine, grantee, grant, signs_in).await?;
    let mut statics = grantee.static_claims();
    if let Some(groups) = &groups {
        groups.replace_in(statics.to_mut());
    }
    let access_token = claims.encode(&key, grantee.tenant, &statics)?;
    let id_token = if signs_in {
        let key = engine.keys.signing_key(grantee.tenant, now).await?;
        let claims = id_token::claims(grant, &names, grantee, &access_token, key.algorithm(), person, now);
        Some(key.sign(id_token::TYP, &claims)?)
    } else {
        None
    };
    let value = TokenResponse { id_token, ..claims.response(access_token) };
    let places = [ClaimPlace::AccessToken, ClaimPlace::IdToken];
    let places = if signs_in { &places[..] } else { &places[..1] };
    let groups_left_out = groups.and_then(|groups| groups.left_out(places));
    Ok(Some(Signed { value, algorithm: Some(key.algorithm()), groups_left_out }))
}

/// The claims of the ID token about the person, and the granted groups. Reads the account only if the
/// tokens contain one of these.
async fn claims_of_person(
    engine: &Engine,
    grantee @ Grantee { tenant, client }: &Grantee<'_>,
    PersonGrant { account, granted, .. }: &PersonGrant<'_>,
    signs_in: bool,
) -> Result<(Map<String, Value>, Option<GrantedGroups>), GrantError> {
    let names: Vec<_> = id_token::names_of_claims(client, granted).filter(|_| signs_in).collect();
    let has_groups = granted.has_scope(GroupsClaim::SCOPE);
    if names.is_empty() && !has_groups {
        return Ok((Map::new(), None));
    }
    let Some(account) = engine.accounts.find_account(&tenant.id, account).await? else {
        return Ok((Map::new(), None));
    };
    let groups = has_groups.then(|| GrantedGroups::new(grantee, &account));
    let mut claims = userinfo::claims_of(&account, names.into_iter());
    claims.extend(groups.as_ref().and_then(|groups| groups.at(ClaimPlace::IdToken)));
    Ok((claims, groups))
}

/// A second use of the code ends its grant.
async fn use_up(
    engine: &Engine,
    grantee @ Grantee { tenant, client }: &Grantee<'_>,
    request: &AuthorizationCodeRequest,
    sender: &SenderKeys,
    id: GrantId,
    family: Option<NewFamily>,
    Issue { now, source, .. }: Issue,
) -> Result<OneTime<AuthorizationCode>, GrantError> {
    let key = engine.authorizations.codes.key(&tenant.id, request.code.expose());
    let key = key.ok_or(AuthorizationCodeError::NotValid)?;
    let used = request.use_of(client, key, family)?;
    let store: &dyn OneTimeStore<AuthorizationCode> = engine.authorizations.store();
    let redeemed = store.use_up(&tenant.id, &used, now).await?;
    let before = if redeemed.is_some() { None } else { store.find(&tenant.id, &key).await? };
    let before = before
        .filter(|code| (&code.tenant, &code.client) == (&tenant.id, &client.id) && code.used_at.is_some());
    let decided = authorization_code::decide(&tenant.id, &used, redeemed, before.is_some(), sender, now);
    match (&decided, before) {
        (Err(AuthorizationCodeError::Reused), Some(code)) if !code.has_ended() => {
            let used = Reused::Code(key);
            engine.end_reused_grant(grantee, id, &code.account, used, now, source).await?;
        }
        // The client got no token of this grant, so nothing is revoked. Ending the family here is
        // enough.
        (Err(AuthorizationCodeError::NotProven), _) => {
            engine.authorizations.store().discard_code(&tenant.id, key, &id.to_string(), now).await?;
        }
        _ => {}
    }
    Ok(decided?)
}

#[cfg(test)]
mod tests {
    use protocol::{ClientAuthenticationMethod, Thumbprint};

    use super::*;
    use crate::test_fixtures::web_client;

    #[test]
    fn refresh_tokens_are_bound_to_key_or_credential() {
        let sender = SenderKeys { dpop: Some(Thumbprint::new([1; 32])), certificate: None };
        let web = web_client("web");
        let tag = CredentialTag::of_public_client(&web.tenant, &web.id);
        let public = Client { authentication_method: ClientAuthenticationMethod::None, ..web.clone() };
        assert_eq!(bound_to(&public, &sender, tag), (sender, None));
        assert_eq!(bound_to(&web, &sender, tag), (SenderKeys::default(), Some(tag)));
    }
}

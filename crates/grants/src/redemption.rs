//! Redeeming a code of either kind: use it up, and sign the tokens that it is for. A second use revokes what the first one gave (RFC 6749 §4.1.2).

use keys::sha256;
use protocol::{Confirmation, GrantType, Timestamp, TokenResponse};
use registry::TokenRevocation;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::authorization::{Redeemed, Redemption};
use crate::authorization_code::{self, AuthorizationCodeRequest};
use crate::device::Polled;
use crate::device_code::{self, DeviceCodeError, DeviceCodeRequest};
use crate::person_grant::{self, PersonGrant};
use crate::sender_constraint::token_type;
use crate::{AuthorizationCode, Engine, GrantError, Grantee, SenderKeys, Signed, id_token, userinfo};

/// The tokens for a code.
pub(crate) async fn redeem(
    engine: &Engine,
    grantee: &Grantee<'_>,
    request: &AuthorizationCodeRequest,
    sender: &SenderKeys,
    (now, jti): (Timestamp, Uuid),
) -> Result<Signed<TokenResponse>, GrantError> {
    let cnf = person_grant::check(GrantType::AuthorizationCode, grantee, sender)?;
    let code = use_up(engine, grantee, request, (now, jti)).await?;
    sign(engine, grantee, &code.grant(), cnf, (now, jti)).await
}

/// Signs the tokens for what a person has granted.
pub(crate) async fn sign(
    engine: &Engine,
    grantee: &Grantee<'_>,
    grant: &PersonGrant<'_>,
    cnf: Option<Confirmation>,
    (now, jti): (Timestamp, Uuid),
) -> Result<Signed<TokenResponse>, GrantError> {
    let claims = person_grant::claims(grant, grantee, cnf, now, jti);
    let key = engine.keys.signing_key(grantee.tenant, now).await?;
    let access_token = key.sign(&grantee.tenant.access_token.typ, &claims)?;
    let signs_in = grant.granted.has_scope("openid");
    let person = if signs_in { requested_claims(engine, grantee, grant).await? } else { Map::new() };
    let id_token = signs_in.then(|| {
        let claims = id_token::claims(grant, grantee, (&access_token, key.algorithm()), person, now);
        key.sign(id_token::TYP, &claims)
    });
    let value = TokenResponse {
        id_token: id_token.transpose()?,
        access_token,
        token_type: token_type(claims.cnf.as_ref()),
        expires_in: claims.exp.seconds() - claims.iat.seconds(),
        scope: claims.scope,
    };
    Ok(Signed { value, algorithm: key.algorithm() })
}

/// The tokens for a device code that a person has allowed.
pub(crate) async fn redeem_device_code(
    engine: &Engine,
    grantee: &Grantee<'_>,
    request: &DeviceCodeRequest,
    sender: &SenderKeys,
    (now, jti): (Timestamp, Uuid),
) -> Result<Signed<TokenResponse>, GrantError> {
    let Grantee { tenant, client } = grantee;
    let cnf = person_grant::check(GrantType::DeviceCode, grantee, sender)?;
    let code = match engine.devices.poll(&tenant.id, &request.device_code, now).await? {
        Polled::TooEarly => return Err(DeviceCodeError::SlowDown.into()),
        Polled::Code(code) => code.filter(|code| code.tenant == tenant.id),
    };
    device_code::decide(code.as_deref(), &client.id, now)?;
    let redeemed = match &code {
        Some(code) => engine.devices.redeem(code, &client.id, now).await?,
        None => None,
    };
    let redeemed = redeemed.as_ref().and_then(|code| Some((code.account.as_ref()?, &code.granted)));
    let (account, granted) = redeemed.ok_or(DeviceCodeError::Code)?;
    // The device is in no session of a browser: signing out there does not disconnect it.
    let grant = PersonGrant { account, session: None, granted };
    sign(engine, grantee, &grant, cnf, (now, jti)).await
}

/// The claims of the person that the request named for the ID token. Without such claims the account is not read.
async fn requested_claims(
    engine: &Engine,
    grantee: &Grantee<'_>,
    PersonGrant { account, granted, .. }: &PersonGrant<'_>,
) -> Result<Map<String, Value>, GrantError> {
    if granted.id_token_claims.is_empty() {
        return Ok(Map::new());
    }
    let account = engine.accounts.find_account(&grantee.tenant.id, account).await?;
    let names = || granted.id_token_claims.iter().map(String::as_str);
    Ok(account.map(|account| userinfo::claims_of(&account, names())).unwrap_or_default())
}

async fn use_up(
    engine: &Engine,
    Grantee { tenant, client }: &Grantee<'_>,
    request: &AuthorizationCodeRequest,
    (now, jti): (Timestamp, Uuid),
) -> Result<AuthorizationCode, GrantError> {
    let not_valid = || GrantError::Refused { response: authorization_code::not_valid(), scope: None };
    let key = engine.authorizations.key(&tenant.id, &request.code).ok_or_else(not_valid)?;
    let redemption = Redemption {
        key,
        client: &client.id,
        redirect_uri: &request.redirect_uri,
        code_challenge: request.code_verifier.as_ref().map(|verifier| sha256(verifier.expose())),
        token: (&jti.to_string(), now + client.token_lifetime(tenant)),
    };
    match engine.authorizations.redeem(&tenant.id, &redemption, now).await? {
        Redeemed::First(code) if code.tenant == tenant.id && code.client == client.id => Ok(*code),
        Redeemed::First(_) | Redeemed::Refused => Err(not_valid()),
        Redeemed::Again { token, issued_at, until } => {
            let revocation =
                TokenRevocation { client: client.id.clone(), jti: token, issued_at, expires_at: until };
            engine.revocations.revoke_token(&tenant.id, &revocation, now).await?;
            Err(not_valid())
        }
    }
}

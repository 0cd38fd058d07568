//! A person's grant to a client, and the claims of its access tokens.

use accounts::AccountId;
use protocol::{Audience, Confirmation};
use sessions::SessionId;
use tenancy::UserinfoTokens;
use uuid::Uuid;
use values::Timestamp;

use crate::subject::PersonNames;
use crate::{AccessTokenClaims, GrantId, Granted, Grantee};

#[derive(Clone, Copy, Debug)]
pub(crate) struct PersonGrant<'a> {
    /// Derived from the code or device code. Refresh tokens keep it.
    pub(crate) id: GrantId,
    pub(crate) account: &'a AccountId,
    /// `None` for a device, which belongs to no browser session.
    pub(crate) session: Option<&'a SessionId>,
    pub(crate) granted: &'a Granted,
}

/// The claims of the access token (RFC 9068 §2.2).
pub(crate) fn claims<'a>(
    grant: &PersonGrant<'a>,
    names: &'a PersonNames,
    grantee: &Grantee<'a>,
    cnf: Option<Confirmation>,
    now: Timestamp,
    jti: Uuid,
) -> AccessTokenClaims<'a> {
    let PersonGrant { id, granted, .. } = grant;
    let (iss, client) = (grantee.tenant.issuer.as_str(), grantee.client.id.as_str());
    let (aud, until) = (audience(granted, grantee), now + grantee.lifetime());
    AccessTokenClaims {
        sub: names.sub.as_str().into(),
        scope: granted.scope.clone(),
        auth_time: Some(granted.auth_time()),
        acr: Some(granted.acr.as_str().into()),
        sid: names.sid.as_deref().map(Into::into),
        userinfo_claims: granted.userinfo_claims.clone(),
        grant_id: Some(id.to_string().into()),
        cnf,
        ..AccessTokenClaims::of_client(iss, client, aud, now, until, jti.to_string())
    }
}

/// The requested resources. Without requested resources: the client's audiences and, with `openid`,
/// the issuer, so that the userinfo endpoint accepts the token. If there are none of these: the
/// issuer.
fn audience<'a>(granted: &Granted, Grantee { tenant, client }: &Grantee<'a>) -> Audience<'a> {
    let mut names = granted.resources.clone();
    if names.is_empty() {
        let is_for_userinfo = granted.has_scope("openid");
        if !is_for_userinfo || client.userinfo_tokens(tenant) == UserinfoTokens::Combined {
            names.clone_from(&client.audiences);
        }
        if is_for_userinfo {
            names.push(tenant.issuer.as_str().to_owned());
        }
    }
    match names.len() {
        0 => Audience::One(client.id.as_str().into()),
        1 => Audience::One(names.remove(0).into()),
        _ => Audience::Many(names.into()),
    }
}

#[cfg(test)]
mod tests {
    use registry::Client;
    use tenancy::Tenant;

    use super::*;
    use crate::test_fixtures::{ADA, acme, code_of, subjects, web_client};

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

    // [V10 10.3.4]: 2 | Strength and age of an authentication are checked where they matter | not ours | No
    //   resource of ours requires one. Access tokens of people have `acr` and `auth_time` for APIs that do,
    //   and `max_age` and `prompt=login` demand a new sign-in
    #[test]
    fn token_has_person_and_requested_audience() {
        let mut tenant = acme();
        let mut client = web_client("web");
        let aud = |tenant: &Tenant, client: &Client, granted: Granted| {
            let code = code_of(client, granted);
            let grantee = Grantee { tenant, client };
            let grant = code.grant(GrantId::from_bytes([7; 16])).unwrap();
            let names = subjects().names(&grantee, grant.account, grant.session);
            let claims = claims(&grant, &names, &grantee, None, NOW, Uuid::nil());
            assert_eq!((&*claims.sub, &*claims.client_id), (ADA, "web"));
            assert_eq!(
                (&*claims.iss, claims.auth_time),
                ("https://acme.example", Some(Timestamp::from_seconds(900)))
            );
            assert_eq!(claims.grant_id.as_deref(), Some(&*grant.id.to_string()));
            serde_json::to_string(&claims.aud).unwrap()
        };
        let openid = || Granted { scope: Some("openid".to_owned()), ..Granted::default() };
        let orders = || Granted { resources: vec!["https://orders.example".to_owned()], ..openid() };
        assert_eq!(aud(&tenant, &client, openid()), r#""https://acme.example""#);
        assert_eq!(aud(&tenant, &client, Granted::default()), r#""web""#);
        client.audiences = vec!["api".to_owned()];
        for (of_tenant, own, expected) in [
            (UserinfoTokens::Combined, None, r#"["api","https://acme.example"]"#),
            (UserinfoTokens::Separate, None, r#""https://acme.example""#),
            (UserinfoTokens::Combined, Some(UserinfoTokens::Separate), r#""https://acme.example""#),
            (UserinfoTokens::Separate, Some(UserinfoTokens::Combined), r#"["api","https://acme.example"]"#),
        ] {
            (tenant.userinfo, client.code_flow.userinfo) = (of_tenant, own);
            assert_eq!(aud(&tenant, &client, openid()), expected);
            assert_eq!(aud(&tenant, &client, Granted::default()), r#""api""#, "userinfo does not take it");
            assert_eq!(aud(&tenant, &client, orders()), r#""https://orders.example""#);
        }
        // Only clients' own tokens have an alias as their issuer. Tokens of people have the issuer of the
        // metadata.
        client.issuer = Some(tenancy::Issuer::parse("thunder").unwrap());
        assert_eq!(aud(&tenant, &client, Granted::default()), r#""api""#);
    }
}

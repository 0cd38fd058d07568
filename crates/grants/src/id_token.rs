//! ID tokens, which tell a client about a sign-in (OpenID Connect Core §2, §3.1.3.6).

use keys::left_half_hash;
use protocol::SigningAlgorithm;
use registry::Client;
use serde::Serialize;
use serde_json::{Map, Value};
use values::{Lifetime, Timestamp};

use crate::person_grant::PersonGrant;
use crate::subject::PersonNames;
use crate::userinfo::{claims_of_scopes, shortened};
use crate::{Granted, Grantee};

pub(crate) const TYP: &str = "JWT";
/// The maximum lifetime. An ID token expires at the latest with the access token issued with it,
/// because a public key is published only as long as access tokens need it.
const LIFETIME: Lifetime = Lifetime::from_seconds(3_600);

/// The members have the order of the JSON.
#[derive(Debug, Serialize)]
pub(crate) struct IdTokenClaims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: Timestamp,
    iat: Timestamp,
    /// Every token of this server has `nbf`, so that one verifier reads all of them.
    nbf: Timestamp,
    auth_time: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    acr: &'a str,
    amr: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<&'a str>,
    at_hash: String,
    /// The claims that the request named.
    #[serde(flatten)]
    person: Map<String, Value>,
}

/// The issuer is never an alias, because the client compares it with the metadata.
pub(crate) fn claims<'a>(
    grant: &PersonGrant<'a>,
    names: &'a PersonNames,
    grantee: &Grantee<'a>,
    access_token: &str,
    algorithm: SigningAlgorithm,
    person: Map<String, Value>,
    now: Timestamp,
) -> IdTokenClaims<'a> {
    let PersonGrant { granted, .. } = *grant;
    IdTokenClaims {
        iss: grantee.tenant.issuer.as_str(),
        sub: &names.sub,
        aud: grantee.client.id.as_str(),
        exp: now + LIFETIME.min(grantee.client.token_lifetime(grantee.tenant)),
        iat: now,
        nbf: now,
        auth_time: granted.auth_time(),
        nonce: granted.nonce.as_deref(),
        acr: &granted.acr,
        amr: &granted.amr,
        sid: names.sid.as_deref(),
        at_hash: left_half_hash(algorithm, access_token),
        person,
    }
}

/// The claims that the request named for the ID token. For a client with `claims_in_id_token`, also
/// those of the granted scopes.
pub(crate) fn names_of_claims<'a>(
    client: &Client,
    granted: &'a Granted,
) -> impl Iterator<Item = &'a str> + use<'a> {
    let has_those_of_scopes = client.code_flow.claims_in_id_token;
    let of_scopes = claims_of_scopes(move |scope| has_those_of_scopes && granted.has_scope(scope));
    of_scopes.map(shortened).chain(granted.id_token_claims.iter().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_fixtures::{acme, code_of, subjects, web_client};

    // [core Core §2]: An ID token has `iss`, `sub`, `aud`, `exp`, `iat`; `auth_time` and `nonce` as requested
    #[test]
    fn id_token_has_only_sign_in_and_requested_claims() {
        let (tenant, client) = (acme(), web_client("web"));
        let granted = Granted {
            scope: Some("openid email".to_owned()),
            nonce: Some("n".to_owned()),
            acr: "urn:latchkey:acr:1".to_owned(),
            amr: vec!["pwd".to_owned()],
            ..Granted::default()
        };
        let code = code_of(&client, granted);
        let grantee = Grantee { tenant: &tenant, client: &client };
        let now = Timestamp::from_seconds(1_000);
        let grant = code.grant(crate::GrantId::from_bytes([7; 16])).unwrap();
        let called = subjects().names(&grantee, grant.account, grant.session);
        let claims = claims(&grant, &called, &grantee, "token", SigningAlgorithm::RS256, Map::new(), now);
        let json = serde_json::to_value(&claims).unwrap();
        let names: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
        let expected =
            ["acr", "amr", "at_hash", "aud", "auth_time", "exp", "iat", "iss", "nbf", "nonce", "sid", "sub"];
        assert_eq!(
            {
                let mut names = names;
                names.sort_unstable();
                names
            },
            expected
        );
        assert_eq!((json["aud"].as_str(), json["exp"].as_u64()), (Some("web"), Some(4_600)));
        assert_eq!(json["auth_time"].as_u64(), Some(900));
        let person = Map::from_iter([("name".to_owned(), "Ada".into())]);
        let claims = self::claims(&grant, &called, &grantee, "token", SigningAlgorithm::RS256, person, now);
        assert_eq!(serde_json::to_value(&claims).unwrap()["name"], "Ada", "as far as it was requested");
        for (seconds, expected) in [(60, 1_060), (7_200, 4_600)] {
            let lifetime = Some(Lifetime::from_seconds(seconds));
            let client = Client { access_token_lifetime: lifetime, ..client.clone() };
            let grantee = Grantee { tenant: &tenant, client: &client };
            let token = ("token", SigningAlgorithm::RS256);
            let claims = self::claims(&grant, &called, &grantee, token.0, token.1, Map::new(), now);
            assert_eq!(claims.exp.seconds(), expected);
        }
    }

    // [core Core §5.4 b]: ID tokens have no claims of scopes, because an access token for userinfo is issued
    //   with each. A client may be registered for them (`claims_in_id_token`)
    #[test]
    fn scope_claims_need_claims_in_id_token() {
        let granted = Granted {
            scope: Some("openid email".to_owned()),
            id_token_claims: vec!["name".to_owned()],
            ..Granted::default()
        };
        let mut client = web_client("web");
        let names = |client: &Client| names_of_claims(client, &granted).collect::<Vec<_>>();
        assert_eq!(names(&client), ["name"]);
        client.code_flow.claims_in_id_token = true;
        assert_eq!(names(&client), ["email", "email_verified", "name"]);
    }
}

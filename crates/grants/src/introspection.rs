//! Decides which introspection response a caller gets (RFC 7662 §2.2, §4).

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use protocol::{ActiveToken, StaticClaims};
use registry::{ClaimPlace, Client, ClientStatus, IntrospectionRight};

use serde_json::value::RawValue;

use crate::sender_constraint::token_type;
use crate::{AccessTokenClaims, Grantee};

/// The caller of this function has verified the token. A token that the client may not introspect
/// looks like an inactive token: "the authorization server SHOULD NOT include any additional
/// information" (RFC 7662 §2.2).
pub(crate) fn decide(
    claims: AccessTokenClaims<'static>,
    caller: &Grantee<'_>,
    holder: Option<&Client>,
) -> Option<ActiveToken> {
    let holder_is_live = holder.is_some_and(|holder| holder.status == ClientStatus::Active);
    if !holder_is_live || !may_know(&claims, caller) {
        return None;
    }
    Some(ActiveToken {
        scope: claims.scope,
        client_id: claims.client_id.into_owned(),
        // RFC 9449 §6.2: "If the token_type member is included in the introspection response, it
        // MUST contain the value DPoP."
        token_type: token_type(claims.cnf.as_ref()),
        exp: claims.exp.seconds(),
        iat: claims.iat.seconds(),
        nbf: claims.nbf.seconds(),
        sub: claims.sub.into_owned(),
        aud: claims.aud,
        iss: claims.iss.into_owned(),
        jti: claims.jti,
        cnf: claims.cnf,
        api_key: claims.api_key.map(Cow::into_owned),
        owner: None,
        labels: None,
        claims: StaticClaims::default(),
    })
}

/// The names of the static claims and of the groups.
pub(crate) fn carried_names(holder: &Grantee<'_>) -> BTreeSet<String> {
    let (statics, copied) = (holder.static_claims(), &holder.client.copied_claims);
    let groups = &holder.client.code_flow.groups;
    let groups = Some(&groups.claim).filter(|_| groups.is_in(ClaimPlace::AccessToken));
    statics.0.keys().chain(copied.keys()).chain(groups).cloned().collect()
}

/// These claims with the values in the token. The registration may have changed since the token was issued,
/// and some values were copied from an assertion.
pub(crate) fn carried(names: BTreeSet<String>, payload: &[u8]) -> StaticClaims {
    let payload: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(payload).unwrap_or_default();
    let value = |name: String| Some((name.clone(), StaticClaims::value(payload.get(&name)?)?));
    StaticClaims(names.into_iter().filter_map(value).collect())
}

fn may_know(claims: &AccessTokenClaims<'_>, caller: &Grantee<'_>) -> bool {
    let id = caller.client.id.as_str();
    let own = claims.client_id == id;
    match caller.client.introspection {
        IntrospectionRight::Own => own,
        IntrospectionRight::Tenant => true,
        IntrospectionRight::Audience => {
            let listed = |audience| {
                let server = caller.tenant.server_of_resource(audience);
                server.is_some_and(|server| server.introspection_clients.iter().any(|client| client == id))
            };
            own || claims.aud.iter().any(listed)
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::{Audience, IntrospectionResponse};

    use super::*;
    use crate::test_fixtures::{self, acme, client};

    fn claims(holder: &'static str, audience: &'static str) -> AccessTokenClaims<'static> {
        AccessTokenClaims {
            aud: Audience::One(audience.into()),
            scope: Some("read".to_owned()),
            ..test_fixtures::claims(holder, "id-1")
        }
    }

    fn check(
        right: IntrospectionRight,
        caller: &str,
        holder: &'static str,
        audience: &'static str,
        active: bool,
    ) {
        let tenant = acme();
        let caller = Client { introspection: right, ..client(caller) };
        let caller = Grantee { tenant: &tenant, client: &caller };
        let answer = decide(claims(holder, audience), &caller, Some(&client(holder)));
        assert_eq!(answer.is_some(), active, "{right:?} {holder} {audience}");
    }

    // [introspection RFC 7662 §2.2 c]: A token that the caller may not introspect is inactive for it. The
    //   caller may introspect its own tokens, those of the resource servers that list it, or all of its
    //   tenant
    #[test]
    fn introspection_right_limits_visible_tokens() {
        use IntrospectionRight::{Audience, Own, Tenant};
        check(Own, "svc", "svc", "x", true);
        check(Own, "svc", "other", "x", false);
        check(Own, "gatekeeper", "other", "https://orders.example", false);
        check(Audience, "gatekeeper", "other", "https://orders.example", true);
        check(Audience, "gatekeeper", "other", "https://reports.example", false);
        check(Audience, "gatekeeper", "gatekeeper", "x", true);
        check(Audience, "svc", "other", "https://orders.example", false);
        check(Audience, "gatekeeper", "other", "HTTPS://orders.example:443/", true);
        check(Audience, "gatekeeper", "other", "https://orders.example/v1", false);
        check(Tenant, "svc", "other", "x", true);
    }

    // [introspection RFC 7662 §4 b]: A revoked token is inactive, and so are the tokens of a suspended or
    //   deleted client, of a revoked secret and of a removed key
    #[test]
    fn token_of_suspended_or_deleted_client_is_inactive() {
        let (tenant, caller) = (acme(), client("svc"));
        let caller = Grantee { tenant: &tenant, client: &caller };
        let suspended = Client { status: ClientStatus::Suspended, ..client("svc") };
        for holder in [None, Some(&suspended)] {
            assert_eq!(decide(claims("svc", "x"), &caller, holder), None);
        }
    }

    // [introspection RFC 7662 §2.2]: `active`, and for an active token its claims
    #[test]
    fn active_response_has_the_token_claims() {
        let (tenant, svc) = (acme(), client("svc"));
        let answer = decide(claims("svc", "api"), &Grantee { tenant: &tenant, client: &svc }, Some(&svc));
        let expected = concat!(
            r#"{"active":true,"scope":"read","client_id":"svc","token_type":"Bearer","exp":4600,"iat":1000,"nbf":1000,"#,
            r#""sub":"svc","aud":"api","iss":"https://acme.example","jti":"id-1"}"#
        );
        let answer = IntrospectionResponse::from(answer);
        assert_eq!(serde_json::to_string(&answer).unwrap(), expected);
    }
}

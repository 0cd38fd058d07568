//! Logout tokens, which notify a client that a person's session has ended (OpenID Connect Back-Channel Logout
//! 1.0 §2.4).

use serde::Serialize;
use uuid::Uuid;
use values::{Lifetime, Timestamp};

use crate::subject::PersonNames;
use crate::{Grantee, QueuedLogout, Subjects};

/// Only logout tokens have this `typ`, so that verifiers cannot confuse them with other tokens.
pub(crate) const TYP: &str = "logout+jwt";
/// Back-Channel Logout §2.4: "it is RECOMMENDED … at most two minutes in the future".
const LIFETIME: Lifetime = Lifetime::from_seconds(120);

/// Without `nonce`, which would make the token look like an ID token.
#[derive(Debug, Serialize)]
pub(crate) struct LogoutTokenClaims<'a> {
    iss: &'a str,
    sub: String,
    aud: &'a str,
    iat: Timestamp,
    exp: Timestamp,
    jti: String,
    events: Events,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
}

#[derive(Debug, Serialize)]
struct Events {
    #[serde(rename = "http://schemas.openid.net/event/backchannel-logout")]
    backchannel_logout: EmptyObject,
}

#[derive(Debug, Serialize)]
struct EmptyObject {}

pub(crate) fn claims<'a>(
    subjects: &Subjects,
    of: &Grantee<'a>,
    queued: &'a QueuedLogout,
    now: Timestamp,
    jti: Uuid,
) -> LogoutTokenClaims<'a> {
    let PersonNames { sub, sid } = subjects.names(of, &queued.account, Some(&queued.session));
    LogoutTokenClaims {
        iss: of.tenant.issuer.as_str(),
        sub,
        aud: of.client.id.as_str(),
        iat: now,
        exp: now + LIFETIME,
        jti: jti.to_string(),
        events: Events { backchannel_logout: EmptyObject {} },
        sid,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::test_fixtures::{ADA, acme, subjects, web_client};

    // [back-channel §2.4]: A logout token has `iss`, `aud`, `iat`, `exp`, `jti`, the one event, `sub` and
    //   `sid`, no `nonce`, and is signed as ID tokens are; its `typ` is `logout+jwt`
    #[test]
    fn logout_token_has_session_and_logout_event() {
        let tenant = acme();
        let queued = QueuedLogout {
            tenant: tenant.id.clone(),
            slot: 1,
            session: "AAAAAAAAAAAAAAAAAAAAAA".parse().unwrap(),
            client: "web".parse().unwrap(),
            account: ADA.parse().unwrap(),
            attempts: 0,
        };
        let web = web_client("web");
        let of = Grantee { tenant: &tenant, client: &web };
        let claims = claims(&subjects(), &of, &queued, Timestamp::from_seconds(1_000), Uuid::nil());
        let expected = json!({
            "iss": "https://acme.example",
            "sub": ADA,
            "aud": "web",
            "iat": 1_000,
            "exp": 1_120,
            "jti": "00000000-0000-0000-0000-000000000000",
            "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
            "sid": "AAAAAAAAAAAAAAAAAAAAAA",
        });
        assert_eq!(serde_json::to_value(&claims).unwrap(), expected);
    }
}

//! Modules of Back-Channel Logout 1.0: the provider tells a client that the session has ended.

use std::time::Duration;

use jsonwebtoken::decode_header;
use serde_json::json;

use super::id_token::IdToken;
use super::logout::{EndSession, signed_in};
use super::plan::Plan;
use super::provider::{Client, POST_LOGOUT_REDIRECT_URI};

/// Shorter than the timeout of the suite.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) async fn oidcc_backchannel_rp_initiated_logout_discovery_endpoint_verification(plan: Plan) {
    for name in ["backchannel_logout_supported", "backchannel_logout_session_supported"] {
        assert_eq!(plan.provider.metadata[name], true, "{name}");
    }
    super::discovery::oidcc_rp_initiated_logout_discovery_endpoint_verification(plan).await;
}

/// §2.4: the logout token of a session names the person and the session of the ID token, and has no `nonce`.
pub(super) async fn oidcc_backchannel_rp_initiated_logout(mut plan: Plan) {
    let granted = signed_in(&mut plan).await;
    let callback = EndSession::from_granted(&granted).send(&mut plan).await.callback();
    assert_eq!(callback.uri.as_str(), POST_LOGOUT_REDIRECT_URI);
    let (_, body) = plan.provider.logouts.recv_timeout(PATIENCE).unwrap();
    let token = body.strip_prefix("logout_token=").unwrap();
    assert_eq!(decode_header(token).unwrap().typ.as_deref(), Some("logout+jwt"));
    let keys = plan.provider.jwks().await;
    let claims = IdToken::verify(token, &keys, plan.provider.issuer(), Client::First).claims;
    let [issued, signed_in] =
        [&claims, &granted.id_token.claims].map(|claims| claims["iat"].as_u64().unwrap());
    assert!(signed_in <= issued && issued < signed_in + 24 * 3_600, "{claims}");
    assert!(claims["jti"].as_str().is_some_and(|id| !id.is_empty()), "{claims}");
    assert_eq!(claims["events"], json!({ "http://schemas.openid.net/event/backchannel-logout": {} }));
    for name in ["sub", "sid"] {
        assert_eq!(claims[name], granted.id_token.claims[name], "{name}");
    }
    assert_eq!(claims.get("nonce"), None);
}

//! The module of refresh tokens.

use super::authorization_request::AuthorizationRequest;
use super::browser::End;
use super::plan::{ClientAuthentication, Granted, Plan};
use super::provider::Client;
use crate::answer::Answer;

/// A request of this client for offline access, to which the person consents.
async fn grant(plan: &mut Plan, client: Client) -> (AuthorizationRequest, Granted) {
    let request = AuthorizationRequest::new(client, plan.mode);
    let request = request.with("scope", "openid offline_access").with("prompt", "consent");
    let mut journey = plan.authorize(&request).await;
    if let End::Page(page) = &journey.end {
        assert!(page.has_button("allow"), "{}", page.html);
        journey.end = plan.browser.submit(&plan.provider, page, &[("decision", "allow")]).await;
    }
    let granted = plan.redeem_journey(&request, journey).await;
    (request, granted)
}

async fn refresh(plan: &Plan, client: Client, token: &str) -> Answer {
    let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
    plan.request_token(client, ClientAuthentication::Basic, &form).await
}

// [core Core §11]: With `offline_access` refresh tokens outlive the session. It is ignored for a client
//   without the grant; every other client that is not `first_party` has the person's consent
// [core Core §12.2]: The ID token of a refresh has the same `iss`, `sub`, `aud` and `auth_time`, its own
//   `iat`, and no `nonce`
/// Each client refreshes its own token, and then tries the token of the other client.
pub(super) async fn oidcc_refresh_token(mut plan: Plan) {
    let mut tokens = Vec::new();
    for client in [Client::First, Client::Second] {
        let (request, first) = grant(&mut plan, client).await;
        let token = first.refresh_token.clone().expect("a refresh token");
        assert!(token.len() * 6 >= 128, "{} characters", token.len());
        let answer = refresh(&plan, client, &token).await;
        // An ID token from a refresh has no nonce (OpenID Connect Core §12.2).
        let second = plan.granted(&request.without("nonce"), String::new(), false, &answer).await;
        assert_ne!(first.access_token, second.access_token);
        for claim in ["iss", "sub", "aud", "auth_time", "azp"] {
            assert_eq!(first.id_token.claims.get(claim), second.id_token.claims.get(claim), "{claim}");
        }
        tokens.push(second.refresh_token.unwrap_or(token));
    }
    refresh(&plan, Client::First, &tokens[1]).await.assert_refused(400, "invalid_grant");
    // The attempt does not affect the token's owner.
    assert_eq!(refresh(&plan, Client::Second, &tokens[1]).await.status, 200);
}

//! Modules with more than one request: whether the session is used again, and whether a code can be used
//! twice.

use reqwest::Method;

use super::authorization_request::{AuthorizationRequest, random_text};
use super::callback::Callback;
use super::plan::{ClientAuthentication, Granted, Plan, wait};
use crate::answer::Answer;

/// Errors after which the person would have to see a page (OpenID Connect Core §3.1.2.6).
const OF_PAGES: [&str; 4] =
    ["login_required", "interaction_required", "account_selection_required", "consent_required"];

/// Checks that an answer to `prompt=none` has no code and one of these errors.
pub(super) fn assert_needs_page(plan: &Plan, request: &AuthorizationRequest, callback: &Callback) {
    let error = callback.error(request, plan.provider.issuer());
    assert!(OF_PAGES.contains(&error), "{error}");
}

/// Sends two requests. The second one uses the session of the first one.
async fn same_sign_in(
    mut plan: Plan,
    first: AuthorizationRequest,
    second: impl FnOnce(AuthorizationRequest, &Granted) -> AuthorizationRequest,
) {
    let first = plan.grant(&first).await;
    wait(1).await;
    let second = second(plan.request(), &first);
    let second = plan.grant(&second).await;
    assert!(first.was_asked && !second.was_asked);
    for claim in ["sub", "auth_time", "sid"] {
        assert_eq!(first.id_token.claims[claim], second.id_token.claims[claim], "{claim}");
    }
}

/// Sends two requests. The person signs in again for the second one.
async fn second_sign_in(mut plan: Plan, seconds: u64, name: &'static str, value: &str) {
    let request = plan.request();
    let first = plan.grant(&request).await;
    wait(seconds).await;
    let request = plan.request().with(name, value);
    let second = plan.grant(&request).await;
    assert!(first.was_asked && second.was_asked);
    assert_eq!(first.id_token.claims["sub"], second.id_token.claims["sub"]);
    let [before, after] = [&first, &second].map(|granted| granted.id_token.auth_time());
    assert!(before < after, "{before} and {after}");
    assert!(after + 10 >= second.id_token.claims["iat"].as_u64().unwrap());
}

// [core Core §3.1.2.3]
pub(super) async fn oidcc_prompt_login(plan: Plan) {
    second_sign_in(plan, 1, "prompt", "login").await;
}

// [core Core §3.1.2.1 e]: With `max_age` the ID token has `auth_time`; here always
// [V7 7.6.1]: 2 | Sessions at clients and at the provider last and end together as documented, with a new
//   sign-in when it is due | `max_age`, `auth_time` and `sid`; back-channel logout, but not for sessions that
//   run out, as documented
pub(super) async fn oidcc_max_age_1(plan: Plan) {
    second_sign_in(plan, 2, "max_age", "1").await;
}

// [core Core §3.1.2.3]: A person who is not signed in is asked to sign in, except with `prompt=none`
// [core Core §3.1.2.5, §3.1.2.6], [native RFC 9207 §2 b], [native Form Post §2 b]
pub(super) async fn oidcc_prompt_none_not_logged_in(mut plan: Plan) {
    let request = plan.request().with("prompt", "none").with("state", &random_text(128));
    let journey = plan.authorize(&request).await;
    assert!(!journey.was_asked());
    assert_needs_page(&plan, &request, &journey.end.callback());
}

// [core Core §3.1.2.3], [rfc9700 §4.12]
pub(super) async fn oidcc_prompt_none_logged_in(plan: Plan) {
    let first = plan.request();
    same_sign_in(plan, first, |request, _| request.with("prompt", "none")).await;
}

// [core Core §3.1.2.1 e]
pub(super) async fn oidcc_max_age_10000(plan: Plan) {
    let first = plan.request().with("max_age", "15000");
    same_sign_in(plan, first, |request, _| request.with("max_age", "10000")).await;
}

pub(super) async fn oidcc_id_token_hint(plan: Plan) {
    let first = plan.request();
    same_sign_in(plan, first, |request, granted| {
        request.with("prompt", "none").with("id_token_hint", &granted.id_token.text)
    })
    .await;
}

/// Uses a code a second time.
async fn reuse(plan: &Plan, request: &AuthorizationRequest, granted: &Granted) {
    let answer = plan.redeem(request, &granted.code, ClientAuthentication::Basic, &[]).await;
    answer.assert_refused(400, "invalid_grant");
    assert_eq!(answer.header("content-type"), "application/json");
    let description = answer.json()["error_description"].as_str().unwrap().to_owned();
    assert!(!description.contains(['\r', '\n', '\t']), "{description}");
}

// [core Core §3.1.3.2]
pub(super) async fn oidcc_codereuse(mut plan: Plan) {
    let request = plan.request();
    let granted = plan.grant(&request).await;
    reuse(&plan, &request, &granted).await;
}

// [core Core §16.11, §16.12]: A code is short-lived, bound to its client and used once; a second use revokes
//   the access token
// [core Core §3.1.3.2]
pub(super) async fn oidcc_codereuse_30seconds(mut plan: Plan) {
    let request = plan.request();
    let granted = plan.grant(&request).await;
    wait(30).await;
    reuse(&plan, &request, &granted).await;
    // RFC 6749 §4.1.2: "SHOULD revoke (when possible) all tokens previously issued based on that
    // authorization code".
    let userinfo = plan.provider.request(Method::GET, "userinfo_endpoint");
    let answer = Answer::to(userinfo.bearer_auth(&granted.access_token)).await;
    answer.assert_refused(401, "invalid_token");
}

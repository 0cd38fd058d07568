//! Modules in which one request is granted.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use reqwest::Method;

use super::authorization_request::{AuthorizationRequest, random_text};
use super::plan::{ClientAuthentication, Granted, Plan, claims_of};
use super::provider::EMAIL as IDENTIFIER;
use super::standard_claims::{ADDRESS, EMAIL, PHONE, PROFILE, assert_exactly};
use crate::answer::Answer;

/// Signs the person in with one more parameter.
async fn with(plan: &mut Plan, name: &'static str, value: &str) -> Granted {
    let request = plan.request().with(name, value);
    let granted = plan.grant(&request).await;
    assert!(granted.was_asked);
    granted
}

/// Signs the person in for a scope, and checks that exactly these claims are returned.
async fn with_scope(mut plan: Plan, scope: &str, claims: &[&'static str]) {
    let supported = plan.provider.metadata["scopes_supported"].clone();
    for token in scope.split(' ') {
        assert!(supported.as_array().unwrap().iter().any(|known| known == token), "{token}");
    }
    let granted = with(&mut plan, "scope", scope).await;
    assert_exactly(&granted.userinfo, claims);
}

// [core Core §2 b]: `sub` is at most 255 ASCII characters, and is never given to another person: the random
//   identifier of the account
// [core Core §2 d]: `nonce` comes back unchanged, and is absent where the request has none
// [core Core §3.1.2.5, §3.1.2.6]: An answer has the `state` of its request
// [core Core §3.1.3.3]: The answer has an ID token, `token_type: Bearer`, `no-store` and `no-cache`
// [core Core §9]: `client_secret_basic` and `client_secret_post` are served, and `private_key_jwt`;
//   `client_secret_jwt` is not: it needs the secret itself, of which the server has a hash
// [native RFC 9207 §2 b]: `iss` is the issuer of the metadata, also in errors and in forms
// [native Form Post §2 b]: Neither code nor error is in the address of that form
pub(super) async fn oidcc_server(mut plan: Plan) {
    let request = plan.request();
    let first = plan.grant(&request).await;
    assert!(first.was_asked);
    assert_exactly(&first.userinfo, &[]);
    // A second request has its own code, state and nonce.
    let request = plan.request();
    let second = plan.grant(&request).await;
    assert!(!second.was_asked && second.code != first.code);
}

// [core Core §2 c]: ID tokens are signed. `none` is not served
// [core Core §10.1]: Each key has a `kid`, and each ID token names the key that signed it
pub(super) async fn oidcc_idtoken_signature(mut plan: Plan) {
    // The checks of every grant include algorithm, key id and signature.
    let request = plan.request();
    plan.grant(&request).await;
    assert_eq!(plan.provider.metadata["id_token_signing_alg_values_supported"], serde_json::json!(["RS256"]));
}

// [core Core §2 c]
/// The suite skips this module if `none` is not listed.
pub(super) async fn oidcc_idtoken_unsigned(plan: Plan) {
    for (name, values) in plan.provider.metadata.as_object().unwrap() {
        if name.contains("signing_alg_values") {
            assert!(!values.as_array().unwrap().iter().any(|value| value == "none"), "{name}: {values}");
        }
    }
}

// [core Core §5.3.2]: `sub` of userinfo is that of the ID token
// [core Core §5.3.2 b]: Signed or encrypted answers of userinfo are optional, and not built: the answer is
//   JSON | absent
pub(super) async fn oidcc_userinfo_get(mut plan: Plan) {
    let granted = with(&mut plan, "scope", "openid email").await;
    assert_exactly(&granted.userinfo, &[EMAIL]);
    assert_eq!(granted.userinfo["email"], IDENTIFIER);
}

// [core Core §5.3.2]
pub(super) async fn oidcc_userinfo_post_header(mut plan: Plan) {
    let granted = with(&mut plan, "scope", "openid").await;
    let request = plan.provider.request(Method::POST, "userinfo_endpoint");
    let answer = Answer::to(request.bearer_auth(&granted.access_token)).await;
    assert_eq!(claims_of(&answer), granted.userinfo);
}

// [bearer RFC 6750 §2.2]: A token in a form body may be accepted: userinfo does (OpenID Connect Core §5.3.1),
//   other interfaces do not
// [core Core §5.3.2]
pub(super) async fn oidcc_userinfo_post_body(mut plan: Plan) {
    let granted = with(&mut plan, "scope", "openid").await;
    let request = plan.provider.request(Method::POST, "userinfo_endpoint");
    let answer = Answer::to(request.form(&[("access_token", granted.access_token.as_str())])).await;
    assert_eq!(claims_of(&answer), granted.userinfo);
}

// [core Core §2 d]
pub(super) async fn oidcc_ensure_request_without_nonce_succeeds_for_code_flow(mut plan: Plan) {
    let request = plan.request().without("nonce");
    let granted = plan.grant(&request).await;
    assert_eq!(granted.id_token.claims.get("nonce"), None);
}

pub(super) async fn oidcc_claims_essential(mut plan: Plan) {
    // The checks of every grant include that the ID token has no claim that was not requested.
    let granted = with(&mut plan, "claims", r#"{"userinfo":{"name":{"essential":true}}}"#).await;
    assert_exactly(&granted.userinfo, &["name"]);
}

// [core Core §5.4]: A scope has its claims at userinfo, and no others
pub(super) async fn oidcc_scope_profile(plan: Plan) {
    with_scope(plan, "openid profile", &[PROFILE]).await;
}

// [core Core §5.4]
pub(super) async fn oidcc_scope_email(plan: Plan) {
    with_scope(plan, "openid email", &[EMAIL]).await;
}

// [core Core §5.4]
pub(super) async fn oidcc_scope_address(plan: Plan) {
    with_scope(plan, "openid address", &[ADDRESS]).await;
}

// [core Core §5.4]
pub(super) async fn oidcc_scope_phone(plan: Plan) {
    with_scope(plan, "openid phone", &[PHONE]).await;
}

// [core Core §5.1]: Each standard claim has its form
pub(super) async fn oidcc_scope_all(plan: Plan) {
    with_scope(plan, "openid email phone address profile", &[EMAIL, PHONE, ADDRESS, PROFILE]).await;
}

pub(super) async fn oidcc_alternate_happy_flow(mut plan: Plan) {
    let request = plan.request().with("scope", "profile openid").reversed();
    let granted = plan.grant(&request).await;
    assert_exactly(&granted.userinfo, &[PROFILE]);
}

// [core Core §15.1]: RS256, `prompt`, `max_age` and `auth_time` work; `display`, `ui_locales`,
//   `claims_locales`, `acr_values` and `login_hint` are no errors
pub(super) async fn oidcc_display_page(mut plan: Plan) {
    with(&mut plan, "display", "page").await;
}

// [core Core §15.1]
pub(super) async fn oidcc_display_popup(mut plan: Plan) {
    with(&mut plan, "display", "popup").await;
}

// [core Core §3.1.2.2]: Parameters that are not understood are ignored
pub(super) async fn oidcc_ensure_request_with_unknown_parameter_succeeds(mut plan: Plan) {
    with(&mut plan, "extra", "foobar").await;
}

// [core Core §15.1]
pub(super) async fn oidcc_login_hint(mut plan: Plan) {
    let request = plan.request().with("login_hint", IDENTIFIER);
    let journey = plan.authorize(&request).await;
    // The suite only requires that there is no error. In addition, the form shows the hint.
    assert_eq!(journey.sign_in_pages[0].identifier(), IDENTIFIER);
    plan.redeem_journey(&request, journey).await;
}

// [core Core §15.1]
pub(super) async fn oidcc_ui_locales(mut plan: Plan) {
    with(&mut plan, "ui_locales", "se").await;
}

// [core Core §15.1]
pub(super) async fn oidcc_claims_locales(mut plan: Plan) {
    with(&mut plan, "claims_locales", "se").await;
}

// [core Core §15.1]
pub(super) async fn oidcc_ensure_request_with_acr_values_succeeds(mut plan: Plan) {
    let supported = plan.provider.metadata["acr_values_supported"].as_array().unwrap().clone();
    let supported: Vec<&str> = supported.iter().map(|value| value.as_str().unwrap()).collect();
    let granted = with(&mut plan, "acr_values", &supported.join(" ")).await;
    assert!(supported.contains(&granted.id_token.claims["acr"].as_str().unwrap()));
}

// [core Core §3.1.2.1]: The authorization endpoint takes GET and POST
// [rfc9700 §4.12]: Redirects with 307 repeat credentials | 303 alone; after a form a page leads
//   to the next by itself
pub(super) async fn oidcc_ensure_post_request_succeeds(mut plan: Plan) {
    for was_asked in [true, false] {
        let request = plan.request();
        let url = plan.provider.endpoint("authorization_endpoint").to_owned();
        let end = plan.browser.post_from_client(&plan.provider, &url, &request.encoded()).await;
        let journey = plan.browser.sign_in(&plan.provider, end).await;
        let granted = plan.redeem_journey(&request, journey).await;
        assert_eq!(granted.was_asked, was_asked);
    }
}

// [core Core §3.1.3.3], [core Core §9]
pub(super) async fn oidcc_server_client_secret_post(mut plan: Plan) {
    let request = plan.request();
    let code = redeemable(&mut plan, &request).await;
    let answer = plan.redeem(&request, &code, ClientAuthentication::Post, &[]).await;
    plan.granted(&request, code, true, &answer).await;
}

// [native RFC 7636 §4.4]
pub(super) async fn oidcc_ensure_request_with_valid_pkce_succeeds(mut plan: Plan) {
    let verifier = random_text(43);
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
    let request = plan.request().with("code_challenge", &challenge).with("code_challenge_method", "S256");
    let code = redeemable(&mut plan, &request).await;
    let answer =
        plan.redeem(&request, &code, ClientAuthentication::Basic, &[("code_verifier", &verifier)]).await;
    plan.granted(&request, code, true, &answer).await;
}

async fn redeemable(plan: &mut Plan, request: &AuthorizationRequest) -> String {
    plan.callback(request).await.code(request, plan.provider.issuer()).to_owned()
}

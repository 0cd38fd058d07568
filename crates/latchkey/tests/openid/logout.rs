//! Modules of RP-Initiated Logout 1.0: a person signs in, and a client sends the browser to the end-session
//! endpoint.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use super::authorization_request::random_text;
use super::browser::End;
use super::page::Page;
use super::plan::{Granted, Plan};
use super::provider::POST_LOGOUT_REDIRECT_URI;
use super::repeated::assert_needs_page;
use crate::jwt;

pub(super) use super::discovery::oidcc_rp_initiated_logout_discovery_endpoint_verification;

/// The parameters that a client sends to the end-session endpoint.
pub(super) struct EndSession {
    hint: Option<String>,
    uri: Option<String>,
    state: Option<String>,
}

impl EndSession {
    /// All three parameters with correct values.
    pub(super) fn from_granted(granted: &Granted) -> Self {
        Self {
            hint: Some(granted.id_token.text.clone()),
            uri: Some(POST_LOGOUT_REDIRECT_URI.to_owned()),
            state: Some(random_text(128)),
        }
    }

    pub(super) async fn send(&self, plan: &mut Plan) -> End {
        let mut query = Serializer::new(String::new());
        for (name, value) in
            [("id_token_hint", &self.hint), ("post_logout_redirect_uri", &self.uri), ("state", &self.state)]
        {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        let url = format!("{}?{}", plan.provider.endpoint("end_session_endpoint"), query.finish());
        plan.browser.visit(&plan.provider, &url).await
    }
}

pub(super) async fn signed_in(plan: &mut Plan) -> Granted {
    let request = plan.request().with("state", &random_text(128));
    plan.grant(&request).await
}

/// Asserts that the session has ended: a request with `prompt=none` finds no session.
async fn assert_signed_out(plan: &mut Plan) {
    let request = plan.request().with("prompt", "none").with("state", &random_text(128));
    let callback = plan.callback(&request).await;
    assert_needs_page(plan, &request, &callback);
}

async fn assert_signed_in(plan: &mut Plan) {
    let request = plan.request().with("prompt", "none");
    plan.grant(&request).await;
}

/// Asserts that the session ends and the browser returns to the client.
async fn returns(mut plan: Plan, change: impl FnOnce(&mut EndSession)) {
    let granted = signed_in(&mut plan).await;
    let mut end_session = EndSession::from_granted(&granted);
    change(&mut end_session);
    let callback = end_session.send(&mut plan).await.callback();
    assert_eq!(callback.uri.as_str(), POST_LOGOUT_REDIRECT_URI);
    assert_eq!(callback.get("state"), end_session.state.as_deref());
    assert_eq!(callback.parameters.len(), usize::from(end_session.state.is_some()));
    assert_signed_out(&mut plan).await;
}

/// Asserts that a page asks whether to sign out, and that nothing has happened yet. After the answer the
/// session ends, without a redirect.
async fn asks(mut plan: Plan, change: impl FnOnce(&mut EndSession)) {
    let granted = signed_in(&mut plan).await;
    let mut end_session = EndSession::from_granted(&granted);
    change(&mut end_session);
    let page = end_session.send(&mut plan).await.page();
    assert!(page.status == 200 && page.has_button("sign_out"), "{}", page.html);
    assert_signed_in(&mut plan).await;
    let end = plan.browser.submit(&plan.provider, &page, &[("decision", "sign_out")]).await;
    assert_is_signed_out_page(&end.page());
    assert_signed_out(&mut plan).await;
}

fn assert_is_signed_out_page(page: &Page) {
    assert_eq!((page.status, page.heading()), (200, "You are signed out"), "{}", page.html);
}

// [sign-out Logout §2]: The endpoint takes GET and POST; a POST from a client comes again as a navigation,
//   which brings the cookies
// [sign-out Logout §3]: The browser goes back to a registered URI alone, byte by byte, with `state` where the
//   request has one
pub(super) async fn oidcc_rp_initiated_logout(plan: Plan) {
    returns(plan, |_| ()).await;
}

// [sign-out Logout §3]
pub(super) async fn oidcc_rp_initiated_logout_no_state(plan: Plan) {
    returns(plan, |end_session| end_session.state = None).await;
}

// [sign-out Logout §4]: A request that is not in order leads to a page, not to a redirect
// [sign-out Logout §2 c]
pub(super) async fn oidcc_rp_initiated_logout_bad_post_logout_redirect_uri(plan: Plan) {
    asks(plan, |end_session| end_session.uri = Some("https://attacker.example.com/a1b2c3".to_owned())).await;
}

// [sign-out Logout §3]
pub(super) async fn oidcc_rp_initiated_logout_query_added_to_post_logout_redirect_uri(plan: Plan) {
    asks(plan, |end_session| end_session.uri = Some(format!("{POST_LOGOUT_REDIRECT_URI}?foo=bar"))).await;
}

// [sign-out Logout §2 b]
/// The hint has the same claims with `alg: none` and no signature.
pub(super) async fn oidcc_rp_initiated_logout_modified_id_token_hint(plan: Plan) {
    asks(plan, |end_session| {
        let hint = end_session.hint.as_deref().unwrap();
        let header = BASE64_URL_SAFE_NO_PAD.encode(json!({ "alg": "none" }).to_string());
        end_session.hint = Some(format!("{header}.{}.", hint.split('.').nth(1).unwrap()));
    })
    .await;
}

// [sign-out Logout §2 b]: The hint is an ID token of this issuer: with another signature, or none, it counts
//   as absent
// [sign-out Logout §2 c]
/// The hint has the same header and claims, but is signed by a key that is not the provider's.
pub(super) async fn oidcc_rp_initiated_logout_bad_id_token_hint(plan: Plan) {
    asks(plan, |end_session| {
        let hint = end_session.hint.take().unwrap();
        let (kid, claims) = (jwt::kid(&hint), jwt::claims(&hint));
        end_session.hint = Some(signed_elsewhere(&kid, &claims));
    })
    .await;
}

// [sign-out Logout §2 f]
pub(super) async fn oidcc_rp_initiated_logout_no_id_token_hint(plan: Plan) {
    asks(plan, |end_session| end_session.hint = None).await;
}

// [sign-out Logout §2 f]: Without parameters the person is asked, and then signed out
pub(super) async fn oidcc_rp_initiated_logout_no_params(plan: Plan) {
    asks(plan, |end_session| *end_session = EndSession { hint: None, uri: None, state: None }).await;
}

// [sign-out Logout §2 f]
pub(super) async fn oidcc_rp_initiated_logout_only_state(plan: Plan) {
    asks(plan, |end_session| (end_session.hint, end_session.uri) = (None, None)).await;
}

pub(super) async fn oidcc_rp_initiated_logout_no_post_logout_redirect_uri(mut plan: Plan) {
    let granted = signed_in(&mut plan).await;
    let end_session = EndSession { uri: None, ..EndSession::from_granted(&granted) };
    assert_is_signed_out_page(&end_session.send(&mut plan).await.page());
    assert_signed_out(&mut plan).await;
}

fn signed_elsewhere(kid: &str, claims: &Value) -> String {
    let key = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let header = json!({ "alg": "RS256", "typ": "JWT", "kid": kid });
    let [header, claims] =
        [header.to_string(), claims.to_string()].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part));
    let signed = format!("{header}.{claims}");
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}

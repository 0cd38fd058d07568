//! Modules with an invalid request. No person is signed in, so the person sees a page. Only with
//! `prompt=none` the client gets a redirect without a page. If the parameters are unreadable, there is no
//! address for a redirect.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::json;

use super::authorization_request::AuthorizationRequest;
use super::page::Page;
use super::plan::Plan;
use super::provider::{Client, REDIRECT_URI};

/// The page, with an error, that a request leads to instead of the client.
async fn refused(plan: &mut Plan, request: &AuthorizationRequest) -> Page {
    let journey = plan.authorize(request).await;
    assert!(!journey.was_asked());
    let page = journey.end.page();
    assert_eq!(page.status, 400, "{}", page.html);
    page
}

/// The error that the client gets without a page.
async fn error_of(plan: &mut Plan, request: AuthorizationRequest) -> String {
    let request = request.with("prompt", "none");
    plan.callback(&request).await.error(&request, plan.provider.issuer()).to_owned()
}

// [core Core §3.2, §3.3]: Implicit and hybrid flows. Left out on purpose (RFC 9700 §2.1.2) | absent
pub(super) async fn oidcc_response_type_missing(mut plan: Plan) {
    let request = plan.request().without("response_type");
    refused(&mut plan, &request).await;
    let error = error_of(&mut plan, request).await;
    assert!(["invalid_request", "unsupported_response_type"].contains(&error.as_str()), "{error}");
}

// [core Core §3.1.2.1 c]
pub(super) async fn oidcc_ensure_registered_redirect_uri(mut plan: Plan) {
    let request = plan.request().with("redirect_uri", &format!("{REDIRECT_URI}/a1b2c3"));
    for request in [request.clone().with("prompt", "none"), request] {
        let page = refused(&mut plan, &request).await;
        assert!(page.html.contains("redirect_uri") && !page.html.contains(REDIRECT_URI), "{}", page.html);
    }
}

/// An unsigned request object (OpenID Connect Core §6.1).
fn request_object(plan: &Plan, request: &AuthorizationRequest) -> String {
    let claims = json!({
        "iss": Client::First.id(),
        "aud": plan.provider.issuer(),
        "client_id": Client::First.id(),
        "response_type": "code",
        "scope": "openid",
        "redirect_uri": REDIRECT_URI,
        "state": request.get("state"),
        "nonce": request.get("nonce"),
    });
    let [header, claims] =
        [json!({ "alg": "none" }), claims].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part.to_string()));
    format!("{header}.{claims}.")
}

/// The suite skips the modules of unsigned objects if `none` is not listed. This test nevertheless sends such
/// objects, which must be refused.
pub(super) async fn oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported(
    mut plan: Plan,
) {
    let request = plan.request();
    let object = request_object(&plan, &request);
    let request = request.with("request", &object);
    for request in [request.clone().with("prompt", "none"), request] {
        let page = refused(&mut plan, &request).await;
        assert!(page.html.contains("request_not_supported"), "{}", page.html);
    }
}

// [discovery Discovery §3 b]: `request_uri_parameter_supported` is said, because its default is `true`
pub(super) async fn oidcc_request_uri_unsigned_supported_correctly_or_rejected_as_unsupported(
    mut plan: Plan,
) {
    let request = plan.request().with("request_uri", "https://client.example.com/request.jwt");
    for request in [request.clone().with("prompt", "none"), request] {
        let page = refused(&mut plan, &request).await;
        assert!(page.html.contains("request_uri_not_supported"), "{}", page.html);
    }
    assert_eq!(plan.provider.metadata["request_uri_parameter_supported"], false);
}

/// The URI outside the object is not registered, and the one inside is. An unsigned object must have no
/// effect.
pub(super) async fn oidcc_ensure_request_object_with_redirect_uri(mut plan: Plan) {
    let request = plan.request();
    let object = request_object(&plan, &request);
    let elsewhere = "https://attacker.example.com/callback";
    let request = request.with("redirect_uri", elsewhere).with("request", &object);
    for request in [request.clone().with("prompt", "none"), request] {
        let page = refused(&mut plan, &request).await;
        assert!(!page.html.contains(elsewhere), "{}", page.html);
    }
}

//! Modules that read the metadata (OpenID Connect Discovery §3, §4).

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use url::Url;

use super::plan::Plan;
use crate::answer::Answer;

/// Members that no registered specification defines. The suite warns of them, and docs/conformance.md lists
/// them.
const OURS: [&str; 1] = ["revocations_uri"];
/// The members of the registry of RFC 8414 §7.1.1 that the provider may list.
const REGISTERED: &str = "
    acr_values_supported authorization_endpoint authorization_response_iss_parameter_supported
    backchannel_logout_session_supported backchannel_logout_supported claim_types_supported
    claims_parameter_supported claims_supported code_challenge_methods_supported
    device_authorization_endpoint dpop_signing_alg_values_supported end_session_endpoint
    grant_types_supported id_token_signing_alg_values_supported introspection_endpoint
    introspection_endpoint_auth_methods_supported introspection_endpoint_auth_signing_alg_values_supported
    issuer jwks_uri prompt_values_supported pushed_authorization_request_endpoint
    request_object_signing_alg_values_supported request_parameter_supported request_uri_parameter_supported
    require_pushed_authorization_requests require_signed_request_object response_modes_supported
    response_types_supported revocation_endpoint revocation_endpoint_auth_methods_supported
    revocation_endpoint_auth_signing_alg_values_supported scopes_supported subject_types_supported
    token_endpoint token_endpoint_auth_methods_supported token_endpoint_auth_signing_alg_values_supported
    ui_locales_supported userinfo_endpoint";
const REQUIRED: &str =
    "issuer authorization_endpoint token_endpoint jwks_uri response_types_supported subject_types_supported
                        id_token_signing_alg_values_supported";

// [core Core §5.6]: Aggregated and distributed claims are optional, and not built; metadata has
//   `claim_types_supported: ["normal"]` | absent
// [discovery Discovery §3]: The required members are there; endpoints have https; `RS256`, `code`,
//   `authorization_code` and `openid` are listed
// [discovery Discovery §3 c]: `id_token_signing_alg_values_supported` has RS256. A tenant that signs with
//   another algorithm lists that one alone: it lists what works | departs
// [discovery Discovery §4.1]: The document is at `/.well-known/openid-configuration` after the issuer
// [discovery Discovery §4.2]: It is JSON with status 200, and leaves out members without values
// [discovery Discovery §4.3]: `issuer` is the address without that suffix, and `iss` of the ID tokens. A
//   tenant may declare another issuer; `latchkey check` warns where it signs people in
// [discovery Discovery §7.1]: Metadata is protected by TLS. Http is served on this machine, for development
// [native RFC 9207 §3]: Metadata has `authorization_response_iss_parameter_supported: true`
pub(super) async fn oidcc_discovery_endpoint_verification(plan: Plan) {
    let provider = &plan.provider;
    // §4.3: the issuer must be the address under which the document was fetched, without the well-known path.
    let issuer = provider.issuer();
    let again = Answer::to(provider.http.get(format!("{issuer}/.well-known/openid-configuration"))).await;
    assert_eq!(again.json(), provider.metadata);
    let url = Url::parse(issuer).unwrap();
    assert_eq!((url.scheme(), url.query(), url.fragment()), ("https", None, None));
    for name in REQUIRED.split_whitespace() {
        assert!(provider.metadata.get(name).is_some(), "{name}");
    }
    assert_forms(&provider.metadata);
    let contains = |name: &str, value: &str| {
        let listed = provider.metadata[name].as_array().unwrap().iter().any(|listed| listed == value);
        assert!(listed, "{name} has no {value}: {}", provider.metadata[name]);
    };
    contains("id_token_signing_alg_values_supported", "RS256");
    contains("response_types_supported", "code");
    contains("grant_types_supported", "authorization_code");
    contains("subject_types_supported", "public");
    contains("subject_types_supported", "pairwise");
    contains("scopes_supported", "openid");
    contains("response_modes_supported", "form_post");
    contains("claims_supported", "sub");
    contains("token_endpoint_auth_methods_supported", "client_secret_basic");
    contains("token_endpoint_auth_methods_supported", "client_secret_post");
    // The canonical case of a language tag (RFC 5646 §2.1.1).
    assert_eq!(provider.metadata["ui_locales_supported"], json!(["en"]));
    let keys = provider.jwks().await;
    for key in keys["keys"].as_array().unwrap() {
        assert!(["kid", "kty", "use", "alg"].iter().all(|member| key[member].is_string()), "{key}");
        assert!(["d", "p", "q", "dp", "dq", "qi", "k"].iter().all(|member| key.get(member).is_none()));
    }
}

/// Checks the form: registered names, endpoints with https, lists without duplicates, and no nulls.
fn assert_forms(metadata: &Value) {
    for (name, value) in metadata.as_object().unwrap() {
        let is_registered = REGISTERED.split_whitespace().any(|known| known == name);
        assert!(is_registered || OURS.contains(&name.as_str()), "{name} is not registered");
        if name.ends_with("_endpoint") || name.ends_with("_uri") {
            let url = Url::parse(value.as_str().unwrap()).unwrap();
            assert_eq!((url.scheme(), url.fragment()), ("https", None), "{name}");
        } else if let Some(values) = value.as_array() {
            let distinct: BTreeSet<_> = values.iter().map(|value| value.as_str().unwrap()).collect();
            assert!(!values.is_empty() && distinct.len() == values.len(), "{name}: {value}");
        } else {
            assert!(value.is_boolean() || name == "issuer", "{name}: {value}");
        }
    }
}

// [sign-out Logout §2.1]: Metadata has `end_session_endpoint`
pub(super) async fn oidcc_rp_initiated_logout_discovery_endpoint_verification(plan: Plan) {
    assert_forms(&plan.provider.metadata);
    let answer = Answer::to(plan.provider.request(Method::GET, "end_session_endpoint")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

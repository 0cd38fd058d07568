//! Tests public clients with client libraries: each redeems a code with PKCE and refreshes its tokens with
//! only its client id (`none`), at its own tenant.

use std::process::Command;

use oauth2::basic::{BasicClient, BasicErrorResponseType, BasicRequestTokenError};
use oauth2::{
    AuthUrl, AuthorizationCode, ClientId, CsrfToken, HttpClientError, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, RefreshToken, RequestTokenError, Scope, TokenResponse as _, TokenUrl, reqwest,
};
use serde_json::{Value, json};
use url::Url;

use crate::foreign::{node, python};
use crate::host::run;
use crate::jwt;
use crate::two_providers::{ProviderTenant, REDIRECT_URI, TwoProviders};
use crate::verifiers::client;

/// Registers the public client `spa` with [`REDIRECT_URI`].
fn start() -> TwoProviders {
    TwoProviders::start(REDIRECT_URI.strip_suffix("/callback").unwrap())
}

/// The results of a library as the public client. A used refresh token, a wrong verifier, and a code of the
/// other tenant are refused.
fn found(library: &str, tenant: &ProviderTenant) -> Value {
    json!({
        "library": library,
        "issuer": tenant.issuer,
        "refreshTokens": 3,
        "reuse": "invalid_grant",
        "otherVerifier": "invalid_grant",
        "otherTenant": "invalid_grant",
    })
}

// [public-clients #1]: openid-client 6.8, oauth4webapi 3.8 | `client_id` alone, by `None()`; PKCE with S256 |
//   tokens for the code, and two refreshes, each with another refresh token | a refresh token that was used,
//   another verifier, the code of the other tenant
#[test]
fn openid_client_and_oauth4webapi_work_as_public_clients() {
    let script =
        concat!(include_str!("scripts/plain-browser.cjs"), include_str!("scripts/public-client.cjs"));
    let providers = start();
    for (tenant, other) in providers.each() {
        let results = tenant.found(other, &[], |environment| node(script, environment));
        assert_eq!(results, json!([found("openid-client", tenant), found("oauth4webapi", tenant)]));
    }
}

// [public-clients #2]: Authlib 1.9 | the same, by `token_endpoint_auth_method="none"` | the same | the same
#[test]
fn authlib_works_as_a_public_client() {
    let script = concat!(include_str!("scripts/plain_browser.py"), include_str!("scripts/public_client.py"));
    let providers = start();
    for (tenant, other) in providers.each() {
        let result = tenant.found(other, &[], |environment| python(script, environment));
        assert_eq!(result, found("Authlib", tenant));
    }
}

// [public-clients #3]: `oauth2` 5.0 | the same: it sends `client_id` alone where it has no secret | the same
//   | the same
// [native RFC 7636 §4.6], [native RFC 8252 §8.1]
#[tokio::test]
async fn oauth2_crate_works_as_a_public_client() {
    let providers = start();
    for (tenant, other) in providers.each() {
        let endpoint = |of: &ProviderTenant, name: &str| format!("{}/oauth/{name}", of.issuer);
        // No secret: the crate sends `client_id` alone.
        let at = |of: &ProviderTenant| {
            BasicClient::new(ClientId::new("spa".to_owned()))
                .set_auth_uri(AuthUrl::new(endpoint(of, "authorize")).unwrap())
                .set_token_uri(TokenUrl::new(endpoint(of, "token")).unwrap())
                .set_redirect_uri(RedirectUrl::new(REDIRECT_URI.to_owned()).unwrap())
        };
        let signed_in = |of: &ProviderTenant| {
            let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
            let scopes = ["openid", "offline_access"].map(|scope| Scope::new(scope.to_owned()));
            let client = at(of);
            let request = client.authorize_url(CsrfToken::new_random).add_scopes(scopes);
            let (url, state) = request.set_pkce_challenge(challenge).url();
            let [code, returned] = answered(of, &url, ["code", "state"]);
            assert_eq!(returned, *state.secret());
            (AuthorizationCode::new(code), verifier)
        };
        let own = at(tenant);
        let http = client();
        let redeem = async |code: AuthorizationCode, verifier: PkceCodeVerifier| {
            own.exchange_code(code).set_pkce_verifier(verifier).request_async(&http).await
        };
        let refresh =
            async |token: &RefreshToken| own.exchange_refresh_token(token).request_async(&http).await;

        let (code, verifier) = signed_in(tenant);
        let tokens = redeem(code, verifier).await.unwrap();
        assert_eq!(jwt::claims(tokens.access_token().secret())["iss"], tenant.issuer);
        let first = refresh(tokens.refresh_token().unwrap()).await.unwrap();
        let second = refresh(first.refresh_token().unwrap()).await.unwrap();
        let renewed = [&tokens, &first, &second].map(|answer| answer.refresh_token().unwrap().secret());
        assert!(renewed[0] != renewed[1] && renewed[1] != renewed[2] && renewed[0] != renewed[2]);
        assert_invalid_grant(refresh(first.refresh_token().unwrap()).await.unwrap_err());
        let (code, _) = signed_in(tenant);
        let (_, another) = PkceCodeChallenge::new_random_sha256();
        assert_invalid_grant(redeem(code, another).await.unwrap_err());
        let (code, verifier) = signed_in(other);
        assert_invalid_grant(redeem(code, verifier).await.unwrap_err());
    }
}

#[track_caller]
fn assert_invalid_grant(refused: BasicRequestTokenError<HttpClientError<reqwest::Error>>) {
    let RequestTokenError::ServerResponse(refused) = refused else { panic!("{refused:?}") };
    assert_eq!(*refused.error(), BasicErrorResponseType::InvalidGrant);
}

// [public-clients #4]: curl | the same, as its arguments say | the same | the same, and a client that has a
//   secret by its name alone
#[test]
fn curl_works_as_a_public_client() {
    // The example of RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let providers = start();
    for (tenant, other) in providers.each() {
        let code = |of: &ProviderTenant| {
            let request = [
                ("client_id", "spa"),
                ("redirect_uri", REDIRECT_URI),
                ("response_type", "code"),
                ("scope", "openid offline_access"),
                ("code_challenge", CHALLENGE),
                ("code_challenge_method", "S256"),
            ];
            let url = Url::parse_with_params(&format!("{}/oauth/authorize", of.issuer), request).unwrap();
            let [code] = answered(of, &url, ["code"]);
            code
        };
        let send = |client: &str, grant: &[(&str, &str)]| -> Value {
            let mut curl = Command::new("curl");
            curl.args(["--silent", "--show-error", "--noproxy", "*"]);
            for (name, value) in [&[("client_id", client)], grant].concat() {
                curl.args(["--data-urlencode", &format!("{name}={value}")]);
            }
            let answer = run(curl.arg(format!("{}/oauth/token", tenant.issuer))).output();
            serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}"))
        };
        let redeem = |client: &str, code: &str, verifier: &str| {
            let grant = [
                ("grant_type", "authorization_code"),
                ("redirect_uri", REDIRECT_URI),
                ("code", code),
                ("code_verifier", verifier),
            ];
            send(client, &grant)
        };
        let refresh = |client: &str, token: &Value| {
            send(client, &[("grant_type", "refresh_token"), ("refresh_token", token.as_str().unwrap())])
        };
        let tokens = redeem("spa", &code(tenant), VERIFIER);
        assert_eq!(jwt::claims(tokens["access_token"].as_str().unwrap())["iss"], tenant.issuer);
        let first = refresh("spa", &tokens["refresh_token"]);
        assert!(first["refresh_token"].is_string() && first["refresh_token"] != tokens["refresh_token"]);
        // A client with a secret cannot authenticate with only its id.
        assert_eq!(refresh("web", &first["refresh_token"])["error"], "invalid_client");
        let second = refresh("spa", &first["refresh_token"]);
        assert!(second["refresh_token"].is_string() && second["refresh_token"] != first["refresh_token"]);
        assert_eq!(refresh("spa", &first["refresh_token"])["error"], "invalid_grant");
        assert_eq!(redeem("spa", &code(tenant), &VERIFIER.to_lowercase())["error"], "invalid_grant");
        assert_eq!(redeem("spa", &code(other), VERIFIER)["error"], "invalid_grant");
    }
}

/// Signs in the person of this tenant for a request, and returns these parameters of the answer.
#[track_caller]
fn answered<const N: usize>(tenant: &ProviderTenant, request: &Url, names: [&str; N]) -> [String; N] {
    let script =
        concat!(include_str!("scripts/plain-browser.cjs"), include_str!("scripts/person-at-url.cjs"));
    let environment = [("URL", request.as_str()), ("PASSWORD", &tenant.password)];
    let back: Url = node(script, &environment).output().trim().parse().unwrap();
    names.map(|name| {
        let found = back.query_pairs().find(|(found, _)| found == name);
        found.unwrap_or_else(|| panic!("no {name} in {back}")).1.into_owned()
    })
}

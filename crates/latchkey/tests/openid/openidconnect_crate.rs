//! The `openidconnect` crate signs a person in at the provider, and refuses answers for another client.

use openidconnect::core::{CoreAuthPrompt, CoreAuthenticationFlow, CoreClient, CoreUserInfoClaims};
use openidconnect::{
    AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest, HttpResponse, IssuerUrl,
    LogoutRequest, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, PostLogoutRedirectUrl,
    ProviderMetadataWithLogout, RedirectUrl, Scope, TokenResponse as _,
};

use tenancy::UserinfoTokens;

use super::callback::Mode;
use super::plan::Plan;
use super::provider::{Client, EMAIL, POST_LOGOUT_REDIRECT_URI, REDIRECT_URI};

/// Replaces the HTTP client of the crate by one that trusts the certificate of the test.
async fn send(http: reqwest::Client, request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let response = http.execute(request.try_into()?).await?;
    let mut answer = HttpResponse::default();
    *answer.status_mut() = response.status();
    *answer.headers_mut() = response.headers().clone();
    *answer.body_mut() = response.bytes().await?.to_vec();
    Ok(answer)
}

// [clients #4]: `openidconnect` 4.1 | Rust, TLS | with parameters | once | by hint; then `login_required` |
//   an issuer with a slash more, another `nonce` |
// [discovery Discovery §4.3]
#[tokio::test]
async fn the_openidconnect_crate_signs_a_person_in_and_out() {
    let mut plan = Plan::start(Mode::Query, UserinfoTokens::Separate).await;
    let http = plan.provider.http.clone();
    let http = move |request: HttpRequest| send(http.clone(), request);
    let issuer = plan.provider.issuer().to_owned();
    // The issuer is compared exactly.
    let other = IssuerUrl::new(format!("{issuer}/")).unwrap();
    assert!(ProviderMetadataWithLogout::discover_async(other, &http).await.is_err());
    let metadata =
        ProviderMetadataWithLogout::discover_async(IssuerUrl::new(issuer.clone()).unwrap(), &http).await;
    let metadata = metadata.unwrap();
    let end_session = metadata.additional_metadata().end_session_endpoint.clone().unwrap();
    let secret = ClientSecret::new(plan.provider.secret(Client::First).to_owned());
    let client = CoreClient::from_provider_metadata(
        metadata,
        ClientId::new(Client::First.id().to_owned()),
        Some(secret),
    );
    let client = client.set_redirect_uri(RedirectUrl::new(REDIRECT_URI.to_owned()).unwrap());
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let request = client.authorize_url(
        CoreAuthenticationFlow::AuthorizationCode,
        CsrfToken::new_random,
        Nonce::new_random,
    );
    let request = request.add_scope(Scope::new("email".to_owned())).set_pkce_challenge(challenge);
    let (url, state, nonce) = request.url();
    let end = plan.browser.visit(&plan.provider, url.as_str()).await;
    let callback = plan.browser.sign_in(&plan.provider, end).await.end.callback();
    assert_eq!(callback.get("state"), Some(state.secret().as_str()));
    let code = AuthorizationCode::new(callback.get("code").unwrap().to_owned());
    let tokens = client.exchange_code(code).unwrap().set_pkce_verifier(verifier);
    let tokens = tokens.request_async(&http).await.unwrap();
    let id_token = tokens.id_token().unwrap();
    let claims = id_token.claims(&client.id_token_verifier(), &nonce).unwrap();
    // An ID token of another request is refused.
    assert!(id_token.claims(&client.id_token_verifier(), &Nonce::new_random()).is_err());
    let subject = claims.subject().clone();
    let refreshed = client.exchange_refresh_token(tokens.refresh_token().unwrap()).unwrap();
    let refreshed = refreshed.request_async(&http).await.unwrap();
    let without_nonce = |nonce: Option<&Nonce>| nonce.map_or(Ok(()), |_| Err("a nonce".to_owned()));
    let again = refreshed.id_token().unwrap().claims(&client.id_token_verifier(), without_nonce).unwrap();
    assert_eq!((again.subject(), again.auth_time()), (&subject, claims.auth_time()));
    let access_token = refreshed.access_token().clone();
    let person = client.user_info(access_token, Some(subject)).unwrap().request_async(&http).await;
    let person: CoreUserInfoClaims = person.unwrap();
    assert_eq!(person.email().map(|email| email.as_str()), Some(EMAIL));
    let to = PostLogoutRedirectUrl::new(POST_LOGOUT_REDIRECT_URI.to_owned()).unwrap();
    let out = LogoutRequest::from(end_session).set_id_token_hint(id_token).set_post_logout_redirect_uri(to);
    let back = plan.browser.visit(&plan.provider, out.http_get_url().as_str()).await.callback();
    assert_eq!(back.uri.as_str(), POST_LOGOUT_REDIRECT_URI);
    // The person is signed out.
    let flow = CoreAuthenticationFlow::AuthorizationCode;
    let silent = client.authorize_url(flow, CsrfToken::new_random, Nonce::new_random);
    let (url, ..) = silent.add_prompt(CoreAuthPrompt::None).url();
    let refused = plan.browser.visit(&plan.provider, url.as_str()).await.callback();
    assert_eq!(refused.get("error"), Some("login_required"));
}

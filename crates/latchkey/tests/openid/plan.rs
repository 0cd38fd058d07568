//! The relying party of a plan. It sends requests through a browser, redeems codes, and makes the checks that
//! all modules share.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tenancy::UserinfoTokens;

use super::authorization_request::AuthorizationRequest;
use super::browser::{Browser, Journey};
use super::callback::{Callback, Mode};
use super::id_token::IdToken;
use super::provider::{API, Client, Provider};
use super::standard_claims;
use crate::answer::Answer;
use crate::jwt;

pub(super) struct Plan {
    pub(super) provider: Provider,
    pub(super) mode: Mode,
    userinfo: UserinfoTokens,
    pub(super) browser: Browser,
}

/// The result of a request that was granted.
pub(super) struct Granted {
    pub(super) code: String,
    /// Whether a page asked for the password.
    pub(super) was_asked: bool,
    pub(super) access_token: String,
    pub(super) refresh_token: Option<String>,
    pub(super) id_token: IdToken,
    pub(super) userinfo: Value,
}

#[derive(Clone, Copy)]
pub(super) enum ClientAuthentication {
    Basic,
    Post,
}

impl Plan {
    pub(super) async fn start(mode: Mode, userinfo: UserinfoTokens) -> Self {
        let provider = Provider::start(userinfo).await;
        let plan = Self { provider, mode, userinfo, browser: Browser::default() };
        let keys = plan.provider.jwks().await;
        let kids = keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap());
        let mut kids: Vec<_> = kids.collect();
        kids.sort_unstable();
        assert!(!kids.is_empty() && kids.windows(2).all(|pair| pair[0] != pair[1]), "{kids:?}");
        plan
    }

    /// A request of the first client for `openid`.
    pub(super) fn request(&self) -> AuthorizationRequest {
        AuthorizationRequest::new(Client::First, self.mode)
    }

    /// Sends this request through the browser. The person signs in if a page asks for the password.
    pub(super) async fn authorize(&mut self, request: &AuthorizationRequest) -> Journey {
        let url = format!("{}?{}", self.provider.endpoint("authorization_endpoint"), request.encoded());
        let end = self.browser.visit(&self.provider, &url).await;
        let journey = self.browser.sign_in(&self.provider, end).await;
        journey.assert_mode(request.mode());
        journey
    }

    pub(super) async fn callback(&mut self, request: &AuthorizationRequest) -> Callback {
        self.authorize(request).await.end.callback()
    }

    /// Sends a request that must be granted, and checks all answers.
    pub(super) async fn grant(&mut self, request: &AuthorizationRequest) -> Granted {
        let journey = self.authorize(request).await;
        self.redeem_journey(request, journey).await
    }

    pub(super) async fn redeem_journey(&self, request: &AuthorizationRequest, journey: Journey) -> Granted {
        let was_asked = journey.was_asked();
        let callback = journey.end.callback();
        let code = callback.code(request, self.provider.issuer()).to_owned();
        let answer = self.redeem(request, &code, ClientAuthentication::Basic, &[]).await;
        self.granted(request, code, was_asked, &answer).await
    }

    /// Redeems a code, and returns the answer of the token endpoint.
    pub(super) async fn redeem(
        &self,
        request: &AuthorizationRequest,
        code: &str,
        authentication: ClientAuthentication,
        more: &[(&str, &str)],
    ) -> Answer {
        let redirect_uri = request.get("redirect_uri").unwrap();
        let form = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirect_uri)];
        self.request_token(request.client(), authentication, &[&form, more].concat()).await
    }

    pub(super) async fn request_token(
        &self,
        client: Client,
        authentication: ClientAuthentication,
        form: &[(&str, &str)],
    ) -> Answer {
        let request = self.provider.request(Method::POST, "token_endpoint");
        let (id, secret) = (client.id(), self.provider.secret(client));
        Answer::to(match authentication {
            ClientAuthentication::Basic => request.basic_auth(id, Some(secret)).form(form),
            ClientAuthentication::Post => {
                request.form(&[form, &[("client_id", id), ("client_secret", secret)]].concat())
            }
        })
        .await
    }

    /// Checks an answer with tokens, and fetches the claims of the person from the userinfo endpoint.
    pub(super) async fn granted(
        &self,
        request: &AuthorizationRequest,
        code: String,
        was_asked: bool,
        answer: &Answer,
    ) -> Granted {
        assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"), "{answer:?}");
        assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"));
        let tokens = answer.json();
        assert_eq!(tokens["token_type"], "Bearer");
        assert!(tokens["expires_in"].as_u64().is_some_and(|seconds| seconds > 0), "{tokens}");
        let access_token = tokens["access_token"].as_str().unwrap().to_owned();
        let refresh_token = tokens["refresh_token"].as_str().map(str::to_owned);
        let issuer = self.provider.issuer();
        let audience = match self.userinfo {
            UserinfoTokens::Combined => json!([API, issuer]),
            UserinfoTokens::Separate => json!(issuer),
        };
        assert_eq!(jwt::claims(&access_token)["aud"], audience);
        let id_token = tokens["id_token"].as_str().unwrap();
        let keys = self.provider.jwks().await;
        let id_token = IdToken::verify(id_token, &keys, self.provider.issuer(), request.client());
        id_token.check(request, &access_token);
        let userinfo = self.userinfo(&access_token).await;
        assert_eq!(userinfo["sub"], id_token.claims["sub"]);
        Granted { code, was_asked, access_token, refresh_token, id_token, userinfo }
    }

    /// The claims from the userinfo endpoint, requested in every possible form.
    pub(super) async fn userinfo(&self, access_token: &str) -> Value {
        let request = self.provider.request(Method::GET, "userinfo_endpoint");
        let answer = Answer::to(request.bearer_auth(access_token)).await;
        claims_of(&answer)
    }
}

/// The claims in an answer of the userinfo endpoint.
pub(super) fn claims_of(answer: &Answer) -> Value {
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"), "{answer:?}");
    let claims = answer.json();
    standard_claims::check(&claims);
    claims
}

/// `auth_time` is in seconds, so two sign-ins within one second look the same.
pub(super) async fn wait(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

//! A person with a browser without script, at one tenant of a program.

use std::collections::BTreeMap;

use reqwest::header::{COOKIE, ORIGIN, SET_COOKIE};
use reqwest::{Method, redirect};
use url::Url;

use crate::answer::Answer;
use crate::running::tenant_path;
use crate::two_providers::{ProviderTenant, REDIRECT_URI};

pub(crate) const EMAIL: &str = "ada@example.com";
/// The example of RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A browser without script at one tenant.
pub(crate) struct Browser<'t> {
    base: &'t str,
    pub(crate) tenant: &'t ProviderTenant,
    http: reqwest::Client,
    pub(crate) cookies: BTreeMap<String, String>,
}

impl<'t> Browser<'t> {
    pub(crate) fn new(base: &'t str, tenant: &'t ProviderTenant) -> Self {
        // A connection to a program that was killed must not be used again.
        let http = reqwest::Client::builder().redirect(redirect::Policy::none()).pool_max_idle_per_host(0);
        let http = http.build().unwrap();
        Self { base, tenant, http, cookies: BTreeMap::new() }
    }

    pub(crate) async fn send(&mut self, method: Method, path: &str, form: &[(&str, &str)]) -> Answer {
        let cookies = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
        let url = format!("{}{}", self.base, tenant_path(self.tenant.id, path));
        let request = self.http.request(method, url).header(COOKIE, cookies.collect::<Vec<_>>().join("; "));
        let answer = match form {
            [] => Answer::to(request).await,
            form => Answer::to(request.header(ORIGIN, self.base).form(form)).await,
        };
        for (_, line) in answer.headers.iter().filter(|(name, _)| name == SET_COOKIE.as_str()) {
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }

    pub(crate) async fn authorize(&mut self) -> Answer {
        self.authorize_for("openid profile").await
    }

    pub(crate) async fn authorize_for(&mut self, scope: &str) -> Answer {
        let query = [
            ("response_type", "code"),
            ("client_id", "web"),
            ("redirect_uri", REDIRECT_URI),
            ("scope", scope),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let url = Url::parse_with_params(self.base, query).unwrap();
        self.send(Method::GET, &format!("/oauth/authorize?{}", url.query().unwrap()), &[]).await
    }

    pub(crate) async fn sign_in(&mut self, page: &Answer, identifier: &str, password: &str) -> Answer {
        let flow = after(page, "name=\"flow\" value=\"");
        let form = [("flow", &*flow), ("identifier", identifier), ("password", password)];
        self.send(Method::POST, "/oauth/sign-in", &form).await
    }

    /// Asserts whether the person with this name can sign in with this password. If so, the client gets
    /// tokens.
    pub(crate) async fn assert_signs_in(&mut self, name: &str, password: &str, expected: bool) {
        self.cookies.clear();
        let page = self.authorize().await;
        let done = self.sign_in(&page, name, password).await;
        assert_eq!(done.status, if expected { 200 } else { 403 }, "{name} at {}: {done:?}", self.tenant.id);
        if expected {
            let code = code_in(&after(&done, "content=\"0;url="));
            let redeemed = self.tokens("authorization_code", "code", &code).await;
            assert_eq!(redeemed.status, 200, "{redeemed:?}");
        }
    }

    pub(crate) async fn tokens(&mut self, grant: &str, name: &str, value: &str) -> Answer {
        let secret = self.tenant.secret.clone();
        let own = [("client_id", "web"), ("client_secret", &*secret), ("code_verifier", VERIFIER)];
        let form = [("grant_type", grant), (name, value), ("redirect_uri", REDIRECT_URI)];
        self.send(Method::POST, "/oauth/token", &[&form[..], &own].concat()).await
    }
}

/// The part of a page between this text and the next quotation mark.
pub(crate) fn after(page: &Answer, before: &str) -> String {
    let rest = page.body.split_once(before).unwrap_or_else(|| panic!("no {before} in {page:?}")).1;
    rest.split('"').next().unwrap().replace("&#38;", "&")
}

pub(crate) fn code_in(url: &str) -> String {
    let url = Url::parse(url).unwrap();
    let code = url.query_pairs().find(|(name, _)| name == "code");
    code.unwrap_or_else(|| panic!("no code in {url}")).1.into_owned()
}

pub(crate) fn public_url(tenants: &[ProviderTenant; 2]) -> String {
    tenants[0].issuer.strip_suffix(&*tenant_path(tenants[0].id, "")).unwrap().to_owned()
}

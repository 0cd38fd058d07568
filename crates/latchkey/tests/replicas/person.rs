//! A person of each tenant with a browser that may use any replica, and the client for which the person signs
//! in.

use std::collections::BTreeMap;

use reqwest::header::{COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use reqwest::{Method, redirect};
use url::Url;

use crate::answer::Answer;
use crate::running::tenant_path;
use crate::test_env::{Replica, TestEnv, settings};

pub(crate) const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// No server listens at this address.
const CALLBACK: &str = "http://127.0.0.1:9/callback";
/// The example of RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// The origin of every replica's pages: the public URL.
const PUBLIC: &str = "http://localhost:3000";

/// Settings in which Ada has an account at each tenant, and can sign in for the client `web`.
pub(crate) fn settings_with_people() -> String {
    let with_person = "strategies: { oauth2: { enabled: true }, oidc: { enabled: true } }
    refresh_token: { rotation: always }
    accounts: { ada: { email: ada@example.com, password: { env: NEW_SECRET } } }";
    let with_client = |text: String, secret: &str| {
        let before = format!("      svc-0: {{ client_secret: {{ env: {secret} }}");
        let web = format!(
            "      web:
        client_secret: {{ env: {secret} }}
        grant_types: [authorization_code, refresh_token, '{DEVICE_GRANT}']
        redirect_uris: ['{CALLBACK}']
        scopes: [openid, profile]
        first_party: true
{before}"
        );
        assert!(text.contains(&before));
        text.replacen(&before, &web, 1)
    };
    let text = settings(1).replace("strategies: { oauth2: { enabled: true } }", with_person);
    with_client(with_client(text, "ACME_SECRET"), "GLOBEX_SECRET")
}

/// A browser at one tenant. Its requests look like those of pages.
pub(crate) struct Browser {
    tenant: &'static str,
    email: String,
    password: String,
    http: reqwest::Client,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    pub(crate) fn new(test_env: &TestEnv, tenant: &'static str) -> Self {
        Self::of(tenant, "ada@example.com", test_env.new_secret())
    }

    /// The browser of this person.
    pub(crate) fn of(tenant: &'static str, email: &str, password: &str) -> Self {
        let http = reqwest::Client::builder().redirect(redirect::Policy::none()).build().unwrap();
        let (email, password) = (email.to_owned(), password.to_owned());
        Self { tenant, email, password, http, cookies: BTreeMap::new() }
    }

    pub(crate) async fn signed_in(test_env: &TestEnv, tenant: &'static str, replica: &Replica) -> Self {
        let mut browser = Self::new(test_env, tenant);
        let page = browser.open(replica).await;
        let page = browser.sign_in(replica, &page, true).await;
        assert!(code_of(&page).is_some(), "{page:?}");
        browser
    }

    pub(crate) async fn open(&mut self, replica: &Replica) -> Answer {
        let answer = self.authorize(replica, &AUTHORIZATION_REQUEST).await;
        self.keep(&answer);
        answer
    }

    /// Sends the form of a sign-in page, with the correct password or a wrong one.
    pub(crate) async fn sign_in(&mut self, replica: &Replica, page: &Answer, is_right: bool) -> Answer {
        let password = if is_right { &self.password } else { "another long password" };
        let fields = [("identifier", &*self.email), ("password", password)];
        let answer = self.submit(replica, "/oauth/sign-in", page, &fields).await;
        self.keep(&answer);
        answer
    }

    pub(crate) async fn authorize(&self, replica: &Replica, parameters: &[(&str, &str)]) -> Answer {
        let mut url = Url::parse(PUBLIC).unwrap();
        url.query_pairs_mut().extend_pairs(parameters);
        self.get(replica, &format!("/oauth/authorize?{}", url.query().unwrap())).await
    }

    pub(crate) async fn get(&self, replica: &Replica, path: &str) -> Answer {
        self.send(replica, Method::GET, path, &[]).await
    }

    pub(crate) async fn submit(
        &self,
        replica: &Replica,
        path: &str,
        page: &Answer,
        fields: &[(&str, &str)],
    ) -> Answer {
        let flow = after(page, "name=\"flow\" value=\"").unwrap_or_else(|| panic!("no form: {page:?}"));
        self.send(replica, Method::POST, path, &[&[("flow", &*flow)], fields].concat()).await
    }

    async fn send(&self, replica: &Replica, method: Method, path: &str, form: &[(&str, &str)]) -> Answer {
        let url = replica.program.url(&tenant_path(self.tenant, path));
        let cookies = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
        let request = self.http.request(method.clone(), url).header("sec-fetch-dest", "document");
        let request = request.header(COOKIE, cookies.collect::<Vec<_>>().join("; "));
        let has_form = method == Method::POST;
        Answer::to(if has_form { request.header(ORIGIN, PUBLIC).form(form) } else { request }).await
    }

    fn keep(&mut self, answer: &Answer) {
        for (_, line) in answer.headers.iter().filter(|(name, _)| name == SET_COOKIE.as_str()) {
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}

/// The parameters of an authorization request of the client `web`.
pub(crate) const AUTHORIZATION_REQUEST: [(&str, &str); 6] = [
    ("response_type", "code"),
    ("client_id", "web"),
    ("redirect_uri", CALLBACK),
    ("scope", "openid profile"),
    ("code_challenge", CHALLENGE),
    ("code_challenge_method", "S256"),
];

/// The code that the client gets: in the address of a redirect, or of the page after a form.
pub(crate) fn code_of(answer: &Answer) -> Option<String> {
    let redirect = answer.headers.iter().find(|(name, _)| name == LOCATION.as_str());
    let redirect = redirect.map(|(_, location)| location.clone());
    let to = redirect.or_else(|| Some(after(answer, "content=\"0;url=")?.replace("&#38;", "&")))?;
    let to = Url::parse(&to).unwrap();
    to.query_pairs().find(|(name, _)| name == "code").map(|(_, code)| code.into_owned())
}

/// The part of a page between this text and the next quotation mark.
pub(crate) fn after(page: &Answer, before: &str) -> Option<String> {
    Some(page.body.split_once(before)?.1.split_once('"')?.0.to_owned())
}

/// A request of the client `web` to an endpoint of its tenant.
pub(crate) async fn request(
    (test_env, tenant): (&TestEnv, &str),
    replica: &Replica,
    path: &str,
    form: &[(&str, &str)],
) -> Answer {
    let client = [("client_id", "web"), ("client_secret", test_env.secret_of(tenant))];
    let others = form.iter().filter(|(name, _)| *name != "client_id");
    let form: Vec<_> = client.iter().chain(others).copied().collect();
    replica.program.post(&tenant_path(tenant, path), &form).await
}

pub(crate) async fn redeem(of: (&TestEnv, &str), replica: &Replica, code: &str) -> Answer {
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    request(of, replica, "/oauth/token", &form).await
}

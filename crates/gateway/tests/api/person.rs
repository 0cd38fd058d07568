//! A person with a browser: cookies, pages and forms.

use accounts::{Account, AccountPasswords};
use reqwest::header::SET_COOKIE;
use url::Url;

use crate::prelude::*;

pub(crate) const EMAIL: &str = "ada@example.com";
pub(crate) const BOB: &str = "bob@example.com";
pub(crate) const PASSWORD: &str = "a long enough password";
pub(crate) const CALLBACK: &str = "https://app.example.com/callback";
pub(crate) const SIGNED_OUT: &str = "https://app.example.com/signed-out";
/// RFC 7636 appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Each tenant has an Ada with the same address and password, in a separate account.
pub(crate) fn add_person(app: &TestApp, tenant: &str) -> Account {
    add_someone(app, tenant, if tenant == crate::app::ACME { 1 } else { 2 }, EMAIL)
}

/// Adds a person with the same password.
pub(crate) fn add_someone(app: &TestApp, tenant: &str, number: u8, email: &str) -> Account {
    let tenant = fixtures::tenant_id(tenant);
    let mut person = requests::account(&tenant, number, &[email]);
    person.claims.insert("name".to_owned(), "Ada Lovelace".into());
    let hash = password_hash(PASSWORD);
    let password = AccountPasswords::new(&app.pepper).bind(&tenant, &person.id, &hash);
    app.store.put_account(person.clone(), password);
    person
}

/// Adds Ada and a client with this change. Returns the client's secret.
pub(crate) fn furnish(app: &TestApp, tenant: &str, change: impl FnOnce(&mut Client)) -> String {
    add_person(app, tenant);
    add_web_client(app, tenant, change)
}

pub(crate) fn public(client: &mut Client) {
    client.authentication_method = ClientAuthenticationMethod::None;
    client.secrets.clear();
}

/// Adds a client that signs people in, with this change. Returns its secret.
pub(crate) fn add_web_client(app: &TestApp, tenant: &str, change: impl FnOnce(&mut Client)) -> String {
    app.change_tenant(tenant, |tenant| tenant.strategies.oidc = true);
    let mut client = fixtures::client(&fixtures::tenant(tenant), "web");
    client.grant_types = vec![GrantType::AuthorizationCode];
    client.scope = fixtures::scope("openid profile email api:read");
    client.code_flow.redirect_uris = vec![CALLBACK.to_owned(), "http://127.0.0.1/cb".to_owned()];
    client.code_flow.post_logout_redirect_uris = vec![SIGNED_OUT.to_owned()];
    client.code_flow.first_party = true;
    let secret = GeneratedSecret::generate().secret;
    let hash = hash_token(&app.pepper, &client.tenant, &client.id, &secret);
    client.secrets = vec![ClientSecret { hash, ..fixtures::secret("1") }];
    change(&mut client);
    app.store.put_client(client);
    secret.expose().to_owned()
}

pub(crate) struct Browser<'a> {
    pub(crate) app: &'a TestApp,
    pub(crate) cookies: BTreeMap<String, String>,
}

impl<'a> Browser<'a> {
    pub(crate) fn new(app: &'a TestApp) -> Self {
        Self { app, cookies: BTreeMap::new() }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let line = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
        let line = line.collect::<Vec<_>>().join("; ");
        let url = format!("http://{}{path}", self.app.addresses[0]);
        self.app.browser_http.request(method, url).header("cookie", line)
    }

    pub(crate) async fn send(&mut self, request: RequestBuilder) -> Answer {
        let answer = Answer::to(request).await;
        for line in answer.headers.get_all(SET_COOKIE) {
            let line = line.to_str().unwrap();
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            if line.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        let request = self.request(Method::GET, path).header("sec-fetch-dest", "document");
        self.send(request).await
    }

    /// Sends a form with the headers of a browser.
    pub(crate) async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Answer {
        let request = self.request(Method::POST, path).header("origin", PUBLIC_URL).form(form);
        self.send(request).await
    }

    /// Sends the usual authorization request with these parameters. An empty value removes a
    /// parameter.
    pub(crate) async fn authorize(&mut self, tenant: &str, more: &[(&str, &str)]) -> Answer {
        let path = authorize_path(tenant, more);
        self.get(&path).await
    }

    /// Fills in the sign-in form of a page at this path.
    pub(crate) async fn sign_in_at(
        &mut self,
        path: &str,
        page: &Answer,
        (who, password): (&str, &str),
    ) -> Answer {
        self.fill_in(path, page, &[("identifier", who), ("password", password)]).await
    }

    /// Fills in Ada's address.
    pub(crate) async fn sign_in(&mut self, tenant: &str, page: &Answer, password: &str) -> Answer {
        self.sign_in_at(&tenant_path(tenant, "/oauth/sign-in"), page, (EMAIL, password)).await
    }

    /// Sends a form of the device pages.
    pub(crate) async fn at_device(&mut self, tenant: &str, page: &Answer, fields: &[(&str, &str)]) -> Answer {
        self.fill_in(&tenant_path(tenant, "/device"), page, fields).await
    }

    /// Signs in as another person with the same password, even if somebody is signed in.
    pub(crate) async fn sign_in_as(&mut self, tenant: &str, identifier: &str) -> Answer {
        let page = self.authorize(tenant, &[("prompt", "login")]).await;
        self.sign_in_at(&tenant_path(tenant, "/oauth/sign-in"), &page, (identifier, PASSWORD)).await
    }

    /// The page after Ada's sign-in.
    pub(crate) async fn signed_in(&mut self, tenant: &str, more: &[(&str, &str)]) -> Answer {
        let page = self.authorize(tenant, more).await;
        page.assert_status(200);
        self.sign_in(tenant, &page, PASSWORD).await
    }

    /// The code of a complete sign-in.
    pub(crate) async fn code(&mut self, tenant: &str, more: &[(&str, &str)]) -> String {
        code_in(&self.signed_in(tenant, more).await)
    }

    /// The tokens of a complete sign-in.
    pub(crate) async fn tokens(&mut self, tenant: &str, secret: &str, more: &[(&str, &str)]) -> Value {
        let code = self.code(tenant, more).await;
        redeem(self.app, tenant, secret, &code).await.json_of(200)
    }

    /// Sends the form of a page with these fields.
    pub(crate) async fn fill_in(&mut self, path: &str, page: &Answer, fields: &[(&str, &str)]) -> Answer {
        let sealed = flow(page);
        self.post(path, &[&[("flow", &*sealed)], fields].concat()).await
    }

    /// Presses a button of a sign-in page.
    pub(crate) async fn decide(&mut self, tenant: &str, page: &Answer, decision: &str) -> Answer {
        self.fill_in(&tenant_path(tenant, "/oauth/sign-in"), page, &[("decision", decision)]).await
    }

    /// Whether a request with `prompt=none` gets a code.
    pub(crate) async fn is_signed_in(&mut self, tenant: &str) -> bool {
        self.authorize(tenant, &[("prompt", "none")]).await.header("location").contains("code=")
    }

    /// The error of a request with `prompt=none`.
    pub(crate) async fn silent_error(&mut self, tenant: &str, more: &[(&str, &str)]) -> String {
        let answer = self.authorize(tenant, &[&[("prompt", "none")], more].concat()).await;
        parameter(&location(&answer), "error")
    }
}

/// The usual authorization request with these parameters. An empty value removes a parameter.
pub(crate) fn authorization_request<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut parameters = BTreeMap::from([
        ("response_type", "code"),
        ("client_id", "web"),
        ("redirect_uri", CALLBACK),
        ("scope", "openid profile"),
        ("state", "s1"),
        ("nonce", "n1"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]);
    parameters.extend(more.iter().copied());
    parameters.retain(|_, value| !value.is_empty());
    parameters.into_iter().collect()
}

pub(crate) fn authorize_path(tenant: &str, more: &[(&str, &str)]) -> String {
    let mut url = Url::parse("http://localhost").unwrap();
    url.query_pairs_mut().extend_pairs(authorization_request(more));
    format!("{}?{}", tenant_path(tenant, "/oauth/authorize"), url.query().unwrap())
}

/// The sealed form in a page.
pub(crate) fn flow(page: &Answer) -> String {
    attribute(page, "name=\"flow\" value=\"")
        .unwrap_or_else(|| panic!("no form in {} {}", page.status, page.body))
}

/// The URL that the page continues to.
pub(crate) fn continued(page: &Answer) -> Url {
    let to = attribute(page, "content=\"0;url=");
    let to = to.unwrap_or_else(|| panic!("{} goes nowhere: {}", page.status, page.body));
    Url::parse(&to).unwrap()
}

/// The URL of a redirect.
#[track_caller]
pub(crate) fn location(answer: &Answer) -> Url {
    answer.assert_status(303);
    Url::parse(answer.header("location")).unwrap()
}

/// The code in the URL that the page continues to.
pub(crate) fn code_in(page: &Answer) -> String {
    parameter(&continued(page), "code")
}

/// The code in the URL of a redirect.
#[track_caller]
pub(crate) fn code_at(answer: &Answer) -> String {
    parameter(&location(answer), "code")
}

fn attribute(page: &Answer, before: &str) -> Option<String> {
    let value = page.body.split_once(before)?.1.split_once('"')?.0;
    Some(value.replace("&#38;", "&").replace("&amp;", "&"))
}

pub(crate) fn parameter(url: &Url, name: &str) -> String {
    let found = url.query_pairs().find(|(found, _)| found == name);
    found.unwrap_or_else(|| panic!("no {name} in {url}")).1.into_owned()
}

/// Redeems a code.
pub(crate) async fn redeem(app: &TestApp, tenant: &str, secret: &str, code: &str) -> Answer {
    redeem_with(app, tenant, &[("client_secret", secret), ("code", code)]).await
}

/// Redeems a code with these parameters. An empty value removes a parameter.
pub(crate) async fn redeem_with(app: &TestApp, tenant: &str, more: &[(&str, &str)]) -> Answer {
    app.post(&token_path(tenant), &redemption_form(more)).await
}

/// The usual token request with these parameters. An empty value removes a parameter.
pub(crate) fn redemption_form<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut form = BTreeMap::from([
        ("grant_type", "authorization_code"),
        ("client_id", "web"),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ]);
    form.extend(more.iter().copied());
    form.retain(|_, value| !value.is_empty());
    form.into_iter().collect()
}

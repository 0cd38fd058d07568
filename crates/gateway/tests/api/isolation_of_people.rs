//! Tenant isolation of sessions, forms, codes, tokens and hints. Sends each value to every path of
//! the other tenant, in the parameter that the path reads. The response must equal the response to
//! a value that was never issued. Afterwards the same request must succeed at its own tenant.

use futures_util::future::join_all;
use url::form_urlencoded::byte_serialize;
use url::{Position, Url};

use crate::device::authorize_device;
use crate::isolation::{Rule, rule};
use crate::person::redemption_form;
use crate::prelude::*;
use crate::pushed_requests::push;

const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A method, and a path below a tenant.
type Operation = (&'static str, &'static str);
const AUTHORIZE: Operation = ("get", "/oauth/authorize");
const TOKEN: Operation = ("post", "/oauth/token");
const INTROSPECT: Operation = ("post", "/oauth/introspect");
const SIGN_IN: Operation = ("post", "/oauth/sign-in");
const LOGOUT: Operation = ("post", "/oauth/logout");
const DEVICE: Operation = ("post", "/device");
const ACCOUNT: Operation = ("post", "/account");

/// What browser and client have after a sign-in.
struct Left {
    session: String,
    tokens: Value,
    code: String,
    device: Value,
    request_uri: String,
    /// The forms of device, consent, account, sign-out and sign-in. Each of the last three ends the
    /// session.
    forms: [String; 5],
}

/// The person's answers to each form, and its path.
const ANSWERS: [(&[(&str, &str)], Operation); 5] = [
    (&[("decision", "allow")], DEVICE),
    (&[("decision", "allow")], SIGN_IN),
    (&[("decision", "sign_out_everywhere")], ACCOUNT),
    (&[("decision", "sign_out")], LOGOUT),
    (&[("identifier", EMAIL), ("password", PASSWORD)], SIGN_IN),
];

/// A value, and where paths read it: a parameter, `cookie` or `bearer`.
struct Artefact<'a> {
    place: &'static str,
    value: &'a str,
    /// Further parameters of the same request.
    beside: Vec<(&'static str, &'a str)>,
    /// The operation that reads the value.
    read_at: Operation,
}

impl Left {
    async fn at(app: &TestApp, browser: &mut Browser<'_>, tenant: &str, secret: &str) -> Self {
        let page = browser.authorize(tenant, &[]).await;
        let consent = flow(&browser.sign_in(tenant, &page, PASSWORD).await);
        let allow = [("flow", &*consent), ("decision", "allow")];
        let allowed = browser.post(&tenant_path(tenant, "/oauth/sign-in"), &allow).await;
        let tokens = redeem(app, tenant, secret, &code_in(&allowed)).await.json();
        let with_secret = [("client_secret", secret)];
        let device = authorize_device(app, tenant, &with_secret).await.json();
        let decided = authorize_device(app, tenant, &with_secret).await.json();
        let forms = [
            to_the_question(browser, tenant, decided["user_code"].as_str().unwrap()).await,
            browser.authorize(tenant, &[("prompt", "consent")]).await,
            browser.get(&tenant_path(tenant, "/account")).await,
            browser.get(&tenant_path(tenant, "/oauth/logout")).await,
            browser.authorize(tenant, &[("prompt", "login")]).await,
        ];
        Self {
            session: browser.cookies[&format!("lk-s.{tenant}")].clone(),
            tokens,
            code: code_at(&browser.authorize(tenant, &[]).await),
            device,
            request_uri: push(app, tenant, &with_secret).await,
            forms: forms.map(|page| flow(&page)),
        }
    }

    /// All values. `device_form` is the form of the other tenant that asks for a device code.
    fn artefacts<'a>(&'a self, device_form: &'a str) -> Vec<Artefact<'a>> {
        let tokens = ["access_token", "id_token", "refresh_token"];
        let [access, id, refresh] = tokens.map(|name| text(&self.tokens, name));
        let [device, user] = ["device_code", "user_code"].map(|name| self.device[name].as_str().unwrap());
        let grant = |name| vec![("grant_type", name)];
        let first = [
            ("cookie", &*self.session, Vec::new(), AUTHORIZE),
            ("bearer", access, Vec::new(), ("get", "/oauth/userinfo")),
            ("token", access, Vec::new(), INTROSPECT),
            ("token", refresh, Vec::new(), INTROSPECT),
            ("id_token_hint", id, Vec::new(), AUTHORIZE),
            ("request_uri", &*self.request_uri, Vec::new(), AUTHORIZE),
            ("code", &*self.code, grant("authorization_code"), TOKEN),
            ("refresh_token", refresh, grant("refresh_token"), TOKEN),
            ("device_code", device, grant(DEVICE_GRANT), TOKEN),
            ("user_code", user, vec![("flow", device_form)], DEVICE),
        ];
        let forms = self.forms.iter().zip(ANSWERS);
        let forms = forms.map(|(form, (answers, read_at))| ("flow", &**form, answers.to_vec(), read_at));
        let all = first.into_iter().chain(forms);
        all.map(|(place, value, beside, read_at)| Artefact { place, value, beside, read_at }).collect()
    }
}

/// Changes a character near the end.
fn invented(value: &str) -> String {
    let at = value.len() - 3;
    let other = if value[at..].starts_with('B') { "C" } else { "B" };
    format!("{}{other}{}", &value[..at], &value[at + 1..])
}

/// Sends the value in its place, with the secret of the tenant's client.
async fn ask(
    browser: &Browser<'_>,
    (method, path): (&str, &str),
    (tenant, secret): (&str, &str),
    artefact: &Artefact<'_>,
    value: &str,
) -> Answer {
    let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
    let mut form = redemption_form(&authorization_request(&[]));
    form.retain(|(name, _)| *name != "grant_type");
    form.extend(&artefact.beside);
    if !matches!(artefact.place, "cookie" | "bearer") {
        form.push((artefact.place, value));
    }
    let mut url = Url::parse(PUBLIC_URL).unwrap().join(&routes::placed(path, tenant)).unwrap();
    if method == Method::GET {
        form.retain(|(name, _)| *name != "password");
        url.query_pairs_mut().extend_pairs(form.drain(..));
    // A device authorization reads none of these values, and only a few may wait.
    } else if artefact.place != "bearer" && !path.ends_with("/device_authorization") {
        form.push(("client_secret", secret));
    }
    let request = browser.request(method, &url[Position::BeforePath..]).form(&form);
    let request = request.header("origin", PUBLIC_URL).header("sec-fetch-dest", "document");
    Answer::to(match artefact.place {
        "cookie" => request.header("cookie", format!("lk-s.{tenant}={value}")),
        "bearer" => request.bearer_auth(value),
        _ => request,
    })
    .await
}

/// The response without its random parts and without the sent value.
fn said(answer: &Answer, value: &str) -> (u16, String, String) {
    let mut body = answer.body_of_any().replace(value, "");
    for before in ["nonce=\"", "name=\"flow\" value=\""] {
        let random = body.split_once(before).map(|(_, rest)| rest.split('"').next().unwrap().to_owned());
        body = random.map_or(body.clone(), |random| body.replace(&random, ""));
    }
    // A pushed request gets a random name.
    let body = if answer.status == 201 { String::new() } else { body };
    let in_url: String = byte_serialize(value.as_bytes()).collect();
    (answer.status, answer.header("location").replace(&in_url, ""), body)
}

/// Two tenants with the same client and person. The default tenant is `home`.
fn start(home: &str) -> (TestApp, [String; 2]) {
    let app = TestApp::start_with(&options(home));
    let secrets = [ACME, GLOBEX].map(|tenant| {
        furnish(&app, tenant, |client| {
            client.grant_types.extend([GrantType::RefreshToken, GrantType::DeviceCode]);
            client.scope = fixtures::scope("openid profile");
            client.code_flow.first_party = false;
        })
    });
    (app, secrets)
}

// [attacks #16]: What was made at one tenant, sent to another | Every session, form, code, token, hint and
//   request URI, at every path
// [attacks #5], [rfc9700 §4.5], [V7 7.2.1]
#[tokio::test]
async fn sign_in_values_are_worthless_at_the_other_tenant() {
    for (home, stranger) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let (app, secrets) = start(home);
        let [own, foreign] = [home, stranger].map(|tenant| (tenant, &*secrets[usize::from(tenant != ACME)]));
        let mut browser = Browser::new(&app);
        let left = Left::at(&app, &mut browser, stranger, foreign.1).await;
        let mut forms = Vec::new();
        for tenant in [home, stranger] {
            forms.push(flow(&browser.get(&tenant_path(tenant, "/device")).await));
        }
        let artefacts = left.artefacts(&forms[0]);
        for (method, path) in routes::all() {
            let rule = rule(&path);
            // Public paths accept no credentials. Admin paths and paths of persons read none from a
            // form.
            let is_read = |place| match rule {
                Rule::Public | Rule::Numbers => false,
                Rule::Administration | Rule::Person => matches!(place, "cookie" | "bearer"),
                Rule::Client | Rule::Introspection | Rule::Bearer | Rule::Page => true,
            };
            join_all(artefacts.iter().filter(|sent| is_read(sent.place)).map(async |artefact| {
                let (value, unknown) = (artefact.value, invented(artefact.value));
                let answer = ask(&browser, (&method, &path), own, artefact, value).await;
                let expected = ask(&browser, (&method, &path), own, artefact, &unknown).await;
                let what = format!("{method} {path}: {} {value}", artefact.place);
                assert_eq!(said(&answer, value), said(&expected, &unknown), "{what}");
                let shown = [stranger, EMAIL, "\"active\":true"].map(|text| answer.body.contains(text));
                assert_eq!(shown, [false; 3], "{what}: {}", answer.body);
                assert!(!answer.header("set-cookie").contains("lk-s."), "{what}");
                assert_ne!(answer.status, 429, "{what}");
            }))
            .await;
        }
        // After all these requests, each value is still valid at its own tenant.
        for artefact in left.artefacts(&forms[1]) {
            let (value, unknown, (method, path)) =
                (artefact.value, invented(artefact.value), artefact.read_at);
            let path = tenant_path("{id}", path);
            // The person's browser already has the cookie.
            let empty = Browser::new(&app);
            let browser = if artefact.place == "cookie" { &empty } else { &browser };
            let expected = ask(browser, (method, &path), foreign, &artefact, &unknown).await;
            let answer = ask(browser, (method, &path), foreign, &artefact, value).await;
            let what = format!("{method} {path}: {} {value}: {}", artefact.place, answer.body);
            assert_ne!(said(&answer, value), said(&expected, &unknown), "{what}");
            assert!(answer.status < 400 || answer.body.contains("authorization_pending"), "{what}");
        }
    }
}

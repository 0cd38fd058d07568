//! A server that does not isolate its tenants: a proxy with one fault, in front of a server without faults.
//! When one tenant of a proof refuses a request, the proxy asks the other one. A value must still be valid at
//! its own tenant.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use reqwest::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, COOKIE, HOST, HeaderMap, HeaderValue, SET_COOKIE,
    TRANSFER_ENCODING,
};
use reqwest::{Client, Method, StatusCode, redirect};
use serde_json::Value;
use url::form_urlencoded::{Serializer, parse};

/// The requests that a fault affects: the beginning of method and path, and a text that they contain.
#[derive(Clone, Copy)]
pub(crate) struct Fault {
    pub(crate) at: &'static str,
    pub(crate) sent: &'static str,
    pub(crate) what: What,
}

#[derive(Clone, Copy)]
pub(crate) enum What {
    /// The other tenant answers a request that this one refuses, as if the server looked in both tenants or
    /// omitted a check.
    OtherTenant,
    /// The other tenant answers, with the form of its own page at this path.
    OtherForm(&'static str),
    /// The tenant answers as if an administrator with all permissions had asked.
    AnyAdministrator,
    /// The list contains the rows of both tenants.
    BothLists,
}

/// A request, or the request that is sent to the other tenant instead.
#[derive(Clone)]
struct Asked {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: String,
}

struct Answered {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

struct Proxy {
    server: String,
    fault: Fault,
    http: Client,
    /// The secrets of clients and the tokens of administrators, by tenant and name.
    known: Mutex<HashMap<(String, String), String>>,
}

/// Starts the proxy in front of this server. Its tasks end with the test.
pub(crate) async fn start(server: String, fault: Fault) -> String {
    let http = Client::builder().no_proxy().redirect(redirect::Policy::none()).build().unwrap();
    let proxy = Arc::new(Proxy { server, fault, http, known: Mutex::default() });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(pass_on).with_state(proxy);
    tokio::spawn(axum::serve(listener, router).into_future());
    url
}

async fn pass_on(State(proxy): State<Arc<Proxy>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let mut headers = head.headers;
    for name in [HOST, CONTENT_LENGTH, TRANSFER_ENCODING, ACCEPT_ENCODING] {
        headers.remove(name);
    }
    let body = String::from_utf8(body.to_vec()).unwrap();
    let asked = Asked { method: head.method, path: head.uri.to_string(), headers, body };
    let answered = proxy.answer(&asked).await;
    let mut response = Response::new(Body::from(answered.body));
    *response.status_mut() = answered.status;
    *response.headers_mut() = answered.headers;
    for name in [CONTENT_LENGTH, TRANSFER_ENCODING] {
        response.headers_mut().remove(name);
    }
    response
}

impl Proxy {
    async fn answer(&self, asked: &Asked) -> Answered {
        let answered = self.send(asked).await;
        self.remember(asked, &answered);
        if !asked.has(self.fault) {
            return answered;
        }
        let other = match (self.fault.what, asked.tenant()) {
            (What::BothLists, Some(tenant)) => {
                let other = self.send(&self.at_other(asked, tenant)).await;
                return answered.joined(&other);
            }
            _ if answered.is_accepted() => return answered,
            (What::AnyAdministrator, tenant) => self.by_administrator(asked, tenant.unwrap_or_default()),
            (What::OtherTenant, Some(tenant)) => self.at_other(asked, tenant),
            (What::OtherForm(page), Some(tenant)) => self.with_form(asked, tenant, page).await,
            (_, None) => return answered,
        };
        let other = self.send(&other).await;
        if other.is_accepted() { other } else { answered }
    }

    async fn send(&self, asked: &Asked) -> Answered {
        let url = format!("{}{}", self.server, asked.path);
        let sent = self.http.request(asked.method.clone(), url).headers(asked.headers.clone());
        let answer = sent.body(asked.body.clone()).send().await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        Answered { status, headers, body: answer.bytes().await.unwrap() }
    }

    /// Records secrets and tokens, which the other tenant has under the same names.
    fn remember(&self, asked: &Asked, answered: &Answered) {
        let mut known = self.known.lock().unwrap();
        let mut know = |tenant: &str, name: &str, value: &str| {
            known.insert((tenant.to_owned(), name.to_owned()), value.to_owned());
        };
        let document = answered.json();
        match (asked.tenant(), asked.below_tenant()) {
            (None, "/api/v1/admin/tenants") if answered.is_accepted() => {
                know("", "administrator", asked.text(AUTHORIZATION));
            }
            (Some(tenant), "/clients") => {
                if let Some(secret) = document["secret"]["client_secret"].as_str() {
                    know(tenant, document["client_id"].as_str().unwrap(), secret);
                }
            }
            (Some(tenant), "/oauth/token") if asked.body.contains("client_id=administrator") => {
                if let Some(token) = document["access_token"].as_str() {
                    know(tenant, "administrator", &format!("Bearer {token}"));
                }
            }
            _ => {}
        }
    }

    fn by_administrator(&self, asked: &Asked, tenant: &str) -> Asked {
        let token = self.known.lock().unwrap()[&(tenant.to_owned(), "administrator".to_owned())].clone();
        let mut asked = asked.clone();
        asked.headers.insert(AUTHORIZATION, HeaderValue::try_from(token).unwrap());
        asked
    }

    /// The request to the other tenant, with the values that the other tenant has under the same names.
    fn at_other(&self, asked: &Asked, tenant: &str) -> Asked {
        let other = other_tenant(tenant);
        let known = self.known.lock().unwrap();
        let own = known.iter().filter(|((of, _), _)| of == tenant);
        let both = own.filter_map(|((_, name), own)| Some((own, known.get(&(other.clone(), name.clone()))?)));
        let both: Vec<_> = both.collect();
        let translate = |text: &str| {
            both.iter().fold(text.replace(tenant, &other), |text, (own, other)| text.replace(*own, other))
        };
        let mut headers = asked.headers.clone();
        for name in [AUTHORIZATION, COOKIE] {
            if let Some(value) = headers.get_mut(name) {
                *value = HeaderValue::try_from(translate(value.to_str().unwrap())).unwrap();
            }
        }
        let (path, body) = (translate(&asked.path), translate(&asked.body));
        Asked { method: asked.method.clone(), path, headers, body }
    }

    /// The request with the form of a page of the other tenant, in the same browser.
    async fn with_form(&self, asked: &Asked, tenant: &str, page: &str) -> Asked {
        const OWN: [&str; 5] = ["flow", "identifier", "password", "user_code", "client_secret"];
        let Asked { path, body, .. } = self.at_other(asked, tenant);
        let (before, _) = path.split_once(&other_tenant(tenant)).unwrap();
        let fields = || parse(body.as_bytes()).map(|(name, value)| (name.into_owned(), value.into_owned()));
        let query = fields().filter(|(name, _)| !OWN.contains(&&**name));
        let query =
            Serializer::new(String::new()).extend_pairs(query).append_pair("prompt", "login").finish();
        let shown = Asked {
            method: Method::GET,
            path: format!("{before}{}{page}?{query}", other_tenant(tenant)),
            headers: asked.headers.clone(),
            body: String::new(),
        };
        let answered = self.send(&shown).await;
        let shown = answered.text();
        let flow = shown.split_once("name=\"flow\" value=\"").and_then(|(_, rest)| rest.split_once('"'));
        let flow = flow.map(|(flow, _)| flow.to_owned()).unwrap_or_default();
        let fields =
            fields().map(|(name, value)| if name == "flow" { (name, flow.clone()) } else { (name, value) });
        let body = Serializer::new(String::new()).extend_pairs(fields).finish();
        let set = answered.headers.get_all(SET_COOKIE).iter().map(|cookie| cookie.to_str().unwrap());
        let set = set.map(|cookie| cookie.split(';').next().unwrap_or_default());
        let cookies: Vec<_> =
            std::iter::once(asked.text(COOKIE)).chain(set).filter(|text| !text.is_empty()).collect();
        let mut headers = asked.headers.clone();
        headers.insert(COOKIE, HeaderValue::try_from(cookies.join("; ")).unwrap());
        Asked { method: asked.method.clone(), path, headers, body }
    }
}

/// The ids of the two tenants of a proof differ in their last letter.
fn other_tenant(tenant: &str) -> String {
    let (rest, end) = tenant.split_at(tenant.len() - 1);
    format!("{rest}{}", if end == "a" { "b" } else { "a" })
}

impl Asked {
    /// The tenant in the path, if it is a tenant of a proof.
    fn tenant(&self) -> Option<&str> {
        let rest = self.path.strip_prefix("/api/v1/tenant/")?;
        rest.split(['/', '?']).next().filter(|tenant| tenant.starts_with("isolation-proof-"))
    }

    /// The path below a tenant of a proof, or otherwise the whole path, without its query.
    fn below_tenant(&self) -> &str {
        let path = self.path.split('?').next().unwrap_or_default();
        self.tenant().map_or(path, |tenant| &path["/api/v1/tenant/".len() + tenant.len()..])
    }

    fn text(&self, header: reqwest::header::HeaderName) -> &str {
        self.headers.get(header).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    fn has(&self, fault: Fault) -> bool {
        let line = format!("{} {}", self.method, self.below_tenant());
        let sent = [&*self.path, &self.body, self.text(COOKIE), self.text(AUTHORIZATION)];
        line.starts_with(fault.at) && sent.iter().any(|text| text.contains(fault.sent))
    }
}

impl Answered {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// A page that asks for the password is not accepted. A device code that waits for a person is.
    fn is_accepted(&self) -> bool {
        let text = self.text();
        let is_refused = self.status.as_u16() >= 400 || text.contains("name=\"password\"");
        !is_refused || text.contains("authorization_pending")
    }

    fn joined(mut self, other: &Self) -> Self {
        let (mut own, mut other) = (self.json(), other.json());
        if let (Some(own), Some(other)) = (own["items"].as_array_mut(), other["items"].as_array_mut()) {
            own.append(other);
        }
        if own.is_object() {
            self.body = own.to_string().into();
        }
        self
    }
}

//! Requests to the running platform from callers that have no credential of its administrators.

use anyhow::{Context as _, ensure};
use reqwest::header::{AUTHORIZATION, COOKIE};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use url::form_urlencoded::Serializer;

use super::answer::ProbeAnswer;
use super::routes::{LEAKS, ProbedRoute, RouteAccess};
use crate::busy_server::wait_for_room;

#[derive(Clone, Debug)]
pub(super) struct ProvenPlatform {
    http: Client,
    server: String,
    /// The address for clients and people.
    public: String,
    /// The base URL of issuers and audiences, and the origin of pages.
    pub(super) public_url: String,
    pub(super) version: String,
    pub(super) routes: Vec<ProbedRoute>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct ProbeRequest {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) is_administration: bool,
    pub(super) query: Vec<(String, String)>,
    pub(super) form: Vec<(String, String)>,
    pub(super) json: Option<Value>,
    pub(super) authorization: Option<String>,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) cookies: Vec<(String, String)>,
}

impl ProbeRequest {
    pub(super) fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), ..Self::default() }
    }

    /// A GET or POST request to the administration with this token.
    pub(super) fn of_administrator(path: String, token: &str, json: Option<Value>) -> Self {
        let method = if json.is_some() { Method::POST } else { Method::GET };
        let authorization = Some(format!("Bearer {token}"));
        Self { is_administration: true, authorization, json, ..Self::new(method, path) }
    }

    pub(super) fn post(path: String, form: &[(&str, &str)]) -> Self {
        Self { form: owned(form), ..Self::new(Method::POST, path) }
    }
}

pub(super) fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

pub(super) fn tenant_path(tenant: &str, rest: &str) -> String {
    format!("/api/v1/tenant/{tenant}{rest}")
}

impl ProvenPlatform {
    /// The platform at this address, according to a tenant with this token endpoint. If the address only
    /// serves administration, the public URL is used for everything else.
    pub(super) async fn open(
        http: Client,
        server: &str,
        tenant: &str,
        token_endpoint: &str,
    ) -> anyhow::Result<Self> {
        let rest = tenant_path(tenant, "/oauth/token");
        let public_url =
            token_endpoint.strip_suffix(&rest).context("the token endpoint has an unexpected path")?;
        let mut platform = Self {
            http,
            server: server.to_owned(),
            public: server.to_owned(),
            public_url: public_url.to_owned(),
            version: String::new(),
            routes: Vec::new(),
        };
        let keys = ProbeRequest::new(Method::GET, tenant_path(tenant, "/.well-known/jwks.json"));
        if platform.send(&keys).await?.status == 404 {
            platform.public = public_url.to_owned();
        }
        for is_administration in [true, false] {
            let document =
                ProbeRequest { is_administration, ..ProbeRequest::new(Method::GET, "/openapi.json") };
            let document = platform.send(&document).await?.json();
            platform.version = document["info"]["version"].as_str().unwrap_or_default().to_owned();
            for route in ProbedRoute::all(&document) {
                if !platform.routes.contains(&route) && route.path != LEAKS {
                    platform.routes.push(route);
                }
            }
        }
        ensure!(!platform.routes.is_empty(), "the server sent no OpenAPI document");
        Ok(platform)
    }

    pub(super) async fn send(&self, request: &ProbeRequest) -> anyhow::Result<ProbeAnswer> {
        let failed = || format!("no response to {} {}", request.method, request.path);
        let answer = wait_for_room(async || self.built(request).send().await).await;
        Ok(ProbeAnswer::from_response(answer.with_context(failed)?).await?)
    }

    fn built(&self, request: &ProbeRequest) -> RequestBuilder {
        let base = if request.is_administration { &self.server } else { &self.public };
        let mut url = format!("{base}{}", request.path);
        if !request.query.is_empty() {
            let query = Serializer::new(String::new()).extend_pairs(&request.query).finish();
            url = format!("{url}?{query}");
        }
        let mut sent = self.http.request(request.method.clone(), url);
        if let Some(json) = &request.json {
            sent = sent.json(json);
        } else if !matches!(request.method, Method::GET | Method::DELETE) {
            sent = sent.form(&request.form);
        }
        if let Some(authorization) = &request.authorization {
            sent = sent.header(AUTHORIZATION, authorization);
        }
        if !request.cookies.is_empty() {
            let line = request.cookies.iter().map(|(name, value)| format!("{name}={value}"));
            sent = sent.header(COOKIE, line.collect::<Vec<_>>().join("; "));
        }
        for (name, value) in &request.headers {
            sent = sent.header(*name, value);
        }
        sent
    }

    /// Sends a request, which must succeed.
    pub(super) async fn succeed(&self, request: &ProbeRequest) -> anyhow::Result<ProbeAnswer> {
        let answer = self.send(request).await?;
        let ProbeRequest { method, path, .. } = request;
        ensure!(answer.status < 400, "{method} {path}: {}", answer.short());
        Ok(answer)
    }
}

impl ProbedRoute {
    /// A request for this route. `path` has no placeholders.
    pub(super) fn request(&self, path: String) -> ProbeRequest {
        let is_administration = matches!(self.access, RouteAccess::Administration | RouteAccess::Assertion);
        ProbeRequest { is_administration, ..ProbeRequest::new(self.method.clone(), path) }
    }
}

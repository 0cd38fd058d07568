//! The admin API of a running server, over HTTP with a token.

use std::time::Duration;

use anyhow::ensure;
use reqwest::{Client, Identity, Method, redirect};
use url::Url;
use values::Secret;

use super::answer::ApiAnswer;
use super::arguments::AdminArguments;
use super::credential::{OwnCredential, TokenOrigin};
use super::error::AdminApiError;
use super::request::ApiRequest;
use crate::busy_server::wait_for_room;
use crate::profiles::Trust;
use settings::Environment;

/// The limit for one request, which may wait for a slow hash or a busy store.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) struct Http {
    client: Client,
    base: String,
    token: Secret,
    /// The credential of the client that the token belongs to, if it is known here.
    own: Option<OwnCredential>,
    /// Whether requests wait for a server that is busy.
    pub(super) is_patient: bool,
}

impl Http {
    pub(super) async fn open(
        server: &Url,
        arguments: &AdminArguments,
        environment: &Environment,
    ) -> anyhow::Result<Self> {
        ensure!(matches!(server.scheme(), "http" | "https"), "--server must be an http or https URL");
        let credential = TokenOrigin::choose(server, arguments, environment)?;
        let trust = credential.trust(arguments);
        let client = client(server, &trust, credential.identity()?)?;
        let own = credential.own()?;
        let token = credential.token(&trust).await?;
        let base = server.as_str().trim_end_matches('/').to_owned();
        Ok(Self { client, base, token, own, is_patient: false })
    }

    /// The HTTP client and the base URL of the server.
    pub(super) fn address(&self) -> (&Client, &str) {
        (&self.client, &self.base)
    }

    pub(super) async fn send(&self, request: &ApiRequest, key: &str) -> anyhow::Result<ApiAnswer> {
        let ApiRequest { method, path, body, lines, authenticates, .. } = request;
        let own = match &self.own {
            Some(own) if *authenticates => own.parameters().await?,
            _ => Vec::new(),
        };
        let form: Vec<(&str, &str)> = own.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let once = || {
            let mut request = self
                .client
                .request(method.clone(), format!("{}{path}", self.base))
                .bearer_auth(self.token.expose());
            if *method != Method::GET {
                request = request.header("idempotency-key", key);
            }
            let request = match (body, lines) {
                (Some(body), _) if *method == Method::PATCH => {
                    request.header("content-type", "application/merge-patch+json").body(body.to_string())
                }
                (Some(body), _) => request.json(&**body),
                (None, Some(lines)) => {
                    request.header("content-type", "application/x-ndjson").body(lines.to_vec())
                }
                (None, None) if form.is_empty() => request,
                (None, None) => request.form(&form),
            };
            request.send()
        };
        let answer = if self.is_patient { wait_for_room(once).await } else { once().await };
        Ok(ApiAnswer::from_response(answer.map_err(AdminApiError::from)?).await?)
    }
}

/// The HTTP client. It uses no proxy for addresses of this machine.
fn client(server: &Url, trust: &Trust, identity: Option<Identity>) -> anyhow::Result<Client> {
    let is_loopback = values::is_loopback(server);
    let is_protected = server.scheme() == "https" || is_loopback || trust.is_insecure;
    ensure!(
        is_protected,
        "refusing to send a token unencrypted to another machine. Use https, or pass --insecure"
    );
    let mut builder = trust
        .client_builder()?
        .timeout(REQUEST_TIMEOUT)
        .connect_timeout(CONNECT_TIMEOUT)
        // The token must not be sent to another server.
        .redirect(redirect::Policy::none());
    if let Some(identity) = identity {
        builder = builder.identity(identity);
    }
    if is_loopback {
        builder = builder.no_proxy();
    }
    Ok(builder.build().map_err(AdminApiError::Unreachable)?)
}

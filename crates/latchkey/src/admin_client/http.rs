//! One request to the administration API and what comes of it: a document, or the reason why there is none.

use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use protocol::Secret;
use reqwest::{Certificate, Client, Method, Response, redirect};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::error::ApiProblem;
use super::{AdminArguments, AdminClientError, ApiFieldError};

/// Of one request; hashing a chosen secret and a busy store are in it.
const PATIENCE: Duration = Duration::from_secs(30);
const TO_CONNECT: Duration = Duration::from_secs(5);
/// What stands in a path as it is (RFC 3986 §2.3).
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A server, and the token to come with.
pub(super) struct Http {
    client: Client,
    base: String,
    token: Secret,
}

impl Http {
    pub(super) fn new(client: Client, server: &Url, token: Secret) -> Self {
        Self { client, base: server.as_str().trim_end_matches('/').to_owned(), token }
    }

    /// Asks and reads a document.
    pub(super) async fn document<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<T, AdminClientError> {
        let answer = self.send(method, path, body).await?;
        let text = answer.bytes().await.map_err(AdminClientError::Unreachable)?;
        serde_json::from_slice(&text).map_err(|error| AdminClientError::NotUnderstood(error.to_string()))
    }

    /// Asks where nothing is answered but that it is done.
    pub(super) async fn done(&self, method: Method, path: &str) -> Result<(), AdminClientError> {
        self.send(method, path, None).await.map(drop)
    }

    /// What makes something carries a key, so that it can be sent once more where the answer was lost.
    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Response, AdminClientError> {
        let key = uuid::Uuid::new_v4().to_string();
        let may_repeat = method == Method::GET || method == Method::POST;
        let once = || {
            let mut request = self
                .client
                .request(method.clone(), format!("{}{path}", self.base))
                .bearer_auth(self.token.expose());
            if method == Method::POST {
                request = request.header("idempotency-key", &key);
            }
            match body {
                Some(body) if method == Method::PATCH => {
                    request.header("content-type", "application/merge-patch+json").body(body.to_string())
                }
                Some(body) => request.json(body),
                None => request,
            }
        };
        let answer = match once().send().await {
            Err(error) if may_repeat && !error.is_builder() && !error.is_connect() => once().send().await,
            answer => answer,
        };
        let answer = answer.map_err(AdminClientError::Unreachable)?;
        if answer.status().is_success() { Ok(answer) } else { Err(refusal_of(answer).await) }
    }
}

/// The library that asks. A proxy of this machine is not for its own addresses.
pub(super) fn client(server: &Url, arguments: &AdminArguments) -> Result<Client, AdminClientError> {
    let is_loopback = outbound::is_loopback(server);
    match server.scheme() {
        "https" => {}
        "http" if is_loopback || arguments.insecure => {}
        "http" => {
            return Err(AdminClientError::Unusable(
                "a token would go to another machine in clear; use https, or --insecure".to_owned(),
            ));
        }
        _ => return Err(AdminClientError::Unusable("--server is an http or https URL".to_owned())),
    }
    let mut builder = Client::builder()
        .timeout(PATIENCE)
        .connect_timeout(TO_CONNECT)
        // A token goes to the server that was named, and to no other.
        .redirect(redirect::Policy::none())
        .tls_danger_accept_invalid_certs(arguments.insecure);
    if is_loopback {
        builder = builder.no_proxy();
    }
    if let Some(file) = &arguments.ca {
        let text = crate::files::read_public(file)
            .map_err(|error| AdminClientError::Unreadable(file.clone(), error))?;
        let certificates = Certificate::from_pem_bundle(&text)
            .map_err(|error| AdminClientError::Unusable(format!("{}: {error}", file.display())))?;
        builder = builder.tls_certs_merge(certificates);
    }
    builder.build().map_err(AdminClientError::Unreachable)
}

/// A part of a path. What a URL takes for a way upwards is no part of one: nothing is called like that.
pub(super) fn segment(text: &str, what: &'static str) -> Result<String, AdminClientError> {
    if matches!(text, "" | "." | "..") {
        return Err(AdminClientError::Edit(administration::EditError::NotFound(what)));
    }
    Ok(utf8_percent_encode(text, PLAIN).to_string())
}

/// Problem details (RFC 9457), or the error of a token endpoint (RFC 6749 §5.2).
pub(super) async fn refusal_of(answer: Response) -> AdminClientError {
    let status = answer.status();
    let body = answer.bytes().await.unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = |name: &str| body[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let said = text("detail").or_else(|| text("error_description")).or_else(|| text("title"));
    let errors = serde_json::from_value::<Vec<ApiFieldError>>(body["errors"].clone()).unwrap_or_default();
    let breaks = body.get("breaks").and_then(|breaks| serde_json::from_value(breaks.clone()).ok());
    let detail = said.unwrap_or_else(|| format!("the server answers {status}"));
    AdminClientError::Refused(ApiProblem { status: status.as_u16(), detail, errors, breaks })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_path_stays_one_part() {
        for (text, expected) in [
            ("svc", Some("svc")),
            ("a/b", Some("a%2Fb")),
            ("a b?c#d", Some("a%20b%3Fc%23d")),
            ("é", Some("%C3%A9")),
            ("..a", Some("..a")),
            ("..", None),
            (".", None),
            ("", None),
        ] {
            assert_eq!(segment(text, "client").ok().as_deref(), expected, "{text}");
        }
    }
}

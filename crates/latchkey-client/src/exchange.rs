//! One request to the token endpoint, or to another endpoint at which the client authenticates.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use reqwest::Url;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use zeroize::Zeroizing;

use crate::binding::{Binding, DPOP};
use crate::credential::{Attempt, ClientCredential, CredentialError, Presented};
use crate::endpoint::{AuthorizationServer, Endpoint};
use crate::error::TokenError;
use crate::http_answer::Answer;
use crate::http_clients::HttpPool;
use crate::moment;
use crate::observer::Observer;
use crate::request::Request;
use crate::token::TokenKind;

/// A form has room for a long assertion, so that it need not grow: a growing string leaves copies of secrets
/// in memory.
const FORM: usize = 16 * 1024;

/// One client at one server.
pub(crate) struct Exchange {
    pub(crate) http: HttpPool,
    pub(crate) server: AuthorizationServer,
    pub(crate) client_id: String,
    pub(crate) credential: Box<dyn ClientCredential>,
    /// The key that tokens are bound to.
    pub(crate) binding: Option<Arc<dyn Binding>>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) assumed_lifetime: Duration,
    pub(crate) allow_plain_http: bool,
    /// How many seconds the server's clock is ahead, once it refused an assertion for its time.
    pub(crate) clock_difference: AtomicI64,
}

/// The result of a request that was answered.
pub(crate) struct Sent {
    pub(crate) endpoint: Url,
    pub(crate) answer: Answer,
    /// The version of the credential that was presented.
    pub(crate) version: u64,
    /// Presents the certificate with which the token was requested.
    pub(crate) calls: Option<reqwest::Client>,
}

impl Exchange {
    /// Sends a token request.
    pub(crate) async fn send(&self, request: &Request) -> Result<Sent, TokenError> {
        self.post(Endpoint::Token, |presented| Ok(form(&self.client_id, Some(request), &[], presented))).await
    }

    /// Sends a token to an endpoint that answers about it. The client authenticates like at the token
    /// endpoint.
    pub(crate) async fn send_token(&self, to: Endpoint, token: &str) -> Result<Sent, TokenError> {
        let form = |presented: &Presented| match presented.grant_type {
            None => Ok(form(&self.client_id, None, &[("token", token)], presented)),
            // An assertion that is a grant gets tokens, and does not authenticate a client at other
            // endpoints.
            Some(_) => Err(CredentialError::new(format!(
                "the credential does not authenticate the client at the {}",
                to.name()
            ))),
        };
        self.post(to, form).await
    }

    async fn post(
        &self,
        to: Endpoint,
        form: impl Fn(&Presented) -> Result<Bytes, CredentialError>,
    ) -> Result<Sent, TokenError> {
        let certificate = self.credential.certificate().await?;
        let presenting = certificate.map(|certificate| self.http.presenting(&certificate)).transpose()?;
        let http = presenting.as_ref().map_or(&self.http.plain, |presenting| &presenting.tokens);
        let endpoint = self.server.endpoint(to, http, presenting.is_some()).await?;
        // Assertions are for the token endpoint, wherever they are sent.
        let token_endpoint = match to {
            Endpoint::Token => endpoint.clone(),
            _ => self.server.endpoint(Endpoint::Token, http, presenting.is_some()).await?,
        };
        if presenting.is_some() && endpoint.scheme() != "https" {
            let why = format!("a client certificate needs https, and the {} is {endpoint}", to.name());
            return Err(CredentialError::new(why).into());
        }
        let attempt = Attempt {
            client_id: &self.client_id,
            token_endpoint: &token_endpoint,
            issuer: self.server.issuer(),
            now: self.server_time(),
        };
        let presented = self.credential.present(&attempt).await?;
        let mut sent = http
            .post(endpoint.clone())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT, "application/json")
            .body(form(&presented)?);
        if let Some(binding) = self.binding.as_ref().filter(|_| to == Endpoint::Token) {
            sent = sent.header(DPOP, binding.proof("POST", &endpoint, None, attempt.now)?);
        }
        if let Some((id, secret)) = &presented.basic {
            sent = sent.basic_auth(id, Some(secret.as_str()));
        }
        let answer = Answer::from_response(sent.send().await.map_err(TokenError::unavailable)?).await?;
        let of_certificate = presenting.as_ref().map_or(0, |presenting| presenting.version);
        Ok(Sent {
            answer,
            version: presented.version.wrapping_add(of_certificate),
            calls: presenting.map(|presenting| presenting.calls.clone()),
            endpoint,
        })
    }

    /// The kind of token that is requested.
    pub(crate) fn token_kind(&self) -> TokenKind {
        if self.binding.is_some() { TokenKind::Dpop } else { TokenKind::Bearer }
    }

    /// This machine's time, corrected by what the server said.
    pub(crate) fn server_time(&self) -> SystemTime {
        let ahead = self.clock_difference.load(Ordering::Relaxed);
        let span = Duration::from_secs(ahead.unsigned_abs());
        let now = moment::wall();
        let corrected = if ahead < 0 { now.checked_sub(span) } else { now.checked_add(span) };
        corrected.unwrap_or(now)
    }
}

/// The form of a request. It is wiped after it was sent. Only a token request has a grant type.
fn form(client_id: &str, request: Option<&Request>, more: &[(&str, &str)], presented: &Presented) -> Bytes {
    let mut form = url::form_urlencoded::Serializer::new(String::with_capacity(FORM));
    if let Some(request) = request {
        form.append_pair("grant_type", presented.grant_type.unwrap_or("client_credentials"));
        for (name, value) in request.pairs() {
            form.append_pair(name, &value);
        }
    }
    form.extend_pairs(more);
    if presented.names_client {
        form.append_pair("client_id", client_id);
    }
    for (name, value) in &presented.parameters {
        form.append_pair(name, value);
    }
    Bytes::from_owner(Zeroizing::new(form.finish().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_has_client_id_unless_basic_is_used() {
        let request = Request::new().scope("a b").resource("https://x.example/?y");
        let body = |presented: Presented| {
            String::from_utf8(form("me", Some(&request), &[], &presented).to_vec()).unwrap()
        };
        let form = "grant_type=client_credentials&scope=a+b&resource=https%3A%2F%2Fx.example%2F%3Fy";
        assert_eq!(body(Presented::basic("me", "x")), form);
        let named = Presented::name_only().parameter("client_secret", "a&b");
        assert_eq!(body(named), format!("{form}&client_id=me&client_secret=a%26b"));
    }
}

//! Requests of a client about a token: to revoke it (RFC 7009), or to learn whether it is valid (RFC 7662).

use std::time::Duration;

use reqwest::Url;
use serde_json::{Map, Value};
use tokio::time::timeout;

use crate::answer::{Verdict, refused};
use crate::endpoint::Endpoint;
use crate::error::TokenError;
use crate::http_answer::{Answer, unusable};
use crate::moment;
use crate::source::TokenSource;

/// The time of one request. It is not repeated.
const LIMIT: Duration = Duration::from_secs(10);

impl TokenSource {
    /// Revokes a token of this client, with the credential of the source. A token that is no longer valid is
    /// no error. The cached token is dropped if it is this one.
    pub async fn revoke(&self, token: &str) -> Result<(), TokenError> {
        self.ask(Endpoint::Revocation, token).await?;
        if let Some(cached) = self.cached().filter(|cached| cached.expose() == token) {
            self.invalidate(&cached);
        }
        Ok(())
    }

    /// Introspects a token. The answer has `active`, and for an active token its claims. It is `false` also
    /// for tokens that this client may not introspect.
    pub async fn introspect(&self, token: &str) -> Result<Map<String, Value>, TokenError> {
        let (endpoint, answer) = self.ask(Endpoint::Introspection, token).await?;
        let members: Option<Map<String, Value>> = serde_json::from_slice(&answer.body).ok();
        let is_introspection =
            |members: &Map<String, Value>| members.get("active").is_some_and(Value::is_boolean);
        members
            .filter(is_introspection)
            .ok_or_else(|| unusable(&endpoint, "it is no introspection in JSON (RFC 7662 §2.2)".to_owned()))
    }

    async fn ask(&self, endpoint: Endpoint, token: &str) -> Result<(Url, Answer), TokenError> {
        let sent = timeout(LIMIT, self.exchange().send_token(endpoint, token)).await;
        let sent = sent.map_err(|_| TokenError::TimedOut { after: LIMIT })??;
        let Answer { status, headers, body } = &sent.answer;
        if *status == 200 {
            return Ok((sent.endpoint, sent.answer));
        }
        Err(match refused(*status, headers, body, moment::wall()) {
            Verdict::Transient { why, retry_after } => {
                let error = TokenError::unavailable(format!("{}: {why}", sent.endpoint));
                retry_after.map_or(error.clone(), |rest| error.with_retry_after(rest))
            }
            Verdict::Rejected { code, description } => {
                TokenError::Rejected { code, description, retry_after: None }
            }
            Verdict::Unusable(why) => unusable(&sent.endpoint, why),
            Verdict::Granted(_) => unusable(&sent.endpoint, format!("it answered {status}")),
        })
    }
}

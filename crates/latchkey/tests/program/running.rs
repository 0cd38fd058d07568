//! Requests to a running program, as most tests send them.

use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use tokio::time::sleep;

use crate::answer::Answer;
use crate::program::Program;

const MOST_RETRIES: usize = 5;

impl Program {
    /// Uses a new connection each time, as many callers do.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        reqwest::Client::new().request(method, self.url(path))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::to(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        Answer::to(self.request(Method::POST, path).form(form)).await
    }

    pub(crate) async fn request_token(&self, tenant: &str, client: &str, secret: &str) -> Answer {
        let form = [("grant_type", "client_credentials"), ("client_id", client), ("client_secret", secret)];
        self.post(&tenant_path(tenant, "/oauth/token"), &form).await
    }

    /// Retries as `Retry-After` says when the store of a busy machine did not answer in time.
    pub(crate) async fn token(&self, tenant: &str, client: &str, secret: &str) -> String {
        for _ in 0..MOST_RETRIES {
            let answer = self.request_token(tenant, client, secret).await;
            if answer.status != 503 {
                return answer.token();
            }
            sleep(Duration::from_secs(1)).await;
        }
        self.request_token(tenant, client, secret).await.token()
    }

    pub(crate) async fn introspect(&self, tenant: &str, client: &str, secret: &str, token: &str) -> Value {
        let form = [("client_id", client), ("client_secret", secret), ("token", token)];
        let answer = self.post(&tenant_path(tenant, "/oauth/introspect"), &form).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    pub(crate) async fn jwks(&self, tenant: &str) -> Answer {
        self.get(&tenant_path(tenant, "/.well-known/jwks.json")).await
    }

    /// The sample resource server's answer to a token.
    pub(crate) async fn present(&self, token: &str) -> Answer {
        Answer::to(self.request(Method::GET, "/api/v1/protected-resource").bearer_auth(token)).await
    }
}

pub(crate) fn tenant_path(tenant: &str, rest: &str) -> String {
    format!("/api/v1/tenant/{tenant}{rest}")
}

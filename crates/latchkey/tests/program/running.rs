//! Requests to a running program, as most tests send them.

use std::time::Duration;

use latchkey_client::{Request, Secret, TokenError, TokenSource};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use crate::answer::Answer;
use crate::program::Program;

/// The longest time for a token, even on a busy machine.
const LONGEST: Duration = Duration::from_secs(20);

impl Program {
    /// Uses a new connection each time, as many callers do.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        // Without TLS, because reading the machine's certificate authorities takes longer than most requests.
        let http = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
        http.request(method, self.url(path))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::to(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        Answer::to(self.request(Method::POST, path).form(form)).await
    }

    pub(crate) async fn request_token(&self, tenant: &str, client: &str, secret: &str) -> Answer {
        self.post(&tenant_path(tenant, "/oauth/token"), &credentials(client, secret)).await
    }

    /// Fetches a token of a client as a service does: repeats a request that a busy machine did not answer.
    pub(crate) async fn token(&self, tenant: &str, client: &str, secret: &str) -> String {
        let token = self.try_token(tenant, client, secret, Request::new()).await;
        token.unwrap_or_else(|error| panic!("no token for {client} of {tenant}: {error:?}"))
    }

    /// A token for the administration of the whole platform.
    pub(crate) async fn administration_token(
        &self,
        client: &str,
        secret: &str,
    ) -> Result<String, TokenError> {
        let request = Request::new().resource("urn:latchkey:admin");
        self.try_token("platform", client, secret, request).await
    }

    async fn try_token(
        &self,
        tenant: &str,
        client: &str,
        secret: &str,
        request: Request,
    ) -> Result<String, TokenError> {
        let endpoint = self.url(&tenant_path(tenant, "/oauth/token"));
        let builder = TokenSource::builder().token_endpoint(endpoint).client_id(client).request(request);
        let source = builder.credential(Secret::value(secret)).timeout(LONGEST).build().unwrap();
        Ok(source.token().await?.expose().to_owned())
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

    /// Sends a token to the sample resource server, and returns its answer.
    pub(crate) async fn present(&self, token: &str) -> Answer {
        Answer::to(self.request(Method::GET, "/api/v1/protected-resource").bearer_auth(token)).await
    }
}

pub(crate) fn credentials<'a>(client: &'a str, secret: &'a str) -> [(&'static str, &'a str); 3] {
    [("grant_type", "client_credentials"), ("client_id", client), ("client_secret", secret)]
}

pub(crate) fn tenant_path(tenant: &str, rest: &str) -> String {
    format!("/api/v1/tenant/{tenant}{rest}")
}

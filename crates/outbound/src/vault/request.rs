//! Sends requests to Vault as the library does, but logs nothing, and reads no more than [`LONGEST`] bytes
//! of an answer.

use async_trait::async_trait;
use http::{Request, Response};
use reqwest::Body;
use rustify::client::Client;
use rustify::clients::reqwest::Client as HttpClient;
use rustify::endpoint::Endpoint;
use rustify::errors::ClientError as HttpError;
use tracing::{Dispatch, instrument::WithSubscriber};
use vaultrs::api::{AuthInfo, EndpointError, EndpointResult};
use vaultrs::client::VaultClient;
use vaultrs::error::ClientError;

use crate::bounded::{Bounded, LONGEST};

/// The result of a request.
pub(crate) async fn exec<E: Endpoint>(client: &VaultClient, endpoint: E) -> Result<E::Response, ClientError> {
    whole(client, endpoint).await?.data.ok_or(ClientError::ResponseDataEmptyError)
}

/// The token of a sign-in or a renewal.
pub(super) async fn auth<E>(client: &VaultClient, endpoint: E) -> Result<AuthInfo, ClientError>
where
    E: Endpoint<Response = ()>,
{
    whole(client, endpoint).await?.auth.ok_or(ClientError::ResponseEmptyError)
}

async fn whole<E: Endpoint>(
    client: &VaultClient,
    endpoint: E,
) -> Result<EndpointResult<E::Response>, ClientError> {
    let sender = VaultSender(&client.http);
    let sent = endpoint.with_middleware(&client.middle).exec(&sender).with_subscriber(Dispatch::none()).await;
    Ok(sent.map_err(refused)?.wrap::<EndpointResult<E::Response>>()?)
}

/// A refusal in the form of Vault.
fn refused(error: HttpError) -> ClientError {
    if let HttpError::ServerResponseError { code, content: Some(content) } = &error
        && let Ok(EndpointError { errors }) = serde_json::from_str(content)
    {
        return ClientError::APIError { code: *code, errors };
    }
    error.into()
}

/// The library's client reads an answer whole, however large it is.
struct VaultSender<'a>(&'a HttpClient);

#[async_trait]
impl Client for VaultSender<'_> {
    fn base(&self) -> &str {
        &self.0.base
    }

    async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, HttpError> {
        let (url, method) = (request.uri().to_string(), request.method().to_string());
        let request = request.try_into().map_err(|source| HttpError::ReqwestBuildError { source })?;
        let sent = self.0.http.execute(request).await;
        let sent = sent.map_err(|error| HttpError::RequestError { source: error.into(), url, method })?;
        let (head, body) = Response::<Body>::from(sent).into_parts();
        let bounded = Body::wrap(Bounded::new(body));
        let body = reqwest::Response::from(Response::new(bounded)).bytes().await;
        let body = body.map_err(|error| HttpError::ResponseError { source: error.into() })?;
        // A part of a text may end within a character. Blanks of the same length are no JSON either.
        let body = if body.len() > LONGEST { vec![b' '; body.len()] } else { body.to_vec() };
        Ok(Response::from_parts(head, body))
    }
}

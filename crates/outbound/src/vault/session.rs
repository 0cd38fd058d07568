//! The session at one Vault: a token that is replaced when Vault refuses it or when it expires soon.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tracing::{Dispatch, instrument::WithSubscriber};
use vaultrs::api::token::requests::{LookupTokenSelfRequest, RenewTokenSelfRequest};
use vaultrs::client::VaultClient;
use vaultrs::error::ClientError;

use super::connection::VaultConnection;
use super::failed::{Failed, NotSignedIn, is_denied, may_pass};
use super::request::{auth, exec};
use super::sign_in::{PAUSE, TokenLease};
use super::token;
use crate::{OptionsError, VaultSignIn, VaultToken};

pub(crate) struct VaultSession {
    connection: VaultConnection,
    sign_in: VaultSignIn,
    /// Locked during a sign-in, so that only one runs at a time.
    state: Mutex<VaultState>,
}

/// If Vault refuses a new token too, its policy denies the request. No further token is requested for this
/// time, because each token stays in Vault until it expires.
const POLICY: Duration = Duration::from_secs(60);

const NOTHING_REQUIRED: &str = "the request has no required member";

/// The last token, the last failed sign-in, and the last refusal of a new token.
struct VaultState {
    lease: Option<TokenLease>,
    failed: Option<(Instant, NotSignedIn)>,
    denied: Option<Denied>,
}

/// The last refusal of a new token.
#[derive(Clone, Copy)]
struct Denied {
    at: Instant,
    /// Whether the policy lets a token look itself up. Without this permission, an expired token cannot be
    /// distinguished from a token without the permission for a request.
    may_look_up: bool,
}

impl VaultSession {
    /// Reads the credentials, so that unusable ones are refused immediately. Sends no request.
    pub(crate) fn new(connection: VaultConnection, sign_in: VaultSignIn) -> Result<Self, OptionsError> {
        let token = sign_in.check()?;
        let lease = token.map(|token| TokenLease::endless(connection.with_token(&token)));
        Ok(Self { connection, sign_in, state: Mutex::new(VaultState { lease, failed: None, denied: None }) })
    }

    /// Sends a request, and sends it again if the first attempt failed temporarily or because of the token.
    /// The request must be safe to repeat.
    pub(crate) async fn ask<T, F>(&self, request: impl Fn(Arc<VaultClient>) -> F) -> Result<T, Failed>
    where
        F: Future<Output = Result<T, ClientError>>,
    {
        let client = self.client().await?;
        let attempt = |client| request(client).with_subscriber(Dispatch::none());
        let error = match attempt(client.clone()).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        if may_pass(&error) {
            tokio::time::sleep(PAUSE).await;
            return Ok(attempt(client).await?);
        }
        if !is_denied(&error) {
            return Err(error.into());
        }
        match self.another(&client).await? {
            Ok(client) => {
                let again = attempt(client.clone()).await;
                if again.as_ref().is_err_and(is_denied) {
                    let denied = Denied { at: Instant::now(), may_look_up: !has_ended(&client).await };
                    self.state.lock().await.denied = Some(denied);
                }
                Ok(again?)
            }
            Err(why) => Err(Failed::Request { error, token: why }),
        }
    }

    /// Sends a request that is not safe to repeat.
    pub(crate) async fn ask_once<T, F>(
        &self,
        request: impl FnOnce(Arc<VaultClient>) -> F,
    ) -> Result<T, Failed>
    where
        F: Future<Output = Result<T, ClientError>>,
    {
        let client = self.client().await?;
        Ok(request(client).with_subscriber(Dispatch::none()).await?)
    }

    /// The client with a valid token.
    async fn client(&self) -> Result<Arc<VaultClient>, NotSignedIn> {
        let begun = Instant::now();
        let mut state = self.state.lock().await;
        match &mut state.lease {
            Some(lease) if !lease.is_due() => return Ok(lease.client.clone()),
            Some(lease) if lease.is_renewable => {
                let before = Instant::now();
                let renewal = RenewTokenSelfRequest::builder().build().expect(NOTHING_REQUIRED);
                if let Ok(renewed) = auth(&lease.client, renewal).await {
                    lease.prolong(before, &renewed);
                    return Ok(lease.client.clone());
                }
            }
            _ => {}
        }
        self.signed_in(&mut state, begun).await
    }

    /// The client with a different token than the refused one, or the reason why there is none, if it is
    /// known.
    async fn another(
        &self,
        refused: &Arc<VaultClient>,
    ) -> Result<Result<Arc<VaultClient>, Option<String>>, NotSignedIn> {
        let begun = Instant::now();
        let mut state = self.state.lock().await;
        if let Some(lease) = &state.lease
            && !Arc::ptr_eq(&lease.client, refused)
        {
            return Ok(Ok(lease.client.clone()));
        }
        match &self.sign_in {
            VaultSignIn::Token(VaultToken::Text(_)) => Ok(Err(None)),
            VaultSignIn::Token(VaultToken::File { path, read }) => {
                let token = match token::read(path, *read).await {
                    Ok(token) => token,
                    Err(error) => return Ok(Err(Some(token::unusable(path, &error)))),
                };
                if token.expose() == refused.middle.token {
                    let why = format!("{} still contains the token that Vault refused", path.display());
                    return Ok(Err(Some(why)));
                }
                let lease = state.lease.insert(TokenLease::endless(self.connection.with_token(&token)));
                Ok(Ok(lease.client.clone()))
            }
            VaultSignIn::Kubernetes { .. } | VaultSignIn::AppRole { .. } => {
                let paused = state.denied.filter(|denied| denied.at.elapsed() < POLICY);
                if let Some(denied) = paused
                    && !(denied.may_look_up && has_ended(refused).await)
                {
                    return Ok(Err(None));
                }
                self.signed_in(&mut state, begun).await.map(Ok)
            }
        }
    }

    /// Signs in, unless a sign-in that started in the meantime has failed. All callers that waited for it get
    /// its error.
    async fn signed_in(
        &self,
        state: &mut VaultState,
        begun: Instant,
    ) -> Result<Arc<VaultClient>, NotSignedIn> {
        if let Some((at, failed)) = &state.failed
            && *at > begun
        {
            return Err(failed.clone());
        }
        match self.sign_in.lease(&self.connection).await {
            Ok(lease) => Ok(state.lease.insert(lease).client.clone()),
            Err(failed) => {
                state.failed = Some((Instant::now(), failed.clone()));
                Err(failed)
            }
        }
    }
}

/// Whether Vault does not accept the token any more, not even to look itself up.
async fn has_ended(client: &VaultClient) -> bool {
    let lookup = LookupTokenSelfRequest::builder().build().expect(NOTHING_REQUIRED);
    exec(client, lookup).await.as_ref().is_err_and(is_denied)
}

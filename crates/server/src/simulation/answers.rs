//! What a replica answers to its callers, by the steps of the routes of `gateway`.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD as BASE64URL};
use grants::{GrantError, TokenRequest};
use keys::life_cycle::JwksCacheLifetime;
use keys::{KeyError, Kid};
use protocol::ClientAuthentication;
use registry::{AuthenticatedClient, ClientAuthenticationError, ClientId, Purpose, SenderKeys};
use secrets::ClientAddress;
use serde_json::Value;
use tenancy::{Tenant, TenantError, TenantId};
use values::{Secret, Timestamp, causes};

use super::replica::Replica;

/// Why a replica refuses a request.
#[derive(Debug)]
pub(super) enum Refused {
    /// The tenant does not serve.
    Tenant,
    /// The client has not authenticated.
    Client,
    /// The replica cannot know, or fails.
    Unavailable(String),
}

pub(super) type Answered<T> = Result<T, Refused>;

/// A client with the secret that it presents.
pub(super) type Credentials<'a> = (&'a ClientId, &'a str);

impl Replica {
    /// `POST …/oauth/token`.
    pub(super) async fn issue(&self, tenant: &TenantId, by: Credentials<'_>) -> Answered<String> {
        let now = self.world.clock(self.number);
        let tenant = self.tokens.tenants.resolve_authorization_server(tenant.as_str()).await?;
        let basic = basic(by);
        let parsed = TokenRequest::parse(Some(basic.as_bytes()), b"grant_type=client_credentials");
        let (credentials, request) = parsed.expect("the request is valid");
        let client = self.authenticate(&tenant, credentials, Purpose::Exchange, now).await?;
        let (engine, sender) = (&self.tokens.engine, SenderKeys::default());
        let issued = engine.issue(&tenant, &client, &request, &sender, now, None).await?;
        Ok(issued.value.access_token)
    }

    /// `GET …/.well-known/jwks.json`.
    pub(super) async fn published_keys(&self, tenant: &TenantId) -> Answered<(Vec<Kid>, JwksCacheLifetime)> {
        let now = self.world.clock(self.number);
        let tenant = self.tokens.tenants.resolve_key_publisher(tenant.as_str(), now).await?;
        let ring = self.keys.ring(&tenant, now).await?;
        let set = ring.jwk_set(now);
        if set.keys.is_empty() {
            return Err(Refused::Tenant);
        }
        Ok((set.keys.iter().map(|key| key.kid.kid()).collect(), ring.cache_lifetime(&tenant, now)))
    }

    /// `POST …/oauth/introspect`: whether the token is active.
    pub(super) async fn introspect(
        &self,
        tenant: &TenantId,
        by: Credentials<'_>,
        token: &str,
    ) -> Answered<bool> {
        let now = self.world.clock(self.number);
        let tenant = self.tokens.tenants.resolve_authorization_server(tenant.as_str()).await?;
        let client = self.authenticate_basic(&tenant, by, now).await?;
        let source = ClientAddress::new(None);
        let token = Secret::new(token.to_owned());
        let found = self.tokens.engine.introspect(&tenant, &client, &token, &source, now).await?;
        Ok(serde_json::to_value(&found).expect("an answer is JSON")["active"] == Value::Bool(true))
    }

    /// `POST …/oauth/revoke`.
    pub(super) async fn revoke(&self, tenant: &TenantId, by: Credentials<'_>, token: &str) -> Answered<()> {
        let now = self.world.clock(self.number);
        let tenant = self.tokens.tenants.resolve_authorization_server(tenant.as_str()).await?;
        let client = self.authenticate_basic(&tenant, by, now).await?;
        Ok(self.tokens.engine.revoke(&tenant, &client, &Secret::new(token.to_owned()), now).await?)
    }

    async fn authenticate_basic(
        &self,
        tenant: &Arc<Tenant>,
        by: Credentials<'_>,
        now: Timestamp,
    ) -> Answered<AuthenticatedClient> {
        let basic = basic(by);
        let parsed = protocol::IntrospectionRequest::parse(Some(basic.as_bytes()), b"token=t");
        let (credentials, _) = parsed.expect("the request is valid");
        self.authenticate(tenant, credentials, Purpose::Authenticate, now).await
    }

    async fn authenticate(
        &self,
        tenant: &Tenant,
        credentials: ClientAuthentication,
        purpose: Purpose,
        now: Timestamp,
    ) -> Answered<AuthenticatedClient> {
        let source = ClientAddress::new(None);
        Ok(self.tokens.authenticator.authenticate(tenant, credentials, purpose, &source, now).await?)
    }
}

fn basic((client, secret): Credentials<'_>) -> String {
    format!("Basic {}", BASE64.encode(format!("{client}:{secret}")))
}

/// A part of a token: 0 is the header, 1 has the claims.
pub(super) fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).expect("a token has three parts");
    let json = BASE64URL.decode(part).expect("it is base64url");
    serde_json::from_slice(&json).expect("it is JSON")
}

impl From<TenantError> for Refused {
    fn from(error: TenantError) -> Self {
        match error {
            TenantError::Unknown | TenantError::Suspended(_) => Self::Tenant,
            other @ (TenantError::StrategyNotEnabled(_) | TenantError::Store(_)) => unavailable(&other),
        }
    }
}

impl From<ClientAuthenticationError> for Refused {
    fn from(error: ClientAuthenticationError) -> Self {
        match error {
            ClientAuthenticationError::Refused { .. } => Self::Client,
            other => unavailable(&other),
        }
    }
}

impl From<GrantError> for Refused {
    fn from(error: GrantError) -> Self {
        unavailable(&error)
    }
}

impl From<KeyError> for Refused {
    fn from(error: KeyError) -> Self {
        unavailable(&error)
    }
}

fn unavailable(error: &dyn std::error::Error) -> Refused {
    Refused::Unavailable(causes(error))
}

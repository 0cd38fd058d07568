//! One attempt to notify a client that a session has ended.

use std::sync::Arc;

use async_trait::async_trait;
use grants::{Engine, Grantee, QueuedLogout};
use outbound::{FetchError, Fetcher};
use registry::Authenticator;
use tenancy::{Stored, TenantResolver};
use values::{Timestamp, causes};

#[async_trait]
pub(crate) trait SendLogout: Send + Sync {
    async fn send(&self, queued: &QueuedLogout, now: Timestamp) -> Stored<DeliveryResult>;
}

#[derive(Debug)]
pub(crate) enum DeliveryResult {
    Delivered,
    /// The client has no address for notices, or the client or tenant is inactive.
    Unaddressed,
    /// The client answered, but did not accept the notice.
    Refused(String),
    /// Nothing was sent, because other addresses of the tenant have used up the tenant's share.
    Postponed,
    /// The client does not answer, or its address cannot be reached now.
    Failed(String),
}

/// Sends logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.5).
pub(crate) struct LogoutSender {
    pub(crate) tenants: TenantResolver,
    pub(crate) authenticator: Arc<Authenticator>,
    pub(crate) engine: Engine,
    pub(crate) fetcher: Arc<Fetcher>,
}

#[async_trait]
impl SendLogout for LogoutSender {
    async fn send(&self, queued: &QueuedLogout, now: Timestamp) -> Stored<DeliveryResult> {
        let Ok(tenant) = self.tenants.resolve_openid_provider(queued.tenant.as_str()).await else {
            return Ok(DeliveryResult::Failed("the tenant is not active".to_owned()));
        };
        let client = self.authenticator.find_active(&tenant.id, queued.client.as_str()).await?;
        let Some(client) = client else { return Ok(DeliveryResult::Unaddressed) };
        let Some(uri) = &client.code_flow.backchannel_logout_uri else {
            return Ok(DeliveryResult::Unaddressed);
        };
        let grantee = Grantee { tenant: &tenant, client: &client };
        let token = match self.engine.sign_logout_token(&grantee, queued, now).await {
            Ok(token) => token,
            Err(error) => return Ok(DeliveryResult::Failed(causes(&error).to_string())),
        };
        // The token has only base64url characters and dots, so nothing must be encoded.
        let sent = self.fetcher.post_form(&tenant.id, uri, format!("logout_token={token}")).await;
        Ok(sent.map_or_else(failed, |()| DeliveryResult::Delivered))
    }
}

fn failed(error: FetchError) -> DeliveryResult {
    let text = error.to_string();
    match error {
        // Only this notice was refused; the next one may be accepted.
        FetchError::Status(status) if status < 500 && status != 429 => DeliveryResult::Refused(text),
        FetchError::NoTurn => DeliveryResult::Postponed,
        _ => DeliveryResult::Failed(text),
    }
}

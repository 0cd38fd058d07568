//! Tells clients that a person's session has ended (OpenID Connect Back-Channel Logout 1.0 §2.5). No browser waits for it. Each replica looks for
//! notices; the store lets one of them make each attempt.

use std::sync::Arc;
use std::time::Duration;

use grants::{Engine, Grantee, LogoutOutbox, QueuedLogout};
use outbound::Fetcher;
use protocol::{Timestamp, causes};
use registry::Authenticator;
use tenancy::{StoreError, TenantResolver};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::clock;

const EVERY: Duration = Duration::from_secs(2);
/// Notices that are sent at the same time.
const AT_ONCE: u32 = 32;

/// What a notice is sent with.
pub(crate) struct LogoutDelivery {
    pub(crate) outbox: Arc<dyn LogoutOutbox>,
    pub(crate) tenants: TenantResolver,
    pub(crate) authenticator: Arc<Authenticator>,
    pub(crate) engine: Engine,
    pub(crate) fetcher: Fetcher,
}

/// What came of an attempt.
enum Attempt {
    Delivered,
    /// The client has no address for notices, or the client or the tenant does not serve.
    Unaddressed,
    Failed(String),
}

impl LogoutDelivery {
    /// Looks for notices until the program ends.
    pub(crate) async fn run(self: Arc<Self>) {
        let mut rounds = interval(EVERY);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_failing = false;
        loop {
            rounds.tick().await;
            match self.round(clock::now()).await {
                Ok(()) => is_failing = false,
                // Logs each outage once.
                Err(error) if !is_failing => {
                    tracing::warn!(error = causes(&error), "logout tokens cannot be sent; trying again");
                    is_failing = true;
                }
                Err(_) => {}
            }
        }
    }

    async fn round(self: &Arc<Self>, now: Timestamp) -> Result<(), StoreError> {
        let mut attempts = JoinSet::new();
        for queued in self.outbox.due_logouts(now, AT_ONCE).await? {
            if self.outbox.claim_logout(&queued, now + queued.wait()).await? {
                let delivery = Arc::clone(self);
                attempts.spawn(async move { delivery.deliver(&queued, now).await });
            }
        }
        attempts.join_all().await.into_iter().collect()
    }

    async fn deliver(&self, queued: &QueuedLogout, now: Timestamp) -> Result<(), StoreError> {
        let (tenant, client) = (queued.tenant.as_str(), queued.client.as_str());
        match self.attempt(queued, now).await? {
            Attempt::Delivered | Attempt::Unaddressed => self.outbox.delete_logout(queued).await,
            Attempt::Failed(error) if queued.is_last() => {
                tracing::warn!(tenant, client, error, "a client was not told that a session has ended");
                self.outbox.delete_logout(queued).await
            }
            Attempt::Failed(error) => {
                tracing::info!(tenant, client, error, "a logout token was not accepted; trying again");
                Ok(())
            }
        }
    }

    async fn attempt(&self, queued: &QueuedLogout, now: Timestamp) -> Result<Attempt, StoreError> {
        let Ok(tenant) = self.tenants.resolve_openid_provider(queued.tenant.as_str()).await else {
            return Ok(Attempt::Failed("the tenant does not serve".to_owned()));
        };
        let client = self.authenticator.find_active(&tenant.id, queued.client.as_str()).await?;
        let Some(client) = client else { return Ok(Attempt::Unaddressed) };
        let Some(uri) = &client.code_flow.backchannel_logout_uri else { return Ok(Attempt::Unaddressed) };
        let grantee = Grantee { tenant: &tenant, client: &client };
        let token = match self.engine.sign_logout_token(&grantee, queued, now).await {
            Ok(token) => token,
            Err(error) => return Ok(Attempt::Failed(causes(&error).to_string())),
        };
        // Base64url and dots: nothing is to be encoded.
        let sent = self.fetcher.post_form(uri, format!("logout_token={token}")).await;
        Ok(sent.map_or_else(|error| Attempt::Failed(error.to_string()), |()| Attempt::Delivered))
    }
}

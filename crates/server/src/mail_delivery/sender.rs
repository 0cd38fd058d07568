//! One attempt to send a message.

use std::sync::Arc;

use administration::administrator::Administrator;
use administration::mail::{Message, QueuedMail};
use async_trait::async_trait;
use outbound::MailError;
use tenancy::{LogoStore, Stored, TenantError, TenantResolver};
use values::{ImageFormat, Letter, Timestamp};

use crate::mail_servers::MailServers;

#[async_trait]
pub(crate) trait SendLetter: Send + Sync {
    /// Whether the letter is still worth sending.
    async fn is_current(&self, queued: &QueuedMail, letter: &Letter, now: Timestamp) -> Stored<bool>;

    /// Returns the answer of the mail server.
    async fn send(
        &self,
        queued: &QueuedMail,
        message: Message,
        now: Timestamp,
    ) -> Stored<Result<String, MailError>>;
}

/// Renders letters with the texts, colours and logo of their tenants.
pub(crate) struct LetterSender {
    pub(crate) administrator: Arc<Administrator>,
    pub(crate) tenants: TenantResolver,
    pub(crate) logos: Arc<dyn LogoStore>,
    pub(crate) servers: MailServers,
    pub(crate) public_url: String,
}

#[async_trait]
impl SendLetter for LetterSender {
    async fn is_current(&self, queued: &QueuedMail, letter: &Letter, now: Timestamp) -> Stored<bool> {
        self.administrator.mail_is_current(&queued.tenant, &queued.account, letter, now).await
    }

    async fn send(
        &self,
        queued: &QueuedMail,
        message: Message,
        now: Timestamp,
    ) -> Stored<Result<String, MailError>> {
        let Message { to, letter } = message;
        let tenant = match self.tenants.resolve_openid_provider(queued.tenant.as_str()).await {
            Ok(tenant) => tenant,
            Err(TenantError::Store(error)) => return Err(error),
            Err(error) => return Ok(Err(MailError::Failed(error.to_string()))),
        };
        let (to, id) = ((to, &letter), queued.id.clone());
        let mut mail = self.servers.message(&tenant, &self.public_url, to, id, now);
        if let Some(logo) = gateway::mail_logo(&tenant) {
            let picture = self.logos.find_logo(&tenant.id, logo.hash()).await?;
            mail.logo =
                picture.and_then(|picture| Some((ImageFormat::from_bytes(&picture)?.media_type(), picture)));
        }
        Ok(self.servers.of(&tenant.id).server.send(&mail).await)
    }
}

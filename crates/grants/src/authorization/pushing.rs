//! The service of pushed requests: stores one for a client, and finds it for the browser.

use protocol::{Secret, Timestamp};
use registry::{Client, ClientId};
use secrets::ClientAddress;
use tenancy::{Stored, TenantId};

use super::{Authorizations, CodeKey, MostWaiting, PushError, PushedRequest, PushedUse};

impl Authorizations {
    /// Stores a request that a client sent from this address, and returns its reference.
    ///
    /// # Errors
    /// [`PushError`]; nothing is written then.
    pub async fn push(
        &self,
        client: &Client,
        sent: (String, &ClientAddress),
        now: Timestamp,
    ) -> Result<Secret, PushError> {
        let (request, reference) = PushedRequest::new(&self.pushed, client, sent, now)?;
        let most = MostWaiting::from_client(client);
        let is_added = self.store.add_pushed(&client.tenant, &request, most, now).await?;
        if is_added { Ok(reference) } else { Err(PushError::TooMany) }
    }

    /// Finds the request of this client with this reference, if no code was issued for it. The first opening
    /// is noted: rows that were never opened are deleted earlier.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find_pushed(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        reference: &str,
        used: PushedUse,
        now: Timestamp,
    ) -> Stored<Option<PushedRequest>> {
        let Some(key) = CodeKey::new(&self.pushed, tenant, reference) else { return Ok(None) };
        let found = self.store.find_pushed(tenant, key, now).await?;
        let found = found.filter(|request| request.key() == key && request.serves(tenant, client, used, now));
        if found.as_ref().is_some_and(|request| request.opened_at.is_none()) {
            self.store.note_opened(tenant, key, now).await?;
        }
        Ok(found)
    }
}

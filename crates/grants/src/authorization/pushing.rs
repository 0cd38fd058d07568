//! The service of pushed requests: stores one for a client, and finds it for the browser.

use registry::{Client, ClientId};
use secrets::ClientAddress;
use tenancy::{Stored, TenantId};
use values::{Secret, Timestamp};

use super::{Authorizations, MostWaiting, PushError, PushedRequest, PushedUse};
use crate::{OneTime, OneTimeStore};

impl Authorizations {
    /// Stores a request that a client sent from this address, and returns its reference.
    ///
    /// # Errors
    /// [`PushError`]; nothing is written then.
    pub async fn push(
        &self,
        client: &Client,
        parameters: &str,
        source: &ClientAddress,
        now: Timestamp,
    ) -> Result<Secret, PushError> {
        let content = PushedRequest::new(parameters, source)?;
        let (reference, request) = self.pushed.generate(&client.tenant, &client.id, content, now);
        let most = MostWaiting::from_client(client);
        let store: &dyn OneTimeStore<PushedRequest> = &*self.store;
        let is_added = store.add(&client.tenant, &request, most, now).await?;
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
    ) -> Stored<Option<OneTime<PushedRequest>>> {
        let Some(key) = self.pushed.key(tenant, reference) else { return Ok(None) };
        let store: &dyn OneTimeStore<PushedRequest> = &*self.store;
        let found = store.find(tenant, &key).await?;
        let found = found.filter(|request| request.key == key && request.serves(tenant, client, used, now));
        if found.as_ref().is_some_and(|request| request.opened_at.is_none()) {
            store.note(tenant, &key, &(), now).await?;
        }
        Ok(found)
    }
}

//! The first administrator.

use protocol::Timestamp;
use registry::ClientId;
use tenancy::{Issuer, TenantId};

use super::clients::created;
use super::{Administrator, EditRequest, LoadScope};
use crate::edit::{first_admin, invalid};
use crate::{Authority, CreatedClient, EditError, Permission};

impl Administrator {
    /// Makes the tenant `platform` if it is missing and in it the first client with all permissions. Refused while a live
    /// administrator is there.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn init_admin(
        &self,
        by: &Authority,
        name: &str,
        now: Timestamp,
    ) -> Result<CreatedClient, EditError> {
        self.context(by, now).require_everywhere(Permission::Tenants)?;
        let id = ClientId::parse(name).map_err(|error| invalid("/client_id", error.to_string()))?;
        let platform = TenantId::parse(TenantId::PLATFORM).expect("the reserved id has the right shape");
        let secret = self.generate_secret(&platform, &id);
        let issuers = [Issuer::derived(&self.policy.public_url, &platform)];
        let edit_request = EditRequest { by, tenant: &platform, scope: LoadScope::Whole(&issuers), now };
        self.commit_with_retry(edit_request, |context, facts| {
            let (edit, client) = first_admin(context, facts, id.clone(), &secret.material)?;
            Ok((edit, created(&client, &secret, now)))
        })
        .await
    }
}

//! The first administrator.

use registry::ClientId;
use tenancy::{Issuer, TenantId};

use super::clients::created;
use super::commit_with_retry::EditRequest;
use super::load::LoadScope;
use super::{Administrator, Caller};
use crate::edit::{first_admin, invalid};
use crate::{CreatedClient, EditError, Permission};

impl Administrator {
    /// Creates the tenant `platform` if it is missing, and in it the first client with all permissions. Refused while there is a live
    /// administrator.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn init_admin(&self, caller: &Caller, name: &str) -> Result<CreatedClient, EditError> {
        caller.authority.require_everywhere(Permission::Tenants)?;
        let id = ClientId::parse(name).map_err(|error| invalid("/client_id", error.to_string()))?;
        let platform = TenantId::parse(TenantId::PLATFORM).expect("the reserved id has the right shape");
        let secret = self.generate_secret(&platform, &id);
        let issuers = [Issuer::derived(&self.policy.public_url, &platform)];
        let request = EditRequest { caller, tenant: &platform, scope: LoadScope::Whole(&issuers) };
        let made = self.commit_with_retry(request, None, |context, facts| {
            let (edit, client) = first_admin(context, facts, id.clone(), &secret.material)?;
            Ok::<_, EditError>((edit, created(&client, &secret, caller.now)))
        });
        Ok(made.await?.value)
    }
}

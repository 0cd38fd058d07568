//! Creates the first administrator.

use tenancy::{Issuer, TenantId};

use super::clients::created;
use super::commit_with_retry::EditRequest;
use super::tenants::Whole;
use super::{Administrator, Caller};
use crate::edit::{
    EditContext,
    first_admin::{admin_settings, first_admin},
};
use crate::{CreatedClient, EditError, NewClient, Permission, TenantState};

impl Administrator {
    /// Creates the tenant `platform` if it is missing, and in it the first client with all permissions.
    /// Refused while there is a live administrator.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn init_admin(&self, caller: &Caller, name: &str) -> Result<CreatedClient, EditError> {
        caller.authority.require_everywhere(Permission::Tenants)?;
        let (client_id, settings) = (Some(name.to_owned()), admin_settings());
        let admin = NewClient { client_id, client_secret: None, settings };
        let platform = TenantId::platform();
        let new = self.prepare_client(&platform, &admin, "").await?;
        let issuers = vec![Issuer::derived(&self.policy.public_url, &platform)];
        let scope = Box::new(Whole { issuers, above: None });
        let request = EditRequest { caller, tenant: &platform, scope };
        let decide = |context: EditContext<'_>| first_admin(context, &new);
        let context = self.view_context(caller);
        let answer = |after: &TenantState| created(context, after, &new.id, new.secret.as_ref());
        Ok(self.commit_with_retry(request, None, decide, answer).await?.value)
    }
}

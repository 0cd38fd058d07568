//! Creates the first administrator.

use tenancy::{Issuer, TenantId};

use super::clients::created;
use super::load::Needs;
use super::{Administrator, Caller};
use crate::documents::{CreatedClient, NewClient};
use crate::edit::EditError;
use crate::edit::{
    EditContext,
    first_admin::{admin_settings, first_admin},
};
use crate::kinds::{Permission, TenantState};

impl Administrator {
    /// Creates the tenant `platform` if it is missing, and in it the first client with all permissions.
    /// Refused while there is a live administrator.
    pub async fn init_admin(&self, caller: &Caller, name: &str) -> Result<CreatedClient, EditError> {
        caller.authority.require_everywhere(Permission::Tenants)?;
        let (client_id, settings) = (Some(name.to_owned()), admin_settings());
        let admin = NewClient { client_id, client_secret: None, settings };
        let platform = TenantId::platform();
        let new = self.prepare_client(&platform, &admin, "").await?;
        let issuers = vec![Issuer::derived(&self.policy.public_url, &platform)];
        let needs = Needs { issuers, ..Needs::whole() };
        let within = self.of(caller, &platform);
        let decide = |context: EditContext<'_>| first_admin(context, &new);
        let context = within.view_context();
        let answer = |after: &TenantState| created(context, after, &new.id, new.secret.as_ref());
        Ok(within.commit_with_retry(needs, None, decide, answer).await?.value)
    }
}

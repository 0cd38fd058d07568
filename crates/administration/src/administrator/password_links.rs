//! Links with which people set their password. An administrator who may set the password creates a link. The
//! store has nothing of it; the audit records its creation, and its use is the person's action.

use std::net::IpAddr;

use accounts::{Account, AccountId, PasswordLink};
use tenancy::TenantId;
use values::{Secret, Timestamp};

use super::load::Needs;
use super::{Administrator, Caller, InTenant};
use crate::edit::{self, Edit, EditContext, Edited};
use crate::{Authority, PasswordLinkView, Permission, TenantState};

impl InTenant<'_> {
    /// Creates a link with which the person of the account sets a password, once and within a day.
    ///
    /// # Errors
    /// [`EditError`](crate::EditError).
    pub async fn make_password_link(&self, account: &AccountId) -> Edited<PasswordLinkView> {
        self.require(Permission::Accounts)?;
        let needs = Needs::account(account);
        let decide = |context: EditContext<'_>| edit::account::link(context, account);
        let answer =
            |after: &TenantState| Ok(self.link_to(&after.account(account)?.account, self.caller.now));
        Ok(self.commit_with_retry(needs, None, decide, answer).await?.value)
    }
}

impl Administrator {
    /// The code is a fragment, so that it is in no log and no `Referer`.
    pub(super) fn link_to(&self, account: &Account, now: Timestamp) -> PasswordLinkView {
        let (code, expires_at) = self.password_links.make(account, now);
        let (public_url, tenant) = (&self.policy.public_url, &account.tenant);
        let link = format!("{public_url}/api/v1/tenant/{tenant}/account/set-password#{}", code.expose());
        PasswordLinkView { link, expires_at: expires_at.into() }
    }

    /// Decodes the code of a link that this installation created, without reading the store.
    #[must_use]
    pub fn read_password_link(&self, tenant: &TenantId, code: &str) -> Option<PasswordLink> {
        self.password_links.read(tenant, code)
    }

    /// Sets the password of the link's account, while the link may be used. All sessions until now end.
    ///
    /// # Errors
    /// [`EditError`](crate::EditError), of which `NotFound` means that the link may not be used any more.
    pub async fn set_password_by_link(
        &self,
        tenant: &TenantId,
        link: &PasswordLink,
        password: Option<Secret>,
        source: Option<IpAddr>,
        now: Timestamp,
    ) -> Edited<()> {
        let account = link.account();
        let password = password.ok_or_else(|| edit::invalid("/password", "is needed"))?;
        let caller = Caller::new(Authority::of_link_holder(tenant, account, source), now);
        let decide =
            |context: EditContext<'_>| Ok((Edit::default(), edit::account::words_by_link(context, link)?));
        let (needs, secret) = (Needs::account(account), (None, Some(password)));
        self.of(&caller, tenant).edit_with_password(account, needs, secret, decide).await?;
        Ok(())
    }
}

//! Links with which people set their password. Administrators who may set the password create them. The store
//! does not contain the links. The audit records the creation of a link, and names the person as the actor
//! when the link is used.

use std::net::IpAddr;

use accounts::{Account, AccountCode, AccountId, CodePurpose};
use tenancy::TenantId;
use values::{Secret, Timestamp};

use super::load::Needs;
use super::{Administrator, Caller, InTenant};
use crate::documents::PasswordLinkView;
use crate::edit;
use crate::kinds::authority::Authority;
use crate::kinds::{Permission, TenantState};

impl InTenant<'_> {
    /// Creates a link with which the person of the account can set a password. The link works once, within a
    /// day.
    pub async fn make_password_link(&self, account: &AccountId) -> edit::Edited<PasswordLinkView> {
        self.require(Permission::Accounts)?;
        let needs = Needs::account(account);
        let decide = |context: edit::EditContext<'_>| edit::account::link(context, account);
        let answer =
            |after: &TenantState| Ok(self.link_to(&after.account(account)?.account, self.caller.now));
        Ok(self.commit_with_retry(needs, None, decide, answer).await?.value)
    }
}

impl Administrator {
    /// The code is in the fragment of the URL, so it gets into no log and no `Referer` header.
    pub(super) fn link_to(&self, account: &Account, now: Timestamp) -> PasswordLinkView {
        let (link, expires_at) = self.link_for(account, CodePurpose::Password, now);
        PasswordLinkView { link, expires_at: expires_at.into() }
    }

    /// The link with a code for this purpose, and its expiry.
    pub(super) fn link_for(
        &self,
        account: &Account,
        purpose: CodePurpose,
        now: Timestamp,
    ) -> (String, Timestamp) {
        let page = match purpose {
            CodePurpose::Password | CodePurpose::Recovery | CodePurpose::Invitation => "account/set-password",
            CodePurpose::Verification(_) => "oauth/verify",
            CodePurpose::Undo(_) => "oauth/verify?undo",
        };
        let (code, expires_at) = self.codes.make(account, purpose, now);
        let (public_url, tenant) = (&self.policy.public_url, &account.tenant);
        (format!("{public_url}/api/v1/tenant/{tenant}/{page}#{}", code.expose()), expires_at)
    }

    /// Decodes the code of a link that this installation created, without reading the store.
    #[must_use]
    pub fn read_code(&self, tenant: &TenantId, code: &str) -> Option<AccountCode> {
        self.codes.read(tenant, code)
    }

    /// Sets the password of the code's account and ends all sessions of the account.
    ///
    /// # Errors
    /// [`EditError`](crate::edit::EditError). `NotFound` means that the code is used or expired.
    pub async fn set_password_by_code(
        &self,
        tenant: &TenantId,
        code: &AccountCode,
        password: Option<Secret>,
        source: Option<IpAddr>,
        now: Timestamp,
    ) -> edit::Edited<()> {
        let account = code.account();
        let password = password.ok_or_else(|| edit::invalid("/password", "is needed"))?;
        let caller = Caller::new(Authority::of_code_holder(tenant, account, source), now);
        let decide = |context: edit::EditContext<'_>| edit::account::by_password_code(context, code);
        let (needs, secret) = (Needs::account(account), (None, Some(password)));
        self.of(&caller, tenant).edit_with_password(account, needs, secret, decide).await?;
        Ok(())
    }
}

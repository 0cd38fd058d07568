//! The sessions of an account and what it has allowed clients. They are the person's, who is signed in, and of administrators with
//! `latchkey:accounts`, of the platform or of the tenant. An administrator ends them, and starts none: nobody signs in as another person.

use accounts::AccountId;
use protocol::Timestamp;
use registry::ClientId;
use sessions::{FoundSession, SessionId, SignedIn};
use tenancy::{SessionPolicy, StoreError, TenantId};

use super::commit_with_retry::EditRequest;
use super::load::{AccountNames, LoadScope};
use super::{Administrator, Caller};
use crate::edit::{self, Edit, EditContext, Facts};
use crate::{ConsentView, EditError, SessionView, TenantState};

/// What the sign-ins of an account have left behind, as interfaces show it.
#[derive(Debug)]
pub struct AccountSignInsView {
    /// The live sessions, those first that were used last.
    pub sessions: Vec<SessionView>,
    /// What the account has allowed clients, in the order of their ids.
    pub consents: Vec<ConsentView>,
}

impl Administrator {
    /// Sessions and consents of the person who is signed in, by two reads.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn own_sign_ins(
        &self,
        signed_in: &SignedIn,
        policy: SessionPolicy,
        now: Timestamp,
    ) -> Result<AccountSignInsView, StoreError> {
        let (tenant, account) = (&signed_in.session().tenant, signed_in.account());
        let sessions = live(self.store.list_sessions(tenant, account).await?, policy, now);
        let consents = self.store.list_consents(tenant, account).await?;
        Ok(AccountSignInsView { sessions, consents: consents.into_iter().map(ConsentView::from).collect() })
    }

    /// The live sessions of an account, those first that were used last.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn sessions(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<Vec<SessionView>, EditError> {
        let facts =
            self.account_facts(caller, (tenant, account), LoadScope::Sessions(account.clone())).await?;
        let policy = facts.tenant()?.tenant.sign_in.session;
        Ok(live(facts.sessions, policy, caller.now))
    }

    /// Ends a session of an account.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn end_session(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        account: &AccountId,
        session: &SessionId,
    ) -> Result<(), EditError> {
        let decide = |context: EditContext<'_>| edit::end_session(context, (tenant, account), session);
        self.edit_sign_ins(caller, (tenant, account), LoadScope::Sessions(account.clone()), decide).await
    }

    /// Ends all sessions of an account until now, and all tokens that they gave.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn sign_out(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<(), EditError> {
        let decide = |context: EditContext<'_>| edit::sign_out(context, (tenant, account));
        self.edit_sign_ins(caller, (tenant, account), LoadScope::Accounts(AccountNames::of(account)), decide)
            .await
    }

    /// What an account has allowed clients, in the order of their ids.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn consents(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<Vec<ConsentView>, EditError> {
        let facts =
            self.account_facts(caller, (tenant, account), LoadScope::Consents(account.clone())).await?;
        Ok(facts.consents.into_iter().map(ConsentView::from).collect())
    }

    /// Forgets what an account has allowed a client.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn revoke_consent(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        account: &AccountId,
        client: &ClientId,
    ) -> Result<(), EditError> {
        let decide = |context: EditContext<'_>| edit::revoke_consent(context, (tenant, account), client);
        self.edit_sign_ins(caller, (tenant, account), LoadScope::Consents(account.clone()), decide).await
    }

    async fn account_facts(
        &self,
        caller: &Caller,
        (tenant, account): (&TenantId, &AccountId),
        scope: LoadScope,
    ) -> Result<Facts, EditError> {
        caller.authority.require_account(tenant, account)?;
        let facts = self.load(tenant, &scope).await?;
        facts.tenant()?.account(account)?;
        Ok(facts)
    }

    async fn edit_sign_ins(
        &self,
        caller: &Caller,
        (tenant, account): (&TenantId, &AccountId),
        scope: LoadScope,
        decide: impl FnMut(EditContext<'_>) -> Result<Edit, EditError> + Send,
    ) -> Result<(), EditError> {
        caller.authority.require_account(tenant, account)?;
        let request = EditRequest { caller, tenant, scope };
        let answer = |_: &TenantState| Ok(());
        self.commit_with_retry(request, None, decide, answer).await.map(drop)
    }
}

fn live(found: Vec<FoundSession>, policy: SessionPolicy, now: Timestamp) -> Vec<SessionView> {
    let live = found.into_iter().filter(|found| found.is_valid(policy, now));
    live.map(|found| SessionView::of(found.session, policy)).collect()
}

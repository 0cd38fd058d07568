//! The sessions of an account and its consents. The signed-in person may see and end them, and so may
//! administrators with `latchkey:accounts`, of the platform or of the tenant. An administrator cannot create
//! a session, so no caller signs in as another person.

use accounts::AccountId;
use async_trait::async_trait;
use sessions::{FoundSession, SignedIn};
use tenancy::{SessionPolicy, Stored, TenantId};
use values::Timestamp;

use super::accounts::AccountNames;
use super::commit_with_retry::EditRequest;
use super::load::Scope;
use super::{Administrator, Caller};
use crate::edit::{self, EditContext, Edited, Facts, SignInEnd};
use crate::{AdministrationStore, ConsentView, SessionView};

/// The sessions and consents of an account, as interfaces show them.
#[derive(Debug)]
pub struct AccountSignInsView {
    /// The live sessions, the last used first.
    pub sessions: Vec<SessionView>,
    /// The consents to clients, in the order of the clients' ids.
    pub consents: Vec<ConsentView>,
}

impl Administrator {
    /// The sessions and consents of the signed-in person, from two reads.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn own_sign_ins(
        &self,
        signed_in: &SignedIn,
        policy: SessionPolicy,
        now: Timestamp,
    ) -> Stored<AccountSignInsView> {
        let (tenant, account) = (&signed_in.session().tenant, signed_in.account());
        let sessions = live(self.store.list_sessions(tenant, account).await?, policy, now);
        let consents = self.store.list_consents(tenant, account).await?;
        Ok(AccountSignInsView { sessions, consents: consents.into_iter().map(ConsentView::from).collect() })
    }

    /// The live sessions of an account, the last used first.
    ///
    /// # Errors
    /// [`EditError`](crate::EditError).
    pub async fn sessions(
        &self,
        caller: &Caller,
        names: (&TenantId, &AccountId),
    ) -> Edited<Vec<SessionView>> {
        let facts = self.sign_ins_of(caller, names, &Sessions(names.1.clone())).await?;
        let policy = facts.tenant()?.tenant.sign_in.session;
        Ok(live(facts.sessions, policy, caller.now))
    }

    /// The consents of an account, in the order of the clients' ids.
    ///
    /// # Errors
    /// [`EditError`](crate::EditError).
    pub async fn consents(
        &self,
        caller: &Caller,
        names: (&TenantId, &AccountId),
    ) -> Edited<Vec<ConsentView>> {
        let facts = self.sign_ins_of(caller, names, &Consents(names.1.clone())).await?;
        Ok(facts.consents.into_iter().map(ConsentView::from).collect())
    }

    /// Ends sessions of an account, or deletes its consent to a client.
    ///
    /// # Errors
    /// [`EditError`](crate::EditError).
    pub async fn end_sign_ins(
        &self,
        caller: &Caller,
        (tenant, account): (&TenantId, &AccountId),
        end: &SignInEnd,
    ) -> Edited<()> {
        caller.authority.require_account(tenant, account)?;
        let scope: Box<dyn Scope> = match end {
            SignInEnd::All => Box::new(AccountNames::from_account(account)),
            SignInEnd::Session(_) => Box::new(Sessions(account.clone())),
            SignInEnd::Consent(_) => Box::new(Consents(account.clone())),
        };
        let request = EditRequest { caller, tenant, scope };
        let decide = |context: EditContext<'_>| edit::account::end(context, account, end);
        self.commit_with_retry(request, None, decide, |_| Ok(())).await.map(drop)
    }

    async fn sign_ins_of(
        &self,
        caller: &Caller,
        (tenant, account): (&TenantId, &AccountId),
        scope: &dyn Scope,
    ) -> Edited<Facts> {
        caller.authority.require_account(tenant, account)?;
        let facts = self.load(tenant, scope).await?;
        facts.tenant()?.account(account)?;
        Ok(facts)
    }
}

/// The tenant, with an account and its sessions.
struct Sessions(AccountId);

/// The tenant, with an account and what it has allowed clients.
struct Consents(AccountId);

#[async_trait]
impl Scope for Sessions {
    async fn load(&self, store: &dyn AdministrationStore, tenant: &TenantId) -> Edited<Facts> {
        let facts = AccountNames::from_account(&self.0).load(store, tenant).await?;
        Ok(Facts { sessions: store.list_sessions(tenant, &self.0).await?, ..facts })
    }
}

#[async_trait]
impl Scope for Consents {
    async fn load(&self, store: &dyn AdministrationStore, tenant: &TenantId) -> Edited<Facts> {
        let facts = AccountNames::from_account(&self.0).load(store, tenant).await?;
        Ok(Facts { consents: store.list_consents(tenant, &self.0).await?, ..facts })
    }
}

fn live(found: Vec<FoundSession>, policy: SessionPolicy, now: Timestamp) -> Vec<SessionView> {
    let live = found.into_iter().filter(|found| found.is_valid(policy, now));
    live.map(|found| SessionView::new(found.session, policy)).collect()
}

//! The sessions of an account and its consents. The signed-in person may see and end them. So may
//! administrators with `latchkey:accounts`, of the platform or of the tenant. An administrator cannot create
//! a session, so nobody can sign in as another person.

use accounts::AccountId;
use sessions::{FoundSession, SignedIn};
use tenancy::{SessionPolicy, Stored};
use values::Timestamp;

use super::load::Needs;
use super::{Administrator, InTenant};
use crate::documents::{ConsentView, SessionView};
use crate::edit;
use crate::edit::{Edited, SignInEnd};

#[derive(Debug)]
pub struct SignInsView {
    /// The live sessions, the most recently used first.
    pub sessions: Vec<SessionView>,
    /// The consents to clients, in the order of the clients' ids.
    pub consents: Vec<ConsentView>,
}

impl Administrator {
    /// The sessions and consents of the signed-in person, from two reads.
    pub async fn own_sign_ins(
        &self,
        signed_in: &SignedIn,
        policy: SessionPolicy,
        now: Timestamp,
    ) -> Stored<SignInsView> {
        let (tenant, account) = (&signed_in.session().tenant, signed_in.account());
        let sessions = live(self.store.list_sessions(tenant, account).await?, policy, now);
        let consents = self.store.list_consents(tenant, account).await?;
        Ok(SignInsView { sessions, consents: consents.into_iter().map(ConsentView::from).collect() })
    }
}

impl InTenant<'_> {
    /// The live sessions of an account, the most recently used first.
    pub async fn sessions(&self, account: &AccountId) -> Edited<Vec<SessionView>> {
        let facts = self.sign_ins_of(account, Needs::sessions(account)).await?;
        let policy = facts.tenant()?.tenant.sign_in.session;
        Ok(live(facts.sessions, policy, self.caller.now))
    }

    /// The consents of an account, in the order of the clients' ids.
    pub async fn consents(&self, account: &AccountId) -> Edited<Vec<ConsentView>> {
        let facts = self.sign_ins_of(account, Needs::consents(account)).await?;
        Ok(facts.consents.into_iter().map(ConsentView::from).collect())
    }

    /// Ends sessions of an account, or deletes its consent to a client.
    pub async fn end_sign_ins(&self, account: &AccountId, end: &SignInEnd) -> Edited<()> {
        self.caller.authority.require_account(self.tenant, account)?;
        let needs = match end {
            SignInEnd::All => Needs::account(account),
            SignInEnd::Session(_) => Needs::sessions(account),
            SignInEnd::Consent(_) => Needs::consents(account),
        };
        let decide = |context: edit::EditContext<'_>| edit::account::end(context, account, end);
        self.commit_with_retry(needs, None, decide, |_| Ok(())).await.map(drop)
    }

    pub(super) async fn sign_ins_of(&self, account: &AccountId, needs: Needs) -> Edited<edit::Facts> {
        let Self { caller, tenant, .. } = *self;
        caller.authority.require_account(tenant, account)?;
        let facts = self.load(tenant, &needs).await?;
        facts.tenant()?.account(account)?;
        Ok(facts)
    }
}

pub(super) fn live(found: Vec<FoundSession>, policy: SessionPolicy, now: Timestamp) -> Vec<SessionView> {
    let live = found.into_iter().filter(|found| found.is_valid(policy, now));
    live.map(|found| SessionView::new(found.session, policy)).collect()
}

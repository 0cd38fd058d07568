//! Loads the facts about a tenant that the rules need. The module of each kind of row says what its edits
//! need.

use std::slice::from_ref;

use accounts::{AccountId, Identifier};
use registry::ClientId;
use tenancy::{Issuer, StoreError, Stored, TenantId};
use values::Timestamp;

use super::attempts::{ATTEMPTS, pause};
use super::{Administrator, InTenant};
use crate::documents::application::{Application, ApplicationId};
use crate::edit::EditError;
use crate::edit::{Edited, Facts};
use crate::kinds;
use crate::kinds::TenantState;
use crate::store::UnreadableRow;
use crate::store::query::RelatedClients;

/// The facts that an edit needs in addition to the tenant's own row.
#[derive(Default)]
pub struct Needs {
    /// All rows of the tenant.
    pub(super) whole: bool,
    /// The owners of these issuers.
    pub(super) issuers: Vec<Issuer>,
    /// The owners of the issuers below this issuer.
    pub(super) above: Option<Issuer>,
    /// See [`RelatedClients::ids`].
    pub(super) clients: Vec<String>,
    /// See [`RelatedClients::listed`].
    pub(super) listed: Vec<String>,
    /// Whether the document's rules are compared with the rules of other clients.
    pub(super) compares_rules: bool,
    /// The accounts with these ids, and the accounts that have one of these names.
    pub(super) accounts: Vec<AccountId>,
    pub(super) identifiers: Vec<Identifier>,
    pub(super) external_ids: Vec<String>,
    /// All accounts and clients with permissions.
    pub(super) administrators: bool,
    pub(super) sessions_of: Option<AccountId>,
    pub(super) consents_of: Option<AccountId>,
    pub(super) api_key: Option<kinds::api_key::Name>,
    /// The client whose live API keys are counted, and the time of the count.
    pub(super) live_api_keys: Option<(ClientId, Timestamp)>,
    /// The application, with its client.
    pub(super) application: Option<ApplicationId>,
    pub(super) application_name: Option<String>,
    /// The row that this version cannot read, if the edit deletes such a row.
    pub(super) unreadable: Option<UnreadableRow>,
    /// Only the keys, without the tenant. The decision then takes the current time, not the time of the
    /// request.
    pub(super) keys: bool,
    /// The fetches of verifiers, even if the key policy does not need them.
    pub(super) fetches: bool,
    /// Whether another tenant has the imported key with this thumbprint.
    pub(super) imported: Option<String>,
}

/// How many clients have their rules compared with those of the changed client. `latchkey check --rows`
/// compares all clients.
const COMPARED: u32 = 1_000;

impl Needs {
    pub(super) fn account(account: &AccountId) -> Self {
        Self { accounts: vec![account.clone()], ..Self::default() }
    }

    pub(super) fn sessions(account: &AccountId) -> Self {
        Self { sessions_of: Some(account.clone()), ..Self::account(account) }
    }

    pub(super) fn consents(account: &AccountId) -> Self {
        Self { consents_of: Some(account.clone()), ..Self::account(account) }
    }

    pub(super) fn client(client: &ClientId) -> Self {
        Self { clients: vec![client.to_string()], ..Self::default() }
    }

    /// If the caller changes its own account or client, whose name as an actor is `own`, also the other
    /// administrators of the tenant.
    pub(super) fn with_successors(self, within: &InTenant<'_>, own: &str) -> Self {
        let is_own = within.caller.authority.actor().name == own;
        Self { whole: self.whole || is_own, administrators: is_own, ..self }
    }

    pub(super) fn whole() -> Self {
        Self { whole: true, ..Self::default() }
    }
}

impl From<UnreadableRow> for Needs {
    fn from(row: UnreadableRow) -> Self {
        Self { unreadable: Some(row), ..Self::default() }
    }
}

impl Administrator {
    /// Reads the facts that the edit needs. The tenant is read first, so its revision also guards everything
    /// that is read after it.
    pub(super) async fn load(&self, tenant: &TenantId, needs: &Needs) -> Edited<Facts> {
        let mut facts = match (needs.application, &needs.unreadable) {
            _ if needs.keys => return self.load_key_facts(tenant, needs).await,
            (Some(id), _) => self.load_application(tenant, needs, id).await?,
            (_, Some(UnreadableRow::Application(id))) => {
                return self.load_unreadable_application(tenant, needs, id).await;
            }
            _ => Facts { state: self.load_tenant(tenant, needs, None).await?, ..Facts::default() },
        };
        if let Some(state) = &mut facts.state {
            self.load_rows(needs, state).await?;
        }
        if !needs.issuers.is_empty() {
            facts.issuer_owners = self.store.find_issuer_owners(&needs.issuers).await?;
        }
        if let Some(above) = &needs.above {
            facts.issuer_owners.extend(self.store.find_issuers_below(from_ref(above)).await?);
        }
        if let Some(account) = &needs.sessions_of {
            facts.sessions = self.store.list_sessions(tenant, account).await?;
        }
        if let Some(account) = &needs.consents_of {
            facts.consents = self.store.list_consents(tenant, account).await?;
        }
        if let Some((client, at)) = &needs.live_api_keys {
            facts.live_api_keys = self.store.count_live_api_keys(tenant, client, *at).await?;
        }
        Ok(facts)
    }

    /// Reads the tenant, the clients with these names, and one more client.
    async fn load_tenant(
        &self,
        tenant: &TenantId,
        needs: &Needs,
        client: Option<&ClientId>,
    ) -> Stored<Option<TenantState>> {
        let ids: Vec<_> =
            needs.clients.iter().map(String::as_str).chain(client.map(ClientId::as_str)).collect();
        let listed: Vec<_> = needs.listed.iter().map(String::as_str).collect();
        let related =
            self.store.load_with_related_clients(tenant, RelatedClients { ids: &ids, listed: &listed });
        if !needs.whole {
            return related.await;
        }
        match self.store.load_state(tenant).await {
            // Only steps are possible for a tenant that cannot be read, and steps need no clients.
            Err(error @ StoreError::Fault(_)) => {
                let state = related.await?;
                let is_unreadable = state.as_ref().is_some_and(|state| state.tenant.is_unreadable);
                if is_unreadable || needs.issuers.is_empty() { Ok(state) } else { Err(error) }
            }
            state => state,
        }
    }

    /// Adds the rows that the store reads one kind at a time.
    async fn load_rows(&self, needs: &Needs, state: &mut TenantState) -> Stored<()> {
        let Needs { accounts: ids, identifiers, external_ids, administrators, .. } = needs;
        let tenant = &state.tenant.id;
        if needs.compares_rules {
            state.trust_rules = self.store.list_trust_rules(tenant, COMPARED).await?;
        }
        let administrators = *administrators;
        if administrators || !(ids.is_empty() && identifiers.is_empty() && external_ids.is_empty()) {
            let related =
                kinds::account::Related { ids, identifiers, external_ids, declared: false, administrators };
            state.accounts = self.store.find_accounts(tenant, related).await?;
        }
        if let Some((client, id)) = &needs.api_key {
            state.api_keys = self.store.find_api_keys(tenant, client, from_ref(id)).await?;
        }
        match &needs.unreadable {
            Some(row) => self.store.add_unreadable_row(state, row).await,
            None => Ok(()),
        }
    }

    /// Reads the application twice: before the tenant, because the client's name is needed to load the
    /// client, and after the tenant, because the tenant's revision guards only later reads.
    async fn load_application(&self, tenant: &TenantId, needs: &Needs, id: ApplicationId) -> Edited<Facts> {
        let client_of = |application: &Option<Application>| application.as_ref()?.client.clone();
        for attempt in 0..ATTEMPTS {
            pause(attempt).await;
            let known = client_of(&self.store.find_application(tenant, &id).await?);
            let state = self.load_tenant(tenant, needs, known.as_ref()).await?;
            let application = self.store.find_application(tenant, &id).await?;
            if client_of(&application) == known {
                let name_owner = match &needs.application_name {
                    Some(name) => self.store.find_application_named(tenant, name).await?,
                    None => None,
                };
                return Ok(Facts { state, application, name_owner, ..Facts::default() });
            }
        }
        Err(EditError::Contended)
    }

    /// If this version cannot read the client either, the client stays. It can be deleted as a client.
    async fn load_unreadable_application(
        &self,
        tenant: &TenantId,
        needs: &Needs,
        id: &ApplicationId,
    ) -> Edited<Facts> {
        let mut application = match self.store.find_unreadable_application(tenant, id).await? {
            None => self.store.find_application(tenant, id).await?,
            found => found,
        };
        let client = application.as_ref().and_then(|application| application.client.clone());
        let state = match self.load_tenant(tenant, needs, client.as_ref()).await {
            Err(StoreError::Fault(_)) => {
                application.iter_mut().for_each(|application| application.client = None);
                self.load_tenant(tenant, needs, None).await?
            }
            state => state?,
        };
        Ok(Facts { state, application, ..Facts::default() })
    }

    async fn load_key_facts(&self, tenant: &TenantId, needs: &Needs) -> Edited<Facts> {
        let mut facts = Facts { keys: self.store.load_keys(tenant).await?, ..Facts::default() };
        if needs.fetches || facts.keys()?.tenant.signing.hold_activation.is_some() {
            facts.fetches = self.store.verifier_fetches(tenant).await?;
        }
        if let Some(thumbprint) = &needs.imported {
            let owners = self.store.find_key_owners(&[thumbprint.as_str()]).await?;
            facts.key_is_taken = owners.iter().any(|(_, owner)| owner != tenant);
        }
        Ok(facts)
    }
}

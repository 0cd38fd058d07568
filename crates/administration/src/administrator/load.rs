//! Loads what the rules need of a tenant.

use accounts::{AccountId, Identifier};
use registry::ClientId;
use tenancy::{Issuer, Stored, TenantId};

use super::Administrator;
use super::attempts::{ATTEMPTS, pause};
use crate::edit::{Edited, Facts};
use crate::{ApplicationId, EditError, RelatedAccounts, RelatedClients, TenantState};

/// What an edit needs before it is decided.
pub enum LoadScope {
    /// The tenant alone.
    Tenant,
    /// The whole tenant, and the owners of these issuers.
    Whole(Vec<Issuer>),
    /// The tenant, with its clients of these ids, and one that lists each of these names.
    Clients {
        /// As [`RelatedClients::ids`].
        ids: Vec<String>,
        /// As [`RelatedClients::listed`].
        listed: Vec<String>,
    },
    /// The tenant, with those of its accounts that have one of these names.
    Accounts(AccountNames),
    /// The tenant, with an account and its sessions.
    Sessions(AccountId),
    /// The tenant, with an account and what it has allowed clients.
    Consents(AccountId),
    /// The tenant, with an application and its client.
    Application(AboutApplication),
    /// The tenant's keys, with the fetches of verifiers where its policy needs them, and whether another tenant has the imported key of
    /// this thumbprint.
    Keys {
        /// The thumbprint.
        imported: Option<String>,
    },
}

/// What accounts are found by.
#[derive(Default)]
pub struct AccountNames {
    pub(super) ids: Vec<AccountId>,
    pub(super) identifiers: Vec<Identifier>,
    pub(super) external_ids: Vec<String>,
}

/// The application of an edit.
pub struct AboutApplication {
    pub(super) id: ApplicationId,
    /// The name that it is to have.
    pub(super) name: String,
    /// The client that it is to have.
    pub(super) client: String,
}

impl AccountNames {
    /// Of one account.
    pub(super) fn of(account: &AccountId) -> Self {
        Self { ids: vec![account.clone()], ..Self::default() }
    }
}

impl Administrator {
    pub(super) async fn load(&self, tenant: &TenantId, scope: &LoadScope) -> Edited<Facts> {
        let mut facts = Facts::default();
        match scope {
            LoadScope::Tenant => {
                facts.state = self.store.load_with_related_clients(tenant, RelatedClients::default()).await?;
            }
            LoadScope::Whole(issuers) => {
                facts.state = self.store.load_state(tenant).await?;
                if !issuers.is_empty() {
                    facts.issuer_owners = self.store.find_issuer_owners(issuers).await?;
                }
            }
            LoadScope::Clients { ids, listed } => {
                let related = RelatedClients { ids: &texts(ids), listed: &texts(listed) };
                facts.state = self.store.load_with_related_clients(tenant, related).await?;
            }
            LoadScope::Accounts(names) => facts.state = self.load_accounts(tenant, names).await?,
            // The tenant's revision guards what is read after the tenant.
            LoadScope::Sessions(account) => {
                facts.state = self.load_accounts(tenant, &AccountNames::of(account)).await?;
                facts.sessions = self.store.list_sessions(tenant, account).await?;
            }
            LoadScope::Consents(account) => {
                facts.state = self.load_accounts(tenant, &AccountNames::of(account)).await?;
                facts.consents = self.store.list_consents(tenant, account).await?;
            }
            LoadScope::Application(about) => return self.load_application(tenant, about).await,
            LoadScope::Keys { imported } => {
                facts.keys = self.store.load_keys(tenant).await?;
                if facts.keys()?.tenant.signing.hold_activation.is_some() {
                    facts.fetches = self.store.verifier_fetches(tenant).await?;
                }
                if let Some(thumbprint) = imported {
                    let owners = self.store.find_key_owners(&[thumbprint.as_str()]).await?;
                    facts.key_is_taken = owners.iter().any(|(_, owner)| owner != tenant);
                }
            }
        }
        Ok(facts)
    }

    /// The tenant's revision guards the accounts, which are read after it.
    async fn load_accounts(&self, tenant: &TenantId, names: &AccountNames) -> Stored<Option<TenantState>> {
        let mut state = self.store.load_with_related_clients(tenant, RelatedClients::default()).await?;
        if let Some(state) = &mut state {
            let AccountNames { ids, identifiers, external_ids } = names;
            let related = RelatedAccounts { ids, identifiers, external_ids, declared: false };
            state.accounts = self.store.find_accounts(tenant, related).await?;
        }
        Ok(state)
    }

    /// The tenant's revision guards what is read after the tenant, so the application is read twice: before it, for the name of the client
    /// that has to be loaded, and after it.
    async fn load_application(
        &self,
        tenant: &TenantId,
        AboutApplication { id, name, client }: &AboutApplication,
    ) -> Edited<Facts> {
        for attempt in 0..ATTEMPTS {
            pause(attempt).await;
            let known = self.store.find_application(tenant, id).await?.and_then(|known| known.client);
            let ids = &[client.as_str(), known.as_ref().map_or(client, ClientId::as_str)];
            let related = RelatedClients { ids, listed: &[client] };
            let state = self.store.load_with_related_clients(tenant, related).await?;
            let application = self.store.find_application(tenant, id).await?;
            if application.as_ref().and_then(|application| application.client.as_ref()) == known.as_ref() {
                let name_owner = self.store.find_application_named(tenant, name).await?;
                return Ok(Facts { state, application, name_owner, ..Facts::default() });
            }
        }
        Err(EditError::Contended)
    }
}

fn texts(of: &[String]) -> Vec<&str> {
    of.iter().map(String::as_str).collect()
}

//! Loads what the rules need of a tenant.

use accounts::AccountId;
use registry::ClientId;
use tenancy::{Issuer, TenantId};

use super::Administrator;
use super::attempts::{ATTEMPTS, pause};
use crate::edit::Facts;
use crate::{ApplicationId, EditError, RelatedAccounts, RelatedClients};

/// What an edit needs before it is decided.
#[derive(Clone, Copy)]
pub(super) enum LoadScope<'a> {
    /// The whole tenant, and the owners of these issuers.
    Whole(&'a [Issuer]),
    /// The tenant, with these of its clients.
    Related(RelatedClients<'a>),
    /// The tenant, with these of its accounts, and with what the sign-ins of one left behind.
    Accounts { related: RelatedAccounts<'a>, left: Option<LeftBehind<'a>> },
    /// The tenant, with an application and its client.
    Application(AboutApplication<'a>),
    /// The tenant's keys, with the fetches of verifiers where its policy needs them, and whether another tenant has the imported key of
    /// this thumbprint.
    Keys { imported: Option<&'a str> },
}

impl<'a> LoadScope<'a> {
    /// The tenant, with these of its accounts.
    pub(super) const fn of_accounts(related: RelatedAccounts<'a>) -> Self {
        Self::Accounts { related, left: None }
    }
}

/// What the sign-ins of an account left behind.
#[derive(Clone, Copy)]
pub(super) enum LeftBehind<'a> {
    Sessions(&'a AccountId),
    Consents(&'a AccountId),
}

/// The application of an edit.
#[derive(Clone, Copy)]
pub(super) struct AboutApplication<'a> {
    pub(super) id: &'a ApplicationId,
    /// The name that it is to have.
    pub(super) name: &'a str,
    /// The client that it is to have.
    pub(super) client: &'a str,
}

impl Administrator {
    pub(super) async fn load(&self, tenant: &TenantId, scope: LoadScope<'_>) -> Result<Facts, EditError> {
        let mut facts = Facts::default();
        match scope {
            LoadScope::Whole(issuers) => {
                facts.state = self.store.load_state(tenant).await?;
                if !issuers.is_empty() {
                    facts.issuer_owners = self.store.find_issuer_owners(issuers).await?;
                }
            }
            LoadScope::Related(related) => {
                facts.state = self.store.load_with_related_clients(tenant, related).await?;
            }
            // The tenant's revision guards what is read after the tenant.
            LoadScope::Accounts { related, left } => {
                facts.state = self.store.load_with_related_clients(tenant, RelatedClients::default()).await?;
                if let Some(state) = &mut facts.state {
                    state.accounts = self.store.find_accounts(tenant, related).await?;
                }
                match left {
                    None => {}
                    Some(LeftBehind::Sessions(of)) => {
                        facts.sessions = self.store.list_sessions(tenant, of).await?;
                    }
                    Some(LeftBehind::Consents(of)) => {
                        facts.consents = self.store.list_consents(tenant, of).await?;
                    }
                }
            }
            LoadScope::Application(about) => return self.load_application(tenant, about).await,
            LoadScope::Keys { imported } => {
                facts.keys = self.store.load_keys(tenant).await?;
                if facts.keys()?.tenant.signing.hold_activation.is_some() {
                    facts.fetches = self.store.verifier_fetches(tenant).await?;
                }
                if let Some(thumbprint) = imported {
                    let owners = self.store.find_key_owners(&[thumbprint]).await?;
                    facts.key_is_taken = owners.iter().any(|(_, owner)| owner != tenant);
                }
            }
        }
        Ok(facts)
    }

    /// The tenant's revision guards what is read after the tenant, so the application is read twice: before it, for the name of the client
    /// that has to be loaded, and after it.
    async fn load_application(
        &self,
        tenant: &TenantId,
        about: AboutApplication<'_>,
    ) -> Result<Facts, EditError> {
        for attempt in 0..ATTEMPTS {
            pause(attempt).await;
            let known = self.store.find_application(tenant, about.id).await?.and_then(|known| known.client);
            let ids = [about.client, known.as_ref().map_or(about.client, ClientId::as_str)];
            let related = RelatedClients { ids: &ids, listed: &[about.client] };
            let state = self.store.load_with_related_clients(tenant, related).await?;
            let application = self.store.find_application(tenant, about.id).await?;
            if application.as_ref().and_then(|application| application.client.as_ref()) == known.as_ref() {
                let name_owner = self.store.find_application_named(tenant, about.name).await?;
                return Ok(Facts { state, application, name_owner, ..Facts::default() });
            }
        }
        Err(EditError::Contended)
    }
}

//! Signing keys as their administrators see them. Views need `latchkey:keys`, of the platform or of the
//! tenant.

use async_trait::async_trait;
use keys::{KeyError, Kid, open_key, openable};
use tenancy::TenantId;

use super::load::Scope;
use super::{Administrator, Caller};
use crate::edit::{Edited, Facts, KeyCommand};
use crate::{
    AdministrationStore, BrokenTokensView, EditError, KeyStatusView, KeyView, Permission, PublicKeyView,
    UnopenedKeyView, edit,
};

impl Administrator {
    /// All keys of a tenant, with removed ones.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn keys(&self, caller: &Caller, tenant: &TenantId) -> Edited<Vec<KeyView>> {
        Ok(KeyView::all(&self.load_keys(caller, tenant, false).await?.keys()?.records, caller.now))
    }

    /// The public half of one key. It is stored with the private one, so it is deleted with it.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn public_key(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        kid: Kid,
    ) -> Edited<(KeyView, PublicKeyView)> {
        let facts = self.load_keys(caller, tenant, false).await?;
        let record = facts.keys()?.records.find(kid).ok_or(EditError::NotFound("key"))?;
        if record.sealed_private_key.is_empty() {
            return Err(EditError::NotFound("public key"));
        }
        let opened = open_key(&*self.sealer, tenant, record).await.map_err(|error| match error {
            KeyError::Unseal { source, .. } => EditError::Seal(source),
            error => EditError::Unreadable(Box::new(error)),
        })?;
        Ok((KeyView::new(record, caller.now), PublicKeyView::from_key(&opened)))
    }

    /// What the command would break. The call changes nothing.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn key_effects(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        command: KeyCommand,
    ) -> Edited<Vec<BrokenTokensView>> {
        self.effects(caller, tenant, &self.load_keys(caller, tenant, false).await?, command)
    }

    fn effects(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        facts: &Facts,
        command: KeyCommand,
    ) -> Edited<Vec<BrokenTokensView>> {
        let decision =
            edit::key_commands::command(self.context(caller, tenant, facts), facts.keys()?, command)?;
        Ok(decision.breaks.into_iter().map(BrokenTokensView::from).collect())
    }

    /// Finds the keys that verifiers have, and the keys that cannot be unsealed.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn key_status(&self, caller: &Caller, tenant: &TenantId) -> Edited<KeyStatusView> {
        let facts = self.load_keys(caller, tenant, true).await?;
        self.status_of_keys(caller, tenant, &facts).await
    }

    /// All keys, their status, and what an emergency would break, as of one moment.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn keys_with_status(
        &self,
        caller: &Caller,
        tenant: &TenantId,
    ) -> Edited<(Vec<KeyView>, KeyStatusView, Vec<BrokenTokensView>)> {
        let facts = self.load_keys(caller, tenant, true).await?;
        let keys = KeyView::all(&facts.keys()?.records, caller.now);
        let breaks = self.effects(caller, tenant, &facts, KeyCommand::RotateInEmergency)?;
        Ok((keys, self.status_of_keys(caller, tenant, &facts).await?, breaks))
    }

    async fn status_of_keys(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        facts: &Facts,
    ) -> Edited<KeyStatusView> {
        let (state, now) = (facts.keys()?, caller.now);
        let policy = self.context(caller, tenant, facts).key_policy(state);
        let mut unopened = Vec::new();
        for record in openable(&state.records.keys, now) {
            if let Err(error) = open_key(&*self.sealer, tenant, record).await {
                let sees_all = caller.authority.holds_everywhere(Permission::Keys);
                unopened.push(UnopenedKeyView::new(record.id, &error, sees_all));
            }
        }
        Ok(KeyStatusView { unopened, ..KeyStatusView::new(state, &policy, facts.fetches.clone(), now) })
    }

    async fn load_keys(&self, caller: &Caller, tenant: &TenantId, with_fetches: bool) -> Edited<Facts> {
        caller.authority.require_in(tenant, Permission::Keys)?;
        self.load(tenant, &Keys { with_fetches, ..Keys::default() }).await
    }
}

/// The facts of a decision on keys: the tenant's keys, the fetches of verifiers if the policy or the caller
/// needs them, and whether another tenant has the imported key of this thumbprint.
#[derive(Default)]
pub(super) struct Keys {
    pub(super) with_fetches: bool,
    pub(super) imported: Option<String>,
}

#[async_trait]
impl Scope for Keys {
    async fn load(&self, store: &dyn AdministrationStore, tenant: &TenantId) -> Edited<Facts> {
        let mut facts = Facts { keys: store.load_keys(tenant).await?, ..Facts::default() };
        if self.with_fetches || facts.keys()?.tenant.signing.hold_activation.is_some() {
            facts.fetches = store.verifier_fetches(tenant).await?;
        }
        if let Some(thumbprint) = &self.imported {
            let owners = store.find_key_owners(&[thumbprint.as_str()]).await?;
            facts.key_is_taken = owners.iter().any(|(_, owner)| owner != tenant);
        }
        Ok(facts)
    }

    fn counts_from_decision(&self) -> bool {
        true
    }
}

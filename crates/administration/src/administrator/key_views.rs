//! Signing keys as their administrators see them. Views need `latchkey:keys`, of the platform or of the
//! tenant.

use keys::{KeyError, Kid, open_key, openable};

use super::InTenant;
use super::load::Needs;
use crate::documents::{BrokenTokensView, KeyStatusView, KeyView, PublicKeyView, UnopenedKeyView};
use crate::edit;
use crate::edit::EditError;
use crate::edit::{Edited, Facts, KeyCommand};
use crate::kinds::Permission;

impl InTenant<'_> {
    /// All keys of a tenant, including removed keys.
    pub async fn keys(&self) -> Edited<Vec<KeyView>> {
        Ok(KeyView::all(&self.load_keys(false).await?.keys()?.records, self.caller.now))
    }

    /// The public half of a key. It is stored with the private half, and deleted with it.
    pub async fn public_key(&self, kid: Kid) -> Edited<(KeyView, PublicKeyView)> {
        let facts = self.load_keys(false).await?;
        let record = facts.keys()?.records.find(kid).ok_or(EditError::NotFound("key"))?;
        if record.sealed_private_key.is_empty() {
            return Err(EditError::NotFound("public key"));
        }
        let opened = open_key(&*self.sealer, self.tenant, record).await.map_err(|error| match error {
            KeyError::Unseal { source, .. } => EditError::Seal(source),
            error => EditError::Unreadable(Box::new(error)),
        })?;
        let signing = opened.signing().ok_or(EditError::NotFound("public key"))?;
        Ok((KeyView::new(record, self.caller.now), PublicKeyView::from_key(signing)))
    }

    /// Which tokens the command would break. Changes nothing.
    pub async fn key_effects(&self, command: KeyCommand) -> Edited<Vec<BrokenTokensView>> {
        self.effects(&self.load_keys(false).await?, command)
    }

    fn effects(&self, facts: &Facts, command: KeyCommand) -> Edited<Vec<BrokenTokensView>> {
        let decision = edit::key_commands::command(self.context(facts), facts.keys()?, command)?;
        Ok(decision.breaks.into_iter().map(BrokenTokensView::from).collect())
    }

    /// Finds the keys that verifiers have fetched, and the keys that cannot be unsealed.
    pub async fn key_status(&self) -> Edited<KeyStatusView> {
        let facts = self.load_keys(true).await?;
        self.status_of_keys(&facts).await
    }

    /// All keys, their status, and what an emergency revocation would break, from one read.
    pub async fn keys_with_status(&self) -> Edited<(Vec<KeyView>, KeyStatusView, Vec<BrokenTokensView>)> {
        let facts = self.load_keys(true).await?;
        let keys = KeyView::all(&facts.keys()?.records, self.caller.now);
        let breaks = self.effects(&facts, KeyCommand::RotateInEmergency)?;
        Ok((keys, self.status_of_keys(&facts).await?, breaks))
    }

    async fn status_of_keys(&self, facts: &Facts) -> Edited<KeyStatusView> {
        let Self { caller, tenant, .. } = *self;
        let (state, now) = (facts.keys()?, caller.now);
        let policy = self.context(facts).key_policy(state);
        let mut unopened = Vec::new();
        for record in openable(&state.records.keys, now) {
            if let Err(error) = open_key(&*self.sealer, tenant, record).await {
                let sees_all = caller.authority.holds_everywhere(Permission::Keys);
                unopened.push(UnopenedKeyView::new(record.id, &error, sees_all));
            }
        }
        Ok(KeyStatusView { unopened, ..KeyStatusView::new(state, &policy, facts.fetches.clone(), now) })
    }

    async fn load_keys(&self, fetches: bool) -> Edited<Facts> {
        self.require(Permission::Keys)?;
        self.load(self.tenant, &Needs { keys: true, fetches, ..Needs::default() }).await
    }
}

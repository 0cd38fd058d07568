//! Signing keys as administrators who may change them see them: `latchkey:keys`, at the platform or in the tenant.

use keys::{KeyError, KeyId, open_key, openable};
use protocol::Timestamp;
use tenancy::TenantId;

use super::Administrator;
use crate::{
    Authority, BrokenTokensView, EditError, KeyStatusView, KeyView, Permission, PublicKeyView,
    UnopenedKeyView, edit,
};

impl Administrator {
    /// All keys of a tenant, removed ones too.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn keys(
        &self,
        by: &Authority,
        tenant: &TenantId,
        now: Timestamp,
    ) -> Result<Vec<KeyView>, EditError> {
        self.context(by, now).require_in(tenant, Permission::Keys)?;
        Ok(KeyView::all(&self.load_keys(tenant).await?.state.records, now))
    }

    /// The public half of one key, which is kept with the private one and so goes with it.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn public_key(
        &self,
        by: &Authority,
        tenant: &TenantId,
        key: KeyId,
        now: Timestamp,
    ) -> Result<(KeyView, PublicKeyView), EditError> {
        self.context(by, now).require_in(tenant, Permission::Keys)?;
        let facts = self.load_keys(tenant).await?;
        let record = facts.state.records.keys.iter().find(|record| record.id == key);
        let record = record.ok_or(EditError::NotFound("key"))?;
        if record.sealed_private_key.is_empty() {
            return Err(EditError::NotFound("public key"));
        }
        let opened = open_key(&*self.sealer, tenant, record).await.map_err(|error| match error {
            KeyError::Unseal { source, .. } => EditError::Seal(source),
            error => EditError::Unreadable(Box::new(error)),
        })?;
        Ok((KeyView::of(record, now), PublicKeyView::of(opened.jwk())))
    }

    /// What an emergency, or revoking this key, would break; changes nothing.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn key_effects(
        &self,
        by: &Authority,
        tenant: &TenantId,
        key: Option<KeyId>,
        now: Timestamp,
    ) -> Result<Vec<BrokenTokensView>, EditError> {
        let context = self.context(by, now);
        context.require_in(tenant, Permission::Keys)?;
        let facts = self.load_keys(tenant).await?;
        let decision = match key {
            Some(key) => edit::revoke_key(context, &facts.state, key)?,
            None => edit::rotate_key_in_emergency(context, &facts.state),
        };
        Ok(decision.breaks.into_iter().map(BrokenTokensView::from).collect())
    }

    /// Which keys verifiers have, and which ones do not open.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn key_status(
        &self,
        by: &Authority,
        tenant: &TenantId,
        now: Timestamp,
    ) -> Result<KeyStatusView, EditError> {
        self.context(by, now).require_in(tenant, Permission::Keys)?;
        let state = self.load_keys(tenant).await?.state;
        let fetches = self.store.verifier_fetches(tenant).await?;
        let policy = edit::key_policy(&state, self.policy.l1_lifetime, now);
        let mut unopened = Vec::new();
        for record in openable(&state.records.keys, now) {
            if let Err(error) = open_key(&*self.sealer, tenant, record).await {
                unopened.push(UnopenedKeyView::of(record.id, &error, by.holds_everywhere(Permission::Keys)));
            }
        }
        Ok(KeyStatusView { unopened, ..KeyStatusView::of(&state, &policy, fetches, now) })
    }
}

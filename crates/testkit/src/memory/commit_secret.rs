//! What a commit does to one secret. Any door gives and takes secrets; the files touch only those that they declared.

use super::MemoryStore;
use administration::{
    CommitRequest, ENDED_SECRETS_STAY, EndedSecrets, KEPT_ENDED_SECRETS, ManagedBy, NewSecret, SecretChange,
    SecretChangeKind, SecretState,
};
use async_trait::async_trait;
use protocol::Timestamp;
use registry::{ClientId, SecretId};
use tenancy::StoreError;
use tenancy::TenantId;

use super::as_count;
use super::commit::{CommitRefusal, require};
use super::rows::{Rows, added_secret};

#[async_trait]
impl EndedSecrets for MemoryStore {
    async fn prune_ended_secrets(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.administer(|rows| rows.prune_ended_secrets(now, limit)).await
    }
}

impl Rows {
    /// Deletes as [`AdministrationStore::prune_ended_secrets`] says.
    ///
    /// [`AdministrationStore::prune_ended_secrets`]: administration::AdministrationStore::prune_ended_secrets
    pub(super) fn prune_ended_secrets(&mut self, now: Timestamp, limit: u32) -> u64 {
        let mut pruned = 0;
        for client in self.tenants.values_mut().flat_map(|row| &mut row.state.clients) {
            let mut gone = gone(&client.secrets, now);
            gone.truncate(as_count(limit) - pruned);
            client.secrets.retain(|row| !gone.contains(&row.secret.id));
            pruned += gone.len();
        }
        pruned as u64
    }

    pub(super) fn write_secret(
        &mut self,
        request: &CommitRequest,
        tenant: &TenantId,
        client: &ClientId,
        change: &SecretChange,
    ) -> Result<(), CommitRefusal> {
        let clients = &mut self.tenant_row(tenant)?.state.clients;
        let client =
            clients.iter_mut().find(|row| row.client.id == *client).ok_or(CommitRefusal::StaleRevision)?;
        let id = &client.client.id;
        let row = client.secrets.iter_mut().find(|row| row.secret.id == change.id);
        if let SecretChangeKind::Added { .. } = change.kind {
            require(row.is_none())?;
            let of =
                |new: &&NewSecret| new.tenant == *tenant && new.client == *id && new.secret.id == change.id;
            let new = request.secrets.iter().find(of).ok_or(CommitRefusal::StaleRevision)?;
            client.secrets.push(added_secret(new.secret.clone(), request.managed_by, new.declared_digest));
            return Ok(());
        }
        let row = row.ok_or(CommitRefusal::StaleRevision)?;
        let declares = request.managed_by == ManagedBy::Config;
        require(row.managed_by == ManagedBy::Config || !declares)?;
        let mut reschedule = |expires_at: Option<Timestamp>| {
            row.secret.expires_at = expires_at;
            if declares {
                row.declared_expires_at = expires_at;
            }
        };
        match change.kind {
            SecretChangeKind::Added { .. } => {}
            SecretChangeKind::Rescheduled { after, .. } => reschedule(after),
            SecretChangeKind::Restored { expires_at } => {
                reschedule(expires_at);
                require(row.revoked_by == Some(request.managed_by))?;
                row.secret.revoked_at = None;
                row.revoked_by = None;
            }
            SecretChangeKind::Revoked => {
                require(row.revoked_by.is_none())?;
                row.secret.revoked_at = Some(request.now);
                row.revoked_by = Some(request.managed_by);
            }
        }
        Ok(())
    }
}

/// Which are removed: ended ones but the newest, by their numbers.
fn gone(secrets: &[SecretState], now: Timestamp) -> Vec<SecretId> {
    let ended_at = |row: &SecretState| {
        row.secret
            .revoked_at
            .into_iter()
            .chain(row.secret.expires_at)
            .min()
            .unwrap_or(Timestamp::from_seconds(u64::MAX))
    };
    let may_go =
        |row: &&SecretState| row.managed_by == ManagedBy::Api || row.revoked_by == Some(ManagedBy::Config);
    let mut ended: Vec<_> = secrets.iter().filter(may_go).filter(|row| ended_at(row) <= now).collect();
    ended.sort_by_key(|row| std::cmp::Reverse((row.secret.id.as_str().len(), row.secret.id.clone())));
    let ended_by = now.saturating_sub(ENDED_SECRETS_STAY);
    let old = ended.iter().skip(as_count(KEPT_ENDED_SECRETS)).filter(|row| ended_at(row) <= ended_by);
    old.map(|row| row.secret.id.clone()).collect()
}

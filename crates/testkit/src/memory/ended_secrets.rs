//! Deletes client secrets that ended long ago.

use administration::{ENDED_SECRETS_STAY, EndedSecrets, KEPT_ENDED_SECRETS, ManagedBy, SecretState};
use async_trait::async_trait;
use protocol::Timestamp;
use registry::SecretId;
use tenancy::StoreError;

use super::rows::Rows;
use super::{MemoryStore, as_count};

#[async_trait]
impl EndedSecrets for MemoryStore {
    async fn prune_ended_secrets(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.administer(|rows| rows.prune_ended_secrets(now, limit)).await
    }
}

impl Rows {
    /// Deletes as [`EndedSecrets::prune_ended_secrets`] says.
    ///
    /// [`EndedSecrets::prune_ended_secrets`]: administration::EndedSecrets::prune_ended_secrets
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
}

/// The secrets to delete: ended ones but the newest, by their numbers.
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

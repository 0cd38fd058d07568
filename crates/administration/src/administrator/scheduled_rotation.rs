//! Replaces secrets of clients on schedule, in a secret store, as `rotate` of the client declares.

use registry::{Client, ClientId, SecretRotation};
use tenancy::{Stored, TenantId};
use values::{Lifetime, Timestamp};

use super::load::Needs;
use super::rotation_into::RotationError;
use super::{Administrator, Caller};
use crate::edit::{Edited, secret::SecretEnds};
use crate::{ClientState, EditError, ManagedBy, RotationProgress};

/// Longer than a rotation takes. A rotation that began and did not end, for example in a killed process, is
/// repeated after that.
const TAKEN_FOR: Lifetime = Lifetime::from_seconds(600);
/// When a client that does not serve is looked at again.
const LATER: Lifetime = Lifetime::from_seconds(3600);

/// The result for a client whose schedule was due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScheduledRotation {
    /// Another process has taken it, or it is not due.
    NotDue,
    /// The client has a new secret.
    Done {
        /// The place of the new secret.
        into: String,
        /// Its version in the store.
        version: String,
    },
    /// The rotation failed; the text for the operator's log.
    Failed(String),
}

impl Administrator {
    /// At most `limit` clients whose schedules must be checked. The tenants take turns.
    ///
    /// # Errors
    /// [`tenancy::StoreError`].
    pub async fn find_due_rotations(&self, now: Timestamp, limit: u32) -> Stored<Vec<(TenantId, ClientId)>> {
        self.store.find_due_rotations(now, limit).await
    }

    /// The number of clients whose last scheduled rotation failed.
    ///
    /// # Errors
    /// [`tenancy::StoreError`].
    pub async fn count_failing_rotations(&self) -> Stored<u64> {
        self.store.count_failing_rotations().await
    }

    /// Replaces the client's secret if its newest one is old enough.
    ///
    /// # Errors
    /// [`EditError`] if the platform's store fails.
    pub async fn rotate_on_schedule(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        now: Timestamp,
    ) -> Edited<ScheduledRotation> {
        if !self.store.take_rotation(tenant, client, now, now + TAKEN_FOR).await? {
            return Ok(ScheduledRotation::NotDue);
        }
        let facts = self.load(tenant, &Needs::client(client)).await?;
        let (state, row) = facts.client(client)?;
        let Some(rotation) = &row.client.rotation else { return Ok(ScheduledRotation::NotDue) };
        let before = row.rotation.clone();
        let serves = state.lifecycle.serves() && row.lifecycle.serves();
        let due_at = if serves { due_at(row, rotation.every, now) } else { now + LATER };
        if due_at > now {
            self.store.record_rotation(tenant, client, &before.due(due_at)).await?;
            return Ok(ScheduledRotation::NotDue);
        }
        let begun = RotationProgress { begun_at: Some(now), due_at: Some(now + TAKEN_FOR), ..before.clone() };
        self.store.record_rotation(tenant, client, &begun).await?;
        let (progress, came) = match self.rotate_as_scheduled(row, rotation, now).await {
            Ok(done) => (RotationProgress::succeeded(now + rotation.every), done),
            // A change of the client makes it due again. The attempt that the change began then reports the
            // result.
            Err((_, said)) if !self.is_latest_attempt(tenant, client, now).await? => {
                return Ok(ScheduledRotation::Failed(said));
            }
            Err((told, said)) => (before.failed(now, told), ScheduledRotation::Failed(said)),
        };
        self.store.record_rotation(tenant, client, &progress).await?;
        Ok(came)
    }

    async fn is_latest_attempt(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        began: Timestamp,
    ) -> Edited<bool> {
        let facts = self.load(tenant, &Needs::client(client)).await?;
        Ok(facts.client(client).is_ok_and(|(_, row)| row.rotation.begun_at == Some(began)))
    }

    /// The failure: its text for the row, and its text for the operator's log.
    async fn rotate_as_scheduled(
        &self,
        row: &ClientState,
        rotation: &SecretRotation,
        now: Timestamp,
    ) -> Result<ScheduledRotation, (String, String)> {
        let Client { tenant, id, .. } = &row.client;
        let same = |error: EditError| (error.to_string(), error.to_string());
        let caller = Caller::itself(now);
        let within = self.of(&caller, tenant);
        let place = within.place(&rotation.into).map_err(same)?;
        // A tenant's administrator may have written the schedule of a client that no file declares.
        if row.lifecycle.managed_by == ManagedBy::Api && !self.secret_writer.allows(tenant, &place) {
            let why = place.is_not_allowed(tenant);
            return Err((why.clone(), why));
        }
        let ends = SecretEnds { expires_at: None, grace: Some(rotation.grace) };
        let rotated = within.rotate_into(id, None, ends, place).await;
        let rotated = rotated.map_err(|error| match error {
            RotationError::Edit(error) => same(error),
            RotationError::NotWritten(secret) => (secret.told(false), secret.told(true)),
        })?;
        let version = rotated.value.version.unwrap_or_default();
        Ok(ScheduledRotation::Done { into: rotation.into.clone(), version })
    }
}

/// When the newest secret is old enough. A rotation that failed or whose result is unknown is repeated,
/// unless another secret was created since.
fn due_at(row: &ClientState, every: Lifetime, now: Timestamp) -> Timestamp {
    let live = row.secrets.iter().filter(|secret| secret.secret.is_live(now));
    match live.map(|secret| secret.secret.created_at).max() {
        Some(newest) if Some(newest) > row.rotation.begun_at.max(row.rotation.failed_at) => newest + every,
        _ => now,
    }
}

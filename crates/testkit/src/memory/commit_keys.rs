//! What a commit and a request do to keys, and when a tenant's keys are to be looked at again.

use administration::{Change, CommitRequest, Invalidation, KeyChangeKind};
use keys::life_cycle::{self, KeyPolicy};
use keys::{KeyId, KeyRecord};
use protocol::{Lifetime, Timestamp};
use tenancy::TenantId;

use super::commit::{CommitRefusal, require};
use super::rows::Rows;

/// What the keys of a tenant wait for.
#[derive(Clone, Default)]
pub(super) struct Schedule {
    pub(super) due_at: Option<Timestamp>,
    pub(super) previous_jwks: Option<(Lifetime, Timestamp)>,
}

impl Rows {
    /// For a request, which has no commit that would tell of it.
    pub(super) fn add_key_at_once(&mut self, tenant: &TenantId, key: &KeyRecord) -> bool {
        let added = self.add_key(tenant, key);
        if added {
            self.schedule(tenant).due_at = Some(key.active_from);
            self.changes.push(Invalidation::Keys(tenant.clone()));
        }
        added
    }

    pub(super) fn write_keys(&mut self, request: &CommitRequest) -> Result<(), CommitRefusal> {
        let keys = &request.keys;
        for (tenant, key) in &keys.added {
            require(self.add_key(tenant, key))?;
        }
        for change in &request.changes {
            let Change::Key(tenant, change) = change else { continue };
            if let Some(times) = change.kind.times() {
                times.write_to(self.key_row(tenant, times.id)?);
            } else if change.kind == KeyChangeKind::Destroyed {
                self.key_row(tenant, change.id)?.sealed_private_key.clear();
            }
        }
        for change in &request.changes {
            let concerns_keys = matches!(change, Change::Tenant(_) | Change::Client(_) | Change::Key(..));
            if concerns_keys && self.keys.contains_key(change.tenant()) {
                self.schedule(change.tenant()).due_at = Some(request.now);
                if !matches!(change, Change::Key(..)) {
                    self.extend_retention(change.tenant(), request.now);
                }
            }
        }
        for (tenant, due_at) in &keys.due {
            require(self.tenants.contains_key(tenant))?;
            self.schedule(tenant).due_at = *due_at;
        }
        Ok(())
    }

    /// Longer tokens are issued from now on.
    fn extend_retention(&mut self, tenant: &TenantId, now: Timestamp) {
        let Some(state) = self.tenants.get(tenant).map(|row| &row.state) else { return };
        let policy =
            KeyPolicy::new(&state.tenant.signing, state.longest_lifetime(), Lifetime::from_seconds(0));
        let Some(records) = self.keys.get_mut(tenant) else { return };
        for times in life_cycle::extend_retention(records, &policy, now) {
            for row in records.keys.iter_mut().filter(|row| row.id == times.id) {
                row.removed_at = times.removed_at;
            }
        }
    }

    /// What is noted already counts as long as copies of then may be about.
    pub(super) fn note_previous_jwks(
        &mut self,
        tenant: &TenantId,
        (age, until): (Lifetime, Timestamp),
        now: Timestamp,
    ) {
        let schedule = self.schedule(tenant);
        let (noted_age, noted_until) = schedule.previous_jwks.unwrap_or((age, until));
        let age = if now < noted_until { age.max(noted_age) } else { age };
        schedule.previous_jwks = Some((age, until.max(noted_until)));
    }

    pub(super) fn schedule(&mut self, tenant: &TenantId) -> &mut Schedule {
        self.schedules.entry(tenant.clone()).or_default()
    }

    fn key_row(&mut self, tenant: &TenantId, id: KeyId) -> Result<&mut KeyRecord, CommitRefusal> {
        let records = self.keys.get_mut(tenant).ok_or(CommitRefusal::StaleRevision)?;
        records.keys.iter_mut().find(|row| row.id == id).ok_or(CommitRefusal::StaleRevision)
    }
}

//! Refresh tokens: one row for all that follow from one grant.

use async_trait::async_trait;
use grants::{FamilyKey, FamilyStep, FoundFamily, RefreshFamily, RefreshFamilyStore};
use protocol::Timestamp;
use sessions::SessionId;
use tenancy::{SessionPolicy, StoreError, TenantId};

use super::MemoryStore;
use super::rows::Rows;

impl Rows {
    fn found_family(
        &self,
        tenant: &TenantId,
        key: &FamilyKey,
        policy: SessionPolicy,
        now: Timestamp,
    ) -> Option<FoundFamily> {
        let family = self.families.get(&(tenant.clone(), key.slot, key.id))?.clone();
        let session = |slot| {
            let id = family.session.clone()?;
            self.sessions.get(&(tenant.clone(), slot, id))
        };
        let lasts = |slot| session(slot).is_some_and(|session| session.lasts(policy, now));
        let goes_on = family.session_slot.is_none_or(lasts);
        let signs_in = self.valid_from(tenant, &family.account).is_some_and(|from| from <= family.created_at);
        Some(FoundFamily { family, is_live: goes_on && signs_in })
    }

    /// Ends the refresh tokens of a grant.
    pub(super) fn end_family(&mut self, tenant: &TenantId, grant: &str, now: Timestamp) {
        let of_grant =
            |family: &&mut RefreshFamily| family.tenant == *tenant && family.id.to_string() == grant;
        for family in self.families.values_mut().filter(of_grant) {
            family.ended_at.get_or_insert(now);
        }
    }

    /// A session goes on in another partition: its families find it there.
    pub(super) fn move_families(&mut self, tenant: &TenantId, session: &SessionId, (from, to): (u32, u32)) {
        let is_its = |family: &&mut RefreshFamily| {
            family.tenant == *tenant
                && family.session.as_ref() == Some(session)
                && family.session_slot == Some(from)
        };
        for family in self.families.values_mut().filter(is_its) {
            family.session_slot = Some(to);
        }
    }
}

#[async_trait]
impl RefreshFamilyStore for MemoryStore {
    async fn step_family(
        &self,
        tenant: &TenantId,
        step: &FamilyStep<'_>,
        now: Timestamp,
    ) -> Result<Option<RefreshFamily>, StoreError> {
        self.answer(&self.calls.sign_ins, |rows| {
            let found =
                rows.found_family(tenant, &step.key, step.session, now).filter(|found| found.is_live)?;
            let after = found.family.step(step, now)?;
            rows.families.insert((tenant.clone(), after.slot, after.id), after.clone());
            Some(after)
        })
        .await
    }

    async fn find_family(
        &self,
        tenant: &TenantId,
        key: &FamilyKey,
        policy: SessionPolicy,
        now: Timestamp,
    ) -> Result<Option<FoundFamily>, StoreError> {
        self.answer(&self.calls.sign_ins, |rows| rows.found_family(tenant, key, policy, now)).await
    }

    async fn note_use_of_family(
        &self,
        tenant: &TenantId,
        key: &FamilyKey,
        idle_until: Timestamp,
    ) -> Result<(), StoreError> {
        self.answer(&self.calls.sign_ins, |rows| {
            if let Some(family) = rows.families.get_mut(&(tenant.clone(), key.slot, key.id)) {
                family.idle_until = family.idle_until.max(idle_until);
            }
        })
        .await
    }
}

//! What is asked about keys across rows: which are due, who has fetched them, what of them is sealed; and leases.

use administration::rows::merged_sightings;
use administration::{Invalidation, KEPT_VERIFIERS, KeySighting, KeyState, SealedPlace};
use keys::KeyRecord;
use protocol::Timestamp;
use tenancy::TenantId;

use super::commit_keys::Schedule;
use super::rows::Rows;

impl Rows {
    pub(super) fn key_state(&self, tenant: &TenantId) -> Option<KeyState> {
        let state = self.state(tenant)?;
        let Schedule { due_at, earlier_jwks } = self.schedules.get(tenant).cloned().unwrap_or_default();
        Some(KeyState {
            longest_token: state.longest_lifetime(),
            tenant: state.tenant,
            standing: state.standing,
            revision: state.revision,
            earlier_tokens_until: state.earlier_tokens_until,
            earlier_jwks,
            due_at,
            records: self.keys(tenant),
        })
    }

    pub(super) fn due_keys(&self, now: Timestamp) -> impl Iterator<Item = TenantId> {
        let live =
            |id: &TenantId| self.tenants.get(id).is_some_and(|row| row.state.standing.deleted_at.is_none());
        let rows = self.schedules.iter().filter(|(id, _)| live(id));
        let mut due: Vec<_> = rows
            .filter_map(|(id, schedule)| Some((schedule.due_at?, id.clone())))
            .filter(|(due_at, _)| *due_at <= now)
            .collect();
        due.sort();
        due.into_iter().map(|(_, id)| id)
    }

    pub(super) fn try_lease(&mut self, name: &str, holder: &str, now: Timestamp, until: Timestamp) -> bool {
        let taken = |(other, end): &(String, Timestamp)| other != holder && now < *end;
        let free = !self.leases.get(name).is_some_and(taken);
        if free {
            self.leases.insert(name.to_owned(), (holder.to_owned(), until));
        }
        free
    }

    pub(super) fn record_sightings(&mut self, sightings: &[KeySighting]) {
        let all: Vec<_> = self.sightings.iter().chain(sightings).cloned().collect();
        let mut merged = merged_sightings(&all);
        merged.retain(|seen| {
            self.tenants.get(&seen.tenant).is_some_and(|row| row.state.standing.deleted_at.is_none())
        });
        self.sightings.clear();
        for tenant in self.tenants.keys() {
            let mut of_tenant: Vec<_> =
                merged.iter().filter(|seen| seen.tenant == *tenant).cloned().collect();
            // Stable, so that of verifiers that came at once the smaller names stay.
            of_tenant.sort_by_key(|seen| std::cmp::Reverse(seen.last_fetch_at));
            self.sightings.extend(of_tenant.into_iter().take(KEPT_VERIFIERS));
        }
    }

    pub(super) fn sightings_of(&self, tenant: &TenantId) -> Vec<KeySighting> {
        self.sightings.iter().filter(|seen| seen.tenant == *tenant).cloned().collect()
    }

    /// Keys before named values, each in the order of their names.
    pub(super) fn sealed_after(
        &self,
        after: Option<&SealedPlace>,
    ) -> impl Iterator<Item = (SealedPlace, Vec<u8>)> {
        let keys = self.keys.iter().flat_map(|(tenant, records)| {
            let live = records.keys.iter().filter(|key| !key.sealed_private_key.is_empty());
            live.map(|key| (place(tenant, key), key.sealed_private_key.clone()))
        });
        let named =
            self.sealed.iter().map(|(name, sealed)| (SealedPlace::Named(name.clone()), sealed.clone()));
        keys.chain(named).filter(move |(place, _)| after.is_none_or(|after| place > after))
    }

    pub(super) fn replace_sealed(&mut self, place: &SealedPlace, old: &[u8], new: &[u8]) -> bool {
        let sealed = match place {
            SealedPlace::Named(name) => self.sealed.get_mut(name),
            SealedPlace::SigningKey { tenant, id, algorithm } => {
                let rows = self.keys.get_mut(tenant).into_iter().flat_map(|records| &mut records.keys);
                let mut rows = rows.filter(|row| row.id == *id && row.algorithm == *algorithm);
                rows.next().map(|row| &mut row.sealed_private_key)
            }
        };
        let Some(sealed) = sealed.filter(|sealed| **sealed == old && !old.is_empty()) else { return false };
        *sealed = new.to_vec();
        if let SealedPlace::SigningKey { tenant, .. } = place {
            self.changes.push(Invalidation::Keys(tenant.clone()));
        }
        true
    }
}

fn place(tenant: &TenantId, key: &KeyRecord) -> SealedPlace {
    SealedPlace::SigningKey { tenant: tenant.clone(), id: key.id, algorithm: key.algorithm }
}

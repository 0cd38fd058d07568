//! What is asked about keys across rows: which are due, who has fetched them, what of them is sealed; and leases.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::{MemoryStore, as_count};
use administration::rows::{merged_fetches, places_kept_since};
use administration::{
    Invalidation, KEPT_VERIFIERS, KeySchedule, SealedItems, SealedPlace, TenantKeys, VerifierFetch,
};
use async_trait::async_trait;
use keys::{KeyRecord, KeyRecords};
use protocol::Timestamp;
use tenancy::StoreError;
use tenancy::TenantId;

use super::commit_keys::Schedule;
use super::rows::Rows;

#[async_trait]
impl KeySchedule for MemoryStore {
    async fn load_keys(&self, tenant: &TenantId) -> Result<Option<TenantKeys>, StoreError> {
        self.administer(|rows| rows.key_state(tenant)).await
    }

    async fn find_due_keys(&self, now: Timestamp, limit: u32) -> Result<Vec<TenantId>, StoreError> {
        self.administer(|rows| rows.due_keys(now).take(as_count(limit)).collect()).await
    }

    async fn try_lease(
        &self,
        name: &str,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        self.administer(|rows| rows.try_lease(name, holder, now, until)).await
    }
}

#[async_trait]
impl SealedItems for MemoryStore {
    async fn list_sealed(
        &self,
        after: Option<&SealedPlace>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<(SealedPlace, Vec<u8>)>, StoreError> {
        self.administer(|rows| rows.sealed_after(after, now).into_iter().take(as_count(limit)).collect())
            .await
    }

    async fn replace_sealed(&self, place: &SealedPlace, old: &[u8], new: &[u8]) -> Result<bool, StoreError> {
        self.administer(|rows| rows.replace_sealed(place, old, new)).await
    }

    async fn find_sealed(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.administer(|rows| rows.sealed.get(name).cloned()).await
    }

    async fn put_sealed_if_absent(
        &self,
        name: &str,
        sealed: &[u8],
        _: Timestamp,
    ) -> Result<bool, StoreError> {
        self.administer(|rows| {
            let absent = !rows.sealed.contains_key(name);
            if absent {
                rows.sealed.insert(name.to_owned(), sealed.to_vec());
            }
            absent
        })
        .await
    }

    async fn holds_sealed_rows(&self) -> Result<bool, StoreError> {
        self.administer(|rows| {
            let mut keys = rows.keys.values().flat_map(|records| &records.keys);
            let keys = keys.any(|key| !key.sealed_private_key.is_empty());
            let bookkeeping = !rows.sealed_sources.is_empty() || !rows.idempotent_answers.is_empty();
            keys || bookkeeping || !rows.sealed.is_empty()
        })
        .await
    }
}

impl Rows {
    pub(super) fn key_state(&self, tenant: &TenantId) -> Option<TenantKeys> {
        let state = self.state(tenant)?;
        let Schedule { due_at, previous_jwks } = self.schedules.get(tenant).cloned().unwrap_or_default();
        Some(TenantKeys {
            longest_token: state.longest_lifetime(),
            tenant: state.tenant,
            lifecycle: state.lifecycle,
            revision: state.revision,
            previous_tokens_until: state.previous_tokens_until,
            previous_jwks,
            due_at,
            records: self.keys(tenant),
        })
    }

    /// As requests are given them.
    pub(super) fn whole_keys(&self, tenant: &TenantId) -> KeyRecords {
        let KeyRecords { next, mut keys } = self.keys(tenant);
        keys.retain(|key| !key.sealed_private_key.is_empty());
        keys.iter_mut().for_each(|key| key.public_jwk = None);
        KeyRecords { next, keys }
    }

    pub(super) fn due_keys(&self, now: Timestamp) -> impl Iterator<Item = TenantId> {
        let live =
            |id: &TenantId| self.tenants.get(id).is_some_and(|row| row.state.lifecycle.deleted_at.is_none());
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

    pub(super) fn record_fetches(&mut self, fetches: &[VerifierFetch]) {
        let since = places_kept_since(fetches);
        let before = std::mem::take(&mut self.fetches);
        let merged = merged_fetches(&[&before, fetches].concat());
        for (tenant, _) in self.tenants.iter().filter(|(_, row)| row.state.lifecycle.deleted_at.is_none()) {
            let of_tenant = merged.iter().filter(|seen| seen.tenant == *tenant).cloned();
            let (mut kept, mut newcomers): (Vec<_>, Vec<_>) =
                of_tenant.partition(|seen| before.iter().any(|known| is_same(known, seen)));
            let has_place = |known: &&VerifierFetch| {
                known.last_fetch_at > since || fetches.iter().any(|seen| is_same(known, seen))
            };
            newcomers.sort_by_key(order);
            newcomers.truncate(KEPT_VERIFIERS.saturating_sub(kept.iter().filter(has_place).count()));
            kept.append(&mut newcomers);
            kept.sort_by_key(order);
            self.fetches.extend(kept.into_iter().take(KEPT_VERIFIERS));
        }
    }

    pub(super) fn fetches_of(&self, tenant: &TenantId) -> Vec<VerifierFetch> {
        self.fetches.iter().filter(|seen| seen.tenant == *tenant).cloned().collect()
    }

    pub(super) fn sealed_after(
        &self,
        after: Option<&SealedPlace>,
        now: Timestamp,
    ) -> BTreeMap<SealedPlace, Vec<u8>> {
        let keys = self.keys.iter().flat_map(|(tenant, records)| {
            let live = records.keys.iter().filter(|key| !key.sealed_private_key.is_empty());
            live.map(|key| (place(tenant, key), key.sealed_private_key.clone()))
        });
        let named =
            self.sealed.iter().map(|(name, sealed)| (SealedPlace::Named(name.clone()), sealed.clone()));
        let sources = self.generations.iter().filter_map(|generation| {
            let place = SealedPlace::Sources { generation: generation.number, content: generation.content };
            Some((place, self.sealed_sources.get(&generation.number)?.clone()))
        });
        let answers = self.idempotent_answers.iter().filter(|row| now < row.expires_at).map(|row| {
            let place = SealedPlace::IdempotentAnswer { tenant: row.tenant.clone(), key: row.key };
            (place, row.sealed.clone())
        });
        let all = keys.chain(named).chain(sources).chain(answers);
        all.filter(|(place, _)| after.is_none_or(|after| place > after)).collect()
    }

    pub(super) fn replace_sealed(&mut self, place: &SealedPlace, old: &[u8], new: &[u8]) -> bool {
        let sealed = match place {
            SealedPlace::Named(name) => self.sealed.get_mut(name),
            SealedPlace::Sources { generation, .. } => self.sealed_sources.get_mut(generation),
            SealedPlace::IdempotentAnswer { tenant, key } => {
                let mut rows = self.idempotent_answers.iter_mut();
                rows.find(|row| row.tenant == *tenant && row.key == *key).map(|row| &mut row.sealed)
            }
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

fn is_same(one: &VerifierFetch, other: &VerifierFetch) -> bool {
    (&one.tenant, &one.verifier) == (&other.tenant, &other.verifier)
}

/// Who came last, and of those who came at once the smaller names.
fn order(seen: &VerifierFetch) -> (Reverse<Timestamp>, String) {
    (Reverse(seen.last_fetch_at), seen.verifier.clone())
}

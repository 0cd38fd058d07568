//! Signing keys, and when a tenant's keys are to be looked at again.

use std::collections::{BTreeMap, BTreeSet};

use keys::life_cycle::KeyTimes;
use keys::{KeyId, KeyRecord};
use protocol::Timestamp;
use serde_json::{Value, json};
use tenancy::TenantId;

use super::{hex, seconds, span};
use crate::{Change, CommitRequest, KeyChangeKind};

/// What happens to signing keys and to the schedules of their tenants. A store writes it in the order of the members, after tenants and
/// before the deletions.
#[derive(Debug, Default)]
pub struct KeyRows {
    /// The counters of these tenants move, each once.
    pub taken: Vec<Value>,
    /// First keys, whose thumbprints are noted at their tenants.
    pub first: Vec<Value>,
    /// New keys, first ones too.
    pub added: Vec<Value>,
    /// Keys that get other times.
    pub times: Vec<Value>,
    /// Keys whose sealed bytes become none; the row stays.
    pub destroyed: Vec<Value>,
    /// Tenants whose keys are looked at now if they ever had one: what the lives of keys depend on is otherwise than it was.
    pub due_now: Vec<Value>,
    /// Tenants whose keys stay for tokens that may live longer from now on, as `keys::life_cycle::extend_retention` says.
    pub prolonged: Vec<Value>,
    /// When the keys of these tenants are looked at, first keys' included. One that is there is replaced, also by none.
    pub due: Vec<Value>,
}

impl KeyRows {
    pub(super) fn of(request: &CommitRequest) -> Self {
        let keys = &request.keys;
        let mut due: BTreeMap<&TenantId, Option<Timestamp>> =
            keys.due.iter().map(|(tenant, due_at)| (tenant, *due_at)).collect();
        due.extend(request.first_keys.iter().map(|(tenant, key)| (tenant, Some(key.active_from))));
        let of =
            |concerned: fn(&&Change) -> bool| request.changes.iter().filter(concerned).map(Change::tenant);
        let prolonged: BTreeSet<&TenantId> =
            of(|change| matches!(change, Change::Tenant(_) | Change::Client(_))).collect();
        let of_keys = of(|change| matches!(change, Change::Key(..)));
        let due_now: BTreeSet<&TenantId> =
            prolonged.iter().copied().chain(of_keys).filter(|tenant| !due.contains_key(tenant)).collect();
        let changed = || {
            request.changes.iter().filter_map(|change| match change {
                Change::Key(tenant, key) => Some((tenant, key)),
                _ => None,
            })
        };
        let destroyed = changed().filter(|(_, key)| key.kind == KeyChangeKind::Destroyed);
        let key_key =
            |tenant: &TenantId, id: KeyId| json!({ "tenant_id": tenant.as_str(), "number": id.number() });
        let added = || request.first_keys.iter().chain(&keys.added);
        let key = |tenant: &TenantId| json!({ "tenant_id": tenant.as_str() });
        Self {
            taken: taken_rows(added()),
            first: request.first_keys.iter().map(|(tenant, key)| key_row(tenant, key)).collect(),
            added: added().map(|(tenant, key)| key_row(tenant, key)).collect(),
            times: changed().filter_map(|(tenant, key)| Some(times_row(tenant, key.kind.times()?))).collect(),
            destroyed: destroyed.map(|(tenant, key)| key_key(tenant, key.id)).collect(),
            due_now: due_now.into_iter().map(key).collect(),
            prolonged: prolonged.into_iter().map(key).collect(),
            due: due.into_iter().map(|(tenant, due_at)| due_row(tenant, due_at)).collect(),
        }
    }
}

/// The later `earlier_jwks_until` counts, and the longer `earlier_jwks_age` unless the one in the row had an end that is not after the
/// time of the commit.
pub(super) fn previous_jwks_rows(request: &CommitRequest) -> Vec<Value> {
    let noted = request.tenant_metadata.iter().filter_map(|metadata| {
        let (age, until) = metadata.previous_jwks?;
        Some(json!({
            "tenant_id": metadata.tenant.as_str(),
            "earlier_jwks_age": span(age),
            "earlier_jwks_until": seconds(until),
        }))
    });
    noted.collect()
}

/// The numbers of a tenant's keys follow one another, as a complete commit has them.
fn taken_rows<'a>(added: impl Iterator<Item = &'a (TenantId, KeyRecord)>) -> Vec<Value> {
    let mut taken: BTreeMap<&TenantId, (KeyId, KeyId)> = BTreeMap::new();
    for (tenant, key) in added {
        taken.entry(tenant).or_insert((key.id, key.id)).1 = key.id;
    }
    taken.into_iter().map(|(tenant, (first, last))| taken_row(tenant, first, last)).collect()
}

/// A tenant's `next_key` moves from the first of these keys behind the last one, or the commit is stale.
#[must_use]
pub fn taken_row(tenant: &TenantId, first: KeyId, last: KeyId) -> Value {
    json!({
        "tenant_id": tenant.as_str(),
        "expected_next_key": first.number(),
        "next_key": last.number().saturating_add(1),
    })
}

/// The row of a new key.
#[must_use]
pub fn key_row(tenant: &TenantId, key: &KeyRecord) -> Value {
    json!({
        "tenant_id": tenant.as_str(),
        "number": key.id.number(),
        "algorithm": key.algorithm.as_str(),
        "sealed_private_key": hex(&key.sealed_private_key),
        "thumbprint": key.thumbprint,
        "announced_at": seconds(key.announced_at),
        "active_from": seconds(key.active_from),
        "retiring_from": key.retiring_from.map(seconds),
        "removed_at": key.removed_at.map(seconds),
    })
}

fn times_row(tenant: &TenantId, times: &KeyTimes) -> Value {
    json!({
        "tenant_id": tenant.as_str(),
        "number": times.id.number(),
        "active_from": seconds(times.active_from),
        "retiring_from": times.retiring_from.map(seconds),
        "removed_at": times.removed_at.map(seconds),
    })
}

/// When the keys of a tenant are due.
#[must_use]
pub fn due_row(tenant: &TenantId, due_at: Option<Timestamp>) -> Value {
    json!({ "tenant_id": tenant.as_str(), "due_at": due_at.map(seconds) })
}

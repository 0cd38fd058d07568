//! Signing keys, and when a tenant's keys are to be looked at again.

use std::collections::{BTreeMap, BTreeSet};

use keys::KeyRecord;
use keys::life_cycle::KeyTimes;
use protocol::Timestamp;
use serde::Serialize;
use tenancy::TenantId;

use super::{TenantKey, hex, seconds, span};
use crate::{Change, CommitRequest};

/// What happens to signing keys and to the schedules of their tenants. A store writes it in the order of the members, after tenants and
/// before the deletions.
#[derive(Debug, Default)]
pub struct KeyRows<'a> {
    /// The counters of these tenants move, each once.
    pub taken: Vec<TakenRow<'a>>,
    /// First keys, whose thumbprints are noted at their tenants.
    pub first: Vec<KeyRow<'a>>,
    /// New keys, first ones too.
    pub added: Vec<KeyRow<'a>>,
    /// Keys that get other times.
    pub times: Vec<KeyTimesRow<'a>>,
    /// Keys whose sealed bytes become none; the row stays.
    pub destroyed: Vec<KeyKey<'a>>,
    /// Tenants whose keys are looked at now if they ever had one: what the lives of keys depend on is otherwise than it was.
    pub due_now: Vec<TenantKey<'a>>,
    /// Tenants whose keys stay for tokens that may live longer from now on, as `keys::life_cycle::extend_retention` says.
    pub prolonged: Vec<TenantKey<'a>>,
    /// When the keys of these tenants are looked at, first keys' included. One that is there is replaced, also by none.
    pub due: Vec<DueRow<'a>>,
}

/// A tenant's `next_key` moves from the one number to the other, or the commit is superseded.
#[expect(missing_docs, reason = "the columns are described in the migrations")]
#[derive(Debug, Serialize)]
pub struct TakenRow<'a> {
    pub tenant_id: &'a str,
    pub expected_next_key: u32,
    pub next_key: u32,
}

/// A row of `signing_keys`.
#[expect(missing_docs, reason = "the columns are described in the migrations")]
#[derive(Debug, Serialize)]
pub struct KeyRow<'a> {
    pub tenant_id: &'a str,
    pub number: u32,
    pub algorithm: &'a str,
    /// In hexadecimal digits.
    pub sealed_private_key: String,
    pub thumbprint: &'a str,
    pub announced_at: i64,
    pub active_from: i64,
    pub retiring_from: Option<i64>,
    pub removed_at: Option<i64>,
}

/// The times of a key that is there.
#[expect(missing_docs, reason = "the columns are described in the migrations")]
#[derive(Debug, Serialize)]
pub struct KeyTimesRow<'a> {
    pub tenant_id: &'a str,
    pub number: u32,
    pub active_from: i64,
    pub retiring_from: Option<i64>,
    pub removed_at: Option<i64>,
}

/// Which key.
#[expect(missing_docs, reason = "the columns are described in the migrations")]
#[derive(Debug, Serialize)]
pub struct KeyKey<'a> {
    pub tenant_id: &'a str,
    pub number: u32,
}

/// The time of a row of `key_schedules`.
#[expect(missing_docs, reason = "the columns are described in the migrations")]
#[derive(Debug, Serialize)]
pub struct DueRow<'a> {
    pub tenant_id: &'a str,
    pub due_at: Option<i64>,
}

/// What a row of `key_schedules` says of an earlier policy. The later `earlier_jwks_until` counts, and the longer
/// `earlier_jwks_age` unless the one that is there had an end that is not after the time of the commit.
#[expect(missing_docs, reason = "the columns are described in the migrations")]
#[derive(Debug, Serialize)]
pub struct PreviousJwksRow<'a> {
    pub tenant_id: &'a str,
    pub earlier_jwks_age: i64,
    pub earlier_jwks_until: i64,
}

impl<'a> KeyRows<'a> {
    pub(super) fn of(request: &'a CommitRequest) -> Self {
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
        let added = || request.first_keys.iter().chain(&keys.added);
        let key = |tenant: &'a TenantId| TenantKey { tenant_id: tenant.as_str() };
        Self {
            taken: taken_rows(added()),
            first: request.first_keys.iter().map(|(tenant, key)| key_row(tenant, key)).collect(),
            added: added().map(|(tenant, key)| key_row(tenant, key)).collect(),
            times: keys.times.iter().map(|(tenant, times)| times_row(tenant, times)).collect(),
            destroyed: keys
                .destroyed
                .iter()
                .map(|(tenant, id)| KeyKey { tenant_id: tenant.as_str(), number: id.number() })
                .collect(),
            due_now: due_now.into_iter().map(key).collect(),
            prolonged: prolonged.into_iter().map(key).collect(),
            due: due.into_iter().map(due_row).collect(),
        }
    }
}

pub(super) fn previous_jwks_rows(request: &CommitRequest) -> Vec<PreviousJwksRow<'_>> {
    let noted = request
        .tenant_metadata
        .iter()
        .filter_map(|metadata| Some((&metadata.tenant, metadata.previous_jwks?)));
    noted
        .map(|(tenant, (age, until))| PreviousJwksRow {
            tenant_id: tenant.as_str(),
            earlier_jwks_age: span(age),
            earlier_jwks_until: seconds(until),
        })
        .collect()
}

/// The numbers of a tenant's keys follow one another, as a complete commit has them.
fn taken_rows<'a>(added: impl Iterator<Item = &'a (TenantId, KeyRecord)>) -> Vec<TakenRow<'a>> {
    let mut taken: BTreeMap<&TenantId, TakenRow<'_>> = BTreeMap::new();
    for (tenant, key) in added {
        let (number, next_key) = (key.id.number(), key.id.number().saturating_add(1));
        let row = TakenRow { tenant_id: tenant.as_str(), expected_next_key: number, next_key };
        taken.entry(tenant).or_insert(row).next_key = next_key;
    }
    taken.into_values().collect()
}

/// The row of a new key.
#[must_use]
pub fn key_row<'a>(tenant: &'a TenantId, key: &'a KeyRecord) -> KeyRow<'a> {
    KeyRow {
        tenant_id: tenant.as_str(),
        number: key.id.number(),
        algorithm: key.algorithm.as_str(),
        sealed_private_key: hex(&key.sealed_private_key),
        thumbprint: &key.thumbprint,
        announced_at: seconds(key.announced_at),
        active_from: seconds(key.active_from),
        retiring_from: key.retiring_from.map(seconds),
        removed_at: key.removed_at.map(seconds),
    }
}

fn times_row<'a>(tenant: &'a TenantId, times: &KeyTimes) -> KeyTimesRow<'a> {
    KeyTimesRow {
        tenant_id: tenant.as_str(),
        number: times.id.number(),
        active_from: seconds(times.active_from),
        retiring_from: times.retiring_from.map(seconds),
        removed_at: times.removed_at.map(seconds),
    }
}

fn due_row((tenant, due_at): (&TenantId, Option<Timestamp>)) -> DueRow<'_> {
    DueRow { tenant_id: tenant.as_str(), due_at: due_at.map(seconds) }
}

//! A tenant's sealed signing keys. A new key must have the tenant's next number, so one statement compares
//! and increments the counter.

use std::sync::Arc;

use administration::kinds::Invalidation;
use async_trait::async_trait;
use keys::{KeyId, KeyRecord, KeyRecords, Kid, SigningKeyStore};
use serde_json::{Value, json};
use tenancy::{Stored, TenantId};
use values::Lifetime;

use crate::database::Database;
use crate::error::{Error, repeated};
use crate::key_schedules::{SCHEDULE, due_row};
use crate::rows::longest_token;
use crate::statement::Statement;
use crate::transaction::TransactionPurpose;

/// Selects the counter and the age of JWKS copies with each key, or alone if there is no key. Both come from
/// one statement, because a replica with keys from before a change must not combine them with an age from
/// after the change.
macro_rules! select {
    ($condition:literal) => {
        concat!(
            "SELECT t.next_key, t.jwks_max_age + {setting(signing.jwks_stale)} AS copies_kept, {columns(k)}
               FROM tenants t LEFT JOIN signing_keys k ON k.tenant_id = t.tenant_id ",
            $condition,
            " WHERE t.tenant_id = {tenant}
              ORDER BY k.number"
        )
    };
}

/// All keys that the tenant ever had, for administration.
pub(crate) const SELECT: &str = select!("");

/// Only the keys that a request may need. Their number is small, even if the tenant has had many keys.
pub(crate) const SELECT_WHOLE: &str = select!("AND k.sealed_private_key <> {empty_bytes}");

pub(crate) const SELECT_ONE: &str = "SELECT {columns(k)} FROM signing_keys k
      WHERE k.tenant_id = {tenant} AND COALESCE(k.kid, 'oauth2-key-' || k.number) = $2";

/// Reads across tenants on purpose: a private key must belong to only one tenant. A trigger fills the table.
pub(crate) const OWNERS: &str = "
    SELECT thumbprint, tenant_id FROM key_thumbprints WHERE thumbprint IN (SELECT value FROM {elements($1)})";

pub(crate) const TAKE_NUMBERS: &str = "
    UPDATE tenants AS t SET next_key = given.next_key
      FROM {given(tenant_id text, expected_next_key bigint, next_key bigint)}
     WHERE t.tenant_id = given.tenant_id AND t.next_key = given.expected_next_key AND t.deleted_at IS NULL";

pub(crate) const SET_FIRST_THUMBPRINTS: &str = "
    UPDATE tenants AS t SET first_key_thumbprint = given.thumbprint
      FROM {given}
     WHERE t.tenant_id = given.tenant_id";

pub(crate) const INSERT: &str = "INSERT INTO signing_keys ({names}) SELECT {names} FROM {given}";

pub(crate) const SET_TIMES: &str = "
    UPDATE signing_keys AS k
       SET active_from = given.active_from, retiring_from = given.retiring_from, removed_at = given.removed_at,
           shown_announced_at = given.shown_announced_at, shown_active_from = given.shown_active_from,
           shown_retiring_from = given.shown_retiring_from, shown_removed_at = given.shown_removed_at
      FROM {given}
     WHERE k.tenant_id = given.tenant_id AND k.number = given.number";

pub(crate) const DESTROY: &str = "
    UPDATE signing_keys AS k SET sealed_private_key = {empty_bytes}
      FROM {given(tenant_id text, number bigint)}
     WHERE k.tenant_id = given.tenant_id AND k.number = given.number";

/// Does the same as `keys::life_cycle::extend_retention`. Must run after the tenants and clients are written,
/// because tokens with a longer lifetime can be issued immediately, before the next step of the life cycle.
/// Does not bring back keys that a command removed.
pub(crate) const EXTEND_RETENTION: &str = concat!(
    "UPDATE signing_keys AS k
        SET removed_at = k.retiring_from + policy.retention
       FROM (SELECT t.tenant_id, ",
    longest_token!(),
    " + t.skew + t.jwks_max_age AS retention
               FROM {given} {join} tenants t ON t.tenant_id = given.tenant_id
              WHERE t.next_key > 1) AS policy
      WHERE k.tenant_id = policy.tenant_id AND k.removed_at > $2 AND k.retiring_from < k.removed_at
        AND k.removed_at < k.retiring_from + policy.retention"
);

#[async_trait]
impl SigningKeyStore for Database {
    async fn find_keys(&self, tenant: &TenantId) -> Stored<Arc<KeyRecords>> {
        let rows = self.look_up(Statement::from_text(SELECT_WHOLE).bind(tenant)).await?;
        let mut records = key_records(rows);
        records.keys.iter_mut().for_each(|key| key.public_jwk = None);
        Ok(Arc::new(records))
    }

    async fn find_key(&self, tenant: &TenantId, kid: Kid) -> Stored<Option<KeyRecord>> {
        Ok(self.look_up(Statement::from_text(SELECT_ONE).bind(tenant).bind(&*kid.to_string())).await?.pop())
    }

    async fn add_key(&self, tenant: &TenantId, key: &KeyRecord) -> Stored<bool> {
        Ok(repeated!(add(self, tenant, key))?)
    }
}

async fn add(database: &Database, tenant: &TenantId, key: &KeyRecord) -> Result<bool, Error> {
    let mut transaction = database.begin(TransactionPurpose::WritesOf(tenant)).await?;
    let at = key.announced_at;
    if transaction.write(TAKE_NUMBERS, &[taken_row(tenant, key.id, key.id)], at).await? == 0 {
        return Ok(false);
    }
    match transaction.write(INSERT, &[(tenant, key)], at).await {
        // Another tenant has or had the same key.
        Err(error) if error.is_stale() => return Ok(false),
        inserted => inserted?,
    };
    // Makes the scheduler handle the tenant when the key starts to sign.
    transaction.write(SCHEDULE, &[due_row(tenant, Some(key.active_from))], at).await?;
    transaction.log(&[Invalidation::Keys(tenant.clone())], at).await?;
    transaction.commit().await?;
    Ok(true)
}

/// All keys of one tenant. Empty for a tenant that does not exist.
pub(crate) fn key_records(rows: Vec<(KeyId, Lifetime, Option<KeyRecord>)>) -> KeyRecords {
    let of_none = (KeyId::numbered(1), Lifetime::from_seconds(0));
    let (next, copies_kept) = rows.first().map_or(of_none, |(next, kept, _)| (*next, *kept));
    KeyRecords { next, copies_kept, keys: rows.into_iter().filter_map(|(.., key)| key).collect() }
}

/// Increments the tenant's `next_key` from the first of the new keys to the number after the last. If
/// `next_key` is different, the commit is stale.
pub(crate) fn taken_row(tenant: &TenantId, first: KeyId, last: KeyId) -> Value {
    let (first, next) = (first.number(), last.number().saturating_add(1));
    json!({ "tenant_id": tenant.as_str(), "expected_next_key": first, "next_key": next })
}

//! A tenant's sealed keys. A new one takes the tenant's next number or none: the counter is compared and moved in one statement.

use std::sync::Arc;

use administration::Invalidation;
use administration::rows::{KeyRows, due_row, key_row, log_row, taken_row};
use async_trait::async_trait;
use keys::{KeyRecord, KeyRecords, SigningKeyStore};
use tenancy::{StoreError, TenantId};

use crate::change_log::LOG;
use crate::commit::{CommitError, CommitWriter};
use crate::database::{Database, Purpose};
use crate::error::store_error;
use crate::key_schedules::SCHEDULE;
use crate::rows::{CountedKeyRow, key_records};
use crate::statement::Statement;
use crate::tenants::longest_token;

/// The counter beside each key, and alone where there is none.
macro_rules! select {
    ($condition:literal) => {
        concat!(
            "SELECT t.next_key, k.number, k.algorithm, k.sealed_private_key, k.thumbprint, k.announced_at, k.active_from,
                    k.retiring_from, k.removed_at
               FROM tenants t LEFT JOIN signing_keys k ON k.tenant_id = t.tenant_id ",
            $condition,
            " WHERE t.tenant_id = {tenant}
              ORDER BY k.number"
        )
    };
}

/// All that a tenant ever had, for administration.
pub(crate) const SELECT: &str = select!("");

/// Those that a request may need, of which there are few however often a tenant's keys have followed each other.
pub(crate) const SELECT_WHOLE: &str = select!("AND k.sealed_private_key <> {empty_bytes}");

/// Across tenants on purpose: a private key belongs to one tenant of the whole platform. A trigger writes the owners.
pub(crate) const OWNERS: &str = "
    SELECT thumbprint, tenant_id FROM key_thumbprints WHERE thumbprint IN (SELECT value FROM {elements($1)})";

pub(crate) const TAKE_NUMBERS: &str = "
    UPDATE tenants AS t SET next_key = given.next_key
      FROM {given(tenant_id text, expected_next_key bigint, next_key bigint)}
     WHERE t.tenant_id = given.tenant_id AND t.next_key = given.expected_next_key AND t.deleted_at IS NULL";

const SET_FIRST_THUMBPRINTS: &str = "
    UPDATE tenants AS t SET first_key_thumbprint = given.thumbprint
      FROM {given(tenant_id text, thumbprint text)}
     WHERE t.tenant_id = given.tenant_id";

pub(crate) const INSERT: &str = "
    INSERT INTO signing_keys (tenant_id, number, algorithm, sealed_private_key, thumbprint, announced_at,
                              active_from, retiring_from, removed_at)
    SELECT tenant_id, number, algorithm, sealed_private_key, thumbprint, announced_at, active_from, retiring_from,
           removed_at
      FROM {given(tenant_id text, number bigint, algorithm text, sealed_private_key bytea, thumbprint text,
                  announced_at bigint, active_from bigint, retiring_from bigint, removed_at bigint)}";

pub(crate) const SET_TIMES: &str = "
    UPDATE signing_keys AS k
       SET active_from = given.active_from, retiring_from = given.retiring_from, removed_at = given.removed_at
      FROM {given(tenant_id text, number bigint, active_from bigint, retiring_from bigint, removed_at bigint)}
     WHERE k.tenant_id = given.tenant_id AND k.number = given.number";

pub(crate) const DESTROY: &str = "
    UPDATE signing_keys AS k SET sealed_private_key = {empty_bytes}
      FROM {given(tenant_id text, number bigint)}
     WHERE k.tenant_id = given.tenant_id AND k.number = given.number";

/// As `keys::life_cycle::extend_retention`, and after everything that it depends on: tokens of a longer lifetime are issued from now on,
/// whenever the next step is taken. Keys that a command removed stay removed.
pub(crate) const EXTEND_RETENTION: &str = concat!(
    "UPDATE signing_keys AS k
        SET removed_at = k.retiring_from + policy.retention
       FROM (SELECT t.tenant_id, ",
    longest_token!(),
    " + t.skew + t.jwks_max_age AS retention
               FROM {given(tenant_id text)} {join} tenants t ON t.tenant_id = given.tenant_id
              WHERE t.next_key > 1) AS policy
      WHERE k.tenant_id = policy.tenant_id AND k.removed_at > $2 AND k.retiring_from < k.removed_at
        AND k.removed_at < k.retiring_from + policy.retention"
);

#[async_trait]
impl SigningKeyStore for Database {
    async fn find_keys(&self, tenant: &TenantId) -> Result<Arc<KeyRecords>, StoreError> {
        let rows: Vec<CountedKeyRow> = self.look_up(Statement::of(SELECT_WHOLE).bind(tenant)).await?;
        key_records(rows).map(Arc::new)
    }

    async fn add_key(&self, tenant: &TenantId, key: &KeyRecord) -> Result<bool, StoreError> {
        add(self, tenant, key).await.map_err(store_error)
    }
}

async fn add(database: &Database, tenant: &TenantId, key: &KeyRecord) -> Result<bool, sqlx::Error> {
    let mut transaction = database.begin(Purpose::WritesOf(tenant)).await?;
    let at = key.announced_at;
    if transaction.write(TAKE_NUMBERS, &[taken_row(tenant, key.id, key.id)], at).await? == 0 {
        return Ok(false);
    }
    match transaction.write(INSERT, &[key_row(tenant, key)], at).await {
        // Another tenant has, or had, the same key.
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => return Ok(false),
        inserted => inserted?,
    };
    // The scheduler finds the tenant by this when the key begins to sign.
    transaction.write(SCHEDULE, &[due_row(tenant, Some(key.active_from))], at).await?;
    // The log last: its lock is shared by all tenants, and a transaction that has it waits for no row.
    transaction.write(LOG, &[log_row(&Invalidation::Keys(tenant.clone()))], at).await?;
    transaction.commit().await?;
    Ok(true)
}

impl CommitWriter<'_> {
    pub(crate) async fn keys(&mut self, keys: &KeyRows) -> Result<(), CommitError> {
        self.all(TAKE_NUMBERS, &keys.taken).await?;
        self.all(SET_FIRST_THUMBPRINTS, &keys.first).await?;
        self.all(INSERT, &keys.added).await?;
        self.all(SET_TIMES, &keys.times).await?;
        self.all(DESTROY, &keys.destroyed).await?;
        self.each(EXTEND_RETENTION, &keys.prolonged).await?;
        self.key_schedules(keys).await
    }
}

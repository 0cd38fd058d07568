//! All sealed values that can be sealed again, kind by kind: private keys, values of the installation,
//! sources of generations, answers to idempotency keys. A change of the sealing key reads them across
//! tenants. A value that another process sealed meanwhile is never overwritten.

use std::sync::atomic::Ordering;

use administration::{SealedItems, SealedPlace, TENANT_KEY};
use async_trait::async_trait;
use keys::KeyId;
use tenancy::{Stored, TenantId};
use values::Timestamp;

use crate::database::Database;
use crate::statement::Statement;
use crate::transaction::TransactionPurpose;

/// Includes the time by the clock of the store, which the health check compares with its own clock: it reads
/// the pepper once a second. So it finds within a second, too, that a session has another role.
const FIND: &str = "SELECT sealed, {now} AS store_clock FROM sealed_values WHERE name = $1";

const PUT: &str = "
    INSERT INTO sealed_values (name, sealed, created_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING";

/// Keys that were destroyed hold nothing.
const HOLDS: &str = "
    SELECT EXISTS (SELECT 1 FROM sealed_values)
        OR EXISTS (SELECT 1 FROM signing_keys WHERE sealed_private_key <> {empty_bytes})
        OR EXISTS (SELECT 1 FROM idempotent_answers)
        OR EXISTS (SELECT 1 FROM generations WHERE sealed_sources IS NOT NULL)";

pub(crate) const KEYS: &str = "
    SELECT tenant_id, number, kid, algorithm, sealed_private_key FROM signing_keys
     WHERE (tenant_id, number) > ($1, $2) AND sealed_private_key <> {empty_bytes}
     ORDER BY tenant_id, number LIMIT $3";

pub(crate) const VALUES: &str = "
    SELECT name, sealed FROM sealed_values WHERE name > $1 ORDER BY name LIMIT $2";

/// A blank comes right before `!`, so these are the names that begin so.
pub(crate) const TENANT_KEYS: &str = "
    SELECT name, sealed FROM sealed_values WHERE name > 'tenant key ' AND name < 'tenant key!' ORDER BY name";

/// Deletes the keys of deleted tenants. A key of a tenant that does not exist yet is about to be imported.
const FORGET_TENANT_KEYS: &str = "
    DELETE FROM sealed_values
     WHERE name > 'tenant key ' AND name < 'tenant key!'
       AND EXISTS (SELECT 1 FROM tenants t WHERE t.tenant_id = substr(sealed_values.name, 12) AND t.deleted_at IS NOT NULL)";

/// Reads one at a time: there are few of them, and they may be large.
pub(crate) const SOURCES: &str = "
    SELECT number, content, sealed_sources FROM generations
     WHERE number > $1 AND sealed_sources IS NOT NULL
     ORDER BY number LIMIT 1";

pub(crate) const ANSWERS: &str = "
    SELECT tenant_id, key, sealed FROM idempotent_answers
     WHERE (tenant_id, key) > ($1, $2) AND expires_at > $4
     ORDER BY tenant_id, key LIMIT $3";

const REPLACE_KEY: &str = "
    UPDATE signing_keys SET sealed_private_key = $5
     WHERE tenant_id = $1 AND number = $2 AND algorithm = $3 AND sealed_private_key = $4";

const REPLACE_VALUE: &str = "UPDATE sealed_values SET sealed = $3 WHERE name = $1 AND sealed = $2";

const REPLACE_SOURCES: &str = "
    UPDATE generations SET sealed_sources = $3 WHERE number = $1 AND sealed_sources = $2";

const REPLACE_ANSWER: &str = "
    UPDATE idempotent_answers SET sealed = $4 WHERE tenant_id = $1 AND key = $2 AND sealed = $3";

/// Uses the clock of the store, because the time only decides when the line is removed.
const LOG: &str = "INSERT INTO change_log (kind, tenant_id, changed_at) VALUES ('keys', $1, {now})";

type Sealed = (SealedPlace, Vec<u8>);

/// Deletes the keys of digests of deleted tenants.
pub(crate) fn forget_tenant_keys() -> Statement {
    Statement::from_text(FORGET_TENANT_KEYS)
}

#[async_trait]
impl SealedItems for Database {
    async fn list_sealed(
        &self,
        after: Option<&SealedPlace>,
        limit: u32,
        now: Timestamp,
    ) -> Stored<Vec<Sealed>> {
        // After which row of each kind the page begins; absent is a kind that the place is behind.
        let (mut key, mut name, mut generation) = (Some(("", 0)), Some(""), Some(0));
        let mut answer = ("", [].as_slice());
        match after {
            None => {}
            Some(SealedPlace::SigningKey { tenant, id, .. }) => key = Some((tenant.as_str(), id.number())),
            Some(SealedPlace::Named(after)) => (key, name) = (None, Some(after.as_str())),
            Some(SealedPlace::Sources { generation: after, .. }) => {
                (key, name, generation) = (None, None, Some(*after));
            }
            Some(SealedPlace::IdempotentAnswer { tenant, key: after }) => {
                (key, name, generation, answer) = (None, None, None, (tenant.as_str(), after.as_slice()));
            }
        }
        let mut page = Vec::new();
        if let Some((tenant, number)) = key {
            let rows = self.read(Statement::from_text(KEYS).bind(tenant).bind(number).bind(limit)).await?;
            let of_row = |(tenant, number, kid, algorithm, sealed): (_, _, Option<String>, _, _)| {
                let id = KeyId::stored(number, kid.as_deref()).unwrap_or(KeyId::numbered(number));
                (SealedPlace::SigningKey { tenant, id, algorithm }, sealed)
            };
            page = rows.into_iter().map(of_row).collect();
        }
        if let Some(after) = name.filter(|_| page.is_empty()) {
            let rows = self.read(Statement::from_text(VALUES).bind(after).bind(limit)).await?;
            page = rows.into_iter().map(|(name, sealed)| (SealedPlace::Named(name), sealed)).collect();
        }
        if let Some(after) = generation.filter(|_| page.is_empty()) {
            let rows = self.read(Statement::from_text(SOURCES).bind(after)).await?;
            let of_row =
                |(generation, content, sealed)| (SealedPlace::Sources { generation, content }, sealed);
            page = rows.into_iter().map(of_row).collect();
        }
        if page.is_empty() {
            let (tenant, key) = answer;
            let rows =
                self.read(Statement::from_text(ANSWERS).bind(tenant).bind(key).bind(limit).bind(now)).await?;
            let of_row = |(tenant, key, sealed)| (SealedPlace::IdempotentAnswer { tenant, key }, sealed);
            page = rows.into_iter().map(of_row).collect();
        }
        Ok(page)
    }

    /// Caches hold a key as it is sealed, so a replaced key is logged. A destroyed key has no bytes, so it
    /// stays destroyed.
    async fn replace_sealed(&self, place: &SealedPlace, old: &[u8], new: &[u8]) -> Stored<bool> {
        if old.is_empty() {
            return Ok(false);
        }
        let (replace, owner) = match place {
            SealedPlace::SigningKey { tenant, id, algorithm } => {
                let of_key = Statement::from_text(REPLACE_KEY).bind(tenant).bind(id.number());
                (of_key.bind(algorithm.as_str()), Some(tenant))
            }
            SealedPlace::Named(name) => (Statement::from_text(REPLACE_VALUE).bind(name.as_str()), None),
            SealedPlace::Sources { generation, .. } => {
                (Statement::from_text(REPLACE_SOURCES).bind(*generation), None)
            }
            SealedPlace::IdempotentAnswer { tenant, key } => {
                (Statement::from_text(REPLACE_ANSWER).bind(tenant).bind(key.as_slice()), None)
            }
        };
        let mut transaction = self.begin(TransactionPurpose::Writes).await?;
        let replaced = transaction.execute(&replace.bind(old).bind(new)).await? > 0;
        if let Some(tenant) = owner.filter(|_| replaced) {
            transaction.execute(&Statement::from_text(LOG).bind(tenant)).await?;
        }
        transaction.commit().await?;
        Ok(replaced)
    }

    async fn find_sealed(&self, name: &str) -> Stored<Option<Vec<u8>>> {
        let found: Option<(Vec<u8>, Timestamp)> = self.first(Statement::from_text(FIND).bind(name)).await?;
        Ok(found.map(|(sealed, store_clock)| {
            self.store_clock.store(store_clock.seconds(), Ordering::Relaxed);
            sealed
        }))
    }

    async fn put_sealed_if_absent(&self, name: &str, sealed: &[u8], now: Timestamp) -> Stored<bool> {
        Ok(self.write(Statement::from_text(PUT).bind(name).bind(sealed).bind(now)).await? > 0)
    }

    async fn tenant_keys(&self) -> Stored<Vec<(TenantId, Vec<u8>)>> {
        let rows: Vec<(String, Vec<u8>)> = self.read(Statement::from_text(TENANT_KEYS)).await?;
        let named = rows.into_iter().filter_map(|(name, sealed)| {
            Some((TenantId::parse(name.strip_prefix(TENANT_KEY)?).ok()?, sealed))
        });
        Ok(named.collect())
    }

    async fn holds_sealed_rows(&self) -> Stored<bool> {
        Ok(self.scalar(Statement::from_text(HOLDS)).await?.unwrap_or(false))
    }
}

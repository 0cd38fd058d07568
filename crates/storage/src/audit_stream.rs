//! The audit stream: the chain of each tenant, and the salts of the digests in its lines.

use accounts::AccountId;
use administration::audit::AuditRecord;
use administration::audit::audit_stream::{AuditChain, AuditSalt};
use administration::store::AuditStream;
use async_trait::async_trait;
use serde_json::{Value, json};
use tenancy::{Stored, TenantId};

use crate::column::ColumnValue as _;
use crate::columns::{columns, given};
use crate::database::Database;
use crate::statement::Statement;
use crate::transaction::TransactionPurpose;

/// Reads across tenants on purpose: one process writes the audit lines of all tenants. The key gives a
/// tenant's largest position without a scan of its records.
pub(crate) const UNWRITTEN: &str = "
    SELECT t.tenant_id FROM tenants t LEFT JOIN audit_chains c ON c.tenant_id = t.tenant_id
     WHERE t.tenant_id > $1
       AND (c.pending <> '' OR COALESCE(c.position, 0) <
                (SELECT MAX(r.position) FROM audit_records r WHERE r.tenant_id = t.tenant_id))
     ORDER BY t.tenant_id LIMIT $2";

const CHAIN: &str = "SELECT {columns(c)} FROM audit_chains c WHERE c.tenant_id = {tenant}";

const AFTER: &str = "
    SELECT {columns(r)} FROM audit_records r
     WHERE r.tenant_id = {tenant} AND r.position > $2 ORDER BY r.position LIMIT $3";

const ADD: &str = "
    INSERT INTO audit_chains AS known ({names}) SELECT {names} FROM {given} WHERE TRUE
    ON CONFLICT (tenant_id) DO UPDATE SET {updates}
     WHERE known.chain = $3 AND known.sequence = $2 AND known.pending = ''";

/// The row lock delays a concurrent deletion of personal texts until the deletion can see the new salt.
/// Records of a deleted person have no address any more and get no salt.
const ADD_SALTS: &str = "
    INSERT INTO audit_salts (tenant_id, position, salt)
    SELECT r.tenant_id, r.position, given.salt
      FROM {given(tenant_id text, position bigint, salt bytea)}
           {join} audit_records r ON r.tenant_id = given.tenant_id AND r.position = given.position
     WHERE r.source IS NOT NULL OR r.actor NOT LIKE 'account:%' {for_share(r)}";

const WRITTEN: &str = "
    UPDATE audit_chains SET pending = '' WHERE tenant_id = $1 AND chain = $2 AND sequence = $3";

pub(crate) const TO_ERASE: &str = "
    SELECT tenant_id, account_id FROM accounts
     WHERE deleted_at IS NOT NULL AND (erased_at IS NULL OR erased_at <> deleted_at)
     ORDER BY tenant_id, account_id LIMIT $1";

/// Selects the keys of records about actions of these people. People of the platform also act in other
/// tenants. People of a tenant act only in their own tenant.
macro_rules! of_people {
    () => {
        "(SELECT r.tenant_id, r.position
            FROM {given} {join} audit_records r
                 ON r.actor = 'account:' || given.account_id AND r.actor LIKE 'account:%'
           WHERE given.tenant_id IN (r.tenant_id, 'platform'))"
    };
}

const ERASE_SOURCES: &str = concat!(
    "UPDATE audit_records SET source = NULL
      WHERE source IS NOT NULL AND (tenant_id, position) IN ",
    of_people!()
);

const ERASE_SALTS: &str = concat!("DELETE FROM audit_salts WHERE (tenant_id, position) IN ", of_people!());

const ERASED: &str = "
    UPDATE accounts SET erased_at = deleted_at
      FROM {given} WHERE accounts.tenant_id = given.tenant_id AND accounts.account_id = given.account_id";

/// The maximum number of people whose records one transaction changes.
const AT_ONCE: u32 = 100;

columns! {
    AuditChain { chain, position, sequence, digest, pending }
}

#[async_trait]
impl AuditStream for Database {
    async fn find_unwritten_audit(&self, after: Option<&TenantId>, limit: u32) -> Stored<Vec<TenantId>> {
        let after = after.map_or("", TenantId::as_str);
        Ok(self.read(Statement::from_text(UNWRITTEN).bind(after).bind(limit)).await?)
    }

    async fn find_audit_chain(&self, tenant: &TenantId) -> Stored<Option<AuditChain>> {
        Ok(self.first(Statement::from_text(CHAIN).bind(tenant)).await?)
    }

    async fn list_audit_after(
        &self,
        tenant: &TenantId,
        position: i64,
        limit: u32,
    ) -> Stored<Vec<(i64, AuditRecord)>> {
        Ok(self.read(Statement::from_text(AFTER).bind(tenant).bind(position).bind(limit)).await?)
    }

    async fn add_audit_lines(
        &self,
        tenant: &TenantId,
        chain: &AuditChain,
        (previous, after): (&str, u64),
        salts: &[(i64, AuditSalt)],
    ) -> Stored<bool> {
        let add = Statement::writing::<(TenantId, AuditChain)>(ADD);
        let salt = |(position, salt): &(i64, AuditSalt)| json!({ "tenant_id": tenant.as_str(), "position": position, "salt": salt.json() });
        let salts: Vec<Value> = salts.iter().map(salt).collect();
        let mut transaction = self.begin(TransactionPurpose::Writes).await?;
        if transaction.execute(&add.bind(given(&[(tenant, chain)])).bind(after).bind(previous)).await? == 0 {
            return Ok(false);
        }
        transaction.execute(&Statement::writing::<Value>(ADD_SALTS).bind(given(&salts))).await?;
        transaction.commit().await?;
        Ok(true)
    }

    async fn note_written_audit(&self, tenant: &TenantId, chain: &AuditChain) -> Stored<()> {
        let written = Statement::from_text(WRITTEN).bind(tenant.as_str());
        self.write(written.bind(chain.chain.as_str()).bind(chain.sequence)).await?;
        Ok(())
    }

    async fn erase_deleted_people(&self) -> Stored<u64> {
        let people: Vec<(TenantId, AccountId)> =
            self.read(Statement::from_text(TO_ERASE).bind(AT_ONCE)).await?;
        if people.is_empty() {
            return Ok(0);
        }
        let mut transaction = self.begin(TransactionPurpose::Writes).await?;
        for text in [ERASE_SOURCES, ERASE_SALTS, ERASED] {
            let erase = Statement::writing::<(TenantId, AccountId)>(text).bind(given(&people));
            transaction.execute(&erase).await?;
        }
        transaction.commit().await?;
        Ok(people.len() as u64)
    }
}

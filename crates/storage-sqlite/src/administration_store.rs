//! What administration asks: states, generations, sealed values, the log of changes. Writing a plan is in `commit`.

use administration::{
    AdministrationStore, CommitOutcome, CommitRequest, Fingerprint, Generation, Invalidation, TenantState,
    TenantSummary,
};
use async_trait::async_trait;
use protocol::Timestamp;
use tenancy::{Issuer, StoreError, TenantId};

use crate::SqliteDatabase;
use crate::administration_row::{ChangeRow, SummaryRow, tenant_id};
use crate::client_row::{self, ClientRow};
use crate::column::{seconds, timestamp, unreadable};
use crate::commit::{CommitError, commit};
use crate::error::store_error;
use crate::tenant_row::{self, TenantRow, fingerprint};

const LATEST: &str = "SELECT number, content, applied_at FROM generations ORDER BY number DESC LIMIT 1";

const IS_KNOWN: &str = "SELECT EXISTS (SELECT 1 FROM generations WHERE content = ?1)";

/// Across tenants on purpose: reconciling looks at all that it manages.
const SURVEY: &str = "
    SELECT tenant_id, managed_by, suspended_at, retired_at, deleted_at, fingerprint
      FROM tenants
     WHERE managed_by = 'config' OR tenant_id IN (SELECT value FROM json_each(?1))";

/// Across tenants on purpose: an issuer is unique on the whole platform.
const ISSUER_OWNERS: &str = "
    SELECT issuer, tenant_id FROM tenant_issuers WHERE issuer IN (SELECT value FROM json_each(?1))";

const FIND_SEALED: &str = "SELECT sealed FROM sealed_values WHERE name = ?1";

const PUT_SEALED: &str = "
    INSERT INTO sealed_values (name, sealed, created_at) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO NOTHING";

const HOLDS_SEALED: &str =
    "SELECT EXISTS (SELECT 1 FROM sealed_values) OR EXISTS (SELECT 1 FROM signing_keys)";

/// From the counter, not from the rows: old rows are removed.
const POSITION: &str = "SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'change_log'), 0)";

/// Across tenants on purpose: each process hears of every change.
pub(crate) const CHANGES: &str = "
    SELECT position, kind, tenant_id, client_id FROM change_log WHERE position > ?1 ORDER BY position";

#[async_trait]
impl AdministrationStore for SqliteDatabase {
    async fn latest_generation(&self) -> Result<Option<Generation>, StoreError> {
        let row: Option<(i64, Vec<u8>, i64)> =
            sqlx::query_as(LATEST).fetch_optional(self.read()).await.map_err(store_error)?;
        let of_row = |(number, content, applied_at): (i64, Vec<u8>, i64)| {
            Ok(Generation {
                number: number.unsigned_abs(),
                content: fingerprint(&content)?,
                applied_at: timestamp(applied_at),
            })
        };
        row.map(of_row).transpose()
    }

    async fn is_known_generation(&self, content: &Fingerprint) -> Result<bool, StoreError> {
        let query = sqlx::query_scalar(IS_KNOWN).bind(content.as_bytes().as_slice());
        query.fetch_one(self.read()).await.map_err(store_error)
    }

    async fn survey(&self, declared: &[TenantId]) -> Result<Vec<TenantSummary>, StoreError> {
        let ids = serde_json::json!(declared.iter().map(TenantId::as_str).collect::<Vec<_>>());
        let rows: Vec<SummaryRow> =
            sqlx::query_as(SURVEY).bind(ids.to_string()).fetch_all(self.read()).await.map_err(store_error)?;
        rows.into_iter().map(TenantSummary::try_from).collect()
    }

    async fn load_state(&self, tenant: &TenantId) -> Result<Option<TenantState>, StoreError> {
        let mut snapshot = self.snapshot().await.map_err(store_error)?;
        let row: Option<TenantRow> = sqlx::query_as(tenant_row::SELECT)
            .bind(tenant.as_str())
            .fetch_optional(self.counted(&mut *snapshot))
            .await
            .map_err(store_error)?;
        let Some(row) = row else { return Ok(None) };
        let clients: Vec<ClientRow> = sqlx::query_as(client_row::SELECT_ALL)
            .bind(tenant.as_str())
            .fetch_all(self.counted(&mut *snapshot))
            .await
            .map_err(store_error)?;
        Ok(Some(TenantState {
            tenant: row.tenant()?,
            standing: row.standing()?,
            earlier_tokens_until: row.earlier_tokens_until.map(timestamp),
            resource_servers: row.resource_servers()?,
            clients: clients.iter().map(ClientRow::state).collect::<Result<_, _>>()?,
            first_key_thumbprint: row.first_key_thumbprint.clone(),
            has_had_keys: row.next_key > 1,
        }))
    }

    async fn find_issuer_owners(&self, issuers: &[Issuer]) -> Result<Vec<(Issuer, TenantId)>, StoreError> {
        let issuers = serde_json::json!(issuers.iter().map(Issuer::as_str).collect::<Vec<_>>());
        let rows: Vec<(String, String)> = sqlx::query_as(ISSUER_OWNERS)
            .bind(issuers.to_string())
            .fetch_all(self.read())
            .await
            .map_err(store_error)?;
        let of_row = |(issuer, tenant): (String, String)| {
            let issuer = Issuer::parse(&issuer).map_err(|cause| unreadable("issuer", cause))?;
            Ok((issuer, tenant_id(&tenant)?))
        };
        rows.into_iter().map(of_row).collect()
    }

    async fn commit(&self, request: &CommitRequest) -> Result<CommitOutcome, StoreError> {
        match commit(self, request).await {
            Ok(generation) => Ok(CommitOutcome::Committed { generation }),
            Err(CommitError::Superseded) => Ok(CommitOutcome::Superseded),
            Err(CommitError::Store(error)) => Err(error),
        }
    }

    async fn find_sealed(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let query = sqlx::query_scalar(FIND_SEALED).bind(name);
        query.fetch_optional(self.read()).await.map_err(store_error)
    }

    async fn put_sealed_if_absent(
        &self,
        name: &str,
        sealed: &[u8],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await.map_err(store_error)?;
        let put = sqlx::query(PUT_SEALED)
            .bind(name)
            .bind(sealed)
            .bind(seconds(now))
            .execute(self.counted(&mut *transaction))
            .await
            .map_err(store_error)?;
        transaction.commit().await.map_err(store_error)?;
        Ok(put.rows_affected() > 0)
    }

    async fn holds_sealed_rows(&self) -> Result<bool, StoreError> {
        sqlx::query_scalar(HOLDS_SEALED).fetch_one(self.read()).await.map_err(store_error)
    }

    async fn position(&self) -> Result<i64, StoreError> {
        sqlx::query_scalar(POSITION).fetch_one(self.read()).await.map_err(store_error)
    }

    async fn changes_since(&self, position: i64) -> Result<Vec<(i64, Invalidation)>, StoreError> {
        let rows: Vec<ChangeRow> =
            sqlx::query_as(CHANGES).bind(position).fetch_all(self.read()).await.map_err(store_error)?;
        rows.into_iter().map(ChangeRow::change).collect()
    }
}

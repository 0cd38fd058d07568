//! What administration asks: states, generations, sealed values, the log of changes. Writing a plan is in `commit`.

use administration::{
    AdministrationStore, CommitOutcome, CommitRequest, Fingerprint, Generation, Invalidation, TenantState,
    TenantSummary,
};
use async_trait::async_trait;
use protocol::Timestamp;
use tenancy::{Issuer, StoreError, TenantId};

use crate::PostgresDatabase;
use crate::administration_row::{ChangeRow, SummaryRow, tenant_id};
use crate::client_row::{self, ClientRow};
use crate::column::{seconds, timestamp, unreadable};
use crate::commit::{CommitError, commit};
use crate::error::store_error;
use crate::tenant_row::{self, TenantRow, fingerprint};

const LATEST: &str = "SELECT number, content, applied_at FROM generations ORDER BY number DESC LIMIT 1";

const IS_KNOWN: &str = "SELECT EXISTS (SELECT 1 FROM generations WHERE content = $1)";

/// Across tenants on purpose: reconciling looks at all that it manages.
const SURVEY: &str = "
    SELECT tenant_id, managed_by, suspended_at, retired_at, deleted_at, fingerprint
      FROM tenants
     WHERE managed_by = 'config' OR tenant_id = ANY($1)";

/// Across tenants on purpose: an issuer is unique on the whole platform.
const ISSUER_OWNERS: &str = "
    SELECT issuer, tenant_id FROM tenant_issuers WHERE issuer = ANY($1)";

const FIND_SEALED: &str = "SELECT sealed FROM sealed_values WHERE name = $1";

const PUT_SEALED: &str = "
    INSERT INTO sealed_values (name, sealed, created_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING";

const HOLDS_SEALED: &str =
    "SELECT EXISTS (SELECT 1 FROM sealed_values) OR EXISTS (SELECT 1 FROM signing_keys)";

/// Of what is committed: the counter is already beyond what others are about to commit. Where all rows are old and gone, everything
/// is new.
const POSITION: &str = "SELECT COALESCE(MAX(position), 0) FROM change_log";

/// Across tenants on purpose: each process hears of every change.
pub(crate) const CHANGES: &str = "
    SELECT position, kind, tenant_id, client_id FROM change_log WHERE position > $1 ORDER BY position";

#[async_trait]
impl AdministrationStore for PostgresDatabase {
    async fn latest_generation(&self) -> Result<Option<Generation>, StoreError> {
        let rows: Vec<(i64, Vec<u8>, i64)> = self.oversee(sqlx::query_as(LATEST)).await?;
        let of_row = |(number, content, applied_at): (i64, Vec<u8>, i64)| {
            Ok(Generation {
                number: number.unsigned_abs(),
                content: fingerprint(&content)?,
                applied_at: timestamp(applied_at),
            })
        };
        rows.into_iter().next().map(of_row).transpose()
    }

    async fn is_known_generation(&self, content: &Fingerprint) -> Result<bool, StoreError> {
        let query = sqlx::query_as(IS_KNOWN).bind(content.as_bytes().as_slice());
        self.one(query).await
    }

    async fn survey(&self, declared: &[TenantId]) -> Result<Vec<TenantSummary>, StoreError> {
        let ids: Vec<&str> = declared.iter().map(TenantId::as_str).collect();
        let rows: Vec<SummaryRow> = self.oversee(sqlx::query_as(SURVEY).bind(ids)).await?;
        rows.into_iter().map(TenantSummary::try_from).collect()
    }

    async fn load_state(&self, tenant: &TenantId) -> Result<Option<TenantState>, StoreError> {
        let mut work = self.snapshot().await.map_err(store_error)?;
        let query = sqlx::query_as(tenant_row::SELECT).bind(tenant.as_str());
        let rows: Vec<TenantRow> = work.all(query).await.map_err(store_error)?;
        let Some(row) = rows.first() else { return Ok(None) };
        let query = sqlx::query_as(client_row::SELECT_ALL).bind(tenant.as_str());
        let clients: Vec<ClientRow> = work.all(query).await.map_err(store_error)?;
        work.commit().await.map_err(store_error)?;
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
        let issuers: Vec<&str> = issuers.iter().map(Issuer::as_str).collect();
        let rows: Vec<(String, String)> = self.oversee(sqlx::query_as(ISSUER_OWNERS).bind(issuers)).await?;
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
        let rows: Vec<(Vec<u8>,)> = self.oversee(sqlx::query_as(FIND_SEALED).bind(name)).await?;
        Ok(rows.into_iter().next().map(|(sealed,)| sealed))
    }

    async fn put_sealed_if_absent(
        &self,
        name: &str,
        sealed: &[u8],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut work = self.begin().await.map_err(store_error)?;
        let query = sqlx::query(PUT_SEALED).bind(name).bind(sealed).bind(seconds(now));
        let put = work.execute(query).await.map_err(store_error)?;
        work.commit().await.map_err(store_error)?;
        Ok(put > 0)
    }

    async fn holds_sealed_rows(&self) -> Result<bool, StoreError> {
        self.one(sqlx::query_as(HOLDS_SEALED)).await
    }

    async fn position(&self) -> Result<i64, StoreError> {
        self.one(sqlx::query_as(POSITION)).await
    }

    async fn changes_since(&self, position: i64) -> Result<Vec<(i64, Invalidation)>, StoreError> {
        let rows: Vec<ChangeRow> = self.oversee(sqlx::query_as(CHANGES).bind(position)).await?;
        rows.into_iter().map(ChangeRow::change).collect()
    }
}

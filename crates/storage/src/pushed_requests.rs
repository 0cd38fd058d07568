//! Pushed authorization requests.

use async_trait::async_trait;
use grants::{CodeKey, MostWaiting, PushedRequest, PushedRequestStore};
use protocol::Timestamp;
use tenancy::{Stored, TenantId};

use crate::database::Database;
use crate::error::Error;
use crate::statement::Statement;
use crate::transaction::{Purpose, Transaction};

const SELECT: &str = "
    SELECT {columns(p)} FROM pushed_requests p
     WHERE p.tenant_id = {tenant} AND p.slot = $2 AND p.request_digest = $3 AND p.used_at IS NULL AND p.expires_at > $4";

const NOTE_OPENED: &str = "
    UPDATE pushed_requests SET opened_at = $4
     WHERE tenant_id = $1 AND slot = $2 AND request_digest = $3 AND opened_at IS NULL";

/// The parameters are not needed after this.
const USE_UP: &str = "
    UPDATE pushed_requests SET used_at = $4, parameters = ''
     WHERE tenant_id = $1 AND slot = $2 AND request_digest = $3 AND used_at IS NULL AND expires_at > $4";

/// Adds a row, unless `$9` waiting requests of its client exist, or `$11` of its address, or `$13` of its
/// site. Several concurrent pushes may each be the last one. It counts rows of the entered tenant, so that
/// row level security shows them.
const INSERT: &str = "
    WITH entered AS MATERIALIZED (SELECT {entering} AS tenant_id)
    INSERT INTO pushed_requests (tenant_id, slot, request_digest, client_id, parameters, valid_until, expires_at, pushed_from)
    SELECT entered.tenant_id, $2, $3, $4, $5, $6, $7, $10 FROM entered
     WHERE (SELECT count(*)
              FROM (SELECT 1 FROM pushed_requests p
                     WHERE p.tenant_id = {entered} AND p.client_id = $4 AND p.valid_until > $8
                       AND p.used_at IS NULL LIMIT $9) AS waiting) < $9
       AND (SELECT count(*)
              FROM (SELECT 1 FROM pushed_requests p
                     WHERE p.tenant_id = {entered} AND p.client_id = $4 AND p.valid_until > $8 AND p.pushed_from = $10
                       AND p.used_at IS NULL LIMIT $11) AS waiting) < $11
       AND (SELECT count(*)
              FROM (SELECT 1 FROM pushed_requests p
                     WHERE p.tenant_id = {entered} AND p.client_id = $4 AND p.valid_until > $8
                       AND substr(p.pushed_from, 1, length($12)) = $12 AND p.used_at IS NULL LIMIT $13) AS waiting) < $13
    RETURNING tenant_id";

#[async_trait]
impl PushedRequestStore for Database {
    async fn add_pushed(
        &self,
        tenant: &TenantId,
        request: &PushedRequest,
        most: MostWaiting,
        now: Timestamp,
    ) -> Stored<bool> {
        let statement = Statement::from_text(INSERT)
            .bind(tenant)
            .bind(request.slot)
            .bind(request.digest.as_slice())
            .bind(request.client.as_str())
            .bind(request.parameters.as_str())
            .bind(request.valid_until)
            .bind(request.expires_at)
            .bind(now)
            .bind(most.of_client)
            .bind(request.pushed_from.as_deref().unwrap_or_default())
            .bind(most.of_source)
            .bind(request.pushed_from_site())
            .bind(most.of_site);
        Ok(self.write_one(&statement).await?.len() == 1)
    }

    async fn note_opened(&self, tenant: &TenantId, key: CodeKey, now: Timestamp) -> Stored<()> {
        let mut transaction = self.begin(Purpose::WritesOf(tenant)).await?;
        let statement =
            Statement::from_text(NOTE_OPENED).bind(tenant).bind(key.slot).bind(key.digest.as_slice());
        transaction.execute(&statement.bind(now)).await?;
        Ok(transaction.commit().await?)
    }

    async fn find_pushed(
        &self,
        tenant: &TenantId,
        key: CodeKey,
        now: Timestamp,
    ) -> Stored<Option<PushedRequest>> {
        let statement =
            Statement::from_text(SELECT).bind(tenant).bind(key.slot).bind(key.digest.as_slice()).bind(now);
        let found: Vec<PushedRequest> = self.look_up(statement).await?;
        Ok(found.into_iter().next())
    }
}

impl Transaction<'_> {
    /// Uses a pushed request up. Says whether this was its first use.
    pub(crate) async fn use_up(
        &mut self,
        tenant: &TenantId,
        key: CodeKey,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let statement =
            Statement::from_text(USE_UP).bind(tenant).bind(key.slot).bind(key.digest.as_slice()).bind(now);
        Ok(self.execute(&statement).await? == 1)
    }
}

//! The statements and columns of API keys and of the addresses that used them.

use std::sync::Arc;

use administration::documents::UsedFrom;
use administration::kinds;
use administration::kinds::ApiKeyRows;
use administration::kinds::state::{ManagedBy, RowLifecycle};
use administration::store::Listed;
use async_trait::async_trait;
use registry::{ApiKey, ApiKeyId, ApiKeyStore, ClientId};
use serde_json::json;
use tenancy::{Stored, TenantId};
use values::Timestamp;

use crate::column::{ColumnValue, is_text};
use crate::columns::{columns, gathered, selected, written};
use crate::database::Database;
use crate::error::Error;
use crate::row::{DatabaseRow, FromRow, scalar};
use crate::statement::{Argument, Dialect, Statement};
use crate::usage_log::UsesTable;

pub(crate) const SELECT_ONE: &str = "
    SELECT {columns(k)} FROM api_keys k WHERE k.tenant_id = {tenant} AND k.api_key_id = $2";

pub(crate) const SELECT_NAMED: &str = "
    SELECT {columns(k)} FROM api_keys k
     WHERE k.tenant_id = {tenant} AND k.client_id = $2
       AND k.api_key_id IN (SELECT value FROM {elements($3)})";

const SELECT_BY_ID: &str = "SELECT {columns(k)} FROM api_keys k WHERE k.api_key_id = $1 LIMIT 1000";

pub(crate) const COUNT_LIVE: &str = "
    SELECT COUNT(*) AS count FROM api_keys k
     WHERE k.tenant_id = {tenant} AND k.client_id = $2 AND k.expires_at > $3 AND k.revoked_at IS NULL";

pub(crate) const SELECT_ALL: &str = "SELECT {columns(k)} FROM api_keys k WHERE k.tenant_id = {tenant}";

const SQLITE_LABEL: &str = "EXISTS (SELECT 1 FROM json_each(k.labels) WHERE value = ?)";
const POSTGRES_LABEL: &str = "? = ANY (k.labels)";

const UNUSED: &str = "
    NOT EXISTS (SELECT 1 FROM api_key_uses u
                 WHERE u.tenant_id = k.tenant_id AND u.api_key_id = k.api_key_id AND u.last_used_at >= ?)";

/// Inserts new keys of a client that has at most this many live keys. Commits of a tenant run one after
/// another, so the count includes the keys of all earlier commits.
pub(crate) fn insert(most_before: u64) -> String {
    format!(
        "INSERT INTO api_keys ({{names}}) SELECT {{names}} FROM {{given}}
          WHERE (SELECT COUNT(*) FROM api_keys k
                  WHERE k.tenant_id = given.tenant_id AND k.client_id = given.client_id
                    AND k.expires_at > $2 AND k.revoked_at IS NULL) <= {most_before}"
    )
}

/// Compares the revision, so a concurrent change is not lost. The hash changes only if this version cannot
/// read the stored row.
pub(crate) const UPDATE: &str = "
    UPDATE api_keys AS k
       SET hash = given.hash, name = given.name, labels = given.labels, owner = given.owner, scopes = given.scopes,
           audiences = given.audiences, updated_at = given.updated_at, expires_at = given.expires_at,
           revoked_at = given.revoked_at, replaced_by = given.replaced_by, revision = given.revision
      FROM {given}
     WHERE k.tenant_id = given.tenant_id AND k.api_key_id = given.api_key_id
       AND k.revision = given.revision - 1";

const USES: UsesTable = UsesTable { uses: "api_key_uses", credentials: "api_keys", names: &["api_key_id"] };

/// Deletes the keys that expired at `$1` or before.
const PRUNE: &str = "
    DELETE FROM api_keys
     WHERE (tenant_id, api_key_id) IN (
               SELECT tenant_id, api_key_id FROM api_keys WHERE expires_at <= $1
                UNION ALL
               SELECT tenant_id, api_key_id FROM api_keys WHERE revoked_at <= $1
                LIMIT $2)";

columns! {
    ApiKey {
        tenant: "tenant_id",
        id: "api_key_id",
        client: "client_id",
        scope: "scopes",
        hash, hint, name, labels, owner, audiences, created_at, expires_at, revoked_at, replaced_by,
    }
}

// The uses of a key are missing here, because they have their own table.
written! {
    kinds::api_key::State { lifecycle.updated_at: "updated_at", revision } with { key: ApiKey }
}

impl FromRow for kinds::api_key::State {
    fn selection(table: &str) -> String {
        let of_key = format!(
            "api_key_uses.tenant_id = {table}.tenant_id AND api_key_uses.api_key_id = {table}.api_key_id"
        );
        let latest = "{greatest}(last_used_at, last_refused_at) DESC, address";
        let uses = gathered::<UsedFrom>("api_key_uses", &of_key, latest);
        let columns = selected(&<Self as crate::columns::Columns>::columns(), table);
        format!("{columns}, {uses} AS used_from")
    }

    fn from_row(row: &DatabaseRow) -> Result<Self, Error> {
        let key = ApiKey::from_row(row)?;
        let lifecycle = RowLifecycle::fresh(ManagedBy::Api, key.created_at);
        let updated_at = Timestamp::read(row, "updated_at")?;
        Ok(Self {
            key,
            lifecycle: RowLifecycle { updated_at, ..lifecycle },
            revision: ColumnValue::read(row, "revision")?,
            used_from: row.rows("used_from")?,
        })
    }
}

columns! {
    kinds::api_key::Used { tenant: "tenant_id", key: "api_key_id" } with { from: UsedFrom }
}

#[async_trait]
impl ApiKeyStore for Database {
    async fn find_api_key(&self, tenant: &TenantId, key: &ApiKeyId) -> Stored<Option<Arc<ApiKey>>> {
        let found: Vec<ApiKey> =
            self.look_up(Statement::from_text(SELECT_ONE).bind(tenant).bind(key.as_str())).await?;
        Ok(found.into_iter().next().map(Arc::new))
    }
}

#[async_trait]
impl ApiKeyRows for Database {
    async fn find_api_keys(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        keys: &[ApiKeyId],
    ) -> Stored<Vec<kinds::api_key::State>> {
        let names = json!(keys).to_string();
        Ok(self
            .look_up(Statement::from_text(SELECT_NAMED).bind(tenant).bind(client.as_str()).bind(names))
            .await?)
    }

    async fn find_api_keys_named(&self, key: &ApiKeyId) -> Stored<Vec<ApiKey>> {
        Ok(self.read(Statement::from_text(SELECT_BY_ID).bind(key.as_str())).await?)
    }

    async fn count_live_api_keys(&self, tenant: &TenantId, client: &ClientId, now: Timestamp) -> Stored<u64> {
        let count = Statement::from_text(COUNT_LIVE).bind(tenant).bind(client.as_str()).bind(now);
        Ok(scalar(self.look_up(count).await?.into_iter().next()).unwrap_or_default())
    }

    async fn list_api_keys(
        &self,
        tenant: &TenantId,
        query: &kinds::api_key::Query,
    ) -> Stored<Vec<Listed<kinds::api_key::State>>> {
        if ![&query.id, &query.name, &query.label, &query.owner]
            .into_iter()
            .flatten()
            .all(|text| is_text(text))
        {
            return Ok(Vec::new());
        }
        Ok(self.read(select(tenant, query, self.dialect())).await?)
    }

    async fn record_api_key_usage(&self, usage: &[kinds::api_key::Used]) -> Stored<()> {
        Ok(USES.record_uses(self, usage, kinds::api_key::Used::KEPT_ADDRESSES).await?)
    }
}

/// Adds only the conditions that the query contains, so that the engine can use an index.
pub(crate) fn select(tenant: &TenantId, query: &kinds::api_key::Query, dialect: Dialect) -> Statement {
    let kinds::api_key::Query { client, id, name, label, owner, ends_before, unused_since, after, limit } =
        query;
    let text = |text: &Option<String>| text.as_deref().map(Argument::from);
    let has_label = if dialect == Dialect::Sqlite { SQLITE_LABEL } else { POSTGRES_LABEL };
    let name = name.as_ref().map(|name| Argument::from(name.to_ascii_lowercase()));
    let conditions = [
        ("k.client_id = ?", client.as_ref().map(|client| client.as_str().into())),
        ("k.api_key_id = ?", text(id)),
        ("{position}(lower(k.name {bytewise}), ?) > 0", name),
        (has_label, text(label)),
        ("k.owner = ?", text(owner)),
        ("{least}(k.expires_at, COALESCE(k.revoked_at, k.expires_at)) < ?", ends_before.map(Argument::from)),
        (UNUSED, unused_since.map(Argument::from)),
    ];
    let requested = conditions.into_iter().filter_map(|(condition, argument)| Some((condition, argument?)));
    let statement = requested
        .fold(Statement::from_text(SELECT_ALL).bind(tenant), |statement, (condition, argument)| {
            statement.push(&format!(" AND {condition}"), argument)
        });
    let statement = match after {
        Some((created_at, key)) => {
            let place = vec![(*created_at).into(), key.as_str().into()];
            statement.push_row(" AND (k.created_at, k.api_key_id) > ?", place)
        }
        None => statement,
    };
    statement.push(" ORDER BY k.created_at, k.api_key_id LIMIT ?", *limit)
}

/// Deletes keys that expired at `ended` or before, in all tenants that the transaction's role can see.
pub(crate) fn prune(ended: Timestamp, limit: u32) -> Statement {
    Statement::from_text(PRUNE).bind(ended).bind(limit)
}

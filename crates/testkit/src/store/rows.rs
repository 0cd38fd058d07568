//! Puts rows into the store for tests: first the writes of a commit, then writes that no commit would make.

use std::path::Path;

use accounts::{Account, AccountPassword, AccountStatus};
use administration::kinds::Change;
use administration::kinds::change::ChangeKind;
use administration::store::query::RelatedClients;
use administration::store::{CommitOutcome, TenantRows as _};
use registry::{ApiKey, Client, ClientStatus};
use serde_json::json;
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use tenancy::{Tenant, TenantId, TenantStatus};
use values::Timestamp;

use super::TestStore;
use super::blocking::block_on;
use crate::fixtures::NOW;
use crate::requests::{self, CommitRequest};

/// Executes a statement with these values.
macro_rules! execute {
    ($store:ident, $statement:expr, $($value:expr),+) => {
        sqlx::query(sqlx::AssertSqlSafe($statement))
            $(.bind($value))+
            .execute(&$store.rows())
            .await
            .expect("the rows can be written")
    };
}

/// One connection that does not check foreign keys.
pub(super) fn connection(path: &Path) -> SqlitePool {
    let options = SqliteConnectOptions::new().filename(path).foreign_keys(false);
    let pool = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
    pool.connect_lazy_with(options)
}

impl TestStore {
    /// Adds or replaces a tenant with its resource servers. Its clients stay.
    ///
    /// # Panics
    /// If another tenant has one of its names.
    pub fn put_tenant(&self, tenant: Tenant) {
        block_on(async {
            let id = tenant.id.as_str();
            let before = self.database().load_state(&tenant.id).await.expect("a tenant can be read");
            execute!(self, "DELETE FROM resource_servers WHERE tenant_id = $1", id);
            let kind = if before.is_some() { ChangeKind::Changed } else { ChangeKind::Added };
            let fields = requests::row(kind, before.as_ref().map(|state| &state.tenant), &tenant);
            let mut request = requests::declared(vec![Change::Tenant(fields)]);
            let add = |server| requests::resource_server(&tenant.id, ChangeKind::Added, None, server);
            request.edit.changes.extend(tenant.resource_servers.iter().map(add));
            if let Some(mut state) = before {
                state.resource_servers.clear();
                request.managed_by = state.lifecycle.managed_by;
                request.expected_revisions.push((tenant.id.clone(), state.revision));
                request.before.push(state);
            }
            self.commit_now(&request).await;
            let until = match tenant.status {
                TenantStatus::Suspended { keys_published_until } => Some(seconds(keys_published_until)),
                TenantStatus::Active => None,
            };
            let suspended_at = until.map(|_| seconds(NOW));
            let suspend =
                "UPDATE tenants SET suspended_at = $2, keys_published_until = $3 WHERE tenant_id = $1";
            execute!(self, suspend, id, suspended_at, until);
            let restored_at = tenant.restored_at.map(seconds);
            execute!(self, "UPDATE tenants SET restored_at = $2 WHERE tenant_id = $1", id, restored_at);
        });
    }

    /// Adds or replaces a client with its secrets.
    ///
    /// # Panics
    /// If its tenant is missing.
    pub fn put_client(&self, client: Client) {
        self.put_clients(&[client]);
    }

    /// Adds or replaces clients of one tenant with their secrets.
    ///
    /// # Panics
    /// If their tenant is missing.
    pub fn put_clients(&self, clients: &[Client]) {
        block_on(async {
            let tenant = &clients[0].tenant;
            let ids: Vec<_> = clients.iter().map(|client| client.id.as_str()).collect();
            let related = RelatedClients { ids: &ids, listed: &[] };
            let state = self.database().load_with_related_clients(tenant, related).await;
            let mut state = state.expect("clients can be read").expect("their tenant is there");
            let mut request = self.request(tenant).await;
            for row in &mut state.clients {
                request.managed_by = row.lifecycle.managed_by;
                row.secrets.clear();
            }
            for client in clients {
                let is_there = state.clients.iter().any(|row| row.client.id == client.id);
                let kind = if is_there { ChangeKind::Changed } else { ChangeKind::Added };
                requests::put_client(&mut request, kind, client);
            }
            request.before.push(state);
            // A commit can only revoke secrets that already exist.
            request.edit.secrets.iter_mut().for_each(|(_, new)| new.secret.revoked_at = None);
            self.delete(["client_secrets"], "client_id", tenant, &json!(ids)).await;
            self.commit_now(&request).await;
            let suspended = clients.iter().filter(|client| client.status == ClientStatus::Suspended);
            let suspended: Vec<_> = suspended.map(|client| client.id.as_str()).collect();
            let suspend = "
                UPDATE clients SET suspended_at = IIF(client_id IN (SELECT value FROM json_each($3)), $4, NULL)
                 WHERE tenant_id = $1 AND client_id IN (SELECT value FROM json_each($2))";
            let (ids, suspended) = (json!(ids).to_string(), json!(suspended).to_string());
            execute!(self, suspend, tenant.as_str(), ids, suspended, seconds(NOW));
            for (client, secret) in clients.iter().flat_map(|row| row.secrets.iter().map(move |it| (row, it)))
            {
                let Some(revoked_at) = secret.revoked_at.map(seconds) else { continue };
                let revoke = "UPDATE client_secrets SET revoked_at = $4, revoked_by = 'config'
                               WHERE tenant_id = $1 AND client_id = $2 AND secret_id = $3";
                execute!(self, revoke, tenant.as_str(), client.id.as_str(), secret.id.as_str(), revoked_at);
            }
        });
    }

    /// Adds or replaces an account with its password.
    ///
    /// # Panics
    /// If its tenant is missing, or another account has one of its names.
    pub fn put_account(&self, account: Account, password: Option<AccountPassword>) {
        block_on(async {
            let (tenant, id) = (&account.tenant, account.id.as_str());
            self.delete(["account_identifiers", "accounts"], "account_id", tenant, &json!([id])).await;
            let mut request = self.request(tenant).await;
            request.now = account.updated_at;
            request.edit.changes.push(Change::Account(requests::row(ChangeKind::Added, None, &account)));
            self.commit_now(&request).await;
            let is_suspended = account.status == AccountStatus::Suspended;
            let complete = "UPDATE accounts SET suspended_at = $3, password_hash = $4
                             WHERE tenant_id = $1 AND account_id = $2";
            let suspended_at = is_suspended.then(|| seconds(account.updated_at));
            let password = password.map(|password| password.to_string());
            execute!(self, complete, tenant.as_str(), id, suspended_at, password);
        });
    }

    /// Adds an API key of an existing client.
    pub fn put_api_key(&self, key: &ApiKey) {
        block_on(async {
            let mut request = self.request(&key.tenant).await;
            request.edit.changes.push(Change::ApiKey(requests::row(ChangeKind::Added, None, key)));
            self.commit_now(&request).await;
        });
    }

    /// An empty request on the current rows of this tenant.
    async fn request(&self, tenant: &TenantId) -> CommitRequest {
        let revision = sqlx::query_scalar("SELECT revision FROM tenants WHERE tenant_id = $1");
        let revision: Option<i64> =
            revision.bind(tenant.as_str()).fetch_optional(&self.rows()).await.expect("a tenant can be read");
        let revision = revision.unwrap_or_else(|| panic!("tenant {tenant} is not there"));
        let expected_revisions = vec![(tenant.clone(), revision.unsigned_abs())];
        CommitRequest { expected_revisions, ..requests::declared(Vec::new()) }
    }

    /// Deletes rows of the tenant with these ids, whatever created them.
    async fn delete<const N: usize>(
        &self,
        tables: [&str; N],
        column: &str,
        tenant: &TenantId,
        ids: &serde_json::Value,
    ) {
        for table in tables {
            let delete = format!(
                "DELETE FROM {table} WHERE tenant_id = $1 AND {column} IN (SELECT value FROM json_each($2))"
            );
            execute!(self, delete, tenant.as_str(), ids.to_string());
        }
    }

    async fn commit_now(&self, request: &CommitRequest) {
        let outcome = requests::commit(&*self.database(), request).await.expect("the rows can be committed");
        assert!(matches!(outcome, CommitOutcome::Committed { .. }), "{:?}", request.edit.changes);
    }
}

fn seconds(at: Timestamp) -> i64 {
    i64::try_from(at.seconds()).unwrap_or(i64::MAX)
}

//! The addresses that used secrets, and the verifiers that fetched keys. Requests collect them, and one batch
//! writes them. Each secret keeps its latest addresses, and each tenant a limited number of verifiers. A
//! batch contains rows of many tenants and is written across tenants, so the role of requests needs no right
//! to write.

use std::ops::RangeInclusive;

use administration::rows::{merged_fetches, places_kept_since};
use administration::{KEPT_ADDRESSES, KEPT_VERIFIERS, SecretUsage, UsageLog, VerifierFetch};
use async_trait::async_trait;
use registry::ClientId;
use tenancy::{Stored, TenantId};

use crate::columns::{Columns, given};
use crate::database::Database;
use crate::error::Error;
use crate::statement::{Argument, Statement};
use crate::transaction::TransactionPurpose;

pub(crate) const SELECT_USES: &str = "
    SELECT {columns(u)} FROM secret_uses u
     WHERE u.tenant_id = {tenant} AND u.client_id = $2
     ORDER BY u.secret_id, u.address";

pub(crate) const SELECT_USES_OF_CLIENTS: &str = "
    SELECT {columns(u)} FROM secret_uses u
     WHERE u.tenant_id = {tenant} AND u.client_id BETWEEN $2 AND $3
     ORDER BY u.client_id, u.secret_id, u.address";

/// The tables of credentials and of their uses.
pub(crate) struct UsesTable {
    pub(crate) uses: &'static str,
    pub(crate) credentials: &'static str,
    /// The columns that name a credential, after the tenant.
    pub(crate) names: &'static [&'static str],
}

const SECRETS: UsesTable =
    UsesTable { uses: "secret_uses", credentials: "client_secrets", names: &["client_id", "secret_id"] };

impl UsesTable {
    /// The columns that name a credential, each as the function writes it.
    fn names(&self, between: &str, write: impl Fn(&str) -> String) -> String {
        let names = ["tenant_id"].iter().chain(self.names);
        names.map(|name| write(name)).collect::<Vec<_>>().join(between)
    }

    /// A credential that does not exist is left out, and no time becomes older than it is.
    fn record(&self) -> String {
        let Self { uses, credentials, .. } = self;
        let names = self.names(", ", str::to_owned);
        let own = self.names(", ", |name| format!("c.{name}"));
        let is_given = self.names(" AND ", |name| format!("c.{name} = given.{name}"));
        format!(
            "
    INSERT INTO {uses} AS known ({names}, address, last_used_at, last_refused_at)
    SELECT {own}, given.address, MAX(given.last_used_at), MAX(given.last_refused_at)
      FROM {{given}}
           {{join}} {credentials} c ON {is_given}
     GROUP BY {own}, given.address
    ON CONFLICT ({names}, address) DO UPDATE
       SET last_used_at = {{greatest}}(known.last_used_at, excluded.last_used_at),
           last_refused_at = {{greatest}}(known.last_refused_at, excluded.last_refused_at)"
        )
    }

    /// An address stays while it is one of the latest that used the credential, or one of the latest that
    /// were refused.
    fn prune(&self) -> String {
        let uses = self.uses;
        let names = self.names(", ", str::to_owned);
        let own = self.names(", ", |name| format!("u.{name}"));
        let is_used = self.names(" AND ", |name| format!("u.{name} = used.{name}"));
        let place =
            |time| format!("row_number() OVER (PARTITION BY {own} ORDER BY u.{time} DESC, u.address)");
        let (of_used, of_refused) = (place("last_used_at"), place("last_refused_at"));
        format!(
            "
    DELETE FROM {uses}
     WHERE ({names}, address) IN (
               SELECT {names}, address
                 FROM (SELECT {own}, u.address, u.last_used_at, u.last_refused_at,
                              {of_used} AS of_used, {of_refused} AS of_refused
                         FROM (SELECT DISTINCT {names} FROM {{given}}) AS used
                              {{join}} {uses} u ON {is_used}) AS placed
                WHERE (of_used > $2 OR last_used_at = 0) AND (of_refused > $2 OR last_refused_at = 0))"
        )
    }

    /// Records from where credentials were presented. Of each credential and outcome this number of addresses
    /// is kept.
    pub(crate) async fn record_uses<R: Columns>(
        &self,
        database: &Database,
        uses: &[R],
        kept: usize,
    ) -> Result<(), Error> {
        let kept = Argument::from(kept as u64);
        record(database, uses, [(&self.record(), Vec::new()), (&self.prune(), vec![kept])]).await
    }
}

pub(crate) const SELECT_FETCHES: &str = "
    SELECT {columns(s)} FROM key_sightings s
     WHERE s.tenant_id = {tenant}
     ORDER BY s.last_fetch_at DESC, s.verifier";

/// A deleted tenant is left out, and no fetch is replaced by an older one. New verifiers are added while
/// there is room beside those that keep their places. If there is no new one, nothing is counted.
const RECORD_FETCHES: &str = "
    WITH seen AS MATERIALIZED (
        SELECT t.tenant_id, given.verifier, given.last_fetch_at, given.newest_key, k.verifier IS NULL AS is_new
          FROM {given}
               {join} tenants t ON t.tenant_id = given.tenant_id
               LEFT JOIN key_sightings k ON k.tenant_id = t.tenant_id AND k.verifier = given.verifier
         WHERE t.deleted_at IS NULL),
    placed AS MATERIALIZED (
        SELECT k.tenant_id, COUNT(*) AS number
          FROM (SELECT DISTINCT tenant_id FROM seen WHERE is_new) AS newcomers
               {join} key_sightings k ON k.tenant_id = newcomers.tenant_id
         WHERE k.last_fetch_at > $2 OR (k.tenant_id, k.verifier) IN (SELECT tenant_id, verifier FROM seen)
         GROUP BY k.tenant_id),
    ranked AS (
        SELECT tenant_id, verifier, last_fetch_at, newest_key, is_new,
               row_number() OVER (PARTITION BY tenant_id, is_new
                                  ORDER BY last_fetch_at DESC, verifier {bytewise}) AS place
          FROM seen)
    INSERT INTO key_sightings AS known (tenant_id, verifier, last_fetch_at, newest_key)
    SELECT tenant_id, verifier, last_fetch_at, newest_key
      FROM ranked LEFT JOIN placed USING (tenant_id)
     WHERE NOT is_new OR place + COALESCE(number, 0) <= $3
    ON CONFLICT (tenant_id, verifier) DO UPDATE
       SET last_fetch_at = {greatest}(known.last_fetch_at, excluded.last_fetch_at),
           newest_key = {greatest}(known.newest_key, excluded.newest_key)";

/// Prunes tenants with too many verifiers: nearly always all verifiers of a tenant are known, and counting
/// them costs less than sorting them.
pub(crate) const PRUNE_FETCHES: &str = "
    DELETE FROM key_sightings
     WHERE (tenant_id, verifier) IN (
               SELECT tenant_id, verifier
                 FROM (SELECT s.tenant_id, s.verifier,
                              row_number() OVER (PARTITION BY s.tenant_id
                                                 ORDER BY s.last_fetch_at DESC, s.verifier) AS place
                         FROM (SELECT DISTINCT tenant_id FROM {given}) AS seen
                              {join} key_sightings s ON s.tenant_id = seen.tenant_id
                        WHERE (SELECT COUNT(*) FROM key_sightings k WHERE k.tenant_id = seen.tenant_id) > $2)
                      AS placed
                WHERE place > $2)";

#[async_trait]
impl UsageLog for Database {
    async fn secret_usage(&self, tenant: &TenantId, client: &ClientId) -> Stored<Vec<SecretUsage>> {
        Ok(self.read(Statement::from_text(SELECT_USES).bind(tenant).bind(client.as_str())).await?)
    }

    async fn secret_usage_of_clients(
        &self,
        tenant: &TenantId,
        clients: &RangeInclusive<ClientId>,
    ) -> Stored<Vec<SecretUsage>> {
        let statement = Statement::from_text(SELECT_USES_OF_CLIENTS).bind(tenant);
        Ok(self.read(statement.bind(clients.start().as_str()).bind(clients.end().as_str())).await?)
    }

    async fn record_secret_usage(&self, usage: &[SecretUsage]) -> Stored<()> {
        Ok(SECRETS.record_uses(self, usage, KEPT_ADDRESSES).await?)
    }

    async fn verifier_fetches(&self, tenant: &TenantId) -> Stored<Vec<VerifierFetch>> {
        Ok(self.read(Statement::from_text(SELECT_FETCHES).bind(tenant)).await?)
    }

    async fn record_verifier_fetches(&self, fetches: &[VerifierFetch]) -> Stored<()> {
        let (since, kept) = (places_kept_since(fetches).into(), Argument::from(KEPT_VERIFIERS as u64));
        let statements = [(RECORD_FETCHES, vec![since, kept.clone()]), (PRUNE_FETCHES, vec![kept])];
        Ok(record(self, &merged_fetches(fetches), statements).await?)
    }
}

/// No commit deletes a tenant or a client, with its secrets, while their use is recorded.
pub(crate) async fn record<R: Columns>(
    database: &Database,
    rows: &[R],
    statements: [(&str, Vec<Argument>); 2],
) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let rows = given(rows);
    let mut transaction = database.begin(TransactionPurpose::Commit).await?;
    for (text, arguments) in statements {
        let statement = Statement::writing::<R>(text).bind(rows.as_str());
        transaction.execute(&arguments.into_iter().fold(statement, Statement::bind)).await?;
    }
    transaction.commit().await
}

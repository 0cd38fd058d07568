//! Usage by day. Batches of counts are added across tenants, and sums are read. The slot of a row is its day
//! modulo the size of a ring, so rows of new days replace those of expired days.

use std::ops::RangeInclusive;

use administration::audit::usage::{
    Counter, DAYS_OF_CLIENT, DAYS_OF_TENANT, DayCounts, UsageBatch, UsageDay,
};
use administration::rules::advice::ClientCount;
use administration::store::{UsageDays, UsageOf, UseOfTenant};
use async_trait::async_trait;
use registry::ClientId;
use serde_json::{Map, Value};
use tenancy::{Stored, TenantId};
use values::Timestamp;

use crate::column::ColumnValue;
use crate::columns::{Columns, columns, given};
use crate::database::Database;
use crate::error::Error;
use crate::row::{DatabaseRow, FromRow};
use crate::statement::Statement;
use crate::transaction::TransactionPurpose;

const HOURS: [&str; 24] = [
    "h00", "h01", "h02", "h03", "h04", "h05", "h06", "h07", "h08", "h09", "h10", "h11", "h12", "h13", "h14",
    "h15", "h16", "h17", "h18", "h19", "h20", "h21", "h22", "h23",
];

/// Touches the row only if the batch's number is greater than the last number, so that no batch is added
/// twice.
const BEGIN: &str = "
    INSERT INTO usage_batches AS known (replica, number, added_at) VALUES ($1, $2, $3)
    ON CONFLICT (replica) DO UPDATE SET number = excluded.number, added_at = excluded.added_at
     WHERE known.number < excluded.number";

/// Deletes the entries of replicas that stopped long ago.
const FORGET: &str = "DELETE FROM usage_batches WHERE added_at < $1";
const KEPT_BATCHES: u64 = 86_400;

/// `{added}` adds to the hours of the same day, and replaces the hours of an earlier day.
const ADD: &str = "
    INSERT INTO usage_days AS known ({names})
    SELECT {names} FROM {given}
     WHERE EXISTS (SELECT 1 FROM tenants t WHERE t.tenant_id = given.tenant_id AND t.deleted_at IS NULL)
    ON CONFLICT (tenant_id, client_id, counter, name, slot) DO UPDATE
       SET {added}, day = excluded.day
     WHERE known.day <= excluded.day";

/// The counts of a client. An empty client id selects the counts of the whole tenant.
const OF_CLIENT: &str = "
    SELECT {columns(u)} FROM usage_days u
     WHERE u.tenant_id = {tenant} AND u.client_id = $2 AND u.day BETWEEN $3 AND $4 AND {known}
     ORDER BY u.day, u.counter, u.name";

/// Reads across tenants on purpose: the platform's administrators see all tenants.
const OF_PLATFORM: &str = "
    SELECT u.counter, u.name, u.day, {sums}
      FROM usage_days u
     WHERE u.client_id = '' AND u.day BETWEEN $1 AND $2 AND {known}
     GROUP BY u.day, u.counter, u.name
     ORDER BY u.day, u.counter, u.name";

const BUSIEST_CLIENTS: &str = "
    SELECT u.client_id AS id, CAST(SUM(u.total) AS bigint) AS issued FROM usage_days u
     WHERE u.tenant_id = {tenant} AND u.client_id <> '' AND u.counter = 'issued' AND u.day BETWEEN $2 AND $3
     GROUP BY u.client_id
     ORDER BY 2 DESC, 1 LIMIT $4";

const BUSIEST_TENANTS: &str = "
    SELECT u.tenant_id AS id, CAST(SUM(u.total) AS bigint) AS issued FROM usage_days u
     WHERE u.client_id = '' AND u.counter = 'issued' AND u.day BETWEEN $1 AND $2
     GROUP BY u.tenant_id
     ORDER BY 2 DESC, 1 LIMIT $3";

/// The first row is not a client: its total is the tenant's first day.
const OF_CLIENTS: &str = "
    SELECT '' AS client_id, 'issued' AS counter, '' AS name, MIN(u.day) AS total FROM usage_days u
     WHERE u.tenant_id = {tenant} AND u.client_id = '' HAVING COUNT(*) > 0
    UNION ALL
    SELECT u.client_id, u.counter, u.name, CAST(SUM(u.total) AS bigint) FROM usage_days u
     WHERE u.tenant_id = {tenant} AND u.client_id BETWEEN $2 AND $3 AND u.day BETWEEN $4 AND $5 AND {known}
     GROUP BY u.client_id, u.counter, u.name
     ORDER BY 1, 2, 3";

const REPLICAS: &str = "
    SELECT replica, added_at FROM usage_batches ORDER BY added_at DESC, replica LIMIT $1";

#[async_trait]
impl UsageDays for Database {
    async fn add_usage(&self, batch: &UsageBatch) -> Stored<()> {
        Ok(add(self, batch).await?)
    }

    async fn usage(&self, of: UsageOf<'_>, days: &RangeInclusive<u64>) -> Stored<Vec<DayCounts>> {
        let (tenant, client) = match of {
            UsageOf::Platform => {
                let sums = HOURS.map(|hour| format!("CAST(SUM(u.{hour}) AS bigint) AS {hour}")).join(", ");
                return Ok(self.read(within(known(&OF_PLATFORM.replace("{sums}", &sums)), days)).await?);
            }
            UsageOf::Tenant(tenant) => (tenant, ""),
            UsageOf::Client(tenant, client) => (tenant, client.as_str()),
        };
        Ok(self.read(within(known(OF_CLIENT).bind(tenant).bind(client), days)).await?)
    }

    async fn client_counts(
        &self,
        tenant: &TenantId,
        clients: &RangeInclusive<ClientId>,
        days: &RangeInclusive<u64>,
    ) -> Stored<UseOfTenant> {
        let statement = known(OF_CLIENTS).bind(tenant);
        let statement = statement.bind(clients.start().as_str()).bind(clients.end().as_str());
        let rows: Vec<Counted> = self.read(within(statement, days)).await?;
        let (of_tenant, of_clients): (Vec<_>, Vec<_>) =
            rows.into_iter().partition(|row| row.client.is_empty());
        let count = |Counted { client, counter, name, total }: Counted| {
            Some(ClientCount { client: client.parse().ok()?, counter, name, total })
        };
        Ok(UseOfTenant {
            counts: of_clients.into_iter().filter_map(count).collect(),
            first_day: of_tenant.first().map(|row| row.total),
        })
    }

    async fn busiest(
        &self,
        tenant: Option<&TenantId>,
        days: &RangeInclusive<u64>,
        limit: u32,
    ) -> Stored<Vec<(String, u64)>> {
        let statement = match tenant {
            Some(tenant) => Statement::from_text(BUSIEST_CLIENTS).bind(tenant),
            None => Statement::from_text(BUSIEST_TENANTS),
        };
        Ok(self.read(within(statement, days).bind(limit)).await?)
    }

    async fn list_replicas(&self, limit: u32) -> Stored<Vec<(String, Timestamp)>> {
        Ok(self.read(Statement::from_text(REPLICAS).bind(limit)).await?)
    }
}

/// Restricts the rows to known counters, because a newer version may have more.
fn known(text: &str) -> Statement {
    Statement::from_text(
        text.replace("{known}", &format!("u.counter IN ('{}')", Counter::NAMES.join("', '"))),
    )
}

fn within(statement: Statement, days: &RangeInclusive<u64>) -> Statement {
    statement.bind(*days.start()).bind(*days.end())
}

/// Locks out commits, so that no tenant is deleted in the meantime.
async fn add(
    database: &Database,
    UsageBatch { replica, number, rows, now }: &UsageBatch,
) -> Result<(), Error> {
    let mut transaction = database.begin(TransactionPurpose::Commit).await?;
    let begin = Statement::from_text(BEGIN).bind(replica.as_str()).bind(*number).bind(*now);
    if transaction.execute(&begin).await? == 0 {
        return Ok(());
    }
    let added = HOURS.iter().copied().chain(["total"]).map(|column| {
        format!(
            "{column} = excluded.{column} + CASE known.day WHEN excluded.day THEN known.{column} ELSE 0 END"
        )
    });
    let text = ADD.replace("{added}", &added.collect::<Vec<_>>().join(", "));
    let rows: Vec<_> = rows.iter().map(WrittenDay::from).collect();
    transaction.execute(&Statement::writing::<WrittenDay>(&text).bind(given(&rows))).await?;
    let long_ago = now.seconds().saturating_sub(KEPT_BATCHES);
    transaction.execute(&Statement::from_text(FORGET).bind(long_ago)).await?;
    transaction.commit().await
}

struct WrittenDay {
    tenant: TenantId,
    /// Empty for the whole tenant.
    client: String,
    slot: u64,
    total: u64,
    counts: DayCounts,
}

impl From<&UsageDay> for WrittenDay {
    fn from(UsageDay { tenant, client, counts }: &UsageDay) -> Self {
        let kept = if client.is_some() { DAYS_OF_CLIENT } else { DAYS_OF_TENANT };
        Self {
            tenant: tenant.clone(),
            client: client.as_ref().map_or_else(String::new, ClientId::to_string),
            slot: counts.day % kept,
            total: counts.hours.iter().sum(),
            counts: counts.clone(),
        }
    }
}

crate::columns::written! {
    WrittenDay { tenant: "tenant_id", client: "client_id", slot, total } with { counts: DayCounts }
}

struct Counted {
    client: String,
    counter: Counter,
    name: String,
    total: u64,
}

columns! {
    Counted { client: "client_id", counter, name, total }
}

impl Columns for DayCounts {
    fn columns() -> Vec<(&'static str, &'static str)> {
        let hours = HOURS.map(|hour| (hour, u64::TYPE));
        [&[("counter", String::TYPE), ("name", String::TYPE), ("day", u64::TYPE)], &hours[..]].concat()
    }

    fn write(&self, row: &mut Map<String, Value>) {
        let texts = [("counter", self.counter.as_str()), ("name", &self.name)];
        row.extend(texts.map(|(column, text)| (column.to_owned(), text.into())));
        let numbers = HOURS.iter().zip(&self.hours).chain([(&"day", &self.day)]);
        row.extend(numbers.map(|(column, number)| ((*column).to_owned(), number.json())));
    }
}

impl FromRow for DayCounts {
    fn selection(table: &str) -> String {
        crate::columns::selected(&Self::columns(), table)
    }

    fn from_row(row: &DatabaseRow) -> Result<Self, Error> {
        let mut hours = [0; 24];
        for (column, count) in HOURS.iter().zip(&mut hours) {
            *count = u64::read(row, column)?;
        }
        Ok(Self {
            counter: Counter::read(row, "counter")?,
            name: ColumnValue::read(row, "name")?,
            day: ColumnValue::read(row, "day")?,
            hours,
        })
    }
}

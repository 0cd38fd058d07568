//! Records that can be used once, such as authorization codes. Each kind has its own table; the table's file
//! lists the columns and the exceptions.

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;

use async_trait::async_trait;
use grants::{
    AuthorizationCode, DeviceCode, OneTime, OneTimeContent, OneTimeKey, OneTimeStore, OneTimeUse,
    PushedRequest, RefreshFamily,
};
use registry::ClientId;
use serde_json::{Map, Value};
use sqlx::SqlitePool;
use tenancy::{Stored, TenantId};
use values::{Lifetime, Timestamp};

use crate::column::ColumnValue;
use crate::columns::{Columns, given, selected};
use crate::database::{Database, DatabaseEngine};
use crate::error::{Error, repeated};
use crate::refresh_families;
use crate::rings::{Early, RingTable};
use crate::row::{DatabaseRow, FromRow};
use crate::sqlite::{self, GroupedWrite, Groups, SqlitePools};
use crate::statement::{Argument, Statement};
use crate::transaction::{Transaction, TransactionPurpose};

pub(crate) const TABLES: [RingTable; 3] =
    [table::<AuthorizationCode>(), table::<DeviceCode>(), table::<PushedRequest>()];

/// One kind of records: its table, and conditions in SQL. In the conditions of an insert, `w` is a waiting
/// row. In the conditions of a use, `given` is the use.
pub(crate) trait OneTimeKind: OneTimeContent<Proof: Columns> + Columns + FromRow {
    const TABLE: &'static str;
    /// The columns of the primary key. The last column is the digest of the record's text.
    const KEY: &'static str;
    /// The column with the time of use.
    const USED: &'static str;
    /// The column with the end of validity. Until then a record can be noted and used.
    const UNTIL: &'static str = "valid_until";
    /// The column with the time of the note.
    const NOTED: &'static str;
    /// The condition for a use, in addition to tenant, key, client and times.
    const USABLE: &'static str;
    /// A column that the use clears.
    const EMPTIED: Option<Emptied> = None;
    /// The rows that can be deleted as soon as they are no longer valid. `$1` is the current time.
    const EARLY: Option<&'static str> = None;

    /// Conditions for waiting rows, each with the maximum number of rows that may fulfil it.
    fn limits(limit: &Self::Limit) -> Vec<(&'static str, u32)>;

    /// The columns that a note changes in addition to its time, and their values, which start at `$5`.
    fn noted(note: &Self::Note) -> (&'static str, Vec<Argument>);

    /// For kinds whose uses share transactions in SQLite: the groups of uses.
    fn groups(_: &SqlitePools) -> Option<&Groups<Used<Self>>> {
        None
    }
}

pub(crate) enum Emptied {
    /// Clears the column in the same statement, so the use returns an empty value.
    WithUse(&'static str),
    /// Clears the column afterwards. The use returns the value.
    AfterUse(&'static str),
}

pub(crate) struct Used<T: OneTimeContent> {
    pub(crate) tenant: TenantId,
    pub(crate) used: OneTimeUse<T>,
    pub(crate) at: Timestamp,
}

const fn table<T: OneTimeKind>() -> RingTable {
    let early = match T::EARLY {
        Some(condition) => {
            let before = Lifetime::from_seconds(T::KEPT.seconds() - T::LIFETIME.seconds());
            Some(Early { condition, before })
        }
        None => None,
    };
    RingTable { name: T::TABLE, ring: OneTimeKey::RING, kept: T::KEPT, key: T::KEY, early }
}

fn digest_column<T: OneTimeKind>() -> &'static str {
    T::KEY.rsplit(' ').next().unwrap_or_default()
}

/// The columns of the key and the client, followed by the given columns of times.
fn columns_with<T: OneTimeKind>(times: &[&'static str]) -> Vec<(&'static str, &'static str)> {
    let bigints = times.iter().map(|name| (*name, Timestamp::TYPE));
    let key =
        [("tenant_id", "text"), ("slot", "bigint"), (digest_column::<T>(), "bytea"), ("client_id", "text")];
    key.into_iter().chain(bigints).collect()
}

fn write_key<T: OneTimeKind>(
    row: &mut Map<String, Value>,
    tenant: &TenantId,
    key: &OneTimeKey,
    client: &ClientId,
) {
    let values = [tenant.json(), key.slot.json(), key.digest.json(), client.json()];
    let names = columns_with::<T>(&[]).into_iter().map(|(name, _)| name.to_owned());
    row.extend(names.zip(values));
}

impl<T: OneTimeKind> Columns for OneTime<T> {
    fn columns() -> Vec<(&'static str, &'static str)> {
        [columns_with::<T>(&["valid_until", "expires_at", T::USED]), T::columns()].concat()
    }

    fn write(&self, row: &mut Map<String, Value>) {
        write_key::<T>(row, &self.tenant, &self.key, &self.client);
        row.insert("valid_until".to_owned(), self.valid_until.json());
        row.insert("expires_at".to_owned(), self.expires_at.json());
        row.insert(T::USED.to_owned(), self.used_at.json());
        self.content.write(row);
    }
}

impl<T: OneTimeKind> FromRow for OneTime<T> {
    fn selection(table: &str) -> String {
        selected(&Self::columns(), table)
    }

    fn from_row(row: &DatabaseRow) -> Result<Self, Error> {
        Ok(Self {
            tenant: ColumnValue::read(row, "tenant_id")?,
            key: OneTimeKey {
                slot: ColumnValue::read(row, "slot")?,
                digest: ColumnValue::read(row, digest_column::<T>())?,
            },
            client: ColumnValue::read(row, "client_id")?,
            content: T::from_row(row)?,
            valid_until: ColumnValue::read(row, "valid_until")?,
            expires_at: ColumnValue::read(row, "expires_at")?,
            used_at: ColumnValue::read(row, T::USED)?,
        })
    }
}

impl<T: OneTimeKind> Columns for Used<T> {
    fn columns() -> Vec<(&'static str, &'static str)> {
        [columns_with::<T>(&[T::USED]), T::Proof::columns()].concat()
    }

    fn write(&self, row: &mut Map<String, Value>) {
        write_key::<T>(row, &self.tenant, &self.used.key, &self.used.client);
        row.insert(T::USED.to_owned(), self.at.json());
        self.used.proof.write(row);
    }
}

/// Inserts the row `$2` of the tenant `$1` at the time `$3`, unless too many rows are waiting. The count
/// covers only the entered tenant, because row level security hides other rows.
pub(crate) fn insert<T: OneTimeKind>(
    tenant: &TenantId,
    record: &OneTime<T>,
    limit: &T::Limit,
    now: Timestamp,
) -> Statement {
    let (table, columns) = (T::TABLE, selected(&OneTime::<T>::columns(), "given"));
    let insert = format!(
        "WITH entered AS MATERIALIZED (SELECT {{entering}} AS tenant_id)
         INSERT INTO {table} ({{names}}) SELECT {columns} FROM entered CROSS JOIN {{given_second}} WHERE TRUE"
    );
    let insert = Statement::writing::<OneTime<T>>(&insert).bind(tenant).bind(given(&[record])).bind(now);
    T::limits(limit).into_iter().fold(insert, |insert, (waits, most)| {
        let waiting = format!(
            " AND (SELECT count(*)
                     FROM (SELECT 1 FROM {table} w
                            WHERE w.tenant_id = {{entered}} AND w.client_id = given.client_id AND w.valid_until > $3
                              AND {waits} LIMIT ?) AS waiting) < ?"
        );
        insert.push(&waiting, most)
    })
}

fn of_key<T: OneTimeKind>(text: String, tenant: &TenantId, key: &OneTimeKey) -> Statement {
    let text = text.replace("{digest}", digest_column::<T>());
    Statement::from_text(text).bind(tenant).bind(key.slot).bind(key.digest.as_slice())
}

/// The statement that marks each record as used if the use fits the record.
pub(crate) fn use_up<T: OneTimeKind>() -> String {
    let (table, used, until, usable) = (T::TABLE, T::USED, T::UNTIL, T::USABLE);
    let emptied = match T::EMPTIED {
        Some(Emptied::WithUse(column)) => format!(", {column} = ''"),
        _ => String::new(),
    };
    format!(
        "{} AND {table}.{used} IS NULL AND {table}.{until} > given.{used} AND {table}.client_id = given.client_id
            AND {usable}
         RETURNING {{columns({table})}}",
        of_uses::<T>(&format!("{used} = given.{used}{emptied}"))
    )
}

fn of_uses<T: OneTimeKind>(sets: &str) -> String {
    let (table, digest) = (T::TABLE, digest_column::<T>());
    format!(
        "UPDATE {table} SET {sets}
           FROM (SELECT * FROM {{given}} {{of_one}}) AS given
          WHERE {table}.tenant_id = given.tenant_id AND {table}.slot = given.slot AND {table}.{digest} = given.{digest}"
    )
}

#[async_trait]
impl<T: OneTimeKind> OneTimeStore<T> for Database {
    async fn add(
        &self,
        tenant: &TenantId,
        record: &OneTime<T>,
        limit: T::Limit,
        now: Timestamp,
    ) -> Stored<bool> {
        let insert = insert(tenant, record, &limit, now).then(" RETURNING tenant_id");
        Ok(self.write_one(&insert).await?.len() == 1)
    }

    async fn find(&self, tenant: &TenantId, key: &OneTimeKey) -> Stored<Option<OneTime<T>>> {
        let select = format!(
            "SELECT {{columns(o)}} FROM {} o WHERE o.tenant_id = {{tenant}} AND o.slot = $2 AND o.{{digest}} = $3",
            T::TABLE
        );
        let found: Vec<OneTime<T>> = self.look_up(of_key::<T>(select, tenant, key)).await?;
        Ok(found.into_iter().next())
    }

    async fn note(
        &self,
        tenant: &TenantId,
        key: &OneTimeKey,
        note: &T::Note,
        now: Timestamp,
    ) -> Stored<bool> {
        let (sets, values) = T::noted(note);
        let (table, noted, used, until) = (T::TABLE, T::NOTED, T::USED, T::UNTIL);
        let update = format!(
            "UPDATE {table} SET {noted} = $4{sets}
              WHERE tenant_id = $1 AND slot = $2 AND {{digest}} = $3 AND {noted} IS NULL AND {used} IS NULL AND {until} > $4"
        );
        let update = values.into_iter().fold(of_key::<T>(update, tenant, key).bind(now), Statement::bind);
        Ok(self.write_of(tenant, &update).await? == 1)
    }

    async fn use_up(
        &self,
        tenant: &TenantId,
        used: &OneTimeUse<T>,
        now: Timestamp,
    ) -> Stored<Option<OneTime<T>>> {
        let used = Used { tenant: tenant.clone(), used: used.clone(), at: now };
        if let DatabaseEngine::Sqlite(pools) = &self.engine
            && let Some(groups) = T::groups(pools)
        {
            return groups.write(&pools.writer, &self.statements, used).await;
        }
        let group = [used];
        let records = repeated!(async {
            use_all(self.begin(TransactionPurpose::WritesOf(tenant)).await?, &group).await
        });
        Ok(records?.pop().flatten())
    }
}

/// Returns the record for the first use, and `None` for later uses.
impl<T: OneTimeKind> GroupedWrite for Used<T> {
    type Outcome = Option<OneTime<T>>;

    fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    async fn write_all(
        writer: &SqlitePool,
        statements: &AtomicU64,
        group: &[Self],
    ) -> Result<Vec<Self::Outcome>, Error> {
        use_all(sqlite::begin(writer, statements).await?, group).await
    }
}

/// Marks records as used, and starts the refresh families that belong to them.
async fn use_all<T: OneTimeKind>(
    mut transaction: Transaction<'_>,
    group: &[Used<T>],
) -> Result<Vec<Option<OneTime<T>>>, Error> {
    let records = transaction.use_up(group).await?;
    let pairs = group.iter().zip(&records);
    let families: Vec<_> =
        pairs.filter_map(|(of, record)| record.as_ref()?.family(of.used.family.as_ref()?)).collect();
    if !families.is_empty() {
        let insert = Statement::writing::<RefreshFamily>(refresh_families::INSERT).bind(given(&families));
        transaction.execute(&insert).await?;
    }
    transaction.commit().await?;
    Ok(records)
}

impl Transaction<'_> {
    /// Marks records as used. Returns the record for each first use.
    pub(crate) async fn use_up<T: OneTimeKind>(
        &mut self,
        group: &[Used<T>],
    ) -> Result<Vec<Option<OneTime<T>>>, Error> {
        let uses = given(group);
        let statement = Statement::writing::<Used<T>>(&use_up::<T>()).bind(uses.as_str());
        let found: Vec<OneTime<T>> = self.all(statement).await?;
        if let Some(Emptied::AfterUse(column)) = T::EMPTIED
            && !found.is_empty()
        {
            let (of_uses, table, used) = (of_uses::<T>(&format!("{column} = ''")), T::TABLE, T::USED);
            let empty = format!("{of_uses} AND {table}.{used} IS NOT NULL");
            self.execute(&Statement::writing::<Used<T>>(&empty).bind(uses)).await?;
        }
        let place = |tenant: &TenantId, key: &OneTimeKey| (tenant.clone(), key.slot, key.digest);
        let mut found: HashMap<_, _> =
            found.into_iter().map(|record| (place(&record.tenant, &record.key), record)).collect();
        // If a group contains two uses of the same record and only one of them fits, the one that fits gets
        // the record.
        let mut first = |Used { tenant, used, .. }: &Used<T>| {
            let key = place(tenant, &used.key);
            let is_first = found.get(&key).is_some_and(|record| used.is_of(tenant, record));
            if is_first { found.remove(&key) } else { None }
        };
        Ok(group.iter().map(&mut first).collect())
    }
}

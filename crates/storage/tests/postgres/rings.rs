//! Tests rows that expire in partitions: a busy day in every ring, months without a replica, and a partition
//! that is being read.

use std::ops::Range;
use std::time::{Duration, Instant};

use sessions::{Ring, SessionStore as _};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use storage::Database;
use storage::postgres::{self, PostgresOptions};
use values::Timestamp;

use crate::batches::{EXPIRED, delete_at_two_replicas};
use crate::sandbox::{Sandbox, execute, server};

const DAY: u64 = 86_400;
const MORNING: u64 = 20_000 * DAY;
const SIGN_INS: u64 = 1_000_000;
/// The tables that every sign-in writes. One in ten sign-ins also writes a row in every other ring.
const WRITTEN: [&str; 3] = ["sessions", "session_clients", "authorization_codes"];

/// Tables with their number of partitions, and SQL for the columns and values of row `n`, which is written at
/// `at` and expires at `until`.
const TABLES: &str = "
    SELECT c.relname::text, (SELECT count(*) FROM pg_inherits i WHERE i.inhparent = c.oid),
           string_agg(column_name, ', ' ORDER BY ordinal_position),
           string_agg(CASE column_name WHEN 'tenant_id' THEN '''acme''' WHEN 'expires_at' THEN 'until' WHEN 'valid_until' THEN 'until' WHEN 'slot' THEN 'slot'
                      ELSE CASE data_type WHEN 'text' THEN 'n::text' WHEN 'bytea' THEN 'int8send(n)' WHEN 'bigint' THEN 'at'
                                          WHEN 'ARRAY' THEN '''{}''' END END, ', ' ORDER BY ordinal_position)
      FROM pg_class c JOIN information_schema.columns ON table_name = c.relname
     WHERE c.relkind = 'p' AND is_nullable = 'NO' AND column_default IS NULL
     GROUP BY c.oid, c.relname ORDER BY c.relname";

/// A table whose rows are stored in a ring of partitions.
struct Table {
    name: String,
    ring: Ring,
    columns: String,
    values: String,
}

impl Table {
    async fn all(connection: &mut PgConnection) -> Vec<Self> {
        let tables: Vec<(String, i64, String, String)> =
            sqlx::query_as(TABLES).fetch_all(connection).await.unwrap();
        let of = |(name, partitions, columns, values): (String, i64, String, String)| {
            let ring = Ring::ALL.into_iter().find(|ring| i64::from(ring.slots()) == partitions).unwrap();
            Self { name, ring, columns, values }
        };
        tables.into_iter().map(of).collect()
    }

    /// Inserts rows with these numbers as keys. `at` and `until` are SQL for the times of writing and expiry,
    /// and may use the number as `n`.
    async fn insert(&self, connection: &mut PgConnection, numbers: Range<u64>, at: &str, until: &str) {
        let Self { name, ring, columns, values } = self;
        let (unit, slots) = (ring.unit().seconds(), ring.slots());
        let Range { start: first, end } = numbers;
        let last = end - 1;
        let sql = format!(
            "INSERT INTO {name} ({columns})
             SELECT {values} FROM (SELECT n, ({at})::bigint AS at, ({until})::bigint AS until, ({until})::bigint / {unit} % {slots} AS slot
                                     FROM generate_series({first}::bigint, {last}) AS n) AS given"
        );
        execute(connection, sql).await;
    }

    /// Inserts rows in a partition whose rows have all expired at `now`.
    async fn insert_over(&self, connection: &mut PgConnection, numbers: Range<u64>, now: u64) {
        let ended = (now - 3 * self.ring.unit().seconds()).to_string();
        self.insert(connection, numbers, &ended, &ended).await;
    }

    /// The partitions that contain rows.
    async fn used(&self, connection: &mut PgConnection) -> Vec<u64> {
        let mut used = Vec::new();
        for slot in 0..u64::from(self.ring.slots()) {
            if self.count(connection, &format!("slot = {slot} LIMIT 1")).await > 0 {
                used.push(slot);
            }
        }
        used
    }

    async fn count(&self, connection: &mut PgConnection, condition: &str) -> u64 {
        let sql = format!("SELECT count(*) FROM (SELECT 1 FROM {} WHERE {condition}) AS found", self.name);
        let count: i64 = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(connection).await.unwrap();
        count.unsigned_abs()
    }
}

async fn open() -> (Sandbox, Database, PgConnection, Vec<Table>) {
    let (sandbox, database) = Sandbox::opened().await;
    let mut connection = sandbox.connect().await;
    let tables = Table::all(&mut connection).await;
    (sandbox, database, connection, tables)
}

/// Enters the tenant like a request.
async fn enter(connection: &mut PgConnection) {
    let sql = "SET ROLE latchkey_app; SELECT set_config('latchkey.tenant', 'acme', false)";
    execute(connection, sql.to_owned()).await;
}

/// Sets the role of the task that empties partitions.
async fn operate(connection: &mut PgConnection) {
    execute(connection, "SET ROLE latchkey_operator".to_owned()).await;
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

/// Each person signs in at another time of the day. The rows of a ring expire one unit of the ring later. No
/// row is deleted individually, and a partition is empty two units after its last row has expired.
#[tokio::test]
async fn million_sign_ins_leave_only_live_partitions() {
    let (_sandbox, database, mut connection, tables) = open().await;
    enter(&mut connection).await;
    for table in &tables {
        let rows = if WRITTEN.contains(&&*table.name) { SIGN_INS } else { SIGN_INS / 10 };
        let moment = format!("{MORNING} + n * {DAY} / {rows}");
        let until = format!("{moment} + {}", table.ring.unit().seconds());
        table.insert(&mut connection, 0..rows, &moment, &until).await;
    }
    operate(&mut connection).await;
    for day in 0..=80 {
        let now = MORNING + day * DAY + DAY / 2;
        assert_eq!(database.delete_expired_sign_ins(at(now)).await.unwrap(), 0, "day {day}");
        for table in &tables {
            let (unit, slots) = (table.ring.unit().seconds(), u64::from(table.ring.slots()));
            let (first_end, last_end) = (MORNING + unit, MORNING + unit + DAY - 1);
            let used = table.used(&mut connection).await;
            let live = first_end / unit..=last_end / unit;
            let live: Vec<_> = live.filter(|of| of + 2 > now / unit).map(|of| of % slots).collect();
            let name = &table.name;
            assert!(used.iter().all(|slot| live.contains(slot)), "{name} day {day}: {used:?} of {live:?}");
            assert_eq!(used.is_empty(), last_end / unit + 2 <= now / unit, "{name} day {day}: {used:?}");
        }
    }
}

/// Each table contains `left` expired rows, which must be deleted in batches.
async fn assert_deleted_in_batches(
    database: &Database,
    now: Timestamp,
    mut left: impl AsyncFnMut() -> Vec<u64>,
) {
    let tables = left().await.len();
    for (deleted, rest) in [(500, 700), (500, 200), (200, 0), (0, 0)] {
        let batch = database.delete_expired_sign_ins(now).await.unwrap();
        assert_eq!((batch, left().await), (deleted * tables as u64, vec![rest; tables]));
    }
}

/// Expired rows in partitions that are in use again are deleted in batches. All other partitions are
/// truncated. Valid rows stay.
#[tokio::test]
async fn rows_expired_for_sixty_days_are_deleted_in_batches() {
    let (sandbox, database, mut connection, tables) = open().await;
    let replica = sandbox.open().await;
    let now = MORNING + DAY / 2;
    let leave_expired = async |connection: &mut PgConnection| {
        enter(connection).await;
        for table in &tables {
            let round = table.ring.unit().seconds() * u64::from(table.ring.slots());
            let rounds_ago = now - round * (60 * DAY).div_ceil(round);
            let until = format!("{rounds_ago} - n / 100");
            table.insert(connection, 0..EXPIRED, &rounds_ago.to_string(), &until).await;
        }
        operate(connection).await;
    };
    enter(&mut connection).await;
    for table in &tables {
        let valid = EXPIRED..EXPIRED + 7;
        table.insert(&mut connection, valid, &now.to_string(), &(now + 1).to_string()).await;
    }
    let count = async |connection: &mut PgConnection, condition: &str| {
        let mut counts = Vec::new();
        for table in &tables {
            counts.push(table.count(connection, condition).await);
        }
        counts
    };
    let (valid, expired) = (format!("expires_at > {now}"), format!("expires_at <= {now}"));
    let of_each = |rows: u64| vec![rows; tables.len()];

    leave_expired(&mut connection).await;
    let left = async || count(&mut connection, &expired).await;
    assert_deleted_in_batches(&database, at(now), left).await;
    assert_eq!(count(&mut connection, &valid).await, of_each(7));

    leave_expired(&mut connection).await;
    let deleted = delete_at_two_replicas([&database, &replica], at(now)).await;
    assert_eq!(deleted, EXPIRED * tables.len() as u64);
    assert_eq!(count(&mut connection, &expired).await, of_each(0));

    enter(&mut connection).await;
    for table in &tables {
        table.insert_over(&mut connection, 0..EXPIRED, now).await;
    }
    operate(&mut connection).await;
    assert_eq!(delete_at_two_replicas([&database, &replica], at(now)).await, 0, "they are truncated");
    assert_eq!(count(&mut connection, &expired).await, of_each(0));
    assert_eq!(count(&mut connection, &valid).await, of_each(7));
}

/// A transaction that is still reading prevents the truncation of its partition only. Requests wait for
/// TRUNCATE only for a limited time.
#[tokio::test]
async fn partition_in_use_is_emptied_next_time() {
    let (sandbox, database, mut connection, tables) = open().await;
    enter(&mut connection).await;
    for table in &tables {
        table.insert_over(&mut connection, 0..1, MORNING).await;
    }
    operate(&mut connection).await;
    let mut reader = sandbox.connect().await;
    operate(&mut reader).await;
    let read = &tables[0];
    let mut reading = reader.begin().await.unwrap();
    assert_eq!(read.count(&mut reading, "true").await, 1);
    let begun = Instant::now();
    assert_eq!(database.delete_expired_sign_ins(at(MORNING)).await.unwrap(), 0);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    for table in &tables {
        let left = u64::from(table.name == read.name);
        assert_eq!(table.count(&mut connection, "true").await, left, "{}", table.name);
    }
    drop(reading);
    reader.close().await.unwrap();
    database.delete_expired_sign_ins(at(MORNING)).await.unwrap();
    assert_eq!(read.count(&mut connection, "true").await, 0);
}

/// The login can act as the roles, but cannot create or drop tables. The task that empties partitions needs
/// no more.
#[tokio::test]
async fn login_without_tables_empties_partitions() {
    let sandbox = Sandbox::new().await;
    sandbox.open().await.close().await;
    let login = format!("latchkey_guest_{}", std::process::id());
    let mut server = server().await;
    execute(&mut server, format!("CREATE ROLE {login} LOGIN PASSWORD 'guest'")).await;
    let roles = "latchkey_app, latchkey_operator, latchkey_writer";
    execute(&mut server, format!("GRANT {roles} TO {login}")).await;
    let url = sandbox.url();
    let (_, place) = url.rsplit_once('@').unwrap();
    let url = format!("postgres://{login}:guest@{place}");
    let database = postgres::open(&url, PostgresOptions::default()).await.unwrap();
    assert_eq!(database.warning(), None);
    sandbox.keep_others_out().await;
    let mut connection = PgConnection::connect(&url).await.unwrap();
    for ddl in [
        "CREATE TABLE sessions_16 ()",
        "DROP TABLE sessions_0",
        "ALTER TABLE sessions DETACH PARTITION sessions_0",
    ] {
        let refused = sqlx::query(ddl).execute(&mut connection).await.unwrap_err();
        assert_eq!(refused.as_database_error().unwrap().code().as_deref(), Some("42501"), "{ddl}: {refused}");
    }
    let tables = Table::all(&mut connection).await;
    enter(&mut connection).await;
    for table in &tables {
        table.insert_over(&mut connection, 0..500, MORNING).await;
    }
    operate(&mut connection).await;
    for rows in [500, 0] {
        for table in &tables {
            assert_eq!(table.count(&mut connection, "true").await, rows, "{}", table.name);
        }
        assert_eq!(database.delete_expired_sign_ins(at(MORNING)).await.unwrap(), 0);
    }
}

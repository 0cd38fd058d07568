//! Tests rows that expire. SQLite has no partitions, so a task scans the tables in parts.

use sessions::SessionStore as _;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Executor as _};
use testkit::store_contract;
use values::Timestamp;

use crate::batches::{EXPIRED, delete_at_two_replicas};
use crate::sandbox::Sandbox;

const NOW: u64 = 20_000 * 86_400;

/// The tables whose rows are in a ring in PostgreSQL, and SQL for the columns and values of row `n`, which
/// expires at `until`.
const TABLES: &str = "
    SELECT t.name, group_concat(c.name, ', '),
           group_concat(CASE c.name WHEN 'tenant_id' THEN '''acme''' WHEN 'expires_at' THEN 'until' WHEN 'valid_until' THEN 'until' WHEN 'slot' THEN '0'
                        ELSE CASE c.type WHEN 'TEXT' THEN 'CAST(n AS TEXT)' WHEN 'BLOB' THEN 'CAST(n AS BLOB)' ELSE 'n' END END, ', ')
      FROM sqlite_schema t JOIN pragma_table_info(t.name) c
     WHERE t.type = 'table' AND c.\"notnull\" AND c.dflt_value IS NULL
       AND EXISTS (SELECT 1 FROM pragma_table_info(t.name) slot WHERE slot.name = 'slot')
       AND EXISTS (SELECT 1 FROM pragma_table_info(t.name) ends WHERE ends.name = 'expires_at')
     GROUP BY t.name ORDER BY t.name";

type Table = (String, String, String);

/// Inserts rows that expire at this time. `rows` is the first number and the number of rows.
async fn insert(connection: &mut SqliteConnection, tables: &[Table], rows: (u64, u64), until: u64) {
    let (first, many) = rows;
    for (name, columns, values) in tables {
        let sql = format!(
            "WITH RECURSIVE given (n, until) AS
                  (SELECT {first}, {until} UNION ALL SELECT n + 1, until FROM given WHERE n + 1 < {first} + {many})
             INSERT INTO {name} ({columns}) SELECT {values} FROM given"
        );
        connection.execute(AssertSqlSafe(sql)).await.unwrap();
    }
}

async fn count(connection: &mut SqliteConnection, tables: &[Table], condition: &str) -> Vec<u64> {
    let mut counts = Vec::new();
    for (name, _, _) in tables {
        let sql = AssertSqlSafe(format!("SELECT count(*) FROM {name} WHERE {condition}"));
        let count: i64 = sqlx::query_scalar(sql).fetch_one(&mut *connection).await.unwrap();
        counts.push(count.unsigned_abs());
    }
    counts
}

/// Valid rows stay, also those that are still valid by another replica's clock.
#[tokio::test]
async fn expired_rows_are_deleted_by_one_or_two_replicas() {
    let sandbox = Sandbox::new().await;
    let [database, replica] = [sandbox.open().await, sandbox.open().await];
    let mut connection = sandbox.connect().await;
    let tables: Vec<Table> = sqlx::query_as(TABLES).fetch_all(&mut connection).await.unwrap();
    assert_eq!(tables.len(), 8, "{tables:?}");
    let now = Timestamp::from_seconds(NOW);
    insert(&mut connection, &tables, (EXPIRED, 7), NOW - 59).await;
    insert(&mut connection, &tables, (0, EXPIRED), NOW - 60).await;
    for deleted in [EXPIRED * tables.len() as u64, 0] {
        assert_eq!(database.delete_expired_sign_ins(now).await.unwrap(), deleted);
    }
    assert_eq!(count(&mut connection, &tables, "TRUE").await, vec![7; tables.len()]);

    insert(&mut connection, &tables, (0, EXPIRED), NOW - 60).await;
    let deleted = delete_at_two_replicas([&database, &replica], now).await;
    assert_eq!(deleted, EXPIRED * tables.len() as u64);
    assert_eq!(count(&mut connection, &tables, "TRUE").await, vec![7; tables.len()]);
}

/// The number of rows that one scan reads. The table is larger, so it needs several scans.
const WALK: u64 = 100_000;

/// No row in the first part of the table has expired.
#[tokio::test]
async fn scan_continues_where_the_last_one_ended() {
    let (sandbox, database) = Sandbox::opened().await;
    let mut connection = sandbox.connect().await;
    let tables: Vec<Table> = sqlx::query_as(TABLES).fetch_all(&mut connection).await.unwrap();
    let notes: Vec<Table> = tables.into_iter().filter(|(name, ..)| name == "session_clients").collect();
    // The keys are text, so they are sorted by their digits.
    insert(&mut connection, &notes, (100_000, WALK), NOW).await;
    insert(&mut connection, &notes, (300_000, 700), NOW - 60).await;
    let now = Timestamp::from_seconds(NOW);
    for deleted in [0, 700, 0] {
        assert_eq!(database.delete_expired_sign_ins(now).await.unwrap(), deleted);
    }
    insert(&mut connection, &notes, (0, 1), NOW - 60).await;
    for deleted in [0, 1] {
        assert_eq!(database.delete_expired_sign_ins(now).await.unwrap(), deleted);
    }
}

/// The row of the code stays without its content.
#[tokio::test]
async fn content_of_a_used_code_is_deleted() {
    let sandbox = Sandbox::new().await;
    let stores = sandbox.stores().await;
    store_contract::sign_ins::used_and_unopened_rows_are_deleted_early(stores).await;
    let mut connection = sandbox.connect().await;
    let granted = "SELECT granted FROM authorization_codes WHERE redeemed_at IS NOT NULL";
    let granted: Vec<String> = sqlx::query_scalar(granted).fetch_all(&mut connection).await.unwrap();
    assert_eq!(granted, [""]);
}

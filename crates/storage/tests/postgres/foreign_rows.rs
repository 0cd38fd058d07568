//! Tests what a role that has entered one tenant can do to another tenant's rows, in every table. Reads the
//! tables from the catalog, so that it covers tables of later migrations.

use sqlx::{AssertSqlSafe, PgConnection};

use crate::two_tenants::{TABLES, enter, two_tenants};

/// The roles for writes of requests, and for commits of one tenant.
const ROLES: [&str; 2] = ["latchkey_app", "latchkey_writer"];

/// The permissions of the role `$1` on the table `$2`: INSERT, the columns it may update, DELETE. Also
/// whether the table has partitions.
const RIGHTS: &str = "
    SELECT has_column_privilege($1, c.oid, 'tenant_id', 'INSERT'),
           ARRAY(SELECT a.attname::text FROM pg_attribute a
                  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                    AND has_column_privilege($1, c.oid, a.attnum, 'UPDATE') ORDER BY a.attnum),
           has_table_privilege($1, c.oid, 'DELETE'),
           c.relkind = 'p'
      FROM pg_class c WHERE c.oid = $2::regclass";

/// Permissions that row level security does not restrict, and permissions for tables without tenants or for
/// single partitions.
const RIGHTS_PAST_ROW_LEVEL_SECURITY: &str = "
    SELECT concat_ws(' ', role, privilege, c.relname)
      FROM pg_class c, unnest($1::text[]) AS role, unnest(ARRAY['TRUNCATE', 'REFERENCES', 'TRIGGER']) AS privilege
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
       AND has_table_privilege(role, c.oid, privilege)
     UNION ALL
    SELECT concat_ws(' ', role, c.relname)
      FROM pg_class c, unnest($1::text[]) AS role
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
       AND (c.relispartition
            OR NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id'))
       AND (has_any_column_privilege(role, c.oid, 'SELECT, INSERT, UPDATE') OR has_table_privilege(role, c.oid, 'DELETE'))";

/// The SQLSTATE and the message of a refusal.
type Refused = (String, String);

/// Runs a statement as the role in the tenant and rolls it back. Returns the number of rows touched.
async fn attempt(connection: &mut PgConnection, as_whom: (&str, &str), sql: &str) -> Result<u64, Refused> {
    let (role, tenant) = as_whom;
    let mut transaction = enter(connection, role, Some(tenant)).await;
    let done = sqlx::query(AssertSqlSafe(sql.to_owned())).execute(&mut *transaction).await;
    done.map(|done| done.rows_affected()).map_err(|error| {
        let error = error.as_database_error().unwrap();
        (error.code().unwrap().into_owned(), error.message().to_owned())
    })
}

/// Asserts that the policy refuses the statement if the role has the permission, and otherwise the missing
/// permission does.
async fn assert_refused(connection: &mut PgConnection, as_whom: (&str, &str), sql: &str, has_right: bool) {
    let why = if has_right { "violates row-level security policy" } else { "permission denied" };
    let refused = attempt(connection, as_whom, sql).await;
    let is_so = refused.as_ref().is_err_and(|(code, message)| code == "42501" && message.contains(why));
    assert!(is_so, "{as_whom:?} {sql}: {refused:?}, and not {why}");
}

// [V13 13.2.2], [found 20]
#[tokio::test]
async fn roles_cannot_write_rows_of_another_tenant() {
    let (_sandbox, mut connection) = two_tenants().await;
    let tables: Vec<(String, bool)> = sqlx::query_as(TABLES).fetch_all(&mut connection).await.unwrap();
    let attempts = ROLES.iter().flat_map(|role| tables.iter().map(move |(table, _)| (*role, table)));
    for (role, table) in attempts {
        let rights = sqlx::query_as(RIGHTS).bind(role).bind(table).fetch_one(&mut connection).await;
        let (inserts, updated, deletes, has_partitions): (bool, Vec<String>, bool, bool) = rights.unwrap();
        for (own, other) in [("acme", "globex"), ("globex", "acme")] {
            let acting = (role, own);
            // Policies are checked before missing columns, but after the partition is found.
            let insert = |tenant: &str| match has_partitions {
                true => format!("INSERT INTO {table} (tenant_id, slot) VALUES ('{tenant}', 0)"),
                false => format!("INSERT INTO {table} (tenant_id) VALUES ('{tenant}')"),
            };
            assert_refused(&mut connection, acting, &insert(other), inserts).await;
            if inserts {
                let of_its_own = attempt(&mut connection, acting, &insert(own)).await;
                let lacks_right = of_its_own.as_ref().is_err_and(|(code, _)| code == "42501");
                assert!(!lacks_right, "{acting:?} {table}: {of_its_own:?}");
            }

            let moved = format!("UPDATE {table} SET tenant_id = '{other}'");
            let moves = updated.iter().any(|column| column == "tenant_id");
            assert_refused(&mut connection, acting, &moved, moves).await;
            if let Some(column) = updated.first() {
                let update = format!("UPDATE {table} SET {column} = {column} WHERE tenant_id = '{other}'");
                assert_eq!(attempt(&mut connection, acting, &update).await, Ok(0), "{acting:?} {update}");
            }

            let delete = format!("DELETE FROM {table} WHERE tenant_id = '{other}'");
            if deletes {
                assert_eq!(attempt(&mut connection, acting, &delete).await, Ok(0), "{acting:?} {delete}");
            } else {
                assert_refused(&mut connection, acting, &delete, false).await;
            }
        }
    }
}

/// Partitions have their own policies, and no statement needs direct access to a partition. TRUNCATE and
/// foreign keys ignore policies.
#[tokio::test]
async fn tenant_roles_have_no_right_past_row_level_security() {
    let (_sandbox, mut connection) = two_tenants().await;
    let rights: Vec<String> = sqlx::query_scalar(RIGHTS_PAST_ROW_LEVEL_SECURITY)
        .bind(ROLES.as_slice())
        .fetch_all(&mut connection)
        .await
        .unwrap();
    assert!(rights.is_empty(), "{rights:?}");
}

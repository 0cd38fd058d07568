//! Adds the search terms of tenants that were written before the schema had search terms. SQL cannot split
//! words in the same way as the program.

use sqlx::{Sqlite, SqliteConnection};

use crate::columns::given;
use crate::statement::{Dialect, Statement};
use crate::tenants::{INSERT_SEARCH_TERMS, search_term_rows};

/// The first schema with search terms.
pub(crate) const SINCE: i64 = 5;

const SELECT: &str = "
    SELECT tenant_id, name FROM tenants WHERE deleted_at IS NULL AND tenant_id > $1 ORDER BY tenant_id LIMIT 1000";

/// Runs once, in the transaction of the migration.
pub(crate) async fn add_missing(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let mut after = String::new();
    loop {
        let tenants: Vec<(String, String)> =
            sqlx::query_as(SELECT).bind(&after).fetch_all(&mut *connection).await?;
        let Some((last, _)) = tenants.last() else { return Ok(()) };
        let terms: Vec<_> = tenants.iter().flat_map(|(id, name)| search_term_rows(id, name)).collect();
        let insert = Statement::from_text(INSERT_SEARCH_TERMS).bind(given(&terms));
        insert.bound::<Sqlite>(Dialect::Sqlite).execute(&mut *connection).await?;
        after.clone_from(last);
    }
}

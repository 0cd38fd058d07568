//! The words of tenants that were written before there were any. SQL cannot cut them as the program does.

use administration::rows::search_term_rows_of;
use sqlx::SqliteConnection;

use crate::sqlite::commit::INSERT_SEARCH_TERMS;

/// The schema in which words are first kept.
pub(crate) const SINCE: i64 = 5;

const SELECT: &str = "
    SELECT tenant_id, name FROM tenants WHERE deleted_at IS NULL AND tenant_id > ?1 ORDER BY tenant_id LIMIT 1000";

/// Once, in the transaction that brings the schema up to date.
pub(crate) async fn add_missing(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let mut after = String::new();
    loop {
        let tenants: Vec<(String, String)> =
            sqlx::query_as(SELECT).bind(&after).fetch_all(&mut *connection).await?;
        let Some((last, _)) = tenants.last() else { return Ok(()) };
        let terms: Vec<_> = tenants.iter().flat_map(|(id, name)| search_term_rows_of(id, name)).collect();
        let terms = serde_json::to_string(&terms).map_err(|error| sqlx::Error::Encode(error.into()))?;
        sqlx::query(INSERT_SEARCH_TERMS).bind(terms).execute(&mut *connection).await?;
        after.clone_from(last);
    }
}

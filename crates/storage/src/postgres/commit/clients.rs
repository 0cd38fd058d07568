//! Clients with the names that they list.

use std::sync::LazyLock;

use administration::rows::ClientRows;

use super::{CommitError, CommitWriter, upsert};
use crate::tables;

/// Every row that the commit decided.
static UPSERT: LazyLock<String> = LazyLock::new(|| upsert(&tables::CLIENTS));

const DELETE_NAMES: &str = "
    DELETE FROM client_names n
     USING json_to_recordset($1::json) AS given (tenant_id text, client_id text)
     WHERE n.tenant_id = given.tenant_id AND n.client_id = given.client_id";

const INSERT_NAMES: &str = "
    INSERT INTO client_names (tenant_id, name, client_id)
    SELECT tenant_id, name, client_id
      FROM json_to_recordset($1::json) AS given (tenant_id text, name text, client_id text)";

impl CommitWriter<'_> {
    pub(super) async fn clients(&mut self, clients: &ClientRows<'_>) -> Result<(), CommitError> {
        self.all(UPSERT.as_str(), &clients.rows).await?;
        self.each(DELETE_NAMES, &clients.renamed).await?;
        self.all(INSERT_NAMES, &clients.names).await
    }
}

//! Clients with the names that they list, and applications.

use std::sync::LazyLock;

use super::{CommitError, CommitWriter, upsert};
use crate::tables;

/// Every row that the commit decided.
static UPSERT: LazyLock<String> = LazyLock::new(|| upsert(&tables::CLIENTS));

const DELETE_NAMES: &str = "
    DELETE FROM client_names
     WHERE (tenant_id, client_id) IN (SELECT value ->> 'tenant_id', value ->> 'client_id' FROM json_each(?1))";

const INSERT_NAMES: &str = "
    INSERT INTO client_names (tenant_id, name, client_id)
    SELECT value ->> 'tenant_id', value ->> 'name', value ->> 'client_id' FROM json_each(?1)";

const DELETE_APPLICATIONS: &str = "
    DELETE FROM applications
     WHERE (tenant_id, application_id) IN (
               SELECT value ->> 'tenant_id', value ->> 'application_id' FROM json_each(?1))";

const UPDATE_APPLICATIONS: &str = "
    UPDATE applications
       SET name = value ->> 'name', client_id = value ->> 'client_id', document = value -> 'document'
      FROM json_each(?1)
     WHERE tenant_id = value ->> 'tenant_id' AND application_id = value ->> 'application_id'";

/// `key` is the index in the batch, so that applications keep the order in which they were made.
const INSERT_APPLICATIONS: &str = "
    INSERT INTO applications (tenant_id, application_id, position, name, client_id, document, created_at)
    SELECT value ->> 'tenant_id', value ->> 'application_id',
           key + 1 + (SELECT COALESCE(MAX(position), 0) FROM applications WHERE tenant_id = value ->> 'tenant_id'),
           value ->> 'name', value ->> 'client_id', value -> 'document', value ->> 'created_at'
      FROM json_each(?1)";

impl CommitWriter<'_> {
    pub(super) async fn clients(&mut self) -> Result<(), CommitError> {
        let clients = &self.rows.clients;
        self.all(UPSERT.as_str(), &clients.rows).await?;
        self.each(DELETE_NAMES, &clients.renamed).await?;
        self.all(INSERT_NAMES, &clients.names).await
    }

    pub(super) async fn applications(&mut self) -> Result<(), CommitError> {
        let applications = &self.rows.applications;
        self.all(DELETE_APPLICATIONS, &applications.deleted).await?;
        self.all(UPDATE_APPLICATIONS, &applications.changed).await?;
        self.all(INSERT_APPLICATIONS, &applications.added).await
    }
}

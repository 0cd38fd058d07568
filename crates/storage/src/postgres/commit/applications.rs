//! Applications. A name that one gives up another may take in the same commit.

use administration::rows::ApplicationRows;

use super::{CommitError, CommitWriter};

const DELETE: &str = "
    DELETE FROM applications a
     USING json_to_recordset($1::json) AS given (tenant_id text, application_id text)
     WHERE a.tenant_id = given.tenant_id AND a.application_id = given.application_id";

const UPDATE: &str = "
    UPDATE applications a
       SET name = given.name, client_id = given.client_id, document = given.document::text
      FROM json_to_recordset($1::json) AS given (
               tenant_id text, application_id text, name text, client_id text, document json)
     WHERE a.tenant_id = given.tenant_id AND a.application_id = given.application_id";

const INSERT: &str = "
    INSERT INTO applications (tenant_id, application_id, name, client_id, document, created_at)
    SELECT tenant_id, application_id, name, client_id, document::text, created_at
      FROM ROWS FROM (json_to_recordset($1::json) AS (
               tenant_id text, application_id text, name text, client_id text, document json, created_at bigint))
           WITH ORDINALITY AS given (tenant_id, application_id, name, client_id, document, created_at, nth)
     ORDER BY nth";

impl CommitWriter<'_> {
    pub(super) async fn applications(
        &mut self,
        applications: &ApplicationRows<'_>,
    ) -> Result<(), CommitError> {
        self.all(DELETE, &applications.deleted).await?;
        self.all(UPDATE, &applications.changed).await?;
        self.all(INSERT, &applications.added).await
    }
}

//! Applications of the Thunder-compatible API.

use administration::rows::ApplicationRows;
use administration::{Application, ApplicationId, Applications};
use async_trait::async_trait;
use tenancy::{StoreError, TenantId};

use crate::column::is_text;
use crate::commit::{CommitError, CommitWriter};
use crate::database::{Database, Purpose};
use crate::error::store_error;
use crate::rows::{ApplicationRow, application_id};
use crate::statement::{Dialect, Statement};

const SELECT_ONE: &str = "
    SELECT a.* FROM applications a WHERE a.tenant_id = {tenant} AND a.application_id = $2";

const SELECT_NAMED: &str = "
    SELECT a.application_id FROM applications a WHERE a.tenant_id = {tenant} AND a.name = $2";

const COUNT: &str = "SELECT COUNT(*) AS total FROM applications a WHERE a.tenant_id = {tenant}";

/// In the order in which they were created.
pub(crate) const SELECT_PAGE: &str = "
    SELECT page.* FROM (SELECT a.* FROM applications a WHERE a.tenant_id = {tenant}
                         ORDER BY a.position LIMIT $3 OFFSET $2) AS page";

const DELETE: &str = "
    DELETE FROM applications
     WHERE (tenant_id, application_id) IN (
               SELECT tenant_id, application_id FROM {given(tenant_id text, application_id text)})";

/// A row keeps its position and its time. A new row comes after all others of its tenant.
macro_rules! upsert {
    ($column:literal, $value:literal) => {
        concat!(
            "INSERT INTO applications (tenant_id, application_id, name, client_id, document, created_at",
            $column,
            ") SELECT tenant_id, application_id, name, client_id, CAST(document AS text), created_at",
            $value,
            "
              FROM {given(tenant_id text, application_id text, name text, client_id text, document json,
                          created_at bigint, is_new boolean)}
             WHERE is_new <> EXISTS (SELECT 1 FROM applications a
                                      WHERE a.tenant_id = given.tenant_id
                                        AND a.application_id = given.application_id)
             ORDER BY nth
            ON CONFLICT (tenant_id, application_id) DO UPDATE
               SET name = excluded.name, client_id = excluded.client_id, document = excluded.document"
        )
    };
}

const SQLITE_UPSERT: &str = upsert!(
    ", position",
    ", nth + (SELECT COALESCE(MAX(a.position), 0) FROM applications a WHERE a.tenant_id = given.tenant_id)"
);

/// The position is an identity column.
const POSTGRES_UPSERT: &str = upsert!("", "");

#[async_trait]
impl Applications for Database {
    async fn find_application(
        &self,
        tenant: &TenantId,
        application: &ApplicationId,
    ) -> Result<Option<Application>, StoreError> {
        let statement = Statement::of(SELECT_ONE).bind(tenant).bind(application.to_string());
        let row: Option<ApplicationRow> = self.first(statement).await?;
        row.map(Application::try_from).transpose()
    }

    async fn find_application_named(
        &self,
        tenant: &TenantId,
        name: &str,
    ) -> Result<Option<ApplicationId>, StoreError> {
        if !is_text(name) {
            return Ok(None);
        }
        let row: Option<(String,)> = self.first(Statement::of(SELECT_NAMED).bind(tenant).bind(name)).await?;
        row.map(|(id,)| application_id(&id)).transpose()
    }

    async fn list_applications(
        &self,
        tenant: &TenantId,
        offset: u32,
        limit: u32,
    ) -> Result<(u64, Vec<Application>), StoreError> {
        let listed = async {
            let mut transaction = self.begin(Purpose::Reads).await?;
            let counted: Option<(i64,)> = transaction.first(Statement::of(COUNT).bind(tenant)).await?;
            let page = Statement::of(SELECT_PAGE).bind(tenant).bind(offset).bind(limit);
            let rows: Vec<ApplicationRow> = transaction.all(page).await?;
            transaction.commit().await?;
            Ok((counted.map_or(0, |(total,)| total.unsigned_abs()), rows))
        };
        let (total, rows) = listed.await.map_err(store_error)?;
        Ok((total, rows.into_iter().map(Application::try_from).collect::<Result<_, _>>()?))
    }
}

impl CommitWriter<'_> {
    pub(crate) async fn applications(&mut self, applications: &ApplicationRows) -> Result<(), CommitError> {
        let upsert = match self.dialect {
            Dialect::Sqlite => SQLITE_UPSERT,
            Dialect::Postgres => POSTGRES_UPSERT,
        };
        self.all(DELETE, &applications.deleted).await?;
        self.all(upsert, &applications.rows).await
    }
}

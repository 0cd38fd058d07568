//! Applications of the Thunder-compatible API.

use administration::{Application, ApplicationId, Applications, Listed, readable};
use async_trait::async_trait;
use tenancy::{Stored, TenantId};

use crate::column::is_text;
use crate::database::Database;
use crate::statement::{Dialect, Statement};
use crate::transaction::TransactionPurpose;

pub(crate) const SELECT_ONE: &str = "
    SELECT {columns(a)} FROM applications a WHERE a.tenant_id = {tenant} AND a.application_id = $2";

const SELECT_NAMED: &str = "
    SELECT a.application_id FROM applications a WHERE a.tenant_id = {tenant} AND a.name = $2";

const COUNT: &str = "SELECT COUNT(*) AS total FROM applications a WHERE a.tenant_id = {tenant}";

/// Applications in the order of their creation.
pub(crate) const SELECT_PAGE: &str = "
    SELECT page.* FROM (SELECT {columns(a)} FROM applications a WHERE a.tenant_id = {tenant}
                         ORDER BY a.position LIMIT $3 OFFSET $2) AS page";

/// After all others of their tenant.
pub(crate) const fn insert(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => SQLITE_INSERT,
        Dialect::Postgres => POSTGRES_INSERT,
    }
}

const SQLITE_INSERT: &str = "
    INSERT INTO applications ({names}, position)
    SELECT {names}, nth + (SELECT COALESCE(MAX(a.position), 0) FROM applications a WHERE a.tenant_id = given.tenant_id)
      FROM {given}";

/// The position is an identity column.
const POSTGRES_INSERT: &str = "INSERT INTO applications ({names}) SELECT {names} FROM {given} ORDER BY nth";

/// The row keeps its position and its time.
pub(crate) const UPDATE: &str = "
    UPDATE applications AS a SET name = given.name, client_id = given.client_id, document = given.document
      FROM {given}
     WHERE a.tenant_id = given.tenant_id AND a.application_id = given.application_id";

#[async_trait]
impl Applications for Database {
    async fn find_application(
        &self,
        tenant: &TenantId,
        application: &ApplicationId,
    ) -> Stored<Option<Application>> {
        let statement = Statement::from_text(SELECT_ONE).bind(tenant).bind(application.to_string());
        Ok(self.first(statement).await?)
    }

    async fn find_application_named(&self, tenant: &TenantId, name: &str) -> Stored<Option<ApplicationId>> {
        if !is_text(name) {
            return Ok(None);
        }
        Ok(self.scalar(Statement::from_text(SELECT_NAMED).bind(tenant).bind(name)).await?)
    }

    async fn list_applications(
        &self,
        tenant: &TenantId,
        offset: u32,
        limit: u32,
    ) -> Stored<(u64, Vec<Application>)> {
        let mut transaction = self.begin(TransactionPurpose::Reads(Some(tenant))).await?;
        let total: Option<u64> = transaction.scalar(Statement::from_text(COUNT).bind(tenant)).await?;
        let page = Statement::from_text(SELECT_PAGE).bind(tenant).bind(offset).bind(limit);
        let applications: Vec<Listed<Application>> = transaction.all(page).await?;
        transaction.commit().await?;
        Ok((total.unwrap_or(0), readable(applications)))
    }
}

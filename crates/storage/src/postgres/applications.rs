//! Applications, read in their tenant.

use administration::{Application, ApplicationId, Applications};
use async_trait::async_trait;
use tenancy::{StoreError, TenantId};

use crate::column::is_text;
use crate::postgres::PostgresDatabase;
use crate::postgres::error::store_error;
use crate::postgres::read::in_tenant;
use crate::rows::{ApplicationRow, application_id};

const BY_ID: &str = in_tenant!(
    "SELECT a.* FROM applications a WHERE a.tenant_id = entered.tenant_id AND a.application_id = $2"
);

const BY_NAME: &str = in_tenant!(
    "SELECT a.application_id FROM applications a WHERE a.tenant_id = entered.tenant_id AND a.name = $2"
);

const COUNT: &str =
    in_tenant!("SELECT COUNT(*) AS total FROM applications a WHERE a.tenant_id = entered.tenant_id");

/// In the order in which they were made.
const PAGE: &str = in_tenant!(
    "SELECT page.* FROM (SELECT a.* FROM applications a WHERE a.tenant_id = entered.tenant_id
                          ORDER BY a.position LIMIT $3 OFFSET $2) AS page"
);

#[async_trait]
impl Applications for PostgresDatabase {
    async fn find_application(
        &self,
        tenant: &TenantId,
        application: &ApplicationId,
    ) -> Result<Option<Application>, StoreError> {
        let query = sqlx::query_as(BY_ID).bind(tenant.as_str()).bind(application.to_string());
        let rows: Vec<ApplicationRow> = self.query_in_tenant(query).await?;
        rows.into_iter().next().map(Application::try_from).transpose()
    }

    async fn find_application_named(
        &self,
        tenant: &TenantId,
        name: &str,
    ) -> Result<Option<ApplicationId>, StoreError> {
        if !is_text(name) {
            return Ok(None);
        }
        let query = sqlx::query_as(BY_NAME).bind(tenant.as_str()).bind(name);
        let rows: Vec<(String,)> = self.query_in_tenant(query).await?;
        rows.first().map(|(id,)| application_id(id)).transpose()
    }

    async fn list_applications(
        &self,
        tenant: &TenantId,
        offset: u32,
        limit: u32,
    ) -> Result<(u64, Vec<Application>), StoreError> {
        let mut transaction = self.snapshot().await.map_err(store_error)?;
        let counting = sqlx::query_as(COUNT).bind(tenant.as_str());
        let counted: Vec<(i64,)> = transaction.all(counting).await.map_err(store_error)?;
        let listing =
            sqlx::query_as(PAGE).bind(tenant.as_str()).bind(i64::from(offset)).bind(i64::from(limit));
        let rows: Vec<ApplicationRow> = transaction.all(listing).await.map_err(store_error)?;
        transaction.commit().await.map_err(store_error)?;
        let total = counted.first().map_or(0, |(total,)| total.unsigned_abs());
        Ok((total, rows.into_iter().map(Application::try_from).collect::<Result<_, _>>()?))
    }
}

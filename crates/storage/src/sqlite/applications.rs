//! Applications of the Thunder-compatible API.

use administration::{Application, ApplicationId, Applications};
use async_trait::async_trait;
use tenancy::{StoreError, TenantId};

use crate::rows::{ApplicationRow, application_id};
use crate::sqlite::SqliteDatabase;
use crate::sqlite::error::store_error;

const SELECT_ONE: &str = "
    SELECT tenant_id, application_id, name, client_id, document, created_at
      FROM applications
     WHERE tenant_id = ?1 AND application_id = ?2";

const SELECT_NAMED: &str = "SELECT application_id FROM applications WHERE tenant_id = ?1 AND name = ?2";

const COUNT: &str = "SELECT COUNT(*) FROM applications WHERE tenant_id = ?1";

pub(crate) const SELECT_PAGE: &str = "
    SELECT tenant_id, application_id, name, client_id, document, created_at
      FROM applications
     WHERE tenant_id = ?1
     ORDER BY position
     LIMIT ?3 OFFSET ?2";

#[async_trait]
impl Applications for SqliteDatabase {
    async fn find_application(
        &self,
        tenant: &TenantId,
        application: &ApplicationId,
    ) -> Result<Option<Application>, StoreError> {
        let query = sqlx::query_as(SELECT_ONE).bind(tenant.as_str()).bind(application.to_string());
        let row: Option<ApplicationRow> = query.fetch_optional(self.read()).await.map_err(store_error)?;
        row.map(Application::try_from).transpose()
    }

    async fn find_application_named(
        &self,
        tenant: &TenantId,
        name: &str,
    ) -> Result<Option<ApplicationId>, StoreError> {
        let query = sqlx::query_scalar(SELECT_NAMED).bind(tenant.as_str()).bind(name);
        let id: Option<String> = query.fetch_optional(self.read()).await.map_err(store_error)?;
        id.as_deref().map(application_id).transpose()
    }

    async fn list_applications(
        &self,
        tenant: &TenantId,
        offset: u32,
        limit: u32,
    ) -> Result<(u64, Vec<Application>), StoreError> {
        let mut snapshot = self.snapshot().await.map_err(store_error)?;
        let count: i64 = sqlx::query_scalar(COUNT)
            .bind(tenant.as_str())
            .fetch_one(self.counted(&mut *snapshot))
            .await
            .map_err(store_error)?;
        let rows: Vec<ApplicationRow> = sqlx::query_as(SELECT_PAGE)
            .bind(tenant.as_str())
            .bind(offset)
            .bind(limit)
            .fetch_all(self.counted(&mut *snapshot))
            .await
            .map_err(store_error)?;
        let page = rows.into_iter().map(Application::try_from).collect::<Result<_, _>>()?;
        Ok((count.unsigned_abs(), page))
    }
}

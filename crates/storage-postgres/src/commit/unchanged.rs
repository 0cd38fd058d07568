//! A plan rests on rows as they were: before anything is written, each row that it changes is read again and compared.

use administration::RestsOn;
use registry::ClientId;
use tenancy::TenantId;

use super::{BATCH, CommitError, Writing};
use crate::client_row::{self, ClientRow};
use crate::tenant_row::{self, TenantRow};

impl Writing<'_> {
    pub(super) async fn unchanged_rows(&mut self) -> Result<(), CommitError> {
        let rests_on = RestsOn::of(&self.request.changes);
        for batch in rests_on.tenants().chunks(BATCH) {
            let rows = self.tenant_rows(batch).await?;
            require(rows.len() == batch.len())?;
            for row in rows {
                let (tenant, servers) = (row.tenant()?, row.resource_servers()?);
                require(rests_on.fits_tenant(&tenant, &row.standing()?, &servers))?;
            }
        }
        for batch in rests_on.clients().chunks(BATCH) {
            let rows = self.client_rows(batch).await?;
            require(rows.len() == batch.len())?;
            for row in rows {
                require(rests_on.fits_client(&row.state()?))?;
            }
        }
        Ok(())
    }

    async fn tenant_rows(&mut self, batch: &[&TenantId]) -> Result<Vec<TenantRow>, CommitError> {
        let ids: Vec<&str> = batch.iter().map(|id| id.as_str()).collect();
        Ok(self.work.all(sqlx::query_as(tenant_row::SELECT_MANY).bind(ids)).await?)
    }

    async fn client_rows(&mut self, batch: &[(&TenantId, &ClientId)]) -> Result<Vec<ClientRow>, CommitError> {
        let (tenants, clients): (Vec<&str>, Vec<&str>) =
            batch.iter().map(|(tenant, client)| (tenant.as_str(), client.as_str())).unzip();
        let query = sqlx::query_as(client_row::SELECT_MANY).bind(tenants).bind(clients);
        Ok(self.work.all(query).await?)
    }
}

fn require(holds: bool) -> Result<(), CommitError> {
    if holds { Ok(()) } else { Err(CommitError::Superseded) }
}

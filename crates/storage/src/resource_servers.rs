//! Resource servers. They are read with their tenant.

use crate::commit::CommitWriter;
use crate::error::Error;

const UPSERT: &str = "
    INSERT INTO resource_servers ({names}) SELECT {names} FROM {given} WHERE TRUE
    ON CONFLICT (tenant_id, audience) DO UPDATE SET {updates}";

impl CommitWriter<'_> {
    pub(crate) async fn resource_servers(&mut self) -> Result<(), Error> {
        let rows: Vec<_> =
            self.decided.resource_servers.iter().map(|((tenant, _), row)| (tenant, row)).collect();
        self.all(UPSERT, &rows).await
    }
}

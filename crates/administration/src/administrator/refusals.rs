//! The most recent refused requests of a tenant. Reading them needs `latchkey:audit` of the platform or of
//! the tenant.

use tenancy::TenantId;
use values::Timestamp;

use super::InTenant;
use super::cursor::{Cursor, Paging};
use super::load::Needs;
use crate::audit::refusals::Refusal;
use crate::documents::Page;
use crate::edit::Edited;
use crate::kinds::Permission;
use crate::store::{RefusalCursor, RefusalQuery};

impl InTenant<'_> {
    /// A page of refusals, the newest first.
    pub async fn refusals(&self, query: RefusalQuery, cursor: Option<&str>) -> Edited<Page<Refusal>> {
        self.require(Permission::Audit)?;
        let page = Paging::new(cursor, query.limit)?;
        self.load(self.tenant, &Needs::default()).await?.tenant()?;
        self.read_refusals(self.tenant, page, query).await
    }

    pub(super) async fn read_refusals(
        &self,
        tenant: &TenantId,
        page: Paging<RefusalCursor>,
        query: RefusalQuery,
    ) -> Edited<Page<Refusal>> {
        let query = RefusalQuery { before: page.after.clone(), limit: page.rows(), ..query };
        let rows = self.store.list_refusals(tenant, &query).await?;
        Ok(page.page(rows, |refusal| {
            (RefusalCursor { at: refusal.at, request_id: refusal.request_id.clone() }, refusal)
        }))
    }
}

impl Cursor for RefusalCursor {
    fn text(&self) -> String {
        format!("{}\n{}", self.at.seconds(), self.request_id)
    }

    fn parse(text: &str) -> Option<Self> {
        let (at, request_id) = text.split_once('\n')?;
        let at = Timestamp::from_seconds(at.parse().ok()?);
        Some(Self { at, request_id: request_id.to_owned() })
    }
}

//! The audit: `latchkey:audit`, at the platform or in the tenant.

use super::{Administrator, cursor};
use crate::{AuditQuery, AuditView, Authority, EditError, Page, Permission};

impl Administrator {
    /// A page of audit records, the newest first. Without a tenant in the query it takes the platform's permission.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn audit(
        &self,
        by: &Authority,
        query: AuditQuery,
        cursor: Option<&str>,
    ) -> Result<Page<AuditView>, EditError> {
        let may = match &query.tenant {
            Some(tenant) => by.holds_in(tenant, Permission::Audit),
            None => by.holds_everywhere(Permission::Audit),
        };
        if !may {
            return Err(EditError::Forbidden(Permission::Audit));
        }
        let size = cursor::page_size(query.limit);
        let before = match cursor {
            Some(cursor) => Some(cursor::read_position(cursor)?),
            None => query.before,
        };
        let rows = self.store.list_audit(&AuditQuery { before, limit: size + 1, ..query }).await?;
        let rows = rows.into_iter().map(|(position, record)| (position, AuditView::of(position, record)));
        Ok(cursor::page(rows.collect(), size, |position| position.to_string()))
    }
}

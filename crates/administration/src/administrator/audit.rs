//! The audit: `latchkey:audit`, of the platform or of the tenant.

use super::{Administrator, Caller, cursor};
use crate::{AuditQuery, AuditView, EditError, Page, Permission};

impl Administrator {
    /// A page of audit records, the newest first. Without a tenant in the query it takes the platform's permission.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn audit(
        &self,
        caller: &Caller,
        query: AuditQuery,
        cursor: Option<&str>,
    ) -> Result<Page<AuditView>, EditError> {
        match &query.tenant {
            Some(tenant) => caller.authority.require_in(tenant, Permission::Audit)?,
            None => caller.authority.require_everywhere(Permission::Audit)?,
        }
        let size = cursor::page_size(query.limit);
        let before = match cursor {
            Some(cursor) => Some(cursor::read_position(cursor)?),
            None => query.before,
        };
        let rows = self.store.list_audit(&AuditQuery { before, limit: size + 1, ..query }).await?;
        let rows = rows.into_iter().map(|(position, record)| (position, AuditView { position, record }));
        Ok(cursor::page(rows.collect(), size, |position| position.to_string()))
    }
}

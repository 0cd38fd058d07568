//! Reads the audit, which needs `latchkey:audit` of the platform or of the tenant, and records sign-ins of
//! people.

use accounts::ThrottledNote;
use serde_json::json;
use tenancy::TenantId;
use values::Timestamp;

use super::cursor::{Cursor, Paging};
use super::{Administrator, Caller};
use crate::audit::AuditRecord;
use crate::audit::sign_ins::SignIn;
use crate::documents::{AuditView, Page};
use crate::edit::EditError;
use crate::edit::Edited;
use crate::kinds::Permission;
use crate::store::Commit;
use crate::store::query::{AuditCursor, AuditQuery};

impl Administrator {
    /// A page of audit records, the newest first. A query without a tenant needs the platform's permission.
    pub async fn audit(
        &self,
        caller: &Caller,
        query: AuditQuery,
        cursor: Option<&str>,
    ) -> Edited<Page<AuditView>> {
        match &query.tenant {
            Some(tenant) => caller.authority.require_in(tenant, Permission::Audit)?,
            None => caller.authority.require_everywhere(Permission::Audit)?,
        }
        let page = Paging::new(cursor, query.limit)?;
        let before = page.after.clone().or(query.before);
        let rows = self.store.list_audit(&AuditQuery { before, limit: page.rows(), ..query }).await?;
        Ok(page.page(rows, |(position, record)| {
            (AuditCursor::new(position, &record), AuditView { position, record })
        }))
    }

    /// Records a sign-in. The number of single records in a minute is limited; one record counts the other
    /// sign-ins.
    ///
    /// # Errors
    /// [`EditError`] if the store does not answer. The records are then lost.
    pub async fn note_sign_in(&self, sign_in: &SignIn, now: Timestamp) -> Result<(), EditError> {
        let records = self.sign_ins.lock().note(sign_in, now);
        self.record(records, now).await
    }

    /// Records the sums of the minutes that are over.
    ///
    /// # Errors
    /// As [`Administrator::note_sign_in`].
    pub async fn sum_sign_ins(&self, now: Timestamp) -> Edited<()> {
        let records = self.sign_ins.lock().over(now);
        self.record(records, now).await
    }

    /// Records that accounts have begun to refuse unknown browsers.
    ///
    /// # Errors
    /// As [`Administrator::note_sign_in`].
    pub async fn note_throttled(&self, notes: Vec<ThrottledNote>, now: Timestamp) -> Edited<()> {
        self.record(notes.into_iter().map(|note| AuditRecord::of_throttled(note, now)).collect(), now).await
    }

    /// Records that the platform has signed the report with this digest.
    pub async fn note_signed_report(&self, caller: &Caller, sha256: String) -> Edited<()> {
        let (actor, now) = (caller.authority.actor().clone(), caller.now);
        let what = ("report.signed", sha256, json!({}));
        self.record(vec![AuditRecord::new(actor, now, TenantId::platform(), what)], now).await
    }

    /// These records change no row, so they need no revision.
    pub(super) async fn record(&self, audit: Vec<AuditRecord>, now: Timestamp) -> Edited<()> {
        if audit.is_empty() {
            return Ok(());
        }
        self.store.commit(&Commit { audit, ..Commit::empty(now) }).await?;
        Ok(())
    }
}

impl Cursor for AuditCursor {
    fn text(&self) -> String {
        format!("{}\n{}\n{}", self.at.seconds(), self.tenant, self.position)
    }

    fn parse(text: &str) -> Option<Self> {
        let (at, rest) = text.split_once('\n')?;
        let (tenant, position) = rest.split_once('\n')?;
        let at = Timestamp::from_seconds(at.parse().ok()?);
        Some(Self { at, tenant: TenantId::parse(tenant).ok()?, position: position.parse().ok()? })
    }
}

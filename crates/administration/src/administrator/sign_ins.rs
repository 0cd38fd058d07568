//! Sign-ins of people, written down in the audit.

use std::sync::PoisonError;

use protocol::Timestamp;

use super::Administrator;
use crate::{AuditRecord, CommitRequest, EditError, ManagedBy, SignIn};

impl Administrator {
    /// Writes a sign-in down. In a minute so many at most are written each, and the others as one sum.
    ///
    /// # Errors
    /// [`EditError`] where the store does not answer; what was to be written is lost then.
    pub async fn note_sign_in(&self, sign_in: &SignIn, now: Timestamp) -> Result<(), EditError> {
        let records = self.sign_ins.lock().unwrap_or_else(PoisonError::into_inner).note(sign_in, now);
        self.write_down(records, now).await
    }

    /// Writes the sums of minutes that are over.
    ///
    /// # Errors
    /// As [`Administrator::note_sign_in`].
    pub async fn sum_sign_ins(&self, now: Timestamp) -> Result<(), EditError> {
        let records = self.sign_ins.lock().unwrap_or_else(PoisonError::into_inner).over(now);
        self.write_down(records, now).await
    }

    /// Records of what changes no row, and so rests on none.
    async fn write_down(&self, audit: Vec<AuditRecord>, now: Timestamp) -> Result<(), EditError> {
        if audit.is_empty() {
            return Ok(());
        }
        let request = CommitRequest { audit, ..CommitRequest::empty(ManagedBy::Api, now) };
        self.store.commit(&request).await?;
        Ok(())
    }
}

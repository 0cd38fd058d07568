//! Grants that end because a code or a refresh token was used again. The end of the tokens and the record in
//! the audit are one transaction. The marks of the code and of the refresh tokens follow in another one,
//! because in PostgreSQL the role that writes the audit may not write them. If they do not follow, the next
//! use writes them.

use administration::AuditRecord;
use grants::{Reused, ReusedGrant};
use registry::RevokedSubject;
use tenancy::TenantId;
use values::Timestamp;

use crate::audit_records;
use crate::database::Database;
use crate::error::Error;
use crate::statement::Statement;
use crate::transaction::TransactionPurpose;

/// Whether the grant has ended before. Its revocation alone does not say so: it ends with the last access
/// token, and with too many others of the account.
const HAS_ENDED: &str = "
    SELECT EXISTS (SELECT 1 FROM revocations
                    WHERE tenant_id = $1 AND kind = 'grant' AND client_id = '' AND name = $2)
        OR EXISTS (SELECT 1 FROM refresh_families
                    WHERE tenant_id = $1 AND family_id = $2 AND ended_at IS NOT NULL)";

/// The code stays a used one, so that a further use has the same reason in the log.
const MARK_CODE: &str = "
    UPDATE authorization_codes SET valid_until = 0 WHERE tenant_id = $1 AND slot = $2 AND code_digest = $3";

/// Ends the grant. Returns whether it had not ended before.
pub(crate) async fn end(
    database: &Database,
    tenant: &TenantId,
    reused: &ReusedGrant<'_>,
    now: Timestamp,
) -> Result<bool, Error> {
    let grant = reused.id.to_string();
    let subject = RevokedSubject::Grant(grant.clone());
    // The row of the tenant is locked from the beginning, so concurrent uses come one after another.
    let mut transaction = database.begin(TransactionPurpose::CommitOf(tenant)).await?;
    let has_ended = Statement::from_text(HAS_ENDED).bind(tenant).bind(grant.as_str());
    let is_first = transaction.scalar::<bool>(has_ended).await? == Some(false);
    if is_first {
        let ReusedGrant { client, account, used, source, .. } = *reused;
        let what = (client, account, grant.as_str(), used.reason());
        let record = AuditRecord::of_reused_grant(tenant, what, source, now);
        transaction.write(audit_records::INSERT, &[record], now).await?;
    }
    transaction.revoke_counted(tenant, &subject, Some(reused.sub), now).await?;
    transaction.commit().await?;

    let mut transaction = database.begin(TransactionPurpose::WritesOf(tenant)).await?;
    if let Reused::Code(key) = reused.used {
        let mark = Statement::from_text(MARK_CODE).bind(tenant).bind(key.slot).bind(key.digest.as_slice());
        transaction.execute(&mark).await?;
    }
    transaction.end_family(tenant, &subject, now).await?;
    transaction.commit().await?;
    Ok(is_first)
}

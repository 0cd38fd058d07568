//! Ends a grant after its code or refresh token was used again. Ending the tokens and writing the audit
//! record are one transaction. Marking the code and the refresh family is a second transaction, because in
//! PostgreSQL the role that writes the audit may not write these tables. If the second transaction fails, the
//! next use of the token writes the marks.

use administration::audit::AuditRecord;
use grants::{Reused, ReusedGrant};
use registry::RevokedSubject;
use tenancy::TenantId;
use values::Timestamp;

use crate::audit_records;
use crate::database::Database;
use crate::error::{Error, repeated};
use crate::statement::Statement;
use crate::transaction::TransactionPurpose;

/// Whether the grant has ended before. The revocation alone does not show it: the row is deleted after the
/// last access token expires, or when the account has too many revocations.
const HAS_ENDED: &str = "
    SELECT EXISTS (SELECT 1 FROM revocations
                    WHERE tenant_id = $1 AND kind = 'grant' AND client_id = '' AND name = $2)
        OR EXISTS (SELECT 1 FROM refresh_families
                    WHERE tenant_id = $1 AND family_id = $2 AND ended_at IS NOT NULL)";

/// The code stays marked as used, so that the log shows the same reason for a further use.
const MARK_CODE: &str = "
    UPDATE authorization_codes SET valid_until = 0 WHERE tenant_id = $1 AND slot = $2 AND code_digest = $3";

/// Ends the grant. Returns `false` if it had already ended.
pub(crate) async fn end(
    database: &Database,
    tenant: &TenantId,
    reused: &ReusedGrant<'_>,
    now: Timestamp,
) -> Result<bool, Error> {
    let subject = RevokedSubject::Grant(reused.id.to_string());
    let is_first = repeated!(revoke(database, tenant, reused, &subject, now))?;
    repeated!(end_family(database, tenant, reused, &subject, now))?;
    Ok(is_first)
}

async fn revoke(
    database: &Database,
    tenant: &TenantId,
    reused: &ReusedGrant<'_>,
    subject: &RevokedSubject,
    now: Timestamp,
) -> Result<bool, Error> {
    let grant = reused.id.to_string();
    // Locks the tenant's row first, so that concurrent uses run one after another.
    let mut transaction = database.begin(TransactionPurpose::CommitOf(tenant)).await?;
    let has_ended = Statement::from_text(HAS_ENDED).bind(tenant).bind(grant.as_str());
    let is_first = transaction.scalar::<bool>(has_ended).await? == Some(false);
    if is_first {
        let ReusedGrant { client, account, used, source, .. } = *reused;
        let what = (client, account, grant.as_str(), used.reason());
        let record = AuditRecord::of_reused_grant(tenant, what, source, now);
        transaction.write(audit_records::INSERT, &[record], now).await?;
    }
    transaction.revoke_counted(tenant, subject, Some(reused.sub), now).await?;
    transaction.commit().await?;
    Ok(is_first)
}

async fn end_family(
    database: &Database,
    tenant: &TenantId,
    reused: &ReusedGrant<'_>,
    subject: &RevokedSubject,
    now: Timestamp,
) -> Result<(), Error> {
    let mut transaction = database.begin(TransactionPurpose::WritesOf(tenant)).await?;
    if let Reused::Code(key) = reused.used {
        let mark = Statement::from_text(MARK_CODE).bind(tenant).bind(key.slot).bind(key.digest.as_slice());
        transaction.execute(&mark).await?;
    }
    transaction.end_family(tenant, subject, now).await?;
    transaction.commit().await
}

//! The queue of mail to people, and what became of each message.

use accounts::AccountId;
use administration::audit::AuditRecord;
use administration::mail::{MailLane, MailOutbox, MailOutcome, MailRecord, QueuedMail};
use async_trait::async_trait;
use serde_json::{Value, json};
use tenancy::{Stored, TenantId};
use values::Timestamp;

use crate::audit_records;
use crate::columns::columns;
use crate::database::Database;
use crate::statement::Statement;
use crate::transaction::TransactionPurpose;

/// The first attempt is due immediately.
pub(crate) const INSERT: &str =
    "INSERT INTO mail_outbox ({names}, next_attempt_at) SELECT {names}, created_at FROM {given}";

/// A deleted tenant gets no rows. The transaction has locked the tenant, so two replicas count one after
/// another.
const UNDER_LIMIT: &str = "
     WHERE EXISTS (SELECT 1 FROM tenants t WHERE t.tenant_id = given.tenant_id AND t.deleted_at IS NULL)
       AND (SELECT COUNT(*) FROM mail_outbox o
             WHERE o.tenant_id = given.tenant_id AND o.account_id = given.account_id AND o.letter = given.letter
               AND o.created_at > $2) < $3";

/// Selects tenants of the lane with due messages, beginning after tenant `$4`. The index scan reads one row
/// per tenant, so the number of waiting messages does not matter. The given tenants are the lane if `$5` is
/// 1, and all others are the lane if it is 0.
const TENANTS: &str = "
    WITH RECURSIVE served (tenant_id) AS (
        SELECT (SELECT o.tenant_id FROM mail_outbox o WHERE o.ended_at IS NULL ORDER BY o.tenant_id LIMIT 1)
        UNION ALL
        SELECT (SELECT o.tenant_id FROM mail_outbox o
                 WHERE o.ended_at IS NULL AND o.tenant_id > served.tenant_id ORDER BY o.tenant_id LIMIT 1)
          FROM served WHERE served.tenant_id IS NOT NULL)
    SELECT s.tenant_id FROM served s
     WHERE s.tenant_id IS NOT NULL
       AND CASE WHEN s.tenant_id IN (SELECT given.tenant_id FROM {given(tenant_id text)}) THEN 1 ELSE 0 END = $5
       AND EXISTS (SELECT 1 FROM mail_outbox o
                    WHERE o.tenant_id = s.tenant_id AND o.ended_at IS NULL AND o.next_attempt_at <= $2
                      AND (o.attempts < $3 OR o.deliver_by <= $2))
     ORDER BY CASE WHEN s.tenant_id > $4 THEN 0 ELSE 1 END, s.tenant_id LIMIT $6";

/// A message whose last attempt was not noted, because its replica stopped, is found again when it is too
/// late to send it.
const DUE: &str = "
    SELECT {columns(o)} FROM mail_outbox o
     WHERE o.tenant_id = $1 AND o.ended_at IS NULL AND o.next_attempt_at <= $2
       AND (o.attempts < $3 OR o.deliver_by <= $2)
     ORDER BY o.next_attempt_at LIMIT $4";

const CLAIM: &str = "
    UPDATE mail_outbox SET attempts = attempts + 1, next_attempt_at = $5
     WHERE tenant_id = $1 AND slot = $2 AND mail_id = $3 AND attempts = $4 AND ended_at IS NULL";

const NOTE: &str = "
    UPDATE mail_outbox SET answer = $4
     WHERE tenant_id = $1 AND slot = $2 AND mail_id = $3 AND ended_at IS NULL";

const END: &str = "
    UPDATE mail_outbox
       SET answer = $4, outcome = $5, ended_at = $6, next_attempt_at = NULL, sealed = {empty_bytes}
     WHERE tenant_id = $1 AND slot = $2 AND mail_id = $3 AND ended_at IS NULL";

const OF_ACCOUNT: &str = "
    SELECT {columns(o)} FROM mail_outbox o
     WHERE o.tenant_id = {tenant} AND o.account_id = $2 ORDER BY o.created_at DESC, o.mail_id LIMIT $3";

columns! {
    QueuedMail {
        tenant: "tenant_id",
        id: "mail_id",
        account: "account_id",
        slot, letter, sealed, attempts, created_at, deliver_by, expires_at,
    }
}

columns! {
    MailRecord { letter, created_at, attempts, next_attempt_at, ended_at, outcome, answer }
}

#[async_trait]
impl MailOutbox for Database {
    async fn queue_mail(
        &self,
        mail: &QueuedMail,
        audit: &AuditRecord,
        most: u32,
        since: Timestamp,
    ) -> Stored<bool> {
        let queue = Statement::of_rows(&format!("{INSERT}{UNDER_LIMIT}"), &[mail], since).bind(most);
        let mut transaction = self.begin(TransactionPurpose::CommitOf(&mail.tenant)).await?;
        if transaction.execute(&queue).await? == 0 {
            return Ok(false);
        }
        transaction.write(audit_records::INSERT, &[audit], mail.created_at).await?;
        transaction.commit().await?;
        Ok(true)
    }

    async fn due_mail(
        &self,
        now: Timestamp,
        (most, of_tenant): (u32, u32),
        lane: &MailLane,
        after: Option<&TenantId>,
    ) -> Stored<Vec<QueuedMail>> {
        let (listed, is_only) = match lane {
            MailLane::Only(tenants) => (tenants, 1_u32),
            MailLane::Except(tenants) => (tenants, 0),
        };
        let listed = Value::from_iter(listed.iter().map(|tenant| json!({ "tenant_id": tenant.as_str() })));
        let tenants = Statement::from_text(TENANTS).bind(listed.to_string()).bind(now);
        let tenants = tenants.bind(QueuedMail::MOST_ATTEMPTS).bind(after.map_or("", TenantId::as_str));
        let tenants: Vec<TenantId> = self.read(tenants.bind(is_only).bind(most)).await?;
        let share = most / u32::try_from(tenants.len()).unwrap_or(most).max(1);
        let mut due = Vec::new();
        for tenant in tenants {
            let of_one = Statement::from_text(DUE).bind(&tenant).bind(now).bind(QueuedMail::MOST_ATTEMPTS);
            due.extend(self.read(of_one.bind(share.min(of_tenant))).await?);
        }
        Ok(due)
    }

    async fn claim_mail(&self, queued: &QueuedMail, next: Timestamp) -> Stored<bool> {
        let claim = of_mail(CLAIM, queued).bind(queued.attempts).bind(next);
        Ok(self.write(claim).await? == 1)
    }

    async fn note_mail(
        &self,
        queued: &QueuedMail,
        answer: &str,
        ended: Option<(MailOutcome, AuditRecord)>,
        now: Timestamp,
    ) -> Stored<()> {
        // PostgreSQL does not accept NUL characters.
        let answer = answer.replace('\0', "");
        let Some((outcome, audit)) = ended else {
            self.write(of_mail(NOTE, queued).bind(answer)).await?;
            return Ok(());
        };
        let end = of_mail(END, queued).bind(answer).bind(outcome.as_str()).bind(now);
        let mut transaction = self.begin(TransactionPurpose::CommitOf(&queued.tenant)).await?;
        if transaction.execute(&end).await? == 1 {
            transaction.write(audit_records::INSERT, &[audit], now).await?;
            transaction.commit().await?;
        }
        Ok(())
    }

    async fn list_mail(&self, tenant: &TenantId, account: &AccountId, most: u32) -> Stored<Vec<MailRecord>> {
        let list = Statement::from_text(OF_ACCOUNT).bind(tenant).bind(account.as_str()).bind(most);
        Ok(self.read(list).await?)
    }
}

fn of_mail(text: &'static str, queued: &QueuedMail) -> Statement {
    Statement::from_text(text).bind(&queued.tenant).bind(queued.slot).bind(queued.id.as_str())
}

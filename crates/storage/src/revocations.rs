//! What tenants have revoked. A group of tokens is one row, however many tokens it has.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use administration::{Invalidation, RevocationChange, RevocationEffect, revocations};
use async_trait::async_trait;
use protocol::{Lifetime, Timestamp};
use registry::{Revocation, RevocationFacts, RevocationStore, RevokedSubject, TokenRevocation};
use serde_json::{Value, json};
use tenancy::{StoreError, TenantId};

use crate::change_log::{LOG, log_row};
use crate::commit::CommitWriter;
use crate::database::{Database, Purpose};
use crate::error::Error;
use crate::rows::{longest_token, subject_row};
use crate::statement::Statement;
use crate::transaction::Transaction;

/// How long a row is kept after its last token, for a clock that is behind, and for a verifier that allows so much of it.
const CLOCKS: Lifetime = Lifetime::from_seconds(60);

pub(crate) const SELECT: &str = "SELECT {columns(r)} FROM revocations r WHERE r.tenant_id = {tenant}";

/// Until `{revoked_at}`, or for as long after it as a replica that has not learned of the change may issue tokens: what it serves stale, and a
/// minute, which is longer than any cache takes a row as fresh, and than any request or clock is ahead. The row ends some time after the last
/// access token that may have been issued by then: `kept`.
const REVOKE: &str = concat!(
    "INSERT INTO revocations (tenant_id, kind, client_id, name, issued_until, expires_at)
     SELECT revoked.tenant_id, revoked.kind, revoked.client_id, revoked.name, revoked.issued_until,
            {greatest}(revoked.issued_until + revoked.longest, revoked.earlier_tokens_until) + revoked.kept
       FROM (SELECT given.tenant_id, given.kind, given.client_id, given.name, given.kept,
                    {revoked_at} + given.ended * (t.stale_if_error + 60) AS issued_until, ",
    longest_token!(),
    " AS longest, COALESCE(t.earlier_tokens_until, 0) AS earlier_tokens_until
               FROM {given(tenant_id text, kind text, client_id text, name text, ended bigint, kept bigint)}
               {join} tenants t ON t.tenant_id = given.tenant_id) AS revoked
      WHERE TRUE
     ON CONFLICT (tenant_id, kind, client_id, name) DO UPDATE
        SET issued_until = {greatest}(revocations.issued_until, excluded.issued_until),
            expires_at = {greatest}(revocations.expires_at, excluded.expires_at)"
);

/// Also where a program before this version has written the row of a tenant or a client, without a name.
const RESUME: &str = "
    UPDATE revocations AS r SET issued_until = {least}(r.issued_until, {revoked_at})
      FROM {given(tenant_id text, kind text, client_id text, name text)}
     WHERE r.tenant_id = given.tenant_id AND r.kind = given.kind AND r.client_id = given.client_id
       AND (r.name = given.name OR r.name = '' AND r.kind IN ('tenant', 'client'))";

const INSERT_TOKEN: &str = "
    INSERT INTO revocations (tenant_id, kind, client_id, name, issued_until, expires_at)
    SELECT tenant_id, kind, client_id, name, $2, expires_at
      FROM {given(tenant_id text, kind text, client_id text, name text, expires_at bigint)} WHERE TRUE
    ON CONFLICT DO NOTHING";

const COUNT_TOKENS: &str = "
    SELECT COUNT(*) AS of_tenant, COALESCE(SUM(CASE WHEN client_id = $2 THEN 1 ELSE 0 END), 0) AS of_client
      FROM revocations WHERE tenant_id = $1 AND kind = 'token'";

const DELETE_TOKENS: &str =
    "DELETE FROM revocations WHERE tenant_id = $1 AND kind = 'token' AND client_id = $2";

/// As [`RevokedSubject::is_of_person`] says.
macro_rules! of_people {
    ($statement:literal) => {
        concat!(
            $statement,
            " FROM revocations WHERE tenant_id = $1 AND kind IN ('grant', 'session', 'account', 'consent')"
        )
    };
}
const COUNT_PEOPLE: &str = of_people!("SELECT COUNT(*)");
const DELETE_PEOPLE: &str = of_people!("DELETE");

/// In batches, so that nothing waits long for one.
const DELETE_ENDED: &str = "
    DELETE FROM revocations
     WHERE (tenant_id, kind, client_id, name) IN
           (SELECT tenant_id, kind, client_id, name FROM revocations
             WHERE expires_at <= $1 ORDER BY expires_at LIMIT 1000)";

#[async_trait]
impl RevocationStore for Database {
    async fn find_revocations(&self, tenant: &TenantId) -> Result<Arc<RevocationFacts>, StoreError> {
        let rows: Vec<Revocation> = self.look_up(Statement::of(SELECT).bind(tenant)).await?;
        Ok(Arc::new(RevocationFacts::of(tenant.clone(), rows)))
    }

    async fn revoke_token(
        &self,
        tenant: &TenantId,
        token: &TokenRevocation,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        Ok(revoke_token(self, tenant, token, now).await?)
    }

    async fn revoke_people(
        &self,
        tenant: &TenantId,
        subject: &RevokedSubject,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin(Purpose::WritesOf(tenant)).await?;
        transaction.revoke_people(tenant, subject, now).await?;
        Ok(transaction.commit().await?)
    }

    async fn delete_ended_revocations(&self, now: Timestamp) -> Result<u64, StoreError> {
        Ok(self.write(Statement::of(DELETE_ENDED).bind(now)).await?)
    }
}

async fn revoke_token(
    database: &Database,
    tenant: &TenantId,
    token: &TokenRevocation,
    now: Timestamp,
) -> Result<(), Error> {
    let TokenRevocation { client, jti, issued_at, expires_at } = token;
    let mut transaction = database.begin(Purpose::WritesOf(tenant)).await?;
    let mut row = subject_row(tenant, &RevokedSubject::Token(client.clone(), jti.clone()));
    row.insert("expires_at".to_owned(), json!((*expires_at + CLOCKS).seconds()));
    if transaction.write(INSERT_TOKEN, &[Value::Object(row)], *issued_at).await? == 0 {
        return Ok(());
    }
    let count = Statement::of(COUNT_TOKENS).bind(tenant).bind(client.as_str());
    let (of_tenant, of_client): (u64, u64) = transaction.first(count).await?.unwrap_or_default();
    if of_client > TokenRevocation::MOST_OF_CLIENT || of_tenant > TokenRevocation::MOST_OF_TENANT {
        let all = revoked_row(tenant, &RevokedSubject::AccessTokens(client.clone()), false);
        // The token may have been issued by a replica whose clock is ahead.
        transaction.write(REVOKE, &[all], now.max(*issued_at)).await?;
        transaction.execute(&Statement::of(DELETE_TOKENS).bind(tenant).bind(client.as_str())).await?;
    }
    // The log last: its lock is shared by all tenants, and a transaction that has it waits for no row.
    transaction.write(LOG, &[log_row(&Invalidation::Revocations(tenant.clone()))], now).await?;
    transaction.commit().await
}

impl Transaction<'_> {
    /// Revokes tokens of people, as the last statements of the transaction: the lock of the log is shared by all tenants, and a transaction
    /// that has it waits for no row.
    pub(crate) async fn revoke_people(
        &mut self,
        tenant: &TenantId,
        subject: &RevokedSubject,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.end_family(tenant, subject, now).await?;
        self.write(REVOKE, &[revoked_row(tenant, subject, subject.ends_for_good())], now).await?;
        self.limit_people(tenant, now).await?;
        self.write(LOG, &[log_row(&Invalidation::Revocations(tenant.clone()))], now).await.map(drop)
    }

    /// One fact in the place of too many. Of the tokens that were issued until now it ends more, never fewer.
    async fn limit_people(&mut self, tenant: &TenantId, now: Timestamp) -> Result<(), Error> {
        let count = self.scalar::<u64>(Statement::of(COUNT_PEOPLE).bind(tenant)).await?;
        if count.unwrap_or_default() > RevokedSubject::MOST_OF_PEOPLE {
            self.write(REVOKE, &[revoked_row(tenant, &RevokedSubject::People, false)], now).await?;
            self.execute(&Statement::of(DELETE_PEOPLE).bind(tenant)).await?;
        }
        Ok(())
    }
}

impl CommitWriter<'_> {
    /// Before the rows of tenants and clients are written: their lifetimes until now decide when the last token expires.
    pub(crate) async fn revocations(&mut self) -> Result<(), Error> {
        // Each subject once: PostgreSQL refuses to write a row twice in one statement.
        let (mut revoked, mut resumed) = (BTreeMap::new(), BTreeSet::new());
        let mut of_people = BTreeSet::new();
        for RevocationChange { tenant, subject, effect } in revocations(&self.request.changes) {
            if subject.is_of_person() {
                of_people.insert(tenant.clone());
            }
            match effect {
                RevocationEffect::Resumed => drop(resumed.insert((tenant, subject))),
                RevocationEffect::Issued => _ = revoked.entry((tenant, subject)).or_insert(false),
                RevocationEffect::Ended => drop(revoked.insert((tenant, subject), true)),
            }
        }
        let revoked: Vec<_> = revoked
            .iter()
            .map(|((tenant, subject), has_ended)| revoked_row(tenant, subject, *has_ended))
            .collect();
        let resumed: Vec<_> =
            resumed.iter().map(|(tenant, subject)| Value::Object(subject_row(tenant, subject))).collect();
        self.each(REVOKE, &revoked).await?;
        self.each(RESUME, &resumed).await?;
        for tenant in of_people {
            self.transaction.limit_people(&tenant, self.request.now).await?;
        }
        Ok(())
    }
}

fn revoked_row(tenant: &TenantId, subject: &RevokedSubject, has_ended: bool) -> Value {
    let mut row = subject_row(tenant, subject);
    row.insert("ended".to_owned(), json!(u8::from(has_ended)));
    row.insert("kept".to_owned(), json!(subject.kept_for_grants().seconds() + CLOCKS.seconds()));
    Value::Object(row)
}

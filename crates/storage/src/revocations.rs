//! The revocations of tenants. A group of tokens is one row, however many tokens it has.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use administration::{Invalidation, RevocationChange, RevocationEffect};
use async_trait::async_trait;
use registry::{
    ClientId, FactsVersion, Revocation, RevocationFacts, RevocationStore, RevokedSubject, TokenRevocation,
};
use serde_json::{Value, json};
use tenancy::{Stored, TenantId};
use values::{Lifetime, Timestamp};

use crate::audit_records::BATCH;
use crate::database::Database;
use crate::error::Error;
use crate::rows::{ReadRevocation, longest_token, subject_row};
use crate::statement::Statement;
use crate::transaction::{Transaction, TransactionPurpose};

/// How long a row is kept after its last token, for a clock that is behind, and for a verifier that allows
/// the same difference.
const CLOCKS: Lifetime = Lifetime::from_seconds(60);

/// The revocations since the change `$2`. If there is none, one row without a revocation.
pub(crate) const SELECT: &str = "
    SELECT reading.history, reading.next_change, reading.read_at, {columns(r)}
      FROM (SELECT {history} AS history, {next_change} AS next_change, {now} AS read_at) AS reading
      LEFT JOIN revocations r ON r.tenant_id = {tenant} AND r.changed_in >= $2";

/// Revokes the tokens until `{revoked_at}`, or until the last token that a replica may issue before it learns
/// of the change. That is the time for which it serves stale rows, and a minute, which is longer than any
/// freshness and than any request or clock is ahead. The row ends some time after the last access token that
/// may have been issued by then: `kept`.
const REVOKE: &str = concat!(
    "INSERT INTO revocations (tenant_id, kind, client_id, name, issued_until, expires_at, account_id)
     SELECT revoked.tenant_id, revoked.kind, revoked.client_id, revoked.name, revoked.issued_until,
            {greatest}(revoked.issued_until + revoked.longest, revoked.earlier_tokens_until) + revoked.kept, revoked.account_id
       FROM (SELECT given.tenant_id, given.kind, given.client_id, given.name, given.kept, given.account_id,
                    {revoked_at} + given.ended * (t.stale_if_error + 60) AS issued_until, ",
    longest_token!(),
    " AS longest, COALESCE(t.earlier_tokens_until, 0) AS earlier_tokens_until
               FROM {given(tenant_id text, kind text, client_id text, name text, ended bigint, kept bigint, account_id text)}
               {join} tenants t ON t.tenant_id = given.tenant_id) AS revoked
      WHERE TRUE
     ON CONFLICT (tenant_id, kind, client_id, name) DO UPDATE
        SET issued_until = {greatest}(revocations.issued_until, excluded.issued_until),
            expires_at = {greatest}(revocations.expires_at, excluded.expires_at),
            account_id = COALESCE(revocations.account_id, excluded.account_id)"
);

/// Matches also the unnamed row of a tenant or a client that an earlier version has written. The time is at
/// least that of the last token before now, whichever replica issued it: it may have been in this second, and
/// may not have known that the subject had ended.
const RESUME: &str = "
    UPDATE revocations AS r SET issued_until = {least}(r.issued_until, {revoked_at})
      FROM {given(tenant_id text, kind text, client_id text, name text)}
     WHERE r.tenant_id = given.tenant_id AND r.kind = given.kind AND r.client_id = given.client_id
       AND (r.name = given.name OR r.name = '' AND r.kind IN ('tenant', 'client'))
    RETURNING issued_until";

const INSERT_TOKEN: &str = "
    INSERT INTO revocations (tenant_id, kind, client_id, name, issued_until, expires_at, account_id)
    SELECT tenant_id, kind, client_id, name, $2, expires_at, account_id
      FROM {given(tenant_id text, kind text, client_id text, name text, expires_at bigint, account_id text)} WHERE TRUE
    ON CONFLICT DO NOTHING";

/// Counts the tokens of one client. No count reads more rows than `$3`, however many there are.
const COUNT_TOKENS: &str = "
    SELECT COUNT(*) FROM (SELECT 1 FROM revocations
                           WHERE tenant_id = $1 AND client_id = $2 AND kind = 'token' AND account_id IS NULL
                           LIMIT $3) AS counted";

const DELETE_TOKENS: &str = "
    DELETE FROM revocations WHERE tenant_id = $1 AND client_id = $2 AND kind = 'token' AND account_id IS NULL";

/// Counts the revocations of one account.
const COUNT_OF_ACCOUNT: &str = "
    SELECT COUNT(*) FROM (SELECT 1 FROM revocations WHERE tenant_id = $1 AND account_id = $2 LIMIT $3) AS counted";

/// The oldest ones. Those of a grant that has just ended come last, because they end later tokens, too.
const DELETE_OLDEST_OF_ACCOUNT: &str = "
    DELETE FROM revocations
     WHERE (tenant_id, kind, client_id, name) IN
           (SELECT tenant_id, kind, client_id, name FROM revocations
             WHERE tenant_id = $1 AND account_id = $2 ORDER BY issued_until LIMIT $3)";

/// The statement deletes in batches, so that others do not wait long for it.
const DELETE_ENDED: &str = "
    DELETE FROM revocations
     WHERE (tenant_id, kind, client_id, name) IN
           (SELECT tenant_id, kind, client_id, name FROM revocations
             WHERE expires_at <= $1 ORDER BY expires_at LIMIT 1000)";

#[async_trait]
impl RevocationStore for Database {
    async fn find_revocations(&self, tenant: &TenantId) -> Stored<Arc<RevocationFacts>> {
        let (rows, read) = read_since(self, tenant, 0).await?;
        Ok(Arc::new(RevocationFacts::new(tenant.clone(), rows).read(read)))
    }

    async fn find_later_revocations(
        &self,
        tenant: &TenantId,
        known: &Arc<RevocationFacts>,
    ) -> Stored<Arc<RevocationFacts>> {
        let (later, read) = read_since(self, tenant, known.next_change()).await?;
        match known.with(later, read) {
            Some(facts) => Ok(facts),
            None => self.find_revocations(tenant).await,
        }
    }

    async fn revoke_token(&self, tenant: &TenantId, token: &TokenRevocation, now: Timestamp) -> Stored<()> {
        Ok(revoke_token(self, tenant, token, now).await?)
    }

    async fn revoke_people(
        &self,
        tenant: &TenantId,
        subject: &RevokedSubject,
        account: Option<&str>,
        now: Timestamp,
    ) -> Stored<()> {
        let mut transaction = self.begin(TransactionPurpose::WritesOf(tenant)).await?;
        transaction.revoke_people(tenant, subject, account, now).await?;
        Ok(transaction.commit().await?)
    }

    async fn delete_ended_revocations(&self, now: Timestamp) -> Stored<u64> {
        Ok(self.write(Statement::from_text(DELETE_ENDED).bind(now)).await?)
    }
}

async fn read_since(
    database: &Database,
    tenant: &TenantId,
    change: u64,
) -> Result<(Vec<Revocation>, FactsVersion), Error> {
    let rows: Vec<ReadRevocation> =
        database.look_up(Statement::from_text(SELECT).bind(tenant).bind(change)).await?;
    let read = rows.first().map_or(FactsVersion::NEVER, |row| row.reading);
    Ok((rows.into_iter().filter_map(|row| row.revocation).collect(), read))
}

async fn revoke_token(
    database: &Database,
    tenant: &TenantId,
    token: &TokenRevocation,
    now: Timestamp,
) -> Result<(), Error> {
    let TokenRevocation { client, jti, issued_at, expires_at, sub } = token;
    let mut transaction = database.begin(TransactionPurpose::WritesOf(tenant)).await?;
    let mut row = subject_row(tenant, &RevokedSubject::Token(client.clone(), jti.clone()));
    row.insert("expires_at".to_owned(), json!((*expires_at + CLOCKS).seconds()));
    row.insert("account_id".to_owned(), json!(sub));
    if transaction.write(INSERT_TOKEN, &[Value::Object(row)], *issued_at).await? == 0 {
        return Ok(());
    }
    // The token may have been issued by a replica whose clock is ahead.
    let until = now.max(*issued_at);
    match sub {
        Some(sub) => transaction.limit_account(tenant, sub, until).await?,
        None => transaction.limit_tokens(tenant, client, until).await?,
    }
    transaction.log(&[Invalidation::Revocations(tenant.clone())], now).await?;
    transaction.commit().await
}

impl Transaction<'_> {
    /// Revokes tokens of people.
    pub(crate) async fn revoke_people(
        &mut self,
        tenant: &TenantId,
        subject: &RevokedSubject,
        account: Option<&str>,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.end_family(tenant, subject, now).await?;
        self.revoke_counted(tenant, subject, account, now).await
    }

    /// Revokes access tokens of people.
    pub(crate) async fn revoke_counted(
        &mut self,
        tenant: &TenantId,
        subject: &RevokedSubject,
        account: Option<&str>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let account = account.filter(|_| subject.is_counted());
        self.write(REVOKE, &[revoked_row(tenant, subject, account, subject.ends_for_good())], now).await?;
        if let Some(account) = account {
            self.limit_account(tenant, account, now).await?;
        }
        self.log(&[Invalidation::Revocations(tenant.clone())], now).await
    }

    /// Replaces the oldest revocations of the account by one fact, if there are too many. The fact ends more
    /// of the account's tokens that were issued until now, never fewer, and none of another person.
    async fn limit_account(&mut self, tenant: &TenantId, account: &str, now: Timestamp) -> Result<(), Error> {
        const MOST: u64 = RevokedSubject::MOST_OF_ACCOUNT;
        let count = Statement::from_text(COUNT_OF_ACCOUNT).bind(tenant).bind(account).bind(MOST + 1);
        if self.scalar::<u64>(count).await?.unwrap_or_default() <= MOST {
            return Ok(());
        }
        let all = RevokedSubject::Account(account.to_owned());
        self.write(REVOKE, &[revoked_row(tenant, &all, None, false)], now).await?;
        let oldest = Statement::from_text(DELETE_OLDEST_OF_ACCOUNT).bind(tenant).bind(account);
        self.execute(&oldest.bind(MOST + 1 - RevokedSubject::LATEST_OF_ACCOUNT)).await.map(drop)
    }

    /// Replaces the revocations of a client's own tokens in the same way. Those of other clients of the
    /// tenant do not count.
    async fn limit_tokens(
        &mut self,
        tenant: &TenantId,
        client: &ClientId,
        now: Timestamp,
    ) -> Result<(), Error> {
        const MOST: u64 = TokenRevocation::MOST_OF_CLIENT;
        let count = Statement::from_text(COUNT_TOKENS).bind(tenant).bind(client.as_str()).bind(MOST + 1);
        if self.scalar::<u64>(count).await?.unwrap_or_default() <= MOST {
            return Ok(());
        }
        let all = revoked_row(tenant, &RevokedSubject::AccessTokens(client.clone()), None, false);
        self.write(REVOKE, &[all], now).await?;
        self.execute(&Statement::from_text(DELETE_TOKENS).bind(tenant).bind(client.as_str())).await.map(drop)
    }
}

impl Transaction<'_> {
    /// Writes the effects of a commit. This runs before the rows of tenants and clients are written: their
    /// previous lifetimes decide when the last token expires. Returns the last second whose tokens stay
    /// invalid of what was resumed.
    pub(crate) async fn revoke(
        &mut self,
        changes: &[RevocationChange],
        now: Timestamp,
    ) -> Result<Option<Timestamp>, Error> {
        // Each subject occurs once: PostgreSQL refuses to write a row twice in one statement.
        let (mut revoked, mut resumed) = (BTreeMap::new(), BTreeSet::new());
        let mut counted = BTreeSet::new();
        for RevocationChange { tenant, subject, account, effect } in changes {
            counted.extend(account.as_deref().map(|account| (tenant, account)));
            match effect {
                RevocationEffect::Resumed => drop(resumed.insert((tenant, subject))),
                RevocationEffect::Issued => {
                    revoked.entry((tenant, subject)).or_insert((account.as_deref(), false));
                }
                RevocationEffect::Ended => {
                    revoked.insert((tenant, subject), (account.as_deref(), true));
                }
            }
        }
        let revoked: Vec<_> = revoked
            .iter()
            .map(|((tenant, subject), (account, has_ended))| {
                revoked_row(tenant, subject, *account, *has_ended)
            })
            .collect();
        let resumed: Vec<_> =
            resumed.iter().map(|(tenant, subject)| Value::Object(subject_row(tenant, subject))).collect();
        for batch in revoked.chunks(BATCH) {
            self.write(REVOKE, batch, now).await?;
        }
        let mut resumed_until = None;
        for batch in resumed.chunks(BATCH) {
            let resume = Statement::of_rows(RESUME, batch, now);
            let times: Vec<(Timestamp,)> = self.all(resume).await?;
            resumed_until = resumed_until.max(times.into_iter().map(|(until,)| until).max());
        }
        for (tenant, account) in counted {
            self.limit_account(tenant, account, now).await?;
        }
        Ok(resumed_until)
    }
}

/// Ends all tokens of these tenants that were issued until now.
pub(crate) fn revoke_tenants(tenants: &[TenantId], now: Timestamp) -> Statement {
    let rows: Vec<_> =
        tenants.iter().map(|tenant| revoked_row(tenant, &RevokedSubject::Tenant, None, false)).collect();
    Statement::from_text(REVOKE).bind(Value::from(rows).to_string()).bind(now)
}

fn revoked_row(tenant: &TenantId, subject: &RevokedSubject, account: Option<&str>, has_ended: bool) -> Value {
    let mut row = subject_row(tenant, subject);
    row.insert("account_id".to_owned(), json!(account));
    row.insert("ended".to_owned(), json!(u8::from(has_ended)));
    row.insert("kept".to_owned(), json!(subject.kept_for_grants().seconds() + CLOCKS.seconds()));
    Value::Object(row)
}

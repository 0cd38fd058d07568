//! The revocations of tenants. A group of tokens (of a grant, client or tenant) is one row.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use administration::kinds::Invalidation;
use administration::kinds::revocations::{RevocationChange, RevocationEffect};
use async_trait::async_trait;
use registry::{
    ClientId, FactsVersion, Revocation, RevocationFacts, RevocationStore, RevokedSubject, TokenRevocation,
};
use serde_json::{Value, json};
use tenancy::{Stored, TenantId};
use values::{Lifetime, Timestamp};

use crate::audit_records::BATCH;
use crate::database::Database;
use crate::error::{Error, repeated};
use crate::rows::{ReadRevocation, longest_token, subject_row};
use crate::statement::Statement;
use crate::transaction::{Transaction, TransactionPurpose};

/// How long a row is kept after the last affected token expires, for a server clock that is slow and a
/// verifier that tolerates the same difference.
const CLOCKS: Lifetime = Lifetime::from_seconds(60);

/// The revocations since change `$2`, or one row without a revocation if there are none.
pub(crate) const SELECT: &str = "
    SELECT reading.history, reading.next_change, reading.read_at, {columns(r)}
      FROM (SELECT {history} AS history, {next_change} AS next_change, {now} AS read_at) AS reading
      LEFT JOIN revocations r ON r.tenant_id = {tenant} AND r.changed_in >= $2";

/// Revokes all tokens issued up to `issued_until`. If the subject has ended (`ended`), that time is later
/// than now, because a replica may still issue tokens from stale rows: it includes the maximum staleness of
/// caches and a minute for slow requests and fast clocks. The row is deleted some time (`kept`) after the
/// last of these access tokens expires.
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

/// Also matches the row without a name that earlier versions wrote for a tenant or a client. The new end is
/// at least the time of the last token issued so far by any replica: a replica may have issued a token in
/// this second without knowing that the subject was revoked.
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

/// Counts the revoked tokens of one client. Reads at most `$3` rows.
const COUNT_TOKENS: &str = "
    SELECT COUNT(*) FROM (SELECT 1 FROM revocations
                           WHERE tenant_id = $1 AND client_id = $2 AND kind = 'token' AND account_id IS NULL
                           LIMIT $3) AS counted";

const DELETE_TOKENS: &str = "
    DELETE FROM revocations WHERE tenant_id = $1 AND client_id = $2 AND kind = 'token' AND account_id IS NULL";

const COUNT_OF_ACCOUNT: &str = "
    SELECT COUNT(*) FROM (SELECT 1 FROM revocations WHERE tenant_id = $1 AND account_id = $2 LIMIT $3) AS counted";

/// Deletes the oldest rows first. Grants that were just ended come last, because their rows also revoke
/// tokens that are issued later.
const DELETE_OLDEST_OF_ACCOUNT: &str = "
    DELETE FROM revocations
     WHERE (tenant_id, kind, client_id, name) IN
           (SELECT tenant_id, kind, client_id, name FROM revocations
             WHERE tenant_id = $1 AND account_id = $2 ORDER BY issued_until LIMIT $3)";

/// Deletes in batches, to keep the locks short.
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
        Ok(repeated!(revoke_token(self, tenant, token, now))?)
    }

    async fn revoke_people(
        &self,
        tenant: &TenantId,
        subject: &RevokedSubject,
        account: Option<&str>,
        now: Timestamp,
    ) -> Stored<()> {
        Ok(repeated!(async {
            let mut transaction = self.begin(TransactionPurpose::WritesOf(tenant)).await?;
            transaction.revoke_people(tenant, subject, account, now).await?;
            transaction.commit().await
        })?)
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
    // The token may come from a replica whose clock is fast.
    let until = now.max(*issued_at);
    match sub {
        Some(sub) => transaction.limit_account(tenant, sub, until).await?,
        None => transaction.limit_tokens(tenant, client, until).await?,
    }
    transaction.log(&[Invalidation::Revocations(tenant.clone())], now).await?;
    transaction.commit().await
}

impl Transaction<'_> {
    /// Revokes tokens of people and limits the number of rows of each account.
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

    /// If the account has too many revocations, replaces the oldest by one row that covers the whole account.
    /// The row revokes more of this account's tokens issued until now, never fewer, and no other person's
    /// tokens.
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

    /// Does the same for the tokens of a client itself. Revocations of other clients do not count.
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
    /// Writes a commit's revocations. Must run before the commit writes tenants and clients, because their
    /// previous lifetimes decide when the last token expires. Returns the last second whose tokens stay
    /// invalid after a resumption.
    pub(crate) async fn revoke(
        &mut self,
        changes: &[RevocationChange],
        now: Timestamp,
    ) -> Result<Option<Timestamp>, Error> {
        // Merges duplicate subjects, because PostgreSQL refuses to write a row twice in one statement.
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

/// Revokes all tokens of these tenants that were issued until now.
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

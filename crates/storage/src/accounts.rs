//! The statements and columns of accounts and their identifiers. Reading an account reads its identifiers
//! too. Only sign-in reads the password.

use std::sync::Arc;

use accounts::{
    Account, AccountId, AccountIdentifier, AccountPassword, AccountStatus, AccountStore, Identifier,
};
use administration::kinds;
use administration::kinds::state::{ConsentState, RowLifecycle};
use administration::kinds::{Accounts, LISTED_SESSIONS};
use administration::store::{Listed, NewPassword};
use async_trait::async_trait;
use serde_json::{Map, Value, json};
use sessions::FoundSession;
use tenancy::{Stored, TenantId};
use values::Timestamp;

use crate::column::{ColumnValue, is_text};
use crate::columns::{Columns, columns, gathered, selected, written};
use crate::database::Database;
use crate::error::Error;
use crate::row::{DatabaseRow, FromRow};
use crate::statement::{Dialect, Statement};
use crate::transaction::TransactionPurpose;

pub(crate) const SELECT_ONE: &str = "
    SELECT {columns(a)} FROM accounts a WHERE a.tenant_id = {tenant} AND a.account_id = $2";

pub(crate) const SELECT_IDENTIFIED: &str = "
    SELECT {columns(a)} FROM account_identifiers i
      {join} accounts a ON a.tenant_id = i.tenant_id AND a.account_id = i.account_id
     WHERE i.tenant_id = {tenant} AND i.kind = $2 AND i.value = $3";

/// Selects the ids of the accounts that a commit may affect: accounts with an id in `$2`, an identifier in
/// `$3` or an external id in `$4`. If `$5` is 1, also all accounts that files declare; if `$6` is 1, also all
/// with permissions.
macro_rules! touched {
    () => {
        "SELECT value AS account_id FROM {elements($2)}
          UNION
         SELECT i.account_id FROM account_identifiers i
          WHERE i.tenant_id = {tenant} AND i.kind IN ('email', 'username')
            AND i.value IN (SELECT value FROM {elements($3)})
          UNION
         SELECT e.account_id FROM accounts e
          WHERE e.tenant_id = {tenant} AND e.external_id IN (SELECT value FROM {elements($4)})
          UNION
         SELECT d.account_id FROM accounts d
          WHERE d.tenant_id = {tenant} AND d.managed_by = 'config' AND $5 = 1
          UNION
         SELECT p.account_id FROM accounts p
          WHERE p.tenant_id = {tenant} AND p.permissions <> '' AND $6 = 1"
    };
}

pub(crate) const SQLITE_RELATED: &str = concat!(
    "SELECT {columns(a)} FROM accounts a
      WHERE a.tenant_id = {tenant} AND a.account_id IN (",
    touched!(),
    ") ORDER BY a.account_id"
);

/// Looks up each account by its key. With a plain condition, PostgreSQL's planner would read all accounts of
/// a large tenant.
const POSTGRES_RELATED: &str = concat!(
    "SELECT around.* FROM (",
    touched!(),
    ") AS touched CROSS JOIN LATERAL (
        SELECT {columns(a)} FROM accounts a
         WHERE a.tenant_id = {tenant} AND a.account_id = touched.account_id OFFSET 0) AS around
      ORDER BY around.account_id"
);

/// One page of accounts, in the order of creation. `$2` and `$3` are the creation time and the id of the last
/// account of the previous page.
pub(crate) const SELECT_PAGE: &str = "
    SELECT {columns(a)} FROM accounts a
     WHERE a.tenant_id = {tenant} AND a.deleted_at IS NULL AND (a.created_at, a.account_id) > ($2, $3)
     ORDER BY a.created_at, a.account_id LIMIT $4";

/// The accounts that have an identifier from `$2` to before `$3`, or `$4` as id or external id, in the order
/// of creation. Each index gives at most `$5` rows.
pub(crate) const SELECT_SEARCHED: &str = "
    SELECT {columns(a)} FROM (
        SELECT place.account_id FROM (
            SELECT i.account_id FROM account_identifiers i
             WHERE i.tenant_id = {tenant} AND i.kind = 'email' AND i.value >= $2 AND i.value < $3
             ORDER BY i.value LIMIT $5) AS place
          UNION
        SELECT place.account_id FROM (
            SELECT i.account_id FROM account_identifiers i
             WHERE i.tenant_id = {tenant} AND i.kind = 'username' AND i.value >= $2 AND i.value < $3
             ORDER BY i.value LIMIT $5) AS place
          UNION
        SELECT e.account_id FROM accounts e WHERE e.tenant_id = {tenant} AND e.external_id = $4
          UNION
        SELECT e.account_id FROM accounts e WHERE e.tenant_id = {tenant} AND e.account_id = $4) AS page
      {join} accounts a ON a.tenant_id = {tenant} AND a.account_id = page.account_id
     WHERE a.deleted_at IS NULL ORDER BY a.created_at, a.account_id LIMIT $5";

/// Includes deleted accounts.
pub(crate) const SELECT_ALL: &str = "SELECT {columns(a)} FROM accounts a WHERE a.tenant_id = {tenant}";

pub(crate) const SET_PASSWORD: &str = "
    UPDATE accounts AS a
       SET password_hash = given.password_hash, declared_digest = given.declared_digest,
           password_changed_at = CASE WHEN given.password_hash IS NULL THEN NULL ELSE $2 END,
           password_own_at = CASE WHEN given.is_own THEN $2 END,
           valid_from = {greatest}(a.valid_from, CASE WHEN a.password_hash IS NULL THEN $2 ELSE $2 + 1 END)
      FROM {given}
     WHERE a.tenant_id = given.tenant_id AND a.account_id = given.account_id";

/// Writes only if the stored hash is still the hash that was checked, so a concurrent password change is not
/// overwritten.
const REPLACE_PASSWORD: &str = "
    UPDATE accounts SET password_hash = $4
     WHERE tenant_id = $1 AND account_id = $2 AND password_hash = $3";

/// Adds one second, so that authentications in the current second become invalid too.
pub(crate) const END_AUTHENTICATIONS: &str = "
    UPDATE accounts AS a SET valid_from = {greatest}(a.valid_from, $2 + 1)
      FROM {given(tenant_id text, account_id text)}
     WHERE a.tenant_id = given.tenant_id AND a.account_id = given.account_id";

/// Joins the time from which the account's sessions are valid. No row of an active account means that the
/// session is invalid.
pub(crate) const SELECT_SESSIONS: &str = "
    SELECT {columns(s)} FROM sessions s LEFT JOIN accounts a
        ON a.tenant_id = s.tenant_id AND a.account_id = s.account_id AND a.suspended_at IS NULL AND a.retired_at IS NULL AND a.deleted_at IS NULL
     WHERE s.tenant_id = {tenant} AND s.account_id = $2
     ORDER BY s.last_seen_at DESC, s.session_id LIMIT $3";

pub(crate) const SELECT_CONSENTS: &str = "
    SELECT {columns(c)} FROM consents c
     WHERE c.tenant_id = {tenant} AND c.account_id = $2 ORDER BY c.client_id";

columns! {
    Account {
        tenant: "tenant_id",
        id: "account_id",
        groups: "group_names",
        external_id, claims, permissions, valid_from,
    }
    else |row| {
        status: status(row)?,
        identifiers: identifiers(row)?,
        password_changed_at: ColumnValue::read(row, "password_changed_at")?,
        updated_at: ColumnValue::read(row, "updated_at")?,
    }
}

fn status(row: &DatabaseRow) -> Result<AccountStatus, Error> {
    let serves = RowLifecycle::from_row(row)?.serves();
    Ok(if serves { AccountStatus::Active } else { AccountStatus::Suspended })
}

fn identifiers(row: &DatabaseRow) -> Result<Vec<AccountIdentifier>, Error> {
    let mut held: Vec<AccountIdentifier> = row.rows("identifiers")?;
    held.sort_by(|left, right| left.identifier.cmp(&right.identifier));
    Ok(held)
}

// Identifiers and password are missing here, because separate statements write them.
written! { kinds::account::State {} with { account: Account } and lifecycle without ["deletion_due_at"] }

impl FromRow for kinds::account::State {
    fn selection(table: &str) -> String {
        let of_account = format!(
            "account_identifiers.tenant_id = {table}.tenant_id AND account_identifiers.account_id = {table}.account_id"
        );
        let identifiers = gathered::<AccountIdentifier>("account_identifiers", &of_account, "kind, value");
        let columns = selected(&Self::columns(), table);
        format!(
            "{columns}, {table}.password_changed_at, {table}.password_own_at, {table}.declared_digest, {identifiers} AS identifiers"
        )
    }

    fn from_row(row: &DatabaseRow) -> Result<Self, Error> {
        let account = Account::from_row(row)?;
        let own_at: Option<Timestamp> = ColumnValue::read(row, "password_own_at")?;
        Ok(Self {
            has_own_password: own_at.is_some() && own_at == account.password_changed_at,
            account,
            lifecycle: RowLifecycle::from_row(row)?,
            declared_digest: ColumnValue::read(row, "declared_digest")?,
        })
    }
}

impl FromRow for (kinds::account::State, Option<AccountPassword>) {
    fn selection(table: &str) -> String {
        format!("{}, {table}.password_hash", kinds::account::State::selection(table))
    }

    fn from_row(row: &DatabaseRow) -> Result<Self, Error> {
        Ok((kinds::account::State::from_row(row)?, ColumnValue::read(row, "password_hash")?))
    }
}

impl Columns for AccountIdentifier {
    fn columns() -> Vec<(&'static str, &'static str)> {
        vec![
            ("kind", String::TYPE),
            ("value", String::TYPE),
            ("verified_at", <Option<Timestamp> as ColumnValue>::TYPE),
        ]
    }

    fn write(&self, row: &mut Map<String, Value>) {
        row.insert("kind".to_owned(), self.identifier.kind().into());
        row.insert("value".to_owned(), self.identifier.as_str().into());
        row.insert("verified_at".to_owned(), self.verified_at.json());
    }
}

/// The kind of an identifier (email address or username) is not stored. It follows from the text.
impl FromRow for AccountIdentifier {
    fn from_row(row: &DatabaseRow) -> Result<Self, Error> {
        let value: String = row.get("value")?;
        let identifier = Identifier::parse(&value).map_err(|cause| Error::unreadable("value", cause))?;
        Ok(Self { identifier, verified_at: ColumnValue::read(row, "verified_at")? })
    }
}

written! {
    NewPassword {
        tenant: "tenant_id",
        account: "account_id",
        password: "password_hash",
        is_own, declared_digest,
    }
}

#[async_trait]
impl AccountStore for Database {
    async fn find_by_identifier(
        &self,
        tenant: &TenantId,
        identifier: &Identifier,
    ) -> Stored<Option<(Arc<Account>, Option<AccountPassword>)>> {
        let statement = Statement::from_text(SELECT_IDENTIFIED).bind(tenant);
        let statement = statement.bind(identifier.kind()).bind(identifier.as_str());
        let rows: Vec<(kinds::account::State, Option<AccountPassword>)> = self.look_up(statement).await?;
        Ok(rows.into_iter().find_map(|(row, password)| Some((live(row)?, password))))
    }

    /// Runs under the role for commits, because the role of requests may not write accounts. The statement
    /// compares the previous hash, so it does not check the account's revision.
    async fn replace_password(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        before: &AccountPassword,
        after: &AccountPassword,
    ) -> Stored<bool> {
        let statement = Statement::from_text(REPLACE_PASSWORD).bind(tenant).bind(account.as_str());
        let statement = statement.bind(before.to_string()).bind(after.to_string());
        Ok(self.write_in(TransactionPurpose::CommitOf(tenant), &statement).await? > 0)
    }

    async fn find_account(&self, tenant: &TenantId, account: &AccountId) -> Stored<Option<Arc<Account>>> {
        let statement = Statement::from_text(SELECT_ONE).bind(tenant).bind(account.as_str());
        let rows: Vec<kinds::account::State> = self.look_up(statement).await?;
        Ok(rows.into_iter().find_map(live))
    }
}

fn live(row: kinds::account::State) -> Option<Arc<Account>> {
    row.lifecycle.deleted_at.is_none().then(|| Arc::new(row.account))
}

#[async_trait]
impl Accounts for Database {
    async fn find_accounts(
        &self,
        tenant: &TenantId,
        related: kinds::account::Related<'_>,
    ) -> Stored<Vec<kinds::account::State>> {
        let kinds::account::Related { ids, identifiers, external_ids, declared, administrators } = related;
        let text = match self.dialect() {
            Dialect::Sqlite => SQLITE_RELATED,
            Dialect::Postgres => POSTGRES_RELATED,
        };
        let statement = Statement::from_text(text)
            .bind(tenant)
            .bind(json!(ids).to_string())
            .bind(json!(identifiers).to_string())
            .bind(json!(external_ids.iter().filter(|text| is_text(text)).collect::<Vec<_>>()).to_string())
            .bind(i64::from(declared))
            .bind(i64::from(administrators));
        Ok(self.read(statement).await?)
    }

    async fn list_accounts(
        &self,
        tenant: &TenantId,
        query: &kinds::account::Query,
    ) -> Stored<Vec<Listed<kinds::account::State>>> {
        if let Some(kinds::account::Search { beginning, id }) = &query.search {
            if !is_text(id) {
                return Ok(Vec::new());
            }
            let statement = Statement::from_text(SELECT_SEARCHED).bind(tenant).bind(beginning.as_str());
            // The upper bound: U+10FFFF comes after every character.
            let statement = statement.bind(format!("{beginning}\u{10ffff}")).bind(id.as_str());
            return Ok(self.read(statement.bind(query.limit)).await?);
        }
        let (created_at, id) = match &query.after {
            Some((created_at, id)) => (i64::try_from(created_at.seconds()).unwrap_or(i64::MAX), id.as_str()),
            None => (-1, ""),
        };
        let statement =
            Statement::from_text(SELECT_PAGE).bind(tenant).bind(created_at).bind(id).bind(query.limit);
        Ok(self.read(statement).await?)
    }

    async fn list_sessions(&self, tenant: &TenantId, account: &AccountId) -> Stored<Vec<FoundSession>> {
        let statement = Statement::from_text(SELECT_SESSIONS).bind(tenant).bind(account.as_str());
        Ok(self.look_up(statement.bind(LISTED_SESSIONS)).await?)
    }

    async fn list_consents(&self, tenant: &TenantId, account: &AccountId) -> Stored<Vec<ConsentState>> {
        Ok(self.look_up(Statement::from_text(SELECT_CONSENTS).bind(tenant).bind(account.as_str())).await?)
    }
}

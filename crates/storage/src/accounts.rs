//! Accounts with their identifiers. An account is read with its identifiers, and with its password for a sign-in only.

use std::collections::HashSet;
use std::sync::Arc;

use accounts::{Account, AccountId, AccountPassword, AccountStore, Identifier};
use administration::{
    AccountQuery, AccountSignIns, AccountState, Accounts, Change, ChangeKind, ConsentState, LISTED_SESSIONS,
    RelatedAccounts, RowChange,
};
use async_trait::async_trait;
use serde_json::json;
use sessions::FoundSession;
use tenancy::{StoreError, TenantId};

use crate::column::is_text;
use crate::commit::CommitWriter;
use crate::database::{Database, Purpose};
use crate::error::Error;
use crate::rows::IdentifierRow;
use crate::statement::{Dialect, Statement};

/// One account.
pub(crate) const SELECT_ONE: &str = "
    SELECT {columns(a)} FROM accounts a WHERE a.tenant_id = {tenant} AND a.account_id = $2";

/// The account of an identifier.
pub(crate) const SELECT_IDENTIFIED: &str = "
    SELECT {columns(a)} FROM account_identifiers i
      {join} accounts a ON a.tenant_id = i.tenant_id AND a.account_id = i.account_id
     WHERE i.tenant_id = {tenant} AND i.kind = $2 AND i.value = $3";

/// The ids `$2`, those that have an identifier of `$3` or an external id of `$4`, and where `$5` is 1 those of the files.
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
          WHERE d.tenant_id = {tenant} AND d.managed_by = 'config' AND $5 = 1"
    };
}

pub(crate) const SQLITE_RELATED: &str = concat!(
    "SELECT {columns(a)} FROM accounts a
      WHERE a.tenant_id = {tenant} AND a.account_id IN (",
    touched!(),
    ") ORDER BY a.account_id"
);

/// Each is looked up by its key: the planner would else read all accounts of a large tenant.
const POSTGRES_RELATED: &str = concat!(
    "SELECT around.* FROM (",
    touched!(),
    ") AS touched CROSS JOIN LATERAL (
        SELECT {columns(a)} FROM accounts a
         WHERE a.tenant_id = {tenant} AND a.account_id = touched.account_id OFFSET 0) AS around
      ORDER BY around.account_id"
);

/// A page of them, after the account `$3` of the instant `$2`.
pub(crate) const SELECT_PAGE: &str = "
    SELECT {columns(a)} FROM accounts a
     WHERE a.tenant_id = {tenant} AND a.deleted_at IS NULL AND (a.created_at, a.account_id) > ($2, $3)
     ORDER BY a.created_at, a.account_id LIMIT $4";

const UPSERT: &str = "
    INSERT INTO accounts ({names}) SELECT {names} FROM {given} WHERE TRUE
    ON CONFLICT (tenant_id, account_id) DO UPDATE SET {updates}";

const DELETE_IDENTIFIERS: &str = "
    DELETE FROM account_identifiers
     WHERE (tenant_id, account_id) IN (SELECT tenant_id, account_id FROM {given})";

const INSERT_IDENTIFIERS: &str = "
    INSERT INTO account_identifiers ({names}) SELECT {names} FROM {given}";

const SET_PASSWORD: &str = "
    UPDATE accounts AS a
       SET password_hash = given.password_hash, declared_digest = given.declared_digest,
           password_changed_at = CASE WHEN given.password_hash IS NULL THEN NULL ELSE $2 END,
           valid_from = {greatest}(a.valid_from, CASE WHEN a.password_hash IS NULL THEN $2 ELSE $2 + 1 END)
      FROM {given}
     WHERE a.tenant_id = given.tenant_id AND a.account_id = given.account_id";

/// Only where it is still the one that was checked.
const REPLACE_PASSWORD: &str = "
    UPDATE accounts SET password_hash = $4
     WHERE tenant_id = $1 AND account_id = $2 AND password_hash = $3";

/// Also those of the same second.
const END_AUTHENTICATIONS: &str = "
    UPDATE accounts AS a SET valid_from = {greatest}(a.valid_from, $2 + 1)
      FROM {given(tenant_id text, account_id text)}
     WHERE a.tenant_id = given.tenant_id AND a.account_id = given.account_id";

const REMOVE_PASSWORD: &str = "
    UPDATE accounts AS a SET password_hash = NULL, declared_digest = NULL, password_changed_at = NULL
      FROM {given(tenant_id text, account_id text)}
     WHERE a.tenant_id = given.tenant_id AND a.account_id = given.account_id";

/// The sessions of an account, with the instant from which on they are valid.
pub(crate) const SELECT_SESSIONS: &str = "
    SELECT {columns(s)} FROM sessions s LEFT JOIN accounts a
        ON a.tenant_id = s.tenant_id AND a.account_id = s.account_id AND a.suspended_at IS NULL AND a.retired_at IS NULL AND a.deleted_at IS NULL
     WHERE s.tenant_id = {tenant} AND s.account_id = $2
     ORDER BY s.last_seen_at DESC, s.session_id LIMIT $3";

pub(crate) const SELECT_CONSENTS: &str = "
    SELECT {columns(c)} FROM consents c
     WHERE c.tenant_id = {tenant} AND c.account_id = $2 ORDER BY c.client_id";

const DELETE_SESSIONS: &str = "
    DELETE FROM sessions
     WHERE (tenant_id, account_id, session_id) IN
           (SELECT tenant_id, account_id, session_id FROM {given(tenant_id text, account_id text, session_id text)})";

/// What clients have of accounts.
macro_rules! delete_of_clients {
    ($table:literal) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE (tenant_id, account_id, client_id) IN
             (SELECT tenant_id, account_id, client_id FROM {given(tenant_id text, account_id text, client_id text)})"
        )
    };
}
const DELETE_CONSENTS: &str = delete_of_clients!("consents");
const DELETE_FAMILIES: &str = delete_of_clients!("refresh_families");

/// Of deleted accounts.
const DELETE_ALL_CONSENTS: &str = "
    DELETE FROM consents
     WHERE (tenant_id, account_id) IN (SELECT tenant_id, account_id FROM {given})";

#[async_trait]
impl AccountStore for Database {
    async fn find_by_identifier(
        &self,
        tenant: &TenantId,
        identifier: &Identifier,
    ) -> Result<Option<(Arc<Account>, Option<AccountPassword>)>, StoreError> {
        let statement = Statement::of(SELECT_IDENTIFIED).bind(tenant);
        let statement = statement.bind(identifier.kind()).bind(identifier.as_str());
        let rows: Vec<(AccountState, Option<AccountPassword>)> = self.look_up(statement).await?;
        Ok(rows.into_iter().find_map(|(row, password)| Some((live(row)?, password))))
    }

    /// A request may write no account, so it is written as a commit of its tenant is. It is no change that a revision guards.
    async fn replace_password(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        before: &AccountPassword,
        after: &AccountPassword,
    ) -> Result<bool, StoreError> {
        let statement = Statement::of(REPLACE_PASSWORD).bind(tenant).bind(account.as_str());
        let statement = statement.bind(before.to_string()).bind(after.to_string());
        let mut transaction = self.begin(Purpose::CommitOf(tenant)).await?;
        let touched = transaction.execute(&statement).await?;
        transaction.commit().await?;
        Ok(touched > 0)
    }

    async fn find_account(
        &self,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<Option<Arc<Account>>, StoreError> {
        let statement = Statement::of(SELECT_ONE).bind(tenant).bind(account.as_str());
        let rows: Vec<AccountState> = self.look_up(statement).await?;
        Ok(rows.into_iter().find_map(live))
    }
}

fn live(row: AccountState) -> Option<Arc<Account>> {
    row.lifecycle.deleted_at.is_none().then(|| Arc::new(row.account))
}

#[async_trait]
impl Accounts for Database {
    async fn find_accounts(
        &self,
        tenant: &TenantId,
        related: RelatedAccounts<'_>,
    ) -> Result<Vec<AccountState>, StoreError> {
        let RelatedAccounts { ids, identifiers, external_ids, declared } = related;
        let text = match self.dialect() {
            Dialect::Sqlite => SQLITE_RELATED,
            Dialect::Postgres => POSTGRES_RELATED,
        };
        let statement = Statement::of(text)
            .bind(tenant)
            .bind(json!(ids).to_string())
            .bind(json!(identifiers).to_string())
            .bind(json!(external_ids.iter().filter(|text| is_text(text)).collect::<Vec<_>>()).to_string())
            .bind(i64::from(declared));
        Ok(self.read(statement).await?)
    }

    async fn list_accounts(
        &self,
        tenant: &TenantId,
        query: &AccountQuery,
    ) -> Result<Vec<AccountState>, StoreError> {
        let (created_at, id) = match &query.after {
            Some((created_at, id)) => (i64::try_from(created_at.seconds()).unwrap_or(i64::MAX), id.as_str()),
            None => (-1, ""),
        };
        let statement = Statement::of(SELECT_PAGE).bind(tenant).bind(created_at).bind(id).bind(query.limit);
        Ok(self.read(statement).await?)
    }
}

#[async_trait]
impl AccountSignIns for Database {
    async fn list_sessions(
        &self,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<Vec<FoundSession>, StoreError> {
        let statement = Statement::of(SELECT_SESSIONS).bind(tenant).bind(account.as_str());
        Ok(self.look_up(statement.bind(LISTED_SESSIONS)).await?)
    }

    async fn list_consents(
        &self,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<Vec<ConsentState>, StoreError> {
        Ok(self.look_up(Statement::of(SELECT_CONSENTS).bind(tenant).bind(account.as_str())).await?)
    }
}

impl CommitWriter<'_> {
    /// Identifiers are deleted before any is inserted, so that one can move from an account to another.
    pub(crate) async fn accounts(&mut self) -> Result<(), Error> {
        let (mut ended, mut emptied, mut renamed, mut held) = (vec![], vec![], vec![], vec![]);
        let (mut sessions, mut consents, mut added) = (vec![], vec![], HashSet::new());
        for change in &self.request.changes {
            let Change::Account(RowChange { kind, after, .. }) = change else {
                match change {
                    Change::Sessions(tenant, account, None) => ended.push((tenant, account)),
                    Change::Sessions(tenant, account, Some(session)) => sessions
                        .push(json!({ "tenant_id": tenant, "account_id": account, "session_id": session })),
                    Change::Consent(tenant, account, client) => {
                        consents
                            .push(json!({ "tenant_id": tenant, "account_id": account, "client_id": client }));
                    }
                    _ => {}
                }
                continue;
            };
            let (tenant, account) = (&after.tenant, &after.id);
            let rows = || after.identifiers.iter().map(|held| IdentifierRow { tenant, account, held });
            match kind {
                ChangeKind::Added => {
                    added.insert((tenant, account));
                    held.extend(rows());
                }
                ChangeKind::Changed | ChangeKind::Restored => {
                    renamed.push((tenant, account));
                    held.extend(rows());
                }
                ChangeKind::Suspended => ended.push((tenant, account)),
                ChangeKind::Retired => {
                    ended.push((tenant, account));
                    renamed.push((tenant, account));
                }
                ChangeKind::Deleted => {
                    ended.push((tenant, account));
                    emptied.push((tenant, account));
                    renamed.push((tenant, account));
                }
                _ => {}
            }
        }
        // Before any of them ends. A new account has no sessions.
        let changed = self.request.passwords.iter().map(|new| (&new.tenant, &new.account));
        let left = ended.iter().copied().chain(changed.filter(|names| !added.contains(names)));
        let left = left.map(|(tenant, account)| json!({ "tenant_id": tenant, "account_id": account }));
        let left: Vec<_> = left.chain(sessions.iter().cloned()).collect();
        self.queue_logouts(&left).await?;
        let rows: Vec<_> = self.decided.accounts.values().collect();
        self.all(UPSERT, &rows).await?;
        self.each(DELETE_IDENTIFIERS, &renamed).await?;
        self.all(INSERT_IDENTIFIERS, &held).await?;
        self.all(SET_PASSWORD, &self.request.passwords).await?;
        self.all(REMOVE_PASSWORD, &emptied).await?;
        self.each(DELETE_ALL_CONSENTS, &emptied).await?;
        self.each(DELETE_SESSIONS, &sessions).await?;
        self.each(DELETE_CONSENTS, &consents).await?;
        self.each(DELETE_FAMILIES, &consents).await?;
        self.all(END_AUTHENTICATIONS, &ended).await
    }
}

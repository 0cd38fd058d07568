//! Accounts: `latchkey:accounts`, of the platform or of the tenant.

use accounts::{Account, AccountId, AccountPassword, Identifier};
use serde_json::{Value, json};
use tenancy::TenantId;

use super::commit_with_retry::{Decision, EditRequest};
use super::idempotency::IdempotencyScope;
use super::load::{AccountNames, LoadScope};
use super::resource::{Patch, Resource, TakeStep, ViewContext};
use super::{Administrator, Caller, Created, EditPolicy, cursor};
use crate::edit::{self, AccountStep, EditContext, NewAccountRow};
use crate::{
    AccountQuery, AccountState, AccountView, CommitRequest, EditError, FileSecret, NewAccount,
    NewPasswordSettings, Page, Permission, RowLifecycle, SecretForm, TenantState, ThrottlingView,
};

/// The accounts that are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountFilter<'a> {
    /// Only the account of this identifier.
    pub identifier: Option<&'a str>,
    /// Only the account of this identifier in another system.
    pub external_id: Option<&'a str>,
}

impl Administrator {
    /// Creates an account.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn create_account(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        new: NewAccount,
    ) -> Result<Created<AccountView>, EditError> {
        caller.authority.require_in(tenant, Permission::Accounts)?;
        let NewAccount { password, settings } = new;
        let row = NewAccountRow { id: AccountId::generate(), settings: &settings };
        let names = (tenant, &row.id);
        let mut password = password.map(FileSecret::into_inner);
        let scope = Account::scope(&self.policy, tenant, &row.id, Some(&json!(settings)));
        let request = EditRequest { caller, tenant, scope };
        let idempotency = IdempotencyScope::of(caller, tenant, "create account");
        let decide = |context: EditContext<'_>, prepared: &mut Option<AccountPassword>| {
            let (mut edit, words) = edit::create_account(context, tenant, &row)?;
            if let Some(text) = password.take() {
                return Ok(Decision::Prepare(Box::pin(self.take_password(names, text, words))));
            }
            if let Some(password) = prepared.clone() {
                edit.extend(edit::with_password(names, password, SecretForm::Chosen));
            }
            Ok(Decision::Commit { edit, value: (), valid_for: None })
        };
        let answer = |(), request: &CommitRequest| {
            Account::view(self.view_context(caller), &request.after()?, &row.id)
        };
        self.commit_prepared(request, idempotency, None, decide, answer).await
    }

    /// A page of a tenant's accounts, in the order of their creation.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn accounts(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        filter: AccountFilter<'_>,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<AccountView>, EditError> {
        caller.authority.require_in(tenant, Permission::Accounts)?;
        let size = cursor::page_size(limit);
        let query = AccountQuery { after: cursor.map(cursor::read_account).transpose()?, limit: size + 1 };
        let AccountFilter { identifier, external_id } = filter;
        if identifier.is_none() && external_id.is_none() {
            self.load(tenant, &LoadScope::Tenant).await?.tenant()?;
            let rows = self.store.list_accounts(tenant, &query).await?.into_iter();
            let rows =
                rows.map(|row| ((row.lifecycle.created_at, row.account.id.clone()), AccountView::from(&row)));
            return Ok(cursor::page(rows.collect(), size, cursor::of_account));
        }
        // What is no identifier is of no account.
        let parsed: Vec<Identifier> =
            identifier.and_then(|text| Identifier::parse(text).ok()).into_iter().collect();
        let external_ids = external_id.map(str::to_owned).into_iter().collect();
        let names = AccountNames { ids: Vec::new(), identifiers: parsed.clone(), external_ids };
        let facts = self.load(tenant, &LoadScope::Accounts(names)).await?;
        let found = facts.tenant()?.accounts.iter().filter(|row| {
            let held = || row.account.identifiers.iter().any(|held| parsed.contains(&held.identifier));
            row.lifecycle.deleted_at.is_none()
                && (identifier.is_none() || held())
                && (external_id.is_none() || row.account.external_id.as_deref() == external_id)
        });
        Ok(Page { items: found.map(AccountView::from).collect(), next_cursor: None })
    }

    /// Whether wrong passwords have made an account refuse browsers that it does not know.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn throttling(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<ThrottlingView, EditError> {
        self.look::<Account>(caller, tenant, account).await?;
        Ok((self.throttled)(tenant, account, caller.now).into())
    }

    /// Sets the password of an account. All sessions until now end.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn set_account_password(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        account: &AccountId,
        new: NewPasswordSettings,
    ) -> Result<AccountView, EditError> {
        caller.authority.require_in(tenant, Permission::Accounts)?;
        let names = (tenant, account);
        let mut password = new.password.map(FileSecret::into_inner);
        let decide = |context: EditContext<'_>, prepared: &mut Option<AccountPassword>| {
            if let Some(text) = password.take() {
                let words = edit::account_words(context, names)?;
                return Ok(Decision::Prepare(Box::pin(self.take_password(names, text, words))));
            }
            let password = prepared.clone().ok_or_else(|| edit::invalid("/password", "is needed"))?;
            let edit = edit::set_password(context, names, password)?;
            Ok(Decision::Commit { edit, value: (), valid_for: None })
        };
        let answer = |(), request: &CommitRequest| {
            Account::view(self.view_context(caller), &request.after()?, account)
        };
        let request = EditRequest { caller, tenant, scope: LoadScope::Accounts(AccountNames::of(account)) };
        let made: Result<Created<_>, EditError> =
            self.commit_prepared(request, None, None, decide, answer).await;
        Ok(made?.value)
    }
}

impl Resource for Account {
    const KIND: &'static str = "account";
    const PERMISSION: Permission = Permission::Accounts;
    const PATCH: Patch<AccountId> = edit::patch_account;
    const STEP: TakeStep<AccountId, AccountStep> = edit::step_account;
    type Id = AccountId;
    type View = AccountView;
    type Step = AccountStep;

    fn scope(_: &EditPolicy, _: &TenantId, account: &AccountId, edit: Option<&Value>) -> LoadScope {
        let document = edit.unwrap_or(&Value::Null);
        let texts = ["email", "username"].into_iter().filter_map(|member| document[member].as_str());
        LoadScope::Accounts(AccountNames {
            ids: vec![account.clone()],
            identifiers: texts.filter_map(|text| Identifier::parse(text).ok()).collect(),
            external_ids: document["external_id"].as_str().map(str::to_owned).into_iter().collect(),
        })
    }

    fn lifecycle<'a>(state: &'a TenantState, account: &AccountId) -> Option<&'a RowLifecycle> {
        Some(&row(state, account)?.lifecycle)
    }

    fn view(_: ViewContext<'_>, state: &TenantState, account: &AccountId) -> Result<AccountView, EditError> {
        row(state, account).map(AccountView::from).ok_or(EditError::NotFound(Self::KIND))
    }
}

/// Also one that has just been deleted.
fn row<'a>(state: &'a TenantState, account: &AccountId) -> Option<&'a AccountState> {
    state.accounts.iter().find(|row| row.account.id == *account)
}

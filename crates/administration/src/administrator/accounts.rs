//! Accounts: `latchkey:accounts`, of the platform or of the tenant.

use accounts::{AccountId, AccountPassword, Identifier};
use serde_json::{Value, json};
use tenancy::TenantId;

use super::commit_with_retry::{Decision, EditRequest};
use super::idempotency::IdempotencyScope;
use super::load::LoadScope;
use super::{Administrator, Caller, Created, cursor};
use crate::edit::{self, AccountStep, Edit, EditContext, NewAccountRow};
use crate::{
    AccountQuery, AccountView, CommitRequest, EditError, FileSecret, NewAccount, NewPasswordSettings, Page,
    Permission, RelatedAccounts, SecretForm, TenantState, ThrottlingView,
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
        let held = NewNames::of(&json!(settings));
        let related = held.related(std::slice::from_ref(&row.id));
        let request = EditRequest { caller, tenant, scope: LoadScope::of_accounts(related) };
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
        let answer = |(), request: &CommitRequest| view(&request.after()?, &row.id);
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
            self.load(tenant, LoadScope::of_accounts(RelatedAccounts::default())).await?.tenant()?;
            let rows = self.store.list_accounts(tenant, &query).await?.into_iter();
            let rows =
                rows.map(|row| ((row.lifecycle.created_at, row.account.id.clone()), AccountView::from(&row)));
            return Ok(cursor::page(rows.collect(), size, cursor::of_account));
        }
        // What is no identifier is of no account.
        let parsed: Vec<Identifier> =
            identifier.and_then(|text| Identifier::parse(text).ok()).into_iter().collect();
        let external_ids: Vec<String> = external_id.map(str::to_owned).into_iter().collect();
        let related = RelatedAccounts {
            identifiers: &parsed,
            external_ids: &external_ids,
            ..RelatedAccounts::default()
        };
        let facts = self.load(tenant, LoadScope::of_accounts(related)).await?;
        let found = facts.tenant()?.accounts.iter().filter(|row| {
            let held = || row.account.identifiers.iter().any(|held| parsed.contains(&held.identifier));
            row.lifecycle.deleted_at.is_none()
                && (identifier.is_none() || held())
                && (external_id.is_none() || row.account.external_id.as_deref() == external_id)
        });
        Ok(Page { items: found.map(AccountView::from).collect(), next_cursor: None })
    }

    /// One account.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn account(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<AccountView, EditError> {
        caller.authority.require_in(tenant, Permission::Accounts)?;
        let facts = self
            .load(tenant, LoadScope::of_accounts(RelatedAccounts::of(std::slice::from_ref(account))))
            .await?;
        Ok(AccountView::from(facts.tenant()?.account(account)?))
    }

    /// Changes what the merge patch names.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn patch_account(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        account: &AccountId,
        patch: Value,
    ) -> Result<AccountView, EditError> {
        let decide = |context: EditContext<'_>| edit::patch_account(context, (tenant, account), &patch);
        self.edit_account(caller, (tenant, account), &NewNames::of(&patch), decide).await
    }

    /// Suspends, resumes or deletes an account.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn step_account(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        account: &AccountId,
        step: AccountStep,
    ) -> Result<AccountView, EditError> {
        let decide = |context: EditContext<'_>| edit::step_account(context, (tenant, account), step);
        self.edit_account(caller, (tenant, account), &NewNames::default(), decide).await
    }

    /// Forgets the failed sign-ins of an account, in all replicas.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn unlock_account(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<AccountView, EditError> {
        let decide = |context: EditContext<'_>| edit::unlock_account(context, (tenant, account));
        self.edit_account(caller, (tenant, account), &NewNames::default(), decide).await
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
        self.account(caller, tenant, account).await?;
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
        let answer = |(), request: &CommitRequest| view(&request.after()?, account);
        let scope = LoadScope::of_accounts(RelatedAccounts::of(std::slice::from_ref(account)));
        let request = EditRequest { caller, tenant, scope };
        let made: Result<Created<_>, EditError> =
            self.commit_prepared(request, None, None, decide, answer).await;
        Ok(made?.value)
    }

    /// Edits one account, and answers with it as it is then. `names` are those that the edit brings in.
    pub(super) async fn edit_account(
        &self,
        caller: &Caller,
        (tenant, account): (&TenantId, &AccountId),
        names: &NewNames,
        decide: impl FnMut(EditContext<'_>) -> Result<Edit, EditError> + Send,
    ) -> Result<AccountView, EditError> {
        caller.authority.require_in(tenant, Permission::Accounts)?;
        let related = names.related(std::slice::from_ref(account));
        let request = EditRequest { caller, tenant, scope: LoadScope::of_accounts(related) };
        let answer = |after: &TenantState| view(after, account);
        Ok(self.commit_with_retry(request, None, decide, answer).await?.value)
    }
}

/// The names in a document, which other accounts may have.
#[derive(Default)]
pub(super) struct NewNames {
    identifiers: Vec<Identifier>,
    external_ids: Vec<String>,
}

impl NewNames {
    fn of(document: &Value) -> Self {
        let texts = ["email", "username"].into_iter().filter_map(|member| document[member].as_str());
        let identifiers = texts.filter_map(|text| Identifier::parse(text).ok()).collect();
        let external_ids = document["external_id"].as_str().map(str::to_owned).into_iter().collect();
        Self { identifiers, external_ids }
    }

    fn related<'a>(&'a self, ids: &'a [AccountId]) -> RelatedAccounts<'a> {
        let Self { identifiers, external_ids } = self;
        RelatedAccounts { identifiers, external_ids, ..RelatedAccounts::of(ids) }
    }
}

/// Also of an account that has just been deleted.
fn view(state: &TenantState, account: &AccountId) -> Result<AccountView, EditError> {
    let row = state.accounts.iter().find(|row| row.account.id == *account);
    row.map(AccountView::from).ok_or(EditError::NotFound("account"))
}

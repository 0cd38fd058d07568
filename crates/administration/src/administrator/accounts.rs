//! Accounts. Their administration needs `latchkey:accounts`, of the platform or of the tenant.

use accounts::{Account, AccountId, AccountPassword, Identifier};
use serde_json::{Value, json};
use tenancy::Stored;
use values::Secret;

use super::commit_with_retry::Decision;
use super::cursor::Paging;
use super::idempotency::IdempotencyScope;
use super::load::{Needs, UnreadableRow};
use super::resource::{Patch, Resource, TakeStep};
use super::{Created, InTenant};
use crate::edit::{self, AccountStep, Edit, EditContext, Edited, account::NewAccountRow};
use crate::{
    AccountQuery, AccountState, AccountView, AdministrationStore, Change, DeclaredTenant, EditError,
    FileSecret, NewAccount, Page, Permission, RelatedAccounts, RowLifecycle, SecretForm, TenantState,
    ThrottlingView, ViewContext,
};

/// The accounts that are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountFilter<'a> {
    /// Only the account of this identifier.
    pub identifier: Option<&'a str>,
    /// Only the account of this identifier in another system.
    pub external_id: Option<&'a str>,
}

impl InTenant<'_> {
    /// Creates an account.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn create_account(&self, new: NewAccount) -> Edited<Created<AccountView>> {
        self.require(Permission::Accounts)?;
        let NewAccount { password, settings } = new;
        let row = NewAccountRow { id: AccountId::generate(), settings: &settings };
        let needs = Account::needs(self, &row.id, Some(&json!(settings)));
        let secret = (self.idempotency("create account"), password.map(FileSecret::into_inner));
        let decide = |context: EditContext<'_>| edit::account::create(context, &row);
        self.edit_with_password(&row.id, needs, secret, decide).await
    }

    /// Changes what the merge patch names. A grant that removes the password answers with a link to set one.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn patch_account(&self, account: &AccountId, patch: &Value) -> Edited<AccountView> {
        self.require(Permission::Accounts)?;
        let decide =
            |context: EditContext<'_>| Ok((edit::account::patch(context, account, patch)?, Vec::new()));
        let needs = Account::needs(self, account, Some(patch));
        Ok(self.edit_with_password(account, needs, (None, None), decide).await?.value)
    }

    /// A page of a tenant's accounts, in the order of their creation.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn accounts(
        &self,
        filter: AccountFilter<'_>,
        cursor: Option<&str>,
        limit: u32,
    ) -> Edited<Page<AccountView>> {
        self.require(Permission::Accounts)?;
        let page = Paging::new(cursor, limit)?;
        let AccountFilter { identifier, external_id } = filter;
        if identifier.is_none() && external_id.is_none() {
            let query = AccountQuery { after: page.after.clone(), limit: page.rows() };
            self.load(self.tenant, &Needs::default()).await?.tenant()?;
            let place = |row: &AccountState| (row.lifecycle.created_at, row.account.id.clone());
            let rows = self.store.list_accounts(self.tenant, &query).await?;
            return Ok(page.readable(rows, place, |row| AccountView::from(&row)));
        }
        // No account has a text that is no identifier.
        let parsed: Vec<Identifier> =
            identifier.and_then(|text| Identifier::parse(text).ok()).into_iter().collect();
        let external_ids = external_id.map(str::to_owned).into_iter().collect();
        let needs = Needs { identifiers: parsed.clone(), external_ids, ..Needs::default() };
        let facts = self.load(self.tenant, &needs).await?;
        let found = facts.tenant()?.accounts.iter().filter(|row| {
            let held = || row.account.identifiers.iter().any(|held| parsed.contains(&held.identifier));
            row.lifecycle.deleted_at.is_none()
                && (identifier.is_none() || held())
                && (external_id.is_none() || row.account.external_id.as_deref() == external_id)
        });
        Ok(Page { items: found.map(AccountView::from).collect(), next_cursor: None, unreadable: Vec::new() })
    }

    /// Whether an account refuses unknown browsers because of wrong passwords.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn throttling(&self, account: &AccountId) -> Edited<ThrottlingView> {
        self.look::<Account>(account).await?;
        let (throttled, failures) = (self.throttled)(self.tenant, account, self.caller.now);
        Ok(ThrottlingView::new(throttled, failures))
    }

    /// Sets the password of an account. Its person may do so as well. All sessions until now end.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn set_account_password(
        &self,
        account: &AccountId,
        password: Option<Secret>,
    ) -> Edited<AccountView> {
        let decide =
            |context: EditContext<'_>| Ok((Edit::default(), edit::account::words(context, account)?));
        self.caller.authority.require_account(self.tenant, account)?;
        let password = password.ok_or_else(|| edit::invalid("/password", "is needed"))?;
        let (needs, secret) = (Needs::account(account), (None, Some(password)));
        Ok(self.edit_with_password(account, needs, secret, decide).await?.value)
    }

    /// Edits an account, and sets this password if there is one. The password is checked against the words of
    /// the decision, and hashed, before the edit is decided. The caller is authorized already.
    pub(super) async fn edit_with_password(
        &self,
        account: &AccountId,
        needs: Needs,
        (idempotency, mut password): (Option<IdempotencyScope<AccountView>>, Option<Secret>),
        mut decide: impl FnMut(EditContext<'_>) -> Edited<(Edit, Vec<String>)> + Send,
    ) -> Edited<Created<AccountView>> {
        let Self { caller, tenant, .. } = *self;
        let decide = |context: EditContext<'_>, prepared: &mut Option<AccountPassword>| {
            let (mut edit, words) = decide(context)?;
            if let Some(text) = password.take() {
                return Ok(Decision::Prepare(Box::pin(self.take_password(account, text, words))));
            }
            if let Some(password) = prepared.clone() {
                let is_own = caller.authority.is_account(tenant, account);
                edit.extend(edit::account::with_password(
                    tenant,
                    account,
                    password,
                    SecretForm::Chosen,
                    is_own,
                ));
            }
            let has_link = edit.changes.iter().any(|change| matches!(change, Change::PasswordLink(..)));
            Ok(Decision::Commit { edit, value: has_link, valid_for: None })
        };
        let answer = |has_link, after: Option<TenantState>| {
            let after = after.ok_or(EditError::NotFound("tenant"))?;
            let mut view = Account::view(self.view_context(), &after, account)?;
            if has_link {
                view.password_link = Some(self.link_to(&after.account(account)?.account, caller.now));
            }
            Ok(view)
        };
        self.commit_prepared(needs, idempotency, None, decide, answer).await
    }
}

/// The accounts that a declaration names or has named, and those that have an identifier of one.
pub(crate) async fn find_declared(
    store: &dyn AdministrationStore,
    declared: &DeclaredTenant,
) -> Stored<Vec<AccountState>> {
    let held = declared.accounts.iter().flat_map(|declared| &declared.account.identifiers);
    let identifiers: Vec<_> = held.map(|held| held.identifier.clone()).collect();
    let ids: Vec<_> = declared.accounts.iter().map(|declared| declared.account.id.clone()).collect();
    let related = RelatedAccounts { ids: &ids, identifiers: &identifiers, external_ids: &[], declared: true };
    store.find_accounts(&declared.tenant.id, related).await
}

impl Resource for Account {
    const PERMISSION: Permission = Permission::Accounts;
    const PATCH: Patch<AccountId> = edit::account::patch;
    const STEP: TakeStep<AccountId, AccountStep> = edit::account::step;
    type Id = AccountId;
    type View = AccountView;
    type Step = AccountStep;

    fn needs(_: &InTenant<'_>, account: &AccountId, edit: Option<&Value>) -> Needs {
        let document = edit.unwrap_or(&Value::Null);
        let texts = ["email", "username"].into_iter().filter_map(|member| document[member].as_str());
        Needs {
            identifiers: texts.filter_map(|text| Identifier::parse(text).ok()).collect(),
            external_ids: document["external_id"].as_str().map(str::to_owned).into_iter().collect(),
            ..Needs::account(account)
        }
    }

    fn unreadable(account: &AccountId, step: AccountStep) -> Option<Needs> {
        (step == AccountStep::Delete).then(|| UnreadableRow::Account(account.clone()).into())
    }

    fn lifecycle<'a>(state: &'a TenantState, account: &AccountId) -> Option<&'a RowLifecycle> {
        Some(&row(state, account)?.lifecycle)
    }

    fn view(_: ViewContext<'_>, state: &TenantState, account: &AccountId) -> Edited<AccountView> {
        row(state, account).map(AccountView::from).ok_or(EditError::NotFound("account"))
    }
}

/// The row may be one that has just been deleted.
fn row<'a>(state: &'a TenantState, account: &AccountId) -> Option<&'a AccountState> {
    state.accounts.iter().find(|row| row.account.id == *account)
}

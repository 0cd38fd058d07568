//! Accounts. Their administration needs `latchkey:accounts`, of the platform or of the tenant.

use accounts::{Account, AccountId, AccountPassword, Identifier};
use async_trait::async_trait;
use serde_json::{Value, json};
use tenancy::{Stored, TenantId};
use values::Secret;

use super::commit_with_retry::{Decision, EditRequest};
use super::cursor::Paging;
use super::idempotency::IdempotencyScope;
use super::load::{Scope, TenantAlone, UnreadableRow};
use super::resource::{Patch, Resource, TakeStep};
use super::{Administrator, Caller, Created, EditPolicy};
use crate::edit::{self, AccountStep, Edit, EditContext, Edited, Facts, account::NewAccountRow};
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
    ) -> Edited<Created<AccountView>> {
        caller.authority.require_in(tenant, Permission::Accounts)?;
        let NewAccount { password, settings } = new;
        let row = NewAccountRow { id: AccountId::generate(), settings: &settings };
        let scope = Account::scope(&self.policy, tenant, &row.id, Some(&json!(settings)));
        let secret =
            (IdempotencyScope::new(caller, tenant, "create account"), password.map(FileSecret::into_inner));
        let decide = |context: EditContext<'_>| edit::account::create(context, &row);
        self.edit_with_password(caller, (tenant, &row.id), scope, secret, decide).await
    }

    /// Changes what the merge patch names. A grant that removes the password answers with a link to set one.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn patch_account(
        &self,
        caller: &Caller,
        (tenant, account): (&TenantId, &AccountId),
        patch: &Value,
    ) -> Edited<AccountView> {
        caller.authority.require_in(tenant, Permission::Accounts)?;
        let decide =
            |context: EditContext<'_>| Ok((edit::account::patch(context, account, patch)?, Vec::new()));
        let scope = Account::scope(&self.policy, tenant, account, Some(patch));
        Ok(self.edit_with_password(caller, (tenant, account), scope, (None, None), decide).await?.value)
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
    ) -> Edited<Page<AccountView>> {
        caller.authority.require_in(tenant, Permission::Accounts)?;
        let page = Paging::new(cursor, limit)?;
        let AccountFilter { identifier, external_id } = filter;
        if identifier.is_none() && external_id.is_none() {
            let query = AccountQuery { after: page.after.clone(), limit: page.rows() };
            self.load(tenant, &TenantAlone).await?.tenant()?;
            let place = |row: &AccountState| (row.lifecycle.created_at, row.account.id.clone());
            let rows = self.store.list_accounts(tenant, &query).await?;
            return Ok(page.readable(rows, place, |row| AccountView::from(&row)));
        }
        // No account has a text that is no identifier.
        let parsed: Vec<Identifier> =
            identifier.and_then(|text| Identifier::parse(text).ok()).into_iter().collect();
        let external_ids = external_id.map(str::to_owned).into_iter().collect();
        let names = AccountNames { ids: Vec::new(), identifiers: parsed.clone(), external_ids };
        let facts = self.load(tenant, &names).await?;
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
    pub async fn throttling(
        &self,
        caller: &Caller,
        (tenant, account): (&TenantId, &AccountId),
    ) -> Edited<ThrottlingView> {
        self.look::<Account>(caller, tenant, account).await?;
        Ok((self.throttled)(tenant, account, caller.now).into())
    }

    /// Sets the password of an account. Its person may do so as well. All sessions until now end.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn set_account_password(
        &self,
        caller: &Caller,
        (tenant, account): (&TenantId, &AccountId),
        password: Option<Secret>,
    ) -> Edited<AccountView> {
        let decide =
            |context: EditContext<'_>| Ok((Edit::default(), edit::account::words(context, account)?));
        caller.authority.require_account(tenant, account)?;
        let password = password.ok_or_else(|| edit::invalid("/password", "is needed"))?;
        let scope = Box::new(AccountNames::from_account(account));
        let secret = (None, Some(password));
        Ok(self.edit_with_password(caller, (tenant, account), scope, secret, decide).await?.value)
    }

    /// Edits an account, and sets this password if there is one. The password is checked against the words of
    /// the decision, and hashed, before the edit is decided. The caller is authorized already.
    pub(super) async fn edit_with_password(
        &self,
        caller: &Caller,
        names @ (tenant, account): (&TenantId, &AccountId),
        scope: Box<dyn Scope>,
        (idempotency, mut password): (Option<IdempotencyScope<AccountView>>, Option<Secret>),
        mut decide: impl FnMut(EditContext<'_>) -> Edited<(Edit, Vec<String>)> + Send,
    ) -> Edited<Created<AccountView>> {
        let decide = |context: EditContext<'_>, prepared: &mut Option<AccountPassword>| {
            let (mut edit, words) = decide(context)?;
            if let Some(text) = password.take() {
                return Ok(Decision::Prepare(Box::pin(self.take_password(names, text, words))));
            }
            if let Some(password) = prepared.clone() {
                let is_own = caller.authority.is_account(tenant, account);
                edit.extend(edit::account::with_password(names, password, (SecretForm::Chosen, is_own)));
            }
            let has_link = edit.changes.iter().any(|change| matches!(change, Change::PasswordLink(..)));
            Ok(Decision::Commit { edit, value: has_link, valid_for: None })
        };
        let answer = |has_link, after: Option<TenantState>| {
            let after = after.ok_or(EditError::NotFound("tenant"))?;
            let mut view = Account::view(self.view_context(caller), &after, account)?;
            if has_link {
                view.password_link = Some(self.link_to(&after.account(account)?.account, caller.now));
            }
            Ok(view)
        };
        let request = EditRequest { caller, tenant, scope };
        self.commit_prepared(request, idempotency, None, decide, answer).await
    }
}

/// The tenant, with those of its accounts that have one of these names.
#[derive(Default)]
pub(super) struct AccountNames {
    pub(super) ids: Vec<AccountId>,
    pub(super) identifiers: Vec<Identifier>,
    pub(super) external_ids: Vec<String>,
}

impl AccountNames {
    /// Names one account.
    pub(super) fn from_account(account: &AccountId) -> Self {
        Self { ids: vec![account.clone()], ..Self::default() }
    }
}

#[async_trait]
impl Scope for AccountNames {
    async fn load(&self, store: &dyn AdministrationStore, tenant: &TenantId) -> Edited<Facts> {
        let mut facts = TenantAlone.load(store, tenant).await?;
        if let Some(state) = &mut facts.state {
            let Self { ids, identifiers, external_ids } = self;
            let related = RelatedAccounts { ids, identifiers, external_ids, declared: false };
            state.accounts = store.find_accounts(tenant, related).await?;
        }
        Ok(facts)
    }
}

/// The accounts that a declaration names or has named, and those that have an identifier of one.
pub(super) async fn find_declared(
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

    fn scope(_: &EditPolicy, _: &TenantId, account: &AccountId, edit: Option<&Value>) -> Box<dyn Scope> {
        let document = edit.unwrap_or(&Value::Null);
        let texts = ["email", "username"].into_iter().filter_map(|member| document[member].as_str());
        Box::new(AccountNames {
            ids: vec![account.clone()],
            identifiers: texts.filter_map(|text| Identifier::parse(text).ok()).collect(),
            external_ids: document["external_id"].as_str().map(str::to_owned).into_iter().collect(),
        })
    }

    fn unreadable(account: &AccountId, step: AccountStep) -> Option<UnreadableRow> {
        (step == AccountStep::Delete).then(|| UnreadableRow::Account(account.clone()))
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

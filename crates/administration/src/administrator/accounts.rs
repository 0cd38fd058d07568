//! Accounts. Their administration needs `latchkey:accounts`, of the platform or of the tenant.

use std::collections::HashMap;

use accounts::{Account, AccountId, AccountPassword, Identifier};
use serde_json::{Value, json};
use tenancy::Stored;
use values::Secret;

use super::commit_with_retry::Decision;
use super::cursor::Paging;
use super::idempotency::IdempotencyScope;
use super::load::Needs;
use super::resource::Resource;
use super::{Created, InTenant};
use crate::documents::AccountView;
use crate::edit::account::NewPerson;
use crate::edit::{EditContext, Edited};
use crate::kinds::authority::Authority;
use crate::kinds::change::SecretForm;
use crate::kinds::state::RowLifecycle;
use crate::kinds::{Permission, TenantState};
use crate::store::AdministrationStore;
use crate::store::UnreadableRow;
use crate::{documents, edit, kinds};

/// Selects accounts for a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountFilter<'a> {
    pub identifier: Option<&'a str>,
    /// Only the account of this identifier in another system.
    pub external_id: Option<&'a str>,
    /// Only accounts whose email address or user name begins with this text, or whose id or external id
    /// is this text. Not together with the others.
    pub search: Option<&'a str>,
}

impl InTenant<'_> {
    pub async fn create_account(&self, new: documents::NewAccount) -> Edited<Created<AccountView>> {
        self.create_person(new, false).await
    }

    /// Creates an account, and answers with a link with which the person sets a password.
    pub async fn invite_account(&self, new: documents::NewAccount) -> Edited<Created<AccountView>> {
        self.create_person(new, true).await
    }

    async fn create_person(
        &self,
        new: documents::NewAccount,
        is_invited: bool,
    ) -> Edited<Created<AccountView>> {
        self.require(Permission::Accounts)?;
        let documents::NewAccount { password, settings } = new;
        let row = NewPerson { id: AccountId::generate(), settings: &settings };
        let needs = Account::needs(self, &row.id, Some(&json!(settings)));
        let secret = (self.idempotency("create account"), password.map(documents::FileSecret::into_inner));
        let decide = |context: EditContext<'_>| {
            let (mut edit, words) = edit::account::create(context, &row)?;
            if is_invited {
                edit.extend(edit::account::offer_link(context, &row.id)?);
            }
            Ok((edit, words))
        };
        self.edit_with_password(&row.id, needs, secret, decide).await
    }

    /// Changes what the merge patch names. A grant that removes the password answers with a link to set one.
    pub async fn patch_account(&self, account: &AccountId, patch: &Value) -> Edited<AccountView> {
        self.require(Permission::Accounts)?;
        let decide =
            |context: EditContext<'_>| Ok((edit::account::patch(context, account, patch)?, Vec::new()));
        let needs = Account::needs(self, account, Some(patch));
        Ok(self.edit_with_password(account, needs, (None, None), decide).await?.value)
    }

    /// A page of a tenant's accounts, in the order of their creation.
    pub async fn accounts(
        &self,
        filter: AccountFilter<'_>,
        cursor: Option<&str>,
        limit: u32,
    ) -> Edited<documents::Page<AccountView>> {
        self.require(Permission::Accounts)?;
        let page = Paging::new(cursor, limit)?;
        let AccountFilter { identifier, external_id, search } = filter;
        if identifier.is_none() && external_id.is_none() {
            let search = search.map(kinds::account::Search::from_text);
            let is_list = search.is_none();
            let query = kinds::account::Query { after: page.after.clone(), limit: page.rows(), search };
            self.load(self.tenant, &Needs::default()).await?.tenant()?;
            let place = |row: &kinds::account::State| (row.lifecycle.created_at, row.account.id.clone());
            let rows = self.store.list_accounts(self.tenant, &query).await?;
            let found = page.readable(rows, place, |row| AccountView::from(&row));
            // A search has one page.
            let next_cursor = found.next_cursor.filter(|_| is_list);
            return Ok(documents::Page { next_cursor, ..found });
        }
        // A text that is not an identifier belongs to no account.
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
        Ok(documents::Page {
            items: found.map(AccountView::from).collect(),
            next_cursor: None,
            unreadable: Vec::new(),
        })
    }

    /// The display names of these accounts, as far as they exist.
    pub async fn account_names(&self, ids: &[AccountId]) -> Edited<HashMap<AccountId, String>> {
        self.require(Permission::Accounts)?;
        let related = kinds::account::Related::from_ids(ids);
        let rows = self.store.find_accounts(self.tenant, related).await?;
        let named = |row: kinds::account::State| {
            let name = row.account.display_name().to_owned();
            (row.account.id, name)
        };
        Ok(rows.into_iter().filter(|row| row.lifecycle.deleted_at.is_none()).map(named).collect())
    }

    /// Whether an account refuses unknown browsers because of wrong passwords.
    pub async fn throttling(&self, account: &AccountId) -> Edited<documents::ThrottlingView> {
        self.look::<Account>(account).await?;
        let (throttled, failures) = (self.throttled)(self.tenant, account, self.caller.now);
        Ok(documents::ThrottlingView::new(throttled, failures))
    }

    /// Sets the password of an account and ends all its sessions. The person of the account may also do so.
    pub async fn set_account_password(
        &self,
        account: &AccountId,
        password: Option<Secret>,
    ) -> Edited<AccountView> {
        let decide =
            |context: EditContext<'_>| Ok((edit::Edit::default(), edit::account::words(context, account)?));
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
        mut decide: impl FnMut(EditContext<'_>) -> Edited<(edit::Edit, Vec<String>)> + Send,
    ) -> Edited<Created<AccountView>> {
        let Self { caller, tenant, .. } = *self;
        let decide = |context: EditContext<'_>, prepared: &mut Option<AccountPassword>| {
            let (mut edit, words) = decide(context)?;
            if let Some(text) = password.take() {
                return Ok(Decision::Prepare(Box::pin(self.take_password(account, text, words))));
            }
            if let Some(password) = prepared.clone() {
                let is_own = caller.authority.is_account(tenant, account);
                let before = context.facts.tenant()?.account(account).ok();
                edit.mail.extend(before.and_then(|row| self.notice_of_password(&row.account, caller.now)));
                edit.extend(edit::account::with_password(
                    tenant,
                    account,
                    password,
                    SecretForm::Chosen,
                    is_own,
                ));
            }
            let has_link =
                edit.changes.iter().any(|change| matches!(change, kinds::Change::PasswordLink(..)));
            Ok(Decision::Commit { edit, value: has_link, valid_for: None })
        };
        let answer = |has_link, after: Option<TenantState>| {
            let after = after.ok_or(edit::EditError::NotFound("tenant"))?;
            let mut view = Account::view(self.view_context(), &after, account)?;
            if has_link {
                view.password_link = Some(self.link_to(&after.account(account)?.account, caller.now));
            }
            Ok(view)
        };
        self.commit_prepared(needs, idempotency, None, decide, answer).await
    }
}

/// Finds the accounts that a declaration names or has named, and the accounts that have one of the declared
/// identifiers.
pub(crate) async fn find_declared(
    store: &dyn AdministrationStore,
    declared: &kinds::DeclaredTenant,
) -> Stored<Vec<kinds::account::State>> {
    let held = declared.accounts.iter().flat_map(|declared| &declared.account.identifiers);
    let identifiers: Vec<_> = held.map(|held| held.identifier.clone()).collect();
    let ids: Vec<_> = declared.accounts.iter().map(|declared| declared.account.id.clone()).collect();
    let related = kinds::account::Related {
        ids: &ids,
        identifiers: &identifiers,
        declared: true,
        ..Default::default()
    };
    store.find_accounts(&declared.tenant.id, related).await
}

impl Resource for Account {
    const PERMISSION: Permission = Permission::Accounts;
    type Id = AccountId;
    type View = AccountView;
    type Step = edit::account::Step;
    const PATCH: fn(EditContext<'_>, &AccountId, &Value) -> Edited = edit::account::patch;
    const TAKE_STEP: fn(EditContext<'_>, &AccountId, Self::Step) -> Edited = edit::account::step;

    fn needs(within: &InTenant<'_>, account: &AccountId, edit: Option<&Value>) -> Needs {
        let Some(document) = edit else { return Needs::account(account) };
        let texts = ["email", "username"].into_iter().filter_map(|member| document[member].as_str());
        let needs = Needs {
            identifiers: texts.filter_map(|text| Identifier::parse(text).ok()).collect(),
            external_ids: document["external_id"].as_str().map(str::to_owned).into_iter().collect(),
            ..Needs::account(account)
        };
        needs.with_successors(within, &Authority::account_name(account))
    }

    fn unreadable(account: &AccountId, step: edit::account::Step) -> Option<Needs> {
        (step == edit::account::Step::Delete).then(|| UnreadableRow::Account(account.clone()).into())
    }

    fn lifecycle<'a>(state: &'a TenantState, account: &AccountId) -> Option<&'a RowLifecycle> {
        Some(&row(state, account)?.lifecycle)
    }

    fn view(_: documents::ViewContext<'_>, state: &TenantState, account: &AccountId) -> Edited<AccountView> {
        row(state, account).map(AccountView::from).ok_or(edit::EditError::NotFound("account"))
    }
}

/// The account may just have been deleted, so a deleted row is found as well.
fn row<'a>(state: &'a TenantState, account: &AccountId) -> Option<&'a kinds::account::State> {
    state.accounts.iter().find(|row| row.account.id == *account)
}

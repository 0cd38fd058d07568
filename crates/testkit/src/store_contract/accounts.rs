//! Accounts, their identifiers and passwords.

use accounts::{Account, AccountId, AccountPassword, AccountPasswords, AccountStatus, Identifier};
use administration::kinds;
use administration::kinds::change::{ChangeKind, PasswordChange, SecretForm};
use administration::kinds::state::{ManagedBy, RowLifecycle};
use administration::kinds::{Change, Invalidation};
use administration::store::{CommitOutcome, NewPassword, readable};
use secrets::{PasswordSalt, Pepper, hash_password};
use serde_json::json;
use tenancy::{Tenant, TenantId};
use values::{Secret, Timestamp};

use super::{Stores, add, apply, at, planned_commit, resting_on_today};
use crate::fixtures::{self, NOW};
use crate::requests::{self, CommitRequest, account};

fn identifier(text: &str) -> Identifier {
    Identifier::parse(text).unwrap()
}

fn of_kind(kind: ChangeKind, account: &Account) -> Change {
    Change::Account(requests::row(kind, None, account))
}

/// A request of the API on the current accounts.
pub(super) async fn request(stores: &Stores, now: Timestamp, changes: Vec<Change>) -> CommitRequest {
    let request = CommitRequest { managed_by: ManagedBy::Api, now, ..requests::declared(changes) };
    let mut request = resting_on_today(stores, &request).await;
    for state in &mut request.before {
        let every = kinds::account::Query { after: None, limit: 20_000, search: None };
        state.accounts = readable(stores.list_accounts(&state.tenant.id, &every).await.unwrap());
    }
    request
}

pub(super) async fn change(stores: &Stores, now: Timestamp, changes: Vec<Change>) {
    let outcome = planned_commit(stores, &request(stores, now, changes).await).await;
    assert!(matches!(outcome, CommitOutcome::Committed { .. }));
}

async fn two_tenants(stores: &Stores) -> (TenantId, TenantId) {
    let tenant = |id| fixtures::tenant(id);
    (add(stores, &tenant("acme"), &[]).await, add(stores, &tenant("globex"), &[]).await)
}

async fn found(stores: &Stores, tenant: &TenantId, text: &str) -> Option<(Account, Option<AccountPassword>)> {
    let found = stores.find_by_identifier(tenant, &identifier(text)).await.unwrap();
    found.map(|(account, password)| ((*account).clone(), password))
}

/// The API sets or removes the password of an account.
async fn set_password(
    stores: &Stores,
    now: Timestamp,
    (tenant, account): (&TenantId, &AccountId),
    (password, is_own): (Option<AccountPassword>, bool),
    declared_digest: Option<[u8; 32]>,
) {
    let (tenant, account) = (tenant.clone(), account.clone());
    let set = PasswordChange::Set(SecretForm::Chosen);
    let kind = if password.is_some() { set } else { PasswordChange::Removed };
    let change = Change::AccountPassword(tenant.clone(), account.clone(), kind);
    let mut request = request(stores, now, vec![change]).await;
    request.edit.passwords = vec![NewPassword { tenant, account, password, is_own, declared_digest }];
    let outcome = requests::commit(&**stores, &request).await;
    assert!(matches!(outcome, Ok(CommitOutcome::Committed { .. })), "{outcome:?}");
}

fn ids(numbers: &[u8]) -> Vec<AccountId> {
    numbers.iter().map(|number| AccountId::from_bytes([*number; 16])).collect()
}

fn ids_of(rows: &[kinds::account::State]) -> Vec<AccountId> {
    rows.iter().map(|row| row.account.id.clone()).collect()
}

/// Each field has a different value.
pub async fn account_round_trips_field_by_field(stores: Stores) {
    let (acme, _) = two_tenants(&stores).await;
    let mut unusual = account(&acme, 1, &["ada@example.com", "ada.l"]);
    unusual.identifiers[0].verified_at = Some(at(7));
    unusual.external_id = Some("HR/1815 \u{e9}".to_owned());
    unusual.claims = json!({ "name": "Ada \"L.\" \u{1f600}", "address": { "country": "GB" } })
        .as_object()
        .cloned()
        .unwrap();
    unusual.groups = vec!["staff".to_owned(), "a, b".to_owned(), "\"".to_owned()];
    unusual.permissions = fixtures::scope("latchkey:keys latchkey:accounts");
    unusual.valid_from = at(9);
    change(&stores, NOW, vec![of_kind(ChangeKind::Added, &unusual)]).await;
    assert_eq!(found(&stores, &acme, "ada@example.com").await, Some((unusual.clone(), None)));
    assert_eq!(found(&stores, &acme, "ada.l").await, Some((unusual.clone(), None)));
    assert_eq!(stores.find_account(&acme, &unusual.id).await.unwrap().as_deref(), Some(&unusual));
    let related = kinds::account::Related {
        ids: std::slice::from_ref(&unusual.id),
        ..kinds::account::Related::default()
    };
    let lifecycle = RowLifecycle::fresh(ManagedBy::Api, NOW);
    let row = kinds::account::State {
        account: unusual.clone(),
        lifecycle,
        has_own_password: false,
        declared_digest: None,
    };
    assert_eq!(stores.find_accounts(&acme, related).await.unwrap(), [row]);
    // Rows of the tenant contain no account, and caches only drop the account.
    let state = stores.load_state(&acme).await.unwrap().unwrap();
    assert!(state.accounts.is_empty());
    let (_, last) = stores.changes_since(0).await.unwrap().pop().unwrap();
    assert_eq!(last, Invalidation::Account(acme.clone(), unusual.id.clone()));

    let mut changed = account(&acme, 1, &["countess"]);
    changed.valid_from = unusual.valid_from;
    changed.updated_at = at(1);
    change(&stores, at(1), vec![of_kind(ChangeKind::Changed, &changed)]).await;
    assert_eq!(found(&stores, &acme, "countess").await, Some((changed, None)));
    assert_eq!(found(&stores, &acme, "ada@example.com").await, None);
}

// [attacks #16]
/// The two accounts are independent.
pub async fn one_address_in_two_tenants_is_two_accounts(stores: Stores) {
    let (acme, globex) = two_tenants(&stores).await;
    let [of_acme, of_globex] =
        [(&acme, 1), (&globex, 2)].map(|(tenant, number)| account(tenant, number, &["ada@example.com"]));
    change(&stores, NOW, vec![of_kind(ChangeKind::Added, &of_acme)]).await;
    assert_eq!(found(&stores, &globex, "ada@example.com").await, None);
    assert_eq!(stores.find_account(&globex, &of_acme.id).await.unwrap(), None);
    change(&stores, NOW, vec![of_kind(ChangeKind::Added, &of_globex)]).await;
    for (tenant, expected) in [(&acme, &of_acme), (&globex, &of_globex)] {
        assert_eq!(found(&stores, tenant, "ada@example.com").await.unwrap().0, *expected);
        let page = kinds::account::Query { after: None, limit: 10, search: None };
        let listed = readable(stores.list_accounts(tenant, &page).await.unwrap());
        assert_eq!(listed.iter().map(|row| &row.account).collect::<Vec<_>>(), [expected]);
    }
    change(&stores, NOW, vec![of_kind(ChangeKind::Deleted, &of_acme)]).await;
    assert_eq!(found(&stores, &acme, "ada@example.com").await, None);
    assert_eq!(found(&stores, &globex, "ada@example.com").await.unwrap().0, of_globex);
}

/// The order of the two changes does not matter.
pub async fn identifiers_can_be_swapped_in_one_commit(stores: Stores) {
    let (acme, _) = two_tenants(&stores).await;
    let (one, other) = (account(&acme, 1, &["ada"]), account(&acme, 2, &["bob"]));
    let added = [&one, &other].map(|row| of_kind(ChangeKind::Added, row));
    change(&stores, NOW, added.into()).await;
    let swapped = [account(&acme, 1, &["bob"]), account(&acme, 2, &["ada"])];
    change(&stores, NOW, swapped.iter().map(|row| of_kind(ChangeKind::Changed, row)).collect()).await;
    assert_eq!(found(&stores, &acme, "ada").await.unwrap().0, swapped[1]);
    assert_eq!(found(&stores, &acme, "bob").await.unwrap().0, swapped[0]);
}

/// A commit that gives an identifier to a second account writes nothing.
pub async fn identifiers_and_external_ids_are_unique(stores: Stores) {
    let (acme, _) = two_tenants(&stores).await;
    let one = Account { external_id: Some("7".to_owned()), ..account(&acme, 1, &["ada"]) };
    change(&stores, NOW, vec![of_kind(ChangeKind::Added, &one)]).await;
    let same_name = account(&acme, 2, &["ada"]);
    let same_external_id = Account { external_id: Some("7".to_owned()), ..account(&acme, 3, &["bob"]) };
    for second in [same_name, same_external_id] {
        let request = request(&stores, NOW, vec![of_kind(ChangeKind::Added, &second)]).await;
        let outcome = requests::commit(&*stores, &request).await;
        assert!(!matches!(outcome, Ok(CommitOutcome::Committed { .. })), "{outcome:?}");
        assert_eq!(stores.find_account(&acme, &second.id).await.unwrap(), None);
    }
}

/// Each change invalidates the earlier sign-ins.
pub async fn a_password_is_set_replaced_and_removed(stores: Stores) {
    let (acme, globex) = two_tenants(&stores).await;
    let rows = [account(&acme, 1, &["ada"]), account(&acme, 2, &["bob"]), account(&globex, 1, &["ada"])];
    for row in &rows {
        change(&stores, NOW, vec![of_kind(ChangeKind::Added, row)]).await;
    }
    let passwords = AccountPasswords::new(&Pepper::generate());
    let stored = |text: &str| {
        let hash = hash_password(&Secret::new(text.to_owned()), &PasswordSalt::generate()).unwrap();
        passwords.bind(&acme, &rows[0].id, &hash).unwrap()
    };
    // The first password ends no session of the same second. Each later password also ends the sessions of
    // the same second.
    for (seconds, password, declared_digest, valid_from) in
        [(1, Some(stored("one")), Some([1; 32]), 1), (2, Some(stored("two")), None, 3), (5, None, None, 6)]
    {
        let is_own = seconds == 2;
        let names = (&acme, &rows[0].id);
        set_password(&stores, at(seconds), names, (password.clone(), is_own), declared_digest).await;
        let (account, found) = found(&stores, &acme, "ada").await.unwrap();
        assert_eq!(account.password_changed_at, found.as_ref().map(|_| at(seconds)));
        assert_eq!((found, account.valid_from), (password, at(valid_from)));
        let related = kinds::account::Related { ids: &[account.id], ..kinds::account::Related::default() };
        let row = stores.find_accounts(&acme, related).await.unwrap().remove(0);
        assert_eq!((row.declared_digest, row.has_own_password), (declared_digest, is_own));
    }
    for (tenant, text, expected) in [(&acme, "bob", &rows[1]), (&globex, "ada", &rows[2])] {
        assert_eq!(found(&stores, tenant, text).await, Some((expected.clone(), None)));
    }
}

/// Only the stored form changes: sign-ins stay valid, and no account of another tenant with the same id
/// changes.
pub async fn only_the_checked_password_is_rewritten(stores: Stores) {
    let (acme, globex) = two_tenants(&stores).await;
    let foreign: AccountPassword =
        "$2b$04$abcdefghijklmnopqrstuuv4UQqg0Mbs9qAvD51ZZetPbMVGfSHdO".parse().unwrap();
    for tenant in [&acme, &globex] {
        let row = account(tenant, 1, &["ada"]);
        change(&stores, NOW, vec![of_kind(ChangeKind::Added, &row)]).await;
        set_password(&stores, at(1), (tenant, &row.id), (Some(foreign.clone()), false), None).await;
    }
    let id = AccountId::from_bytes([1; 16]);
    let passwords = AccountPasswords::new(&Pepper::generate());
    let hash = hash_password(&Secret::new("one".to_owned()), &PasswordSalt::generate()).unwrap();
    let ours = passwords.bind(&acme, &id, &hash).unwrap();
    let unknown = AccountId::from_bytes([2; 16]);
    let before = found(&stores, &acme, "ada").await.unwrap();
    let replace =
        async |account, before, after| stores.replace_password(&acme, account, before, after).await.unwrap();
    assert!(!replace(&unknown, &foreign, &ours).await);
    assert!(!replace(&id, &ours, &foreign).await, "it is not the one that was checked");
    assert!(replace(&id, &foreign, &ours).await);
    assert!(!replace(&id, &foreign, &ours).await, "it is replaced once");
    assert_eq!(found(&stores, &acme, "ada").await.unwrap(), (before.0, Some(ours)));
    assert_eq!(found(&stores, &globex, "ada").await.unwrap().1, Some(foreign));
}

// [V7 7.4.2]
/// A sign-in finds the account, so that the refusal is the same as for a wrong password.
pub async fn suspended_and_retired_accounts_are_signed_out(stores: Stores) {
    let (acme, _) = two_tenants(&stores).await;
    let row = account(&acme, 1, &["ada"]);
    apply(&stores, of_kind(ChangeKind::Added, &row)).await;
    let state = async || stores.find_account(&acme, &row.id).await.unwrap().unwrap();
    for (seconds, kind, managed_by, status, valid_from) in [
        (1, ChangeKind::Suspended, ManagedBy::Api, AccountStatus::Suspended, 2),
        (2, ChangeKind::Resumed, ManagedBy::Api, AccountStatus::Active, 2),
        (3, ChangeKind::Retired, ManagedBy::Config, AccountStatus::Suspended, 4),
        (4, ChangeKind::Restored, ManagedBy::Config, AccountStatus::Active, 4),
    ] {
        let mut request = request(&stores, at(seconds), vec![of_kind(kind, &row)]).await;
        request.managed_by = managed_by;
        assert!(matches!(requests::commit(&*stores, &request).await, Ok(CommitOutcome::Committed { .. })));
        assert_eq!((state().await.status, state().await.valid_from), (status, at(valid_from)), "{kind:?}");
        assert_eq!(state().await.updated_at, at(seconds));
    }
}

// [V7 7.4.2]
/// The id is never used for another person.
pub async fn a_deleted_account_keeps_only_its_id(stores: Stores) {
    let (acme, _) = two_tenants(&stores).await;
    let mut row = Account { external_id: Some("7".to_owned()), ..account(&acme, 1, &["ada"]) };
    row.claims.insert("name".to_owned(), "Ada".into());
    row.groups = vec!["staff".to_owned()];
    row.permissions = fixtures::scope("latchkey:keys");
    change(&stores, NOW, vec![of_kind(ChangeKind::Added, &row)]).await;
    change(&stores, at(5), vec![of_kind(ChangeKind::Deleted, &row)]).await;
    assert_eq!(found(&stores, &acme, "ada").await, None);
    assert_eq!(stores.find_account(&acme, &row.id).await.unwrap(), None);
    let related =
        kinds::account::Related { ids: std::slice::from_ref(&row.id), ..kinds::account::Related::default() };
    let left = stores.find_accounts(&acme, related).await.unwrap().remove(0);
    assert_eq!(left.lifecycle.deleted_at, Some(at(5)));
    let empty = Account {
        status: AccountStatus::Suspended,
        valid_from: at(6),
        ..Account::new(acme.clone(), row.id.clone(), at(5))
    };
    assert_eq!(left.account, empty);
    // The names are available again; the id stays reserved.
    let again = Account { external_id: Some("7".to_owned()), ..account(&acme, 2, &["ada"]) };
    change(&stores, at(6), vec![of_kind(ChangeKind::Added, &again)]).await;
    let mut request = request(&stores, at(6), vec![of_kind(ChangeKind::Added, &row)]).await;
    request.before[0].accounts = vec![left];
    assert_eq!(planned_commit(&stores, &request).await, CommitOutcome::StaleRevision);
}

/// The identifiers are deleted as well.
pub async fn a_deleted_tenant_keeps_no_account(stores: Stores) {
    let (acme, globex) = two_tenants(&stores).await;
    for tenant in [&acme, &globex] {
        change(&stores, NOW, vec![of_kind(ChangeKind::Added, &account(tenant, 1, &["ada"]))]).await;
    }
    let tenant = Tenant { id: acme.clone(), ..fixtures::tenant("acme") };
    apply(&stores, requests::tenant(ChangeKind::Deleted, &tenant, &tenant)).await;
    let every = kinds::account::Related {
        ids: &[AccountId::from_bytes([1; 16])],
        identifiers: &[identifier("ada")],
        ..kinds::account::Related::default()
    };
    assert_eq!(stores.find_accounts(&acme, every).await.unwrap(), []);
    assert_eq!(stores.find_accounts(&globex, every).await.unwrap().len(), 1);
}

/// Accounts are found by id, identifier or external id. Accounts of the files, and accounts with
/// permissions, are found in addition.
pub async fn only_related_accounts_are_loaded(stores: Stores) {
    let (acme, globex) = two_tenants(&stores).await;
    for tenant in [&acme, &globex] {
        let mut rows: Vec<_> =
            (1..=4).map(|number| account(tenant, number, &[&format!("user-{number}")])).collect();
        rows[2].external_id = Some("7".to_owned());
        rows[3].permissions = fixtures::scope("latchkey:keys");
        let added = rows.iter().map(|row| of_kind(ChangeKind::Added, row)).collect();
        change(&stores, NOW, added).await;
        let declared = account(tenant, 5, &["declared@example.com"]);
        apply(&stores, of_kind(ChangeKind::Added, &declared)).await;
    }
    let (one, names) = (ids(&[1]), [identifier("user-2"), identifier("user-9")]);
    let none = kinds::account::Related::default();
    for (related, expected) in [
        (none, &[][..]),
        (kinds::account::Related { ids: &one, ..none }, &[1]),
        (kinds::account::Related { identifiers: &names, ..none }, &[2]),
        (kinds::account::Related { external_ids: &["7".to_owned(), "8".to_owned()], ..none }, &[3]),
        (kinds::account::Related { external_ids: &[String::new()], ..none }, &[]),
        (kinds::account::Related { external_ids: &["\0".to_owned()], ..none }, &[]),
        (kinds::account::Related { declared: true, ..none }, &[5]),
        (kinds::account::Related { administrators: true, ..none }, &[4]),
        (
            kinds::account::Related {
                ids: &one,
                identifiers: &names,
                external_ids: &["7".to_owned()],
                declared: true,
                administrators: true,
            },
            &[1, 2, 3, 4, 5],
        ),
    ] {
        let found = stores.find_accounts(&acme, related).await.unwrap();
        assert_eq!(ids_of(&found), ids(expected), "{related:?}");
        assert!(found.iter().all(|row| row.account.tenant == acme));
    }
}

/// The accounts are in the order of their creation. Deleted ones are left out.
pub async fn accounts_are_listed_page_by_page(stores: Stores) {
    let (acme, globex) = two_tenants(&stores).await;
    for (number, seconds) in [(3, 0), (1, 1), (2, 1), (5, 2), (4, 2)] {
        let row = account(&acme, number, &[&format!("user-{number}")]);
        change(&stores, at(seconds), vec![of_kind(ChangeKind::Added, &row)]).await;
    }
    change(&stores, at(3), vec![of_kind(ChangeKind::Deleted, &account(&acme, 2, &[]))]).await;
    let mut query = kinds::account::Query { after: None, limit: 3, search: None };
    for expected in [&[3, 1, 4][..], &[5], &[]] {
        let page = readable(stores.list_accounts(&acme, &query).await.unwrap());
        assert_eq!(ids_of(&page), ids(expected));
        let Some(last) = page.last() else { break };
        query.after = Some((last.lifecycle.created_at, last.account.id.clone()));
    }
    query.after = None;
    assert_eq!(stores.list_accounts(&globex, &query).await.unwrap(), []);
}

/// By the beginning of an identifier, by id, and by external id, at one tenant.
pub async fn accounts_are_searched(stores: Stores) {
    let (acme, globex) = two_tenants(&stores).await;
    let (one, two) = (["ada@example.com", "lovelace"], ["adam"]);
    for (tenant, number, names, external_id) in
        [(&acme, 1, &one[..], Some("hr-1")), (&acme, 2, &two, None), (&globex, 3, &one, Some("hr-1"))]
    {
        let row = account(tenant, number, names);
        let row = Account { external_id: external_id.map(str::to_owned), ..row };
        change(&stores, NOW, vec![of_kind(ChangeKind::Added, &row)]).await;
    }
    let deleted = account(&acme, 4, &["adele"]);
    for kind in [ChangeKind::Added, ChangeKind::Deleted] {
        change(&stores, NOW, vec![of_kind(kind, &deleted)]).await;
    }
    let first = account(&acme, 1, &[]).id;
    for (text, expected) in [
        ("ada", &[1, 2][..]),
        ("ADA@", &[1]),
        ("ada@example.com", &[1]),
        ("love", &[1]),
        ("hr-1", &[1]),
        (first.as_str(), &[1]),
        ("hr", &[]),
        ("ade", &[]),
        ("bob", &[]),
        ("a%", &[]),
        ("a\0", &[]),
        ("\u{10ffff}", &[]),
    ] {
        let search = Some(kinds::account::Search::from_text(text));
        let query = kinds::account::Query { after: None, limit: 10, search };
        let found = readable(stores.list_accounts(&acme, &query).await.unwrap());
        assert_eq!(ids_of(&found), ids(expected), "{text:?}");
    }
}

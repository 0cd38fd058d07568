//! The audit stream: which records are not written yet, and that no line is created twice.

use accounts::Account;
use administration::audit::AuditRecord;
use administration::audit::audit_stream::{AuditChain, AuditSalt};
use administration::kinds::Change;
use administration::kinds::change::ChangeKind;

use super::accounts::change;
use super::audit::auditing;
use super::{Stores, add, at, audit, commit, two_tenants};
use crate::{fixtures, requests};

const SALT: AuditSalt = [7; 32];

async fn unwritten(stores: &Stores, after: Option<&str>, limit: u32) -> Vec<String> {
    let after = after.map(fixtures::tenant_id);
    let found = stores.find_unwritten_audit(after.as_ref(), limit).await.unwrap();
    found.iter().map(ToString::to_string).collect()
}

/// The next lines of a tenant, with all their salts.
async fn lines(stores: &Stores, tenant: &str, chain: &AuditChain) -> (AuditChain, Vec<(i64, AuditSalt)>) {
    let (mut chain, tenant) = (chain.clone(), fixtures::tenant_id(tenant));
    let records = stores.list_audit_after(&tenant, chain.position, 2).await.unwrap();
    for (position, record) in &records {
        chain.add(*position, record, &SALT);
    }
    (chain, records.iter().map(|(position, _)| (*position, SALT)).collect())
}

/// Another process that has read the same records does not create any of the lines again.
pub async fn audit_lines_are_created_once_in_record_order(stores: Stores) {
    two_tenants(&stores, &[]).await;
    let [acme, globex] = ["acme", "globex"].map(fixtures::tenant_id);
    assert_eq!(unwritten(&stores, None, 9).await, [""; 0]);
    let [a, b, c] = ["a", "b", "c"].map(|subject| record("acme", "config", subject));
    commit(&stores, &auditing(&[a, b, c, record("globex", "config", "a")])).await;
    assert_eq!(unwritten(&stores, None, 9).await, ["acme", "globex"]);
    assert_eq!(unwritten(&stores, None, 1).await, ["acme"]);
    assert_eq!(unwritten(&stores, Some("acme"), 9).await, ["globex"]);

    assert_eq!(stores.find_audit_chain(&acme).await.unwrap(), None);
    let begun = AuditChain::new("first".to_owned());
    let (chain, salts) = lines(&stores, "acme", &begun).await;
    assert_eq!((chain.position, chain.sequence, chain.pending.lines().count()), (2, 2, 2));
    assert!(stores.add_audit_lines(&acme, &chain, ("first", 0), &salts).await.unwrap());
    let (other, _) = lines(&stores, "acme", &AuditChain::new("second".to_owned())).await;
    assert!(!stores.add_audit_lines(&acme, &other, ("second", 0), &salts).await.unwrap(), "another chain");
    assert!(
        !stores.add_audit_lines(&acme, &chain, ("first", 0), &salts).await.unwrap(),
        "the same lines again"
    );
    let (next, salts) = lines(&stores, "acme", &chain).await;
    assert!(
        !stores.add_audit_lines(&acme, &next, ("first", 2), &salts).await.unwrap(),
        "some lines are not written"
    );
    assert_eq!(stores.find_audit_chain(&acme).await.unwrap().as_ref(), Some(&chain));

    stores.note_written_audit(&globex, &chain).await.unwrap();
    stores.note_written_audit(&acme, &next).await.unwrap();
    assert_eq!(stores.find_audit_chain(&acme).await.unwrap().as_ref(), Some(&chain), "others were written");
    stores.note_written_audit(&acme, &chain).await.unwrap();
    let mut written = AuditChain { pending: String::new(), ..chain };
    assert_eq!(stores.find_audit_chain(&acme).await.unwrap().as_ref(), Some(&written));
    assert_eq!(stores.find_audit_chain(&globex).await.unwrap(), None);
    assert_eq!(unwritten(&stores, None, 9).await, ["acme", "globex"], "the third record");

    let (chain, salts) = lines(&stores, "acme", &written).await;
    assert_eq!((chain.position, chain.sequence), (3, 3));
    assert!(stores.add_audit_lines(&acme, &chain, ("first", 2), &salts).await.unwrap());
    assert_eq!(unwritten(&stores, None, 9).await, ["acme", "globex"], "its line may not be written");
    stores.note_written_audit(&acme, &chain).await.unwrap();
    assert_eq!(unwritten(&stores, None, 9).await, ["globex"]);
    written = stores.find_audit_chain(&acme).await.unwrap().unwrap();
    assert_eq!(written, AuditChain { pending: String::new(), ..chain });
    let next = written.withdrawing("third".to_owned(), &acme, 5, fixtures::NOW);
    for (after, expected) in [(("third", 3), false), (("first", 2), false), (("first", 3), true)] {
        assert_eq!(stores.add_audit_lines(&acme, &next, after, &[]).await.unwrap(), expected, "{after:?}");
    }
    assert_eq!(stores.find_audit_chain(&acme).await.unwrap(), Some(next));
}

/// The address of a deleted person is deleted from the audit. A person of the platform may have acted in
/// other tenants, too. A person of another tenant cannot, even with the same id.
pub async fn the_audit_forgets_deleted_people(stores: Stores) {
    let ada = person_of(&stores, "acme", 1).await;
    let (twin, root) = (person_of(&stores, "globex", 1).await, person_of(&stores, "platform", 2).await);
    let of = |person: &Account| format!("account:{}", person.id);
    let records = [
        record("acme", &of(&ada), "ada"),
        record("acme", &of(&root), "root"),
        record("acme", "cli:root", "cli"),
        record("globex", &of(&twin), "twin"),
    ];
    commit(&stores, &auditing(&records)).await;
    let with_source = async || {
        let mut found = Vec::new();
        for tenant in ["acme", "globex"].map(fixtures::tenant_id) {
            let records = stores.list_audit_after(&tenant, 0, 9).await.unwrap();
            let with = records.into_iter().filter(|(_, record)| record.source.is_some());
            found.extend(with.map(|(_, record)| record.subject));
        }
        found
    };
    assert_eq!(stores.erase_deleted_people().await.unwrap(), 0);
    assert_eq!(with_source().await, ["ada", "root", "cli", "twin"]);
    for (person, left) in [(&ada, &["root", "cli", "twin"][..]), (&root, &["cli", "twin"])] {
        delete_person(&stores, person).await;
        assert_eq!(stores.erase_deleted_people().await.unwrap(), 1);
        assert_eq!(with_source().await, left);
        assert_eq!(stores.erase_deleted_people().await.unwrap(), 0, "once");
    }
}

fn record(tenant: &str, actor: &str, subject: &str) -> AuditRecord {
    audit::record(tenant, actor, "client.changed", subject, 0)
}

/// A person of acme who acted twice, after an operator.
pub async fn person_who_acted(stores: &Stores) -> Account {
    let ada = person_of(stores, "acme", 1).await;
    let by_ada = format!("account:{}", ada.id);
    let records = ["cli:root", &by_ada, &by_ada].map(|actor| record("acme", actor, "a"));
    commit(stores, &auditing(&records)).await;
    ada
}

/// A person whose account the API manages, so that the API may delete the account.
async fn person_of(stores: &Stores, tenant: &str, number: u8) -> Account {
    let tenant = add(stores, &fixtures::tenant(tenant), &[]).await;
    let person = requests::account(&tenant, number, &["ada@example.com"]);
    let added = requests::row(ChangeKind::Added, None, &person);
    change(stores, at(0), vec![Change::Account(added)]).await;
    person
}

pub async fn delete_person(stores: &Stores, person: &Account) {
    let deleted = requests::row(ChangeKind::Deleted, None, person);
    change(stores, at(1), vec![Change::Account(deleted)]).await;
}

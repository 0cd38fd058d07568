//! Tests that the salts of the audit stream are deleted with the person, and that none is added afterwards.

use administration::audit::audit_stream::AuditChain;
use administration::store::AuditStream as _;
use testkit::store_contract::audit_stream::{delete_person, person_who_acted};

use crate::sandbox::Sandbox;

const SALT: [u8; 32] = [7; 32];
const STORED: &str = "SELECT CAST(position AS text) FROM audit_salts ORDER BY position";

#[tokio::test]
async fn deleting_an_account_deletes_its_audit_salts() {
    let sandbox = Sandbox::new().await;
    let (stores, database) = (sandbox.stores().await, sandbox.open().await);
    let ada = person_who_acted(&stores).await;
    let acme = &ada.tenant;
    let records = database.list_audit_after(acme, 0, 9).await.unwrap();
    let mut chain = AuditChain::new("c".to_owned());
    let mut lines = Vec::new();
    for (position, record) in &records {
        assert!(chain.add(*position, record, &SALT));
        lines.push(chain.clone());
        chain.pending.clear();
    }
    let add = async |line: usize| {
        let salts = [(records[line].0, SALT)];
        let added = database.add_audit_lines(acme, &lines[line], ("c", line as u64), &salts).await;
        assert!(added.unwrap(), "{line}");
        database.note_written_audit(acme, &lines[line]).await.unwrap();
    };
    let stored = async || sandbox.texts(STORED).await.into_iter().flatten().collect::<Vec<_>>();
    add(0).await;
    add(1).await;
    assert_eq!(stored().await, ["1", "2"]);
    delete_person(&stores, &ada).await;
    assert_eq!(database.erase_deleted_people().await.unwrap(), 1);
    assert_eq!(stored().await, ["1"], "that of an operator stays");
    // The record was read before the deletion.
    add(2).await;
    assert_eq!(stored().await, ["1"]);
}

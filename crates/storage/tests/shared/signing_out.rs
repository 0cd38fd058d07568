//! Tests the cost of signing out everywhere: the number of statements does not depend on the number of
//! sessions.

use administration::store::CommitOutcome;
use storage::Database;
use testkit::store_contract::sign_ins::{sign_out_everywhere, signed_in_and_out};

use crate::sandbox::Sandbox;
use testkit::requests;

/// One tenant has one session, the other has fifty.
#[tokio::test]
async fn sign_out_cost_does_not_depend_on_sessions() {
    let sandbox = Sandbox::new().await;
    let stores = sandbox.stores().await;
    let opened = sandbox.open().await;
    let database: &Database = &opened;
    let mut counted = [0; 2];
    for ((tenant, sessions), counted) in [("acme", 1), ("globex", 50)].into_iter().zip(&mut counted) {
        let request = sign_out_everywhere(&stores, tenant, sessions).await;
        let before = database.statements();
        let outcome = requests::commit(database, &request).await.unwrap();
        *counted = database.statements() - before;
        assert!(matches!(outcome, CommitOutcome::Committed { .. }), "{outcome:?}");
        assert_eq!(signed_in_and_out(database, &request).await, (0, usize::from(sessions)));
    }
    assert_eq!(counted[0], counted[1]);
}

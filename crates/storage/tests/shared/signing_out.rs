//! What it costs to sign a person out everywhere: one statement for all sessions, however many there are.

use administration::{CommitOutcome, TenantRows as _};
use storage::Database;
use testkit::store_contract::{Stores, sign_out_everywhere, signed_in_and_out};

/// The statements for one session and for fifty, each of another tenant.
pub(crate) async fn cost_of_one_and_fifty(stores: &Stores, database: &Database) -> [u64; 2] {
    let mut counted = [0; 2];
    for ((tenant, sessions), counted) in [("acme", 1), ("globex", 50)].into_iter().zip(&mut counted) {
        let request = sign_out_everywhere(stores, tenant, sessions).await;
        let before = database.statements();
        let outcome = database.commit(&request).await.unwrap();
        *counted = database.statements() - before;
        assert!(matches!(outcome, CommitOutcome::Committed { .. }), "{outcome:?}");
        assert_eq!(signed_in_and_out(database, &request).await, (0, usize::from(sessions)));
    }
    counted
}

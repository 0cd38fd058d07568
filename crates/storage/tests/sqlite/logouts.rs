//! Tests logout tokens for a client that does not accept them.

use administration::store::CommitOutcome;
use grants::QueuedLogout;
use sqlx::Executor as _;
use testkit::store_contract::sign_ins::sign_out_everywhere;

use crate::sandbox::Sandbox;
use testkit::requests;

const FULL: &str = "
    WITH RECURSIVE given (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM given WHERE n < 5000)
    INSERT INTO logout_outbox (tenant_id, slot, session_id, client_id, account_id, attempts, next_attempt_at, expires_at)
    SELECT 'acme', 0, 'session ' || n, 'web', 'account', 0, 0, 9999999999 FROM given";

#[tokio::test]
async fn notices_per_client_are_limited() {
    let (sandbox, database) = Sandbox::opened().await;
    let stores = sandbox.stores().await;
    let mut connection = sandbox.connect().await;
    connection.execute(FULL).await.unwrap();
    for (tenant, expected) in [("acme", QueuedLogout::MOST_OF_CLIENT), ("globex", 2)] {
        let request = sign_out_everywhere(&stores, tenant, 2).await;
        assert!(matches!(
            requests::commit(&*database, &request).await.unwrap(),
            CommitOutcome::Committed { .. }
        ));
        let count = "SELECT COUNT(*) FROM logout_outbox WHERE tenant_id = $1";
        let (waiting,): (u32,) = sqlx::query_as(count).bind(tenant).fetch_one(&mut connection).await.unwrap();
        assert_eq!(waiting, expected, "{tenant}");
    }
}

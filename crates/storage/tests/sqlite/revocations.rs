//! Tests that the cost of a revocation does not grow with the number of earlier ones.

use administration::store::CommitOutcome;
use registry::{RevocationStore as _, RevokedSubject};
use testkit::fixtures::{NOW, client, tenant};
use testkit::requests;

use crate::sandbox::Sandbox;

/// Signs out this many people, each once, in one change.
const SIGN_OUTS: &str = "
    WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < 9998)
    INSERT INTO revocations (tenant_id, kind, client_id, name, issued_until, expires_at, account_id)
    SELECT 'acme', 'session', '', 'session ' || number, 0, 9999999999, 'person ' || number FROM numbers;
    INSERT INTO change_log (kind, tenant_id, changed_at) VALUES ('revocations', 'acme', 0)";

// [shared 2.2]
#[tokio::test]
async fn revocation_cost_does_not_grow() {
    let (sandbox, database) = Sandbox::opened().await;
    let acme = tenant("acme");
    let added =
        requests::commit(&*database, &requests::added(&acme, &[&client(&acme, "svc")])).await.unwrap();
    assert!(matches!(added, CommitOutcome::Committed { .. }), "{added:?}");
    let mut counted = Vec::new();
    for round in ["first", "last"] {
        let known = database.find_revocations(&acme.id).await.unwrap();
        let before = database.statements();
        for subject in [RevokedSubject::Session(round.to_owned()), RevokedSubject::Grant(round.to_owned())] {
            database.revoke_people(&acme.id, &subject, Some(round), NOW).await.unwrap();
        }
        let facts = database.find_later_revocations(&acme.id, &known).await.unwrap();
        assert_eq!(facts.iter().count(), known.iter().count() + 2);
        counted.push((database.statements() - before, written_since(&sandbox, known.next_change()).await));
        if round == "first" {
            sandbox.execute(SIGN_OUTS).await;
        }
    }
    assert_eq!(counted[0], counted[1]);
    assert_eq!(counted[0].1, 2);
}

/// The number of rows that a reader with all earlier revocations must read.
async fn written_since(sandbox: &Sandbox, change: u64) -> i64 {
    let mut connection = sandbox.connect().await;
    let count =
        sqlx::query_scalar("SELECT count(*) FROM revocations WHERE tenant_id = 'acme' AND changed_in >= $1");
    count.bind(change.cast_signed()).fetch_one(&mut connection).await.unwrap()
}

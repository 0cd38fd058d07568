//! What a revocation costs does not grow with those before it.

use administration::{CommitOutcome, TenantRows as _};
use registry::{RevocationStore as _, RevokedSubject};
use testkit::fixtures::{NOW, client, tenant};
use testkit::requests;

use crate::declared::Sandbox;
use crate::opening::execute;

/// Of as many people, each once.
const SIGN_OUTS: &str = "
    WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < 9998)
    INSERT INTO revocations (tenant_id, kind, client_id, name, issued_until, expires_at, account_id)
    SELECT 'acme', 'session', '', 'session ' || number, 0, 9999999999, 'person ' || number FROM numbers";

#[tokio::test]
async fn the_ten_thousandth_revocation_is_as_many_statements_as_the_first() {
    let sandbox = Sandbox::new();
    let database = sandbox.open().await;
    let acme = tenant("acme");
    let added = database.commit(&requests::added(&acme, &[&client(&acme, "svc")])).await.unwrap();
    assert!(matches!(added, CommitOutcome::Committed { .. }), "{added:?}");
    let mut counted = Vec::new();
    for round in ["first", "last"] {
        let before = database.statements();
        for subject in [RevokedSubject::Session(round.to_owned()), RevokedSubject::Grant(round.to_owned())] {
            database.revoke_people(&acme.id, &subject, Some(round), NOW).await.unwrap();
        }
        counted.push(database.statements() - before);
        if round == "first" {
            execute(&sandbox, SIGN_OUTS).await;
        }
    }
    assert_eq!(counted[0], counted[1]);
}

//! Tests several replicas on one database: each change happens once.

use std::time::Duration;

use administration::declaration::fingerprint::Fingerprint;
use administration::documents::UsedFrom;
use administration::kinds::Change;
use administration::kinds::change::ChangeKind;
use administration::store::query::AuditQuery;
use administration::store::{
    AuditLog as _, CommitOutcome, NewGeneration, SecretUsage, TenantRows as _, UsageLog as _,
};
use registry::{Client, SecretId, UseOutcome};
use testkit::fixtures;
use testkit::requests::{self, CommitRequest};

use crate::sandbox::{Sandbox, execute};
use crate::two_tenants::{enter, two_tenants};

#[tokio::test(flavor = "multi_thread")]
async fn same_change_at_two_starts_is_applied_once() {
    let sandbox = Sandbox::new().await;
    let (left, right) = (sandbox.open().await, sandbox.open().await);
    for round in 0..10_u8 {
        let mut request = requests::added(&fixtures::tenant(&format!("t{round}")), &[]);
        let expected_latest = (round > 0).then_some(u64::from(round));
        let content = Fingerprint::from_bytes([round; 32]);
        request.generation =
            Some(NewGeneration { content, expected_latest, sealed_sources: None, left_out: Vec::new() });
        let (here, there) =
            tokio::join!(requests::commit(&left, &request), requests::commit(&right, &request));
        let outcomes = [here.unwrap(), there.unwrap()];
        let applied =
            CommitOutcome::Committed { generation: Some(u64::from(round) + 1), resumed_until: None };
        assert!(outcomes.contains(&applied), "{outcomes:?}");
        assert!(outcomes.contains(&CommitOutcome::StaleRevision), "{outcomes:?}");
    }
}

// [parties #10]: another replica | everything: it has the sealing key and the login | undo another replica's
//   change
#[tokio::test(flavor = "multi_thread")]
async fn only_one_edit_of_a_revision_commits() {
    let sandbox = Sandbox::new().await;
    let (left, right) = (sandbox.open().await, sandbox.open().await);
    let acme = fixtures::tenant("acme");
    requests::commit(&left, &requests::added(&acme, &[])).await.unwrap();
    for revision in 1..=10 {
        let edit = |name: &str| {
            let after = fixtures::client(&acme, &format!("{name}-{revision}"));
            let added = Change::Client(requests::row(ChangeKind::Added, None, &after));
            let mut request = requests::declared(vec![added]);
            request.expected_revisions = vec![(acme.id.clone(), revision)];
            request
        };
        let (here, there) = (edit("here"), edit("there"));
        let (here, there) = tokio::join!(requests::commit(&left, &here), requests::commit(&right, &there));
        let committed = CommitOutcome::Committed { generation: None, resumed_until: None };
        let outcomes = [here.unwrap(), there.unwrap()];
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == committed).count(), 1, "{outcomes:?}");
        let state = right.load_state(&acme.id).await.unwrap().unwrap();
        assert_eq!((state.revision, state.clients.len() as u64), (revision + 1, revision));
    }
}

/// The request and the commit both lock the tenant's row.
#[tokio::test(flavor = "multi_thread")]
async fn audit_records_of_a_tenant_are_numbered_in_turn() {
    let (sandbox, mut connection) = two_tenants().await;
    let database = sandbox.open().await;
    let query = AuditQuery { tenant: Some(fixtures::tenant_id("acme")), limit: 9, ..AuditQuery::default() };
    let recorded = database.list_audit(&query).await.unwrap();
    let audit = recorded.into_iter().map(|(_, record)| record).collect();
    let request = CommitRequest { audit, ..requests::declared(Vec::new()) };

    let mut acme = enter(&mut connection, "latchkey_writer", Some("acme")).await;
    execute(&mut acme, "SELECT 1 FROM tenants FOR NO KEY UPDATE".to_owned()).await;
    let mut commit = Box::pin(requests::commit(&database, &request));
    assert!(tokio::time::timeout(Duration::from_millis(300), &mut commit).await.is_err(), "it waits");
    let insert = "INSERT INTO audit_records (tenant_id, position, at, actor, action, subject, detail)
                  SELECT 'acme', MAX(position) + 1, 0, 'test', 'added', 'acme', '{}' FROM audit_records";
    execute(&mut acme, insert.to_owned()).await;
    acme.commit().await.unwrap();
    assert_eq!(commit.await.unwrap(), CommitOutcome::Committed { generation: None, resumed_until: None });
    let listed = database.list_audit(&query).await.unwrap();
    assert_eq!(listed.into_iter().map(|(position, _)| position).collect::<Vec<_>>(), [3, 2, 1]);
}

/// Checks that no replica waits forever, and that no use of a deleted secret stays.
#[tokio::test(flavor = "multi_thread")]
async fn uses_are_recorded_while_secrets_are_deleted() {
    let sandbox = Sandbox::new().await;
    let (left, right) = (sandbox.open().await, sandbox.open().await);
    let acme = fixtures::tenant("acme");
    let clients: Vec<Client> = (0..20)
        .map(|number| Client {
            secrets: vec![fixtures::secret("s1"), fixtures::secret("s2")],
            ..fixtures::client(&acme, &format!("svc-{number}"))
        })
        .collect();
    requests::commit(&left, &requests::added(&acme, &clients.iter().collect::<Vec<_>>())).await.unwrap();
    let of = |client: &Client, secret: &str| SecretUsage {
        tenant: acme.id.clone(),
        client: client.id.clone(),
        secret: SecretId::new(secret),
        from: UsedFrom::presented("192.0.2.1".to_owned(), UseOutcome::Accepted, fixtures::NOW),
    };
    let usage: Vec<_> = clients.iter().flat_map(|client| [of(client, "s1"), of(client, "s2")]).collect();
    let backwards: Vec<_> = usage.iter().rev().cloned().collect();
    for (revision, client) in (1..).zip(&clients) {
        let before = Client { secrets: Vec::new(), ..client.clone() };
        let deleted = Change::Client(requests::row(ChangeKind::Deleted, Some(&before), &before));
        let mut request = requests::declared(vec![deleted]);
        request.expected_revisions = vec![(acme.id.clone(), revision)];
        request.before = left.load_state(&acme.id).await.unwrap().into_iter().collect();
        let (first, second, third) = tokio::join!(
            left.record_secret_usage(&usage),
            right.record_secret_usage(&backwards),
            requests::commit(&right, &request)
        );
        first.unwrap();
        second.unwrap();
        assert_eq!(third.unwrap(), CommitOutcome::Committed { generation: None, resumed_until: None });
        assert!(left.secret_usage(&acme.id, &client.id).await.unwrap().is_empty());
    }
}

//! Queries of the audit records: filters, pages, and the numbering.

use administration::audit::AuditRecord;
use administration::store::CommitOutcome;
use administration::store::query::{AuditCursor, AuditQuery};
use serde_json::json;

use super::{Stores, at, commit, two_tenants};
use crate::requests::CommitRequest;
use crate::{at_once, fixtures, requests};

/// Tests each filter alone and several filters together. A filter does not match a longer name with the same
/// beginning.
pub async fn audit_records_are_listed_by_every_filter(stores: Stores) {
    let records = [
        record("acme", "cli:root", "client.added", "svc", 0),
        record("acme", "cli:root", "secret.added", "svc/s1", 1),
        record("acme", "config", "client.changed", "svc2", 2),
        record("globex", "config", "client.changed", "svc", 3),
        record("acme", "client:platform/ops", "client_x.y", "SVC", 4),
        record("globex", "cli:root", "tenant.suspended", "globex", 5),
    ];
    commit(&stores, &auditing(&records[..3])).await;
    commit(&stores, &auditing(&records[3..])).await;
    let all = AuditQuery { limit: 100, ..AuditQuery::default() };
    let text = |text: &str| Some(text.to_owned());
    let acme = || Some(fixtures::tenant_id("acme"));
    let cases = [
        (all.clone(), vec![5, 4, 3, 2, 1, 0]),
        (AuditQuery { limit: 2, ..all.clone() }, vec![5, 4]),
        (AuditQuery { tenant: acme(), ..all.clone() }, vec![4, 2, 1, 0]),
        (AuditQuery { tenant: Some(fixtures::tenant_id("nobody")), ..all.clone() }, vec![]),
        (AuditQuery { actor: text("cli:root"), ..all.clone() }, vec![5, 1, 0]),
        (AuditQuery { actor: text("cli:"), ..all.clone() }, vec![]),
        (AuditQuery { action: text("client.changed"), ..all.clone() }, vec![3, 2]),
        (AuditQuery { action: text("client."), ..all.clone() }, vec![3, 2, 0]),
        (AuditQuery { action: text("client"), ..all.clone() }, vec![]),
        (AuditQuery { action: text("%."), ..all.clone() }, vec![]),
        (AuditQuery { subject: text("svc"), ..all.clone() }, vec![3, 1, 0]),
        (AuditQuery { subject: text("svc/s1"), ..all.clone() }, vec![1]),
        (AuditQuery { subject: text("s_c"), ..all.clone() }, vec![]),
        (AuditQuery { since: Some(at(3)), ..all.clone() }, vec![5, 4, 3]),
        (AuditQuery { until: Some(at(3)), ..all.clone() }, vec![2, 1, 0]),
        (AuditQuery { since: Some(at(1)), until: Some(at(2)), ..all.clone() }, vec![1]),
        (
            AuditQuery { tenant: acme(), subject: text("svc"), action: text("secret."), ..all.clone() },
            vec![1],
        ),
    ];
    for (query, expected) in cases {
        let listed = stores.list_audit(&query).await.unwrap();
        let listed: Vec<_> = listed.into_iter().map(|(_, record)| record).collect();
        let expected: Vec<_> = expected.into_iter().map(|index: usize| records[index].clone()).collect();
        assert_eq!(listed, expected, "{query:?}");
    }
}

/// Each page continues before the last record of the previous page, even if records were written in between.
pub async fn audit_pages_have_no_gaps(stores: Stores) {
    let records: Vec<_> = (0..25)
        .map(|nth| record(["acme", "globex"][nth % 2], "config", "client.added", &nth.to_string(), 0))
        .collect();
    commit(&stores, &auditing(&records)).await;
    for tenant in [None, Some(fixtures::tenant_id("acme"))] {
        let expected = records.iter().filter(|record| tenant.as_ref().is_none_or(|id| record.tenant == *id));
        let mut query = AuditQuery { tenant: tenant.clone(), limit: 4, ..AuditQuery::default() };
        let mut seen = Vec::new();
        loop {
            let page = stores.list_audit(&query).await.unwrap();
            let Some((position, last)) = page.last() else { break };
            query.before = Some(AuditCursor::new(*position, last));
            seen.extend(page.into_iter().map(|(_, record)| record));
            assert!(seen.len() < 50, "pages repeat records: {seen:?}");
            commit(&stores, &auditing(&[record("acme", "config", "client.changed", "new", 9)])).await;
        }
        seen.retain(|record| record.subject != "new");
        seen.reverse();
        // Records with the same time are ordered by tenant, and within a tenant by position.
        let mut expected: Vec<_> = expected.cloned().collect();
        expected.sort_by(|left, right| left.tenant.cmp(&right.tenant));
        assert_eq!(seen, expected);
    }
}

/// Each tenant counts from 1 without a gap, even with many concurrent commits.
pub async fn each_tenant_numbers_its_own_audit_records(stores: Stores) {
    two_tenants(&stores, &[]).await;
    let one = |nth: usize| {
        let of = |tenant: &str| record(tenant, "config", "client.added", &nth.to_string(), 0);
        let records = [of("acme"), of("globex"), of("acme")];
        auditing(if nth.is_multiple_of(2) { &records } else { &records[2..] })
    };
    let commits = (0..20).map(|nth| {
        let (store, request) = (stores.clone(), one(nth));
        async move { requests::commit(&*store, &request).await.unwrap() }
    });
    for outcome in at_once(commits).await {
        assert_eq!(outcome, CommitOutcome::Committed { generation: None, resumed_until: None });
    }
    for (id, most) in [("acme", 30), ("globex", 10)] {
        let query = AuditQuery { tenant: Some(fixtures::tenant_id(id)), limit: 99, ..AuditQuery::default() };
        let listed = stores.list_audit(&query).await.unwrap();
        assert!(listed.iter().all(|(_, record)| record.tenant.as_str() == id), "{id}");
        let positions: Vec<_> = listed.into_iter().map(|(position, _)| position).collect();
        assert_eq!(positions, (1..=most).rev().collect::<Vec<_>>(), "{id}");
    }
}

#[must_use]
pub fn record(tenant: &str, actor: &str, action: &str, subject: &str, seconds: u64) -> AuditRecord {
    AuditRecord {
        at: at(seconds).into(),
        actor: actor.to_owned(),
        source: (actor != "config").then(|| "192.0.2.1".to_owned()),
        credential: actor.starts_with("client:").then(|| "client_secret s1".to_owned()),
        sender_constraint: actor.starts_with("client:").then(|| "dpop".to_owned()),
        action: action.to_owned(),
        tenant: fixtures::tenant_id(tenant),
        subject: subject.to_owned(),
        detail: json!({ "name": { "before": "Ü", "after": "ü" } }),
    }
}

pub(super) fn auditing(records: &[AuditRecord]) -> CommitRequest {
    CommitRequest { audit: records.to_vec(), ..requests::declared(Vec::new()) }
}

//! Counts of usage, which several replicas add in batches.

use administration::audit::usage::{
    Counter, DAYS_OF_CLIENT, DAYS_OF_TENANT, DayCounts, UsageBatch, UsageDay,
};
use administration::rules::advice::ClientCount;
use administration::store::{UsageOf, UseOfTenant};
use registry::ClientId;
use tenancy::TenantId;

use super::{Stores, add, two_tenants};
use crate::fixtures::{self, NOW};

const LAST: u64 = 1_000;

/// A batch counts once, even if it is sent several times. The hours of a day are summed, also those of
/// several replicas. Each tenant has its own counts.
pub async fn usage_is_added_once_and_summed(stores: Stores) {
    let [acme, globex] = two_tenants(&stores, &["svc"]).await.map(|tenant| tenant.id);
    let svc = fixtures::client_id("svc");
    let rows = vec![
        counted(&acme, None, Counter::Issued, LAST, (3, 5)),
        counted(&acme, Some(&svc), Counter::Issued, LAST, (3, 5)),
        counted(&globex, None, Counter::Issued, LAST, (3, 1)),
        counted(&globex, Some(&svc), Counter::Refused, LAST, (3, 7)),
        counted(&fixtures::tenant_id("nobody"), None, Counter::Issued, LAST, (3, 9)),
    ];
    let first = batch("one", 1, rows);
    let of_another = batch("two", 1, vec![counted(&acme, None, Counter::Issued, LAST, (4, 2))]);
    for sent in [&first, &first, &of_another, &of_another] {
        stores.add_usage(sent).await.unwrap();
    }
    let more = vec![counted(&acme, None, Counter::Issued, LAST, (3, 1))];
    stores.add_usage(&batch("one", 2, more)).await.unwrap();
    stores.add_usage(&first).await.unwrap();

    let days = LAST..=LAST;
    let read = async |of| stores.usage(of, &days).await.unwrap();
    let counts = |counter, hours: &[(usize, u64)]| vec![day_counts(counter, LAST, hours)];
    assert_eq!(read(UsageOf::Tenant(&acme)).await, counts(Counter::Issued, &[(3, 6), (4, 2)]));
    assert_eq!(read(UsageOf::Client(&acme, &svc)).await, counts(Counter::Issued, &[(3, 5)]));
    assert_eq!(read(UsageOf::Tenant(&globex)).await, counts(Counter::Issued, &[(3, 1)]));
    assert_eq!(read(UsageOf::Client(&globex, &svc)).await, counts(Counter::Refused, &[(3, 7)]));
    assert_eq!(read(UsageOf::Platform).await, counts(Counter::Issued, &[(3, 7), (4, 2)]));
    assert_eq!(stores.usage(UsageOf::Tenant(&acme), &(0..=LAST - 1)).await.unwrap(), []);

    let of_range = async |tenant, first, last| {
        let clients = fixtures::client_id(first)..=fixtures::client_id(last);
        stores.client_counts(tenant, &clients, &days).await.unwrap()
    };
    let count = |counter, total| ClientCount { client: svc.clone(), counter, name: String::new(), total };
    let counts_of = |counts| UseOfTenant { counts, first_day: Some(LAST) };
    assert_eq!(of_range(&acme, "svc", "svc").await, counts_of(vec![count(Counter::Issued, 5)]));
    assert_eq!(of_range(&globex, "a", "z").await, counts_of(vec![count(Counter::Refused, 7)]));
    assert_eq!(of_range(&acme, "a", "b").await, counts_of(Vec::new()));
    assert_eq!(of_range(&fixtures::tenant_id("nobody"), "a", "z").await, UseOfTenant::default());
    let replicas = ["one", "two"].map(|replica| (replica.to_owned(), NOW));
    assert_eq!(stores.list_replicas(9).await.unwrap(), replicas);
    assert_eq!(stores.list_replicas(1).await.unwrap(), replicas[..1]);

    let busiest = async |tenant, limit| stores.busiest(tenant, &days, limit).await.unwrap();
    let named = |name: &str, issued| (name.to_owned(), issued);
    assert_eq!(busiest(None, 9).await, [named("acme", 8), named("globex", 1)]);
    assert_eq!(busiest(None, 1).await, [named("acme", 8)]);
    assert_eq!(busiest(Some(&acme), 9).await, [named("svc", 5)]);
    assert_eq!(busiest(Some(&globex), 9).await, []);
}

/// A new day replaces an expired day. A late count does not replace a newer day.
pub async fn newer_usage_days_replace_expired_days(stores: Stores) {
    let acme = fixtures::tenant("acme");
    add(&stores, &acme, &[&fixtures::client(&acme, "svc")]).await;
    let (acme, svc) = (acme.id, fixtures::client_id("svc"));
    let mut number = 0;
    for (client, kept) in [(None, DAYS_OF_TENANT), (Some(&svc), DAYS_OF_CLIENT)] {
        for (day, count) in [(LAST - kept, 1), (LAST - 1, 2), (LAST, 3), (LAST - kept, 4)] {
            number += 1;
            let rows = vec![counted(&acme, client, Counter::Issued, day, (0, count))];
            stores.add_usage(&batch("one", number, rows)).await.unwrap();
        }
        let of = client.map_or(UsageOf::Tenant(&acme), |client| UsageOf::Client(&acme, client));
        let expected =
            [(LAST - 1, 2), (LAST, 3)].map(|(day, count)| day_counts(Counter::Issued, day, &[(0, count)]));
        assert_eq!(stores.usage(of, &(0..=LAST)).await.unwrap(), expected);
    }
}

fn batch(replica: &str, number: u64, rows: Vec<UsageDay>) -> UsageBatch {
    UsageBatch { replica: replica.to_owned(), number, rows, now: NOW }
}

fn counted(
    tenant: &TenantId,
    client: Option<&ClientId>,
    counter: Counter,
    day: u64,
    hour: (usize, u64),
) -> UsageDay {
    UsageDay { tenant: tenant.clone(), client: client.cloned(), counts: day_counts(counter, day, &[hour]) }
}

fn day_counts(counter: Counter, day: u64, counts: &[(usize, u64)]) -> DayCounts {
    let mut hours = [0; 24];
    counts.iter().for_each(|(hour, count)| hours[*hour] = *count);
    DayCounts { counter, name: String::new(), day, hours }
}

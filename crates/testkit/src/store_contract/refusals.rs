//! Refused requests, which several replicas write in batches.

use administration::audit::refusals::{KEPT_REFUSALS, Refusal};
use administration::store::{RefusalCursor, RefusalQuery};
use tenancy::TenantId;
use values::Timestamp;

use super::{Stores, two_tenants};
use crate::fixtures;

// [limits #39]: rows of refused requests | 1 000 of a tenant; 500 a second are written, of each tenant in
//   turn | the oldest go
/// Each refusal is stored once, the latest of each tenant stay, and a query finds only those of its tenant.
pub async fn latest_refusals_of_each_tenant_are_kept(stores: Stores) {
    let [acme, globex] = two_tenants(&stores, &["svc"]).await.map(|tenant| tenant.id);
    let of_globex = Refusal { client: None, is_proven: false, ..refusal(&globex, 0) };
    let first =
        [refusal(&acme, 0), refusal(&acme, 1), of_globex.clone(), refusal(&fixtures::tenant_id("nobody"), 2)];
    for _ in 0..2 {
        stores.record_refusals(&first).await.unwrap();
    }
    stores.record_refusals(&[]).await.unwrap();
    let list = async |tenant, query: RefusalQuery| {
        stores.list_refusals(tenant, &RefusalQuery { limit: 5, ..query }).await.unwrap()
    };
    let all = RefusalQuery::default();
    assert_eq!(list(&acme, all.clone()).await, [refusal(&acme, 1), refusal(&acme, 0)]);
    assert_eq!(list(&globex, all.clone()).await, [of_globex]);

    let older = RefusalCursor { at: at(1), request_id: "id-0001".to_owned() };
    for (query, expected) in [
        (RefusalQuery { request_id: Some("id-0000".to_owned()), ..all.clone() }, &[0][..]),
        (RefusalQuery { reason: Some("wrong_secret".to_owned()), ..all.clone() }, &[1, 0]),
        (RefusalQuery { reason: Some("unknown\0".to_owned()), ..all.clone() }, &[]),
        (RefusalQuery { client: Some(fixtures::client_id("svc")), ..all.clone() }, &[1, 0]),
        (RefusalQuery { client: Some(fixtures::client_id("web")), ..all.clone() }, &[]),
        (RefusalQuery { since: Some(at(1)), ..all.clone() }, &[1]),
        (RefusalQuery { before: Some(older), ..all.clone() }, &[0]),
    ] {
        let expected: Vec<_> = expected.iter().map(|number| refusal(&acme, *number)).collect();
        assert_eq!(list(&acme, query).await, expected);
    }
    let more: Vec<_> = (2..=KEPT_REFUSALS as u64).map(|number| refusal(&acme, number)).collect();
    for batch in more.chunks(400) {
        stores.record_refusals(batch).await.unwrap();
    }
    let kept = stores.list_refusals(&acme, &RefusalQuery { limit: 5_000, ..all.clone() }).await.unwrap();
    assert_eq!((kept.len(), kept.last()), (KEPT_REFUSALS, Some(&refusal(&acme, 1))));
    assert_eq!(list(&globex, all).await.len(), 1);
}

fn at(number: u64) -> Timestamp {
    Timestamp::from_seconds(1_000 + number)
}

fn refusal(tenant: &TenantId, number: u64) -> Refusal {
    Refusal {
        tenant: tenant.clone(),
        at: at(number),
        request_id: format!("id-{number:04}"),
        route: "/api/v1/tenant/{id}/oauth/token".to_owned(),
        status: 401,
        error: "invalid_client".to_owned(),
        reason: "wrong_secret".to_owned(),
        client: Some(fixtures::client_id("svc")),
        is_proven: true,
        auth_method: "client_secret_post".to_owned(),
        scope: String::new(),
        source: "192.0.2.7".to_owned(),
    }
}

//! Grants whose code or refresh token is used twice.

use administration::store::query::AuditQuery;
use grants::{Reused, ReusedGrant};
use tenancy::TenantId;
use values::Timestamp;

use super::Stores;
use super::people::{at, person};
use super::refresh_families::{code_with_offline_access, redeem_with_family, takes_step};
use super::sign_ins::CODE;
use crate::at_once;

/// The audit records of revoked grants: the actor, the grant, and the reason.
async fn recorded(stores: &Stores, tenant: &TenantId) -> Vec<(String, String, String)> {
    let action = Some("grant.ended".to_owned());
    let query = AuditQuery { tenant: Some(tenant.clone()), action, limit: 1_000, ..AuditQuery::default() };
    let found = stores.list_audit(&query).await.unwrap();
    found
        .into_iter()
        .map(|(_, record)| {
            let detail = &record.detail;
            let why = format!("{} {} {}", detail["client"], detail["grant_id"], detail["reason"]);
            (record.actor, record.subject, why)
        })
        .collect()
}

/// Using the code and a refresh token again at the same time in two places creates one record. Later uses
/// create none, even after the revocation was deleted.
pub async fn reused_grant_is_revoked_and_recorded_once(stores: Stores) {
    let other = person(&stores, "globex").await;
    let tenant = code_with_offline_access(&stores).await;
    let family = redeem_with_family(&*super::codes(&stores), &tenant).await;
    let reuse = |used: Reused, now: Timestamp| {
        let (store, tenant, family) = (stores.clone(), tenant.clone(), family.clone());
        async move {
            let (client, account, source) = (&family.client, &family.account, Some([192, 0, 2, 7].into()));
            let reused = ReusedGrant { id: family.id, client, account, sub: "sub", used, source };
            store.end_reused_grant(&tenant, &reused, now).await.unwrap()
        }
    };
    let uses =
        (0..20).map(|nth| reuse(if nth % 2 == 0 { Reused::Code(CODE) } else { Reused::RefreshToken }, at(2)));
    assert_eq!(at_once(uses).await.into_iter().filter(|is_first| *is_first).count(), 1);
    let records = recorded(&stores, &tenant).await;
    let [(actor, subject, why)] = &records[..] else { panic!("{records:?}") };
    assert_eq!((actor.as_str(), subject.as_str()), ("client:acme/web", family.account.as_str()));
    assert!(why.starts_with(&format!(r#""web" "{}" ""#, family.id)), "{why}");
    assert!(stores.find_revocations(&tenant).await.unwrap().is_grant_revoked(&family.id.to_string()));
    assert!(!takes_step(&*stores, &family, 0).await, "its refresh tokens have ended");
    let code = super::codes(&stores).find(&tenant, &CODE).await.unwrap().unwrap();
    assert_eq!((code.used_at, code.valid_until), (Some(at(1)), Timestamp::from_seconds(0)));

    // Later than any clock of the tests. The clock of the database is the real one.
    let much_later = at(100 * 365 * 86_400);
    assert!(stores.delete_ended_revocations(much_later).await.unwrap() > 0);
    assert!(!reuse(Reused::RefreshToken, much_later).await);
    assert_eq!(recorded(&stores, &tenant).await, records);
    assert_eq!(recorded(&stores, &other.tenant).await, []);
    let of_other = stores.find_revocations(&other.tenant).await.unwrap();
    assert!(!of_other.is_grant_revoked(&family.id.to_string()));
}

//! Tests the deletion of a tenant.

use administration::{EditError, Instant, TenantStep};
use tenancy::{Tenant, TenantStore as _};
use testkit::fixtures::NOW;

use crate::test_env::{caller, env, later, operator};

#[tokio::test]
async fn a_deletion_can_be_taken_back_until_its_time_has_come() {
    let env = env();
    let (acme, globex) = (env.tenant("acme").await, env.tenant("globex").await);
    let administrator = &env.administrator;
    assert!(matches!(
        administrator.step::<Tenant>(&caller(&operator(), NOW), &acme, &(), TenantStep::Delete).await,
        Err(EditError::Conflict(_))
    ));
    let week = 7 * 86_400;
    for tenant in [&acme, &globex] {
        let view = administrator
            .step::<Tenant>(&caller(&operator(), NOW), tenant, &(), TenantStep::ScheduleDeletion)
            .await
            .unwrap();
        assert_eq!((view.status.as_str(), view.deletion_due_at), ("deleting", Some(Instant(later(week)))));
        assert!(!env.store.find_tenant(tenant).await.unwrap().unwrap().is_active());
    }
    let view = administrator
        .step::<Tenant>(&caller(&operator(), later(9)), &globex, &(), TenantStep::CancelDeletion)
        .await
        .unwrap();
    assert_eq!((view.status.as_str(), view.deletion_due_at), ("active", None));
    assert_eq!(administrator.delete_due_tenants(later(week - 1)).await.unwrap(), 0);
    assert_eq!(administrator.delete_due_tenants(later(week)).await.unwrap(), 1);
    assert_eq!(administrator.delete_due_tenants(later(week)).await.unwrap(), 0);
    let gone = administrator.look::<Tenant>(&caller(&operator(), later(week)), &acme, &()).await;
    assert!(matches!(gone, Err(EditError::NotFound("tenant"))));
    assert!(env.store.find_tenant(&globex).await.unwrap().unwrap().is_active());
    let last = env.store.audit().pop().unwrap();
    assert_eq!((last.actor.as_str(), last.action.as_str()), ("latchkey", "tenant.deleted"));
}

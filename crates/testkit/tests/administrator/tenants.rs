//! Tests the deletion of a tenant.

use crate::test_env::{at, env, later, now};
use administration::documents::Instant;
use administration::edit::{EditError, TenantStep};
use tenancy::{Tenant, TenantStore as _};

#[tokio::test]
async fn a_deletion_can_be_taken_back_until_its_time_has_come() {
    let env = env();
    let (acme, globex) = (env.tenant("acme").await, env.tenant("globex").await);
    let administrator = &env.administrator;
    let early = administrator.of(&now(), &acme).step::<Tenant>(&(), TenantStep::Delete).await;
    assert!(matches!(early, Err(EditError::Conflict(_))));
    let week = 7 * 86_400;
    for tenant in [&acme, &globex] {
        let view = env.step(tenant, 0, TenantStep::ScheduleDeletion).await;
        assert_eq!((view.status.as_str(), view.deletion_due_at), ("deleting", Some(Instant(later(week)))));
        assert!(!env.store.find_tenant(tenant).await.unwrap().unwrap().is_active());
    }
    let view = env.step(&globex, 9, TenantStep::CancelDeletion).await;
    assert_eq!((view.status.as_str(), view.deletion_due_at), ("active", None));
    for (seconds, deleted) in [(week - 1, 0), (week, 1), (week, 0)] {
        assert_eq!(administrator.delete_due_tenants(later(seconds)).await.unwrap(), deleted, "{seconds}");
    }
    let gone = administrator.of(&at(week), &acme).look::<Tenant>(&()).await;
    assert!(matches!(gone, Err(EditError::NotFound("tenant"))));
    assert!(env.store.find_tenant(&globex).await.unwrap().unwrap().is_active());
    let last = env.store.audit().pop().unwrap();
    assert_eq!((last.actor.as_str(), last.action.as_str()), ("latchkey", "tenant.deleted"));
}

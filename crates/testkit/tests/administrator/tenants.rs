//! Tenants are created, changed, listed, suspended and deleted.

use administration::{EditError, EntityTag, Instant, Invalidation, TenantStep};
use serde_json::json;
use tenancy::{Tenant, TenantStore as _};
use testkit::fixtures::{NOW, client_id, tenant_id};

use crate::test_env::{caller, env, later, new_tenant, operator};

#[tokio::test]
async fn a_tenant_is_made_with_its_first_client_in_one_commit_and_shown_as_it_is() {
    let env = env();
    let new = new_tenant(json!({
        "id": "acme", "name": "Acme", "issuer_aliases": ["thunder"],
        "resource_servers": { "api": { "scopes": ["read"], "clients": ["svc"] } },
        "client": { "client_id": "svc", "scopes": ["read"], "audiences": ["api"] },
    }));
    let made = env.administrator.create_tenant(&caller(&operator(), NOW), new).await.unwrap().value;
    let client = made.client.unwrap();
    assert_eq!(made.tenant.jwks_uri, "https://id.example.com/api/v1/tenant/acme/.well-known/jwks.json");
    assert_eq!(made.tenant.token_endpoint, "https://id.example.com/api/v1/tenant/acme/oauth/token");
    assert_eq!(made.tenant.settings.issuer.as_deref(), Some("https://id.example.com/api/v1/tenant/acme"));
    let acme = tenant_id("acme");
    let shown = env.administrator.look::<Tenant>(&caller(&operator(), later(5)), &acme, &()).await.unwrap();
    assert_eq!(EntityTag::of(&shown), EntityTag::of(&made.tenant));
    assert_eq!(env.client(&acme, "svc").await, client.client);
    let secret = client.secret.unwrap();
    assert!(env.opens(&acme, &client_id("svc"), &secret.client_secret, later(1)).await);
    let published = env.published.lock().unwrap().clone();
    assert_eq!(published, [Invalidation::Tenant(acme.clone()), Invalidation::Client(acme, client_id("svc"))]);
}

#[tokio::test]
async fn an_issuer_belongs_to_one_tenant_even_after_its_end() {
    let env = env();
    let new = |id: &str| new_tenant(json!({ "id": id, "issuer_aliases": ["thunder"] }));
    let administrator = &env.administrator;
    administrator.create_tenant(&caller(&operator(), NOW), new("acme")).await.unwrap();
    let again = administrator.create_tenant(&caller(&operator(), NOW), new("globex")).await;
    assert!(matches!(again, Err(EditError::Invalid(faults)) if faults[0].pointer == "/issuer_aliases/0"));
    let globex = env.tenant("globex").await;
    let patch = json!({ "issuer_aliases": ["thunder"] });
    let taken = administrator.patch::<Tenant>(&caller(&operator(), NOW), &globex, &(), patch.clone()).await;
    assert!(matches!(taken, Err(EditError::Invalid(_))));
    let acme = tenant_id("acme");
    administrator
        .step::<Tenant>(&caller(&operator(), NOW), &acme, &(), TenantStep::ScheduleDeletion)
        .await
        .unwrap();
    administrator.step::<Tenant>(&caller(&operator(), NOW), &acme, &(), TenantStep::Delete).await.unwrap();
    let taken = administrator.patch::<Tenant>(&caller(&operator(), NOW), &globex, &(), patch).await;
    assert!(matches!(taken, Err(EditError::Invalid(_))));
    assert!(
        matches!(administrator.create_tenant(&caller(&operator(), NOW), new("acme")).await, Err(EditError::Conflict(why)) if why.contains("reserved"))
    );
}

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

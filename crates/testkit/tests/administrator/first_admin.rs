//! The first administrator is created once.

use administration::{Actor, Authority, EditError, SecretStep, TenantStep};
use registry::SecretId;
use tenancy::{Tenant, TenantStore as _};
use testkit::fixtures::{NOW, client_id, scope, tenant_id};

use crate::test_env::{caller, env, new_tenant, operator};

#[tokio::test]
async fn the_first_administrator_is_made_with_its_tenant_and_then_no_more() {
    let env = env();
    let administrator = &env.administrator;
    let made = administrator.init_admin(&caller(&operator(), NOW), "root").await.unwrap();
    let platform = tenant_id("platform");
    assert!(env.store.find_tenant(&platform).await.unwrap().unwrap().strategies.oauth2);
    assert_eq!(made.client.settings.audiences, ["urn:latchkey:admin"]);
    assert_eq!(made.client.settings.scopes.len(), 5);
    assert!(env.opens(&platform, &client_id("root"), &made.secret.unwrap().client_secret, NOW).await);
    let again = administrator.init_admin(&caller(&operator(), NOW), "other").await;
    assert!(matches!(again, Err(EditError::Conflict(why)) if why.contains("platform/root")));
    // After losing the only secret, an operator creates an administrator under another name.
    administrator
        .step_secret(
            &caller(&operator(), NOW),
            &platform,
            &client_id("root"),
            &SecretId::new("s1"),
            SecretStep::Revoke,
        )
        .await
        .unwrap();
    administrator.init_admin(&caller(&operator(), NOW), "other").await.unwrap();
}

#[tokio::test]
async fn what_the_first_administrator_holds_is_enough_to_manage_tenants() {
    let env = env();
    let made = env.administrator.init_admin(&caller(&operator(), NOW), "root").await.unwrap();
    let actor = Actor { name: "client:platform/root".to_owned(), ..Actor::default() };
    let root = Authority::of_platform(actor, &scope(&made.client.settings.scopes.join(" ")));
    let new = new_tenant(serde_json::json!({ "id": "acme" }));
    env.administrator.create_tenant(&caller(&root, NOW), new).await.unwrap();
    let suspended = env
        .administrator
        .step::<Tenant>(&caller(&root, NOW), &tenant_id("platform"), &(), TenantStep::Suspend)
        .await;
    assert!(matches!(suspended, Err(EditError::Conflict(_))));
}

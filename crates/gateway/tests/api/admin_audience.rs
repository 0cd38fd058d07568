//! A token for administration cannot be used elsewhere, and other tokens cannot be used for
//! administration (RFC 8707 §2).

use registry::ClientStore as _;

use crate::prelude::*;

const NOT_ALLOWED: (&str, &str) = ("invalid_target", "The requested resource is not allowed for this client");

/// The default client may manage clients.
async fn start(default_tenant: &str) -> TestApp {
    let app = TestApp::start_with(&options(default_tenant));
    for tenant in [ACME, GLOBEX] {
        let svc = app.store.find_client(&fixtures::tenant_id(tenant), &fixtures::client_id(SVC)).await;
        let svc = svc.unwrap().unwrap();
        // The store contains these audiences as if an earlier check had failed. They must still not
        // be granted.
        let listed = ["urn:latchkey:admin".to_owned(), audience(ACME), audience(GLOBEX)];
        let resources = svc.resources.iter().cloned().chain(listed).collect();
        let scope = fixtures::scope(&format!("{} latchkey:clients", svc.scope));
        app.store.put_client(Client { scope, resources, ..Client::clone(&svc) });
    }
    app
}

fn audience(tenant: &str) -> String {
    format!("urn:latchkey:tenant:{tenant}")
}

async fn ask(app: &TestApp, tenant: &str, more: &[(&str, &str)]) -> Answer {
    let mut form = credentials(SVC, app.secrets(tenant).of(SVC)).to_vec();
    form.extend(more);
    Answer::to(app.request(Method::POST, &token_path(tenant)).form(&form)).await
}

#[tokio::test]
async fn admin_token_is_refused_by_apis() {
    for tenant in [ACME, GLOBEX] {
        let app = start(tenant).await;
        let answer = ask(&app, tenant, &[("resource", &audience(tenant))]).await;
        assert_eq!((answer.status, answer.json()["scope"].as_str()), (200, Some("latchkey:clients")));
        let token = answer.text("access_token");
        assert_invalid(&app.get_with(&token, RESOURCE).await, "Token audience is not accepted");
    }
}

// [rfc9700 §4.10.2], [V10 10.3.1]
#[tokio::test]
async fn admin_scope_requires_the_admin_audience() {
    for tenant in [ACME, GLOBEX] {
        let app = start(tenant).await;
        assert_eq!(ask(&app, tenant, &[]).await.json()["scope"], "api:read api:write orders:read");
        let words = "The requested scope needs the resource that it administers: latchkey:clients";
        ask(&app, tenant, &[("scope", "latchkey:clients")]).await.assert_refused(400, "invalid_scope", words);
    }
}

#[tokio::test]
async fn admin_audience_of_another_tenant_is_refused() {
    let app = start(ACME).await;
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        for resource in [audience(other).as_str(), "urn:latchkey:admin", "urn:latchkey:tenant:platform"] {
            let answer = ask(&app, tenant, &[("resource", resource)]).await;
            answer.assert_refused(400, NOT_ALLOWED.0, NOT_ALLOWED.1);
        }
        let both = [("resource", audience(tenant)), ("resource", "https://orders.example".to_owned())];
        let both = both.each_ref().map(|(name, value)| (*name, value.as_str()));
        let words = "The requested resource cannot be combined with another resource of this client";
        ask(&app, tenant, &both).await.assert_refused(400, "invalid_target", words);
    }
}

#[tokio::test]
async fn metadata_lists_no_admin_scope() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        app.change_tenant(tenant, |tenant| {
            tenant.resource_servers[0].scopes = fixtures::scope("api:read latchkey:clients");
        });
        let document = app.get(&tenant_path(tenant, "/.well-known/openid-configuration")).await.json();
        assert_eq!(document["scopes_supported"], serde_json::json!(["api:read", "orders:read"]));
    }
}

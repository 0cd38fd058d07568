//! A tenant's `strategies`, as printed by the tenant quick start.

use tenancy::Strategies;

use crate::prelude::*;

#[tokio::test]
async fn the_enabled_strategies_are_listed_in_their_order() {
    let app = TestApp::start();
    let oauth2 = r#"{"name":"oauth2","type":"OAuth2 Authorization Server"}"#;
    let oidc = r#"{"name":"oidc","type":"OpenID Connect Provider"}"#;
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        for (strategies, list) in [
            (Strategies { oauth2: true, oidc: true }, format!("{oauth2},{oidc}")),
            (Strategies { oauth2: true, oidc: false }, oauth2.to_owned()),
            (Strategies { oauth2: false, oidc: true }, String::new()),
            (Strategies { oauth2: false, oidc: false }, String::new()),
        ] {
            let untouched = app.get(&tenant_path(other, "/strategies")).await.body;
            app.change_tenant(tenant, |row| {
                row.strategies = strategies;
                row.name = format!("The \"{tenant}\" \u{e9}");
            });
            let answer = app.get(&tenant_path(tenant, "/strategies")).await;
            answer.assert_json();
            let names = format!(r#""tenant_id":"{tenant}","tenant_name":"The \"{tenant}\" {}""#, '\u{e9}');
            assert_eq!((answer.status, answer.body), (200, format!(r#"{{{names},"strategies":[{list}]}}"#)));
            assert_eq!(app.get(&tenant_path(other, "/strategies")).await.body, untouched);
        }
        app.change_tenant(tenant, |_| {});
    }
}

#[tokio::test]
async fn suspended_tenant_looks_like_an_unknown_one() {
    let app = TestApp::start();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        app.suspend(tenant);
        for path in [tenant_path(tenant, "/strategies"), tenant_path("initech", "/strategies")] {
            app.get(&path).await.assert_refused(404, "not_found", "Unknown tenant");
        }
        assert_eq!(app.get(&tenant_path(other, "/strategies")).await.status, 200);
        app.change_tenant(tenant, |_| {});
    }
}

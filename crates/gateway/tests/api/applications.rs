//! `/applications…` of the default tenant: create, read, list, replace, delete, and the required
//! permissions.

use registry::{ClientStore as _, DeclaredPassword, DeclaredUser, HashedUsers};

use crate::flow::execute;
use crate::prelude::*;

pub(crate) const APPLICATION: &str = "550e8400-e29b-41d4-a716-446655440000";

/// `admin` has all permissions, `reader` has none.
pub(crate) fn declare_admin(app: &TestApp) {
    declare(app, [user("admin", "admin", &["system"]), user("reader", "reader", &[])]);
}

fn declare<const N: usize>(app: &TestApp, users: [DeclaredUser; N]) {
    app.users.replace(HashedUsers::from_declared(users, vec![APPLICATION.to_owned()]).unwrap());
}

fn user(name: &str, password: &str, permissions: &[&str]) -> DeclaredUser {
    DeclaredUser {
        name: name.to_owned(),
        password: DeclaredPassword::Value(values::Secret::new(password.to_owned())),
        permissions: permissions.iter().map(|permission| (*permission).to_owned()).collect(),
    }
}

struct Admin {
    app: TestApp,
    assertion: String,
}

impl Admin {
    async fn at(tenant: &str) -> Self {
        let app = TestApp::start_with(&options(tenant));
        declare_admin(&app);
        Self { assertion: assertion(&app, "admin").await, app }
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let request = self.app.request(method, path).bearer_auth(&self.assertion);
        Answer::to(body.into_iter().fold(request, |request, body| request.body(body.to_string()))).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    /// Creates an application with the client `c1`. Returns its path.
    async fn create_first(&self, config: Value) -> String {
        let made = self.create(&service("a", config)).await;
        format!("/applications/{}", made.text("id"))
    }

    async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, Some(body)).await
    }

    async fn create(&self, body: &Value) -> Answer {
        self.send(Method::POST, "/applications", Some(body)).await
    }

    async fn token(&self, tenant: &str, client: &str, secret: &str) -> u16 {
        self.app.fetch(tenant, client, secret).await.status
    }
}

pub(crate) async fn assertion(app: &TestApp, user: &str) -> String {
    let inputs = json!({ "username": user, "password": user, "requested_permissions": "system" });
    let request = json!({ "applicationId": APPLICATION, "flowType": "AUTHENTICATION", "inputs": inputs });
    execute(app, &request).await.text("assertion")
}

fn service(name: &str, config: Value) -> Value {
    let usual = json!({ "grant_types": ["client_credentials"], "scopes": ["api:read"] });
    json!({ "name": name, "inbound_auth_config": [{ "type": "oauth2", "config": but(usual, config) }] })
}

// [registration RFC 7591 §3.2.1]: A client gets an identifier that no other client has or had, and its secret
//   in the answer
#[tokio::test]
async fn generated_client_id_and_secret_work_immediately() {
    let admin = Admin::at(ACME).await;
    let made = admin.create(&service("a", json!({}))).await;
    made.assert_not_stored();
    let body = made.json();
    let id = body["id"].as_str().unwrap();
    assert_eq!((made.status, made.header("location")), (201, format!("/applications/{id}").as_str()));
    let config = &body["inbound_auth_config"][0]["config"];
    let [client, secret] = ["client_id", "client_secret"].map(|name| text(config, name));
    assert_eq!((&body["client_id"], &body["client_secret"]), (&json!(client), &json!(secret)));
    assert!(secret.starts_with("lk_"), "{secret}");
    assert_eq!(admin.token(ACME, client, secret).await, 200);
    let shown = admin.get(&format!("/applications/{id}")).await;
    assert_eq!(shown.status, 200);
    assert!(!shown.body.contains(secret) && !shown.body.contains("client_secret\""), "{}", shown.body);
    assert_eq!(admin.token(GLOBEX, client, secret).await, 401);
}

// [registration RFC 7591 §3.2.1], [rfc9700 §2.6 b]
#[tokio::test]
async fn duplicate_names_and_client_ids_are_refused() {
    let admin = Admin::at(ACME).await;
    assert_eq!(admin.create(&service("a", json!({ "client_id": "c1" }))).await.status, 201);
    for (body, code) in [
        (service("a", json!({ "client_id": "c2" })), "APP-1020"),
        (service("b", json!({ "client_id": "c1" })), "APP-1021"),
        (service("b", json!({ "client_id": "svc" })), "APP-1021"),
        (service("b", json!({ "client_id": "api" })), "APP-1003"),
        (service("b", json!({ "client_id": "usr_b" })), "APP-1003"),
        (service("", json!({})), "APP-1004"),
        (service("b", json!({ "scopes": ["latchkey:tenants"] })), "APP-1024"),
        (json!([]), "APP-1018"),
    ] {
        let refused = admin.create(&body).await;
        assert_eq!((refused.status, &refused.json()["code"]), (400, &json!(code)), "{body}");
    }
    let camel = admin.create(&json!({ "name": "a", "inboundAuthConfig": [] })).await.json();
    assert_eq!(camel["message"]["defaultValue"], "Application already exists");
    let listed = admin.get("/applications").await.json();
    // Clients of the admin API are not applications.
    assert_eq!((&listed["totalResults"], &listed["count"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn errors_name_the_invalid_member() {
    const SCOPES: &str =
        "The request body is not valid: /inbound_auth_config/0/config/scopes: must be a list";
    for tenant in [ACME, GLOBEX] {
        let admin = Admin::at(tenant).await;
        for (body, words) in [
            (json!([]), "The request body must be a JSON object"),
            (json!({ "name": 1 }), "The request body is not valid: /name: must be a string"),
            (service("a", json!({ "scopes": "api:read" })), SCOPES),
        ] {
            let refused = admin.create(&body).await;
            println!("{body}");
            refused.assert_code(400, "APP-1018");
            assert_eq!(refused.json()["description"], words, "{body}");
        }
        let camel = admin.create(&json!({ "inboundAuthConfig": 1 })).await.json();
        let words = "The request body is not valid: /inboundAuthConfig: must be a list";
        assert_eq!(camel["description"]["defaultValue"], words);
    }
}

#[tokio::test]
async fn put_secret_replaces_earlier_secrets() {
    let admin = Admin::at(ACME).await;
    let config = json!({ "client_id": "c1", "client_secret": "first-secret" });
    let path = admin.create_first(config).await;
    assert_eq!(admin.token(ACME, "c1", "first-secret").await, 200);

    let second = service("b", json!({ "client_secret": "second-secret" }));
    let body = admin.put(&path, &second).await.json_of(200);
    assert_eq!((&body["name"], &body["client_secret"]), (&json!("b"), &json!("second-secret")));
    assert_eq!(admin.token(ACME, "c1", "first-secret").await, 401);
    assert_eq!(admin.token(ACME, "c1", "second-secret").await, 200);

    let row =
        async || admin.app.store.find_client(&fixtures::tenant_id(ACME), &fixtures::client_id("c1")).await;
    let before = row().await.unwrap();
    admin.put(&path, &second).await.assert_status(200);
    assert_eq!(row().await.unwrap(), before, "the secret that is live already stays");
    let kept = admin.put(&path, &service("b", json!({}))).await;
    assert_eq!((kept.status, kept.body.contains("client_secret\"")), (200, false));
    assert_eq!(admin.token(ACME, "c1", "second-secret").await, 200);
    for (body, code) in
        [(service("b", json!({ "client_id": "c9" })), "APP-1003"), (service(" ", json!({})), "APP-1004")]
    {
        admin.put(&path, &body).await.assert_code(400, code);
    }
}

#[tokio::test]
async fn code_flow_application_signs_people_in() {
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let admin = Admin::at(tenant).await;
        let app = &admin.app;
        for tenant in [tenant, other] {
            app.change_provider(tenant, |_| ());
            add_person(app, tenant);
        }
        let of_code_flow = json!({ "grant_types": ["authorization_code"], "scopes": ["openid", "profile"] });
        let config = |more: Value| service("Shop", but(of_code_flow.clone(), more));
        let first =
            json!({ "client_id": "web", "client_secret": "first-secret", "redirect_uris": [CALLBACK] });
        let made = admin.create(&config(first)).await.json();
        let path = format!("/applications/{}", made["id"].as_str().unwrap());
        let shown = admin.get(&path).await.json();
        let more = json!({
            "client_id": "web", "redirect_uris": [CALLBACK], "response_types": ["code"], "pkce_required": true,
            "public_client": false, "token_endpoint_auth_method": "client_secret_basic",
        });
        assert_eq!(shown["inbound_auth_config"], config(more)["inbound_auth_config"]);

        let mut browser = Browser::new(app);
        let consent = browser.signed_in(tenant, &[]).await;
        assert!(consent.body.contains("Shop"), "{}", consent.body);
        let allowed = browser.decide(tenant, &consent, "allow").await;
        let code = code_in(&allowed);
        let tokens = redeem(app, tenant, "first-secret", &code).await;
        assert!(tokens.status == 200 && tokens.json()["id_token"].is_string(), "{}", tokens.body);
        assert_eq!(browser.authorize(other, &[]).await.status, 400, "the other tenant has no such client");

        // A PUT keeps members that it does not contain.
        let moved = "https://app.example.com/moved";
        let without_pkce = [("redirect_uri", moved), ("code_challenge", ""), ("code_challenge_method", "")];
        for (change, at_first, at_moved) in [
            (json!({}), 303, 400),
            (json!({ "redirect_uris": [moved], "pkce_required": false }), 400, 303),
            (json!({}), 400, 303),
        ] {
            admin.put(&path, &config(change)).await.assert_status(200);
            app.pass(10);
            let statuses = [
                browser.authorize(tenant, &[]).await.status,
                browser.authorize(tenant, &without_pkce).await.status,
            ];
            assert_eq!(statuses, [at_first, at_moved]);
        }
    }
}

// [V10 10.3.3]: 2 | Subjects are identified by claims that are never reassigned | Tenant and client id; ids
//   of deleted clients and tenants stay reserved
// [registration RFC 7591 §3.2.1]
#[tokio::test]
async fn deleting_an_application_reserves_its_client_id() {
    let admin = Admin::at(ACME).await;
    let config = json!({ "client_id": "c1", "client_secret": "first-secret" });
    let path = admin.create_first(config.clone()).await;
    let deleted = admin.send(Method::DELETE, &path, None).await;
    assert_eq!((deleted.status, deleted.body.as_str()), (204, ""));
    assert_eq!(admin.token(ACME, "c1", "first-secret").await, 401);
    for method in [Method::GET, Method::DELETE] {
        admin.send(method, &path, None).await.assert_code(404, "APP-1001");
    }
    admin.create(&service("a", config)).await.assert_code(400, "APP-1021");
    assert_eq!(admin.create(&service("a", json!({}))).await.status, 201, "the name is free");
}

#[tokio::test]
async fn applications_are_listed_in_pages() {
    let admin = Admin::at(ACME).await;
    for name in ["a", "b", "c"] {
        assert_eq!(admin.create(&json!({ "name": name })).await.status, 201);
    }
    for (query, names) in
        [("", vec!["a", "b", "c"]), ("?limit=2", vec!["a", "b"]), ("?offset=2&limit=5", vec!["c"])]
    {
        let page = admin.get(&format!("/applications{query}")).await.json();
        let listed = page["applications"].as_array().unwrap().iter();
        let listed: Vec<_> = listed.map(|one| text(one, "name")).collect();
        assert_eq!((listed, &page["totalResults"]), (names, &json!(3)), "{query}");
    }
    for query in ["?limit=x", "?offset=-1", "?limit=1&limit=2"] {
        let refused = admin.get(&format!("/applications{query}")).await;
        assert_eq!(refused.status, 400, "{query}");
    }
}

// [parties #6]
#[tokio::test]
async fn only_declared_users_with_the_permission_have_access() {
    let admin = Admin::at(ACME).await;
    let app = &admin.app;
    let without = app.get("/applications").await;
    let challenge = r#"Bearer realm="latchkey-applications""#;
    assert_eq!((without.status, without.header("www-authenticate")), (401, challenge));
    let reader = assertion(app, "reader").await;
    let refused = app.get_with(&reader, "/applications").await;
    refused.assert_code(403, "LK-4030");
    // Access tokens are refused, whatever their claims.
    let token = app.token(ACME).await;
    app.get_with(&token, "/applications").await.assert_code(401, "LK-4010");

    app.pass(3600);
    assert_eq!(admin.get("/applications").await.status, 401, "after an hour");
    let admin = Admin { assertion: assertion(&admin.app, "admin").await, app: admin.app };
    admin.get("/applications").await.assert_status(200);
    // The administrator is no longer declared, so the permissions are lost.
    declare(&admin.app, []);
    admin.get("/applications").await.assert_status(404);
    declare(&admin.app, [user("other", "other", &["system"])]);
    admin.get("/applications").await.assert_status(401);
}

// [found 23]: An assertion of `/flow/execute` outlived a change of the password by up to an hour | fixed | It
//   carries a keyed digest of the declared name and password, which is compared at each use. A password that
//   is changed back revives assertions younger than an hour
#[tokio::test]
async fn changing_the_password_invalidates_assertions() {
    for tenant in [ACME, GLOBEX] {
        let admin = Admin::at(tenant).await;
        let status = async || admin.get("/applications").await.status;
        declare_admin(&admin.app);
        assert_eq!(status().await, 200, "the same password, hashed anew");
        declare(&admin.app, [user("admin", "another", &["system"])]);
        assert_eq!(status().await, 401, "a stolen assertion does not outlive the password");
    }
}

// [jwt RFC 8725 §3.11, §3.12], [V9 9.2.2], [found 23]
#[tokio::test]
async fn assertions_with_wrong_claims_are_refused() {
    let admin = Admin::at(ACME).await;
    let now = admin.app.now();
    let credential = claims_of(&admin.assertion)["credential"].clone();
    let reader = part(&assertion(&admin.app, "reader").await, 1);
    let reader = serde_json::from_str::<Value>(&reader).unwrap()["credential"].clone();
    let claims = json!({
        "iss": issuer(ACME), "sub": "admin", "aud": "urn:latchkey:tenant:acme", "exp": now + 60,
        "iat": now, "nbf": now, "jti": "a", "authorized_permissions": "system", "credential": credential,
    });
    let header = but(crate::forge::header(), json!({ "typ": "latchkey-admin+jwt" }));
    let acme = Forge::from_tenant(ACME);
    let with = |changes: Value| acme.token_with(&header, &but(claims.clone(), changes));
    for (what, token, status) in [
        ("itself", acme.token_with(&header, &claims), 200),
        ("typ", acme.token(&claims), 401),
        ("audience", with(json!({ "aud": "urn:latchkey:tenant:globex" })), 401),
        ("platform", with(json!({ "aud": "urn:latchkey:admin" })), 401),
        ("audiences", with(json!({ "aud": ["urn:latchkey:tenant:acme", "x"] })), 401),
        ("issuer", with(json!({ "iss": issuer(GLOBEX) })), 401),
        ("client", with(json!({ "client_id": "svc" })), 401),
        ("expired", with(json!({ "exp": now })), 401),
        ("user", with(json!({ "sub": "svc" })), 401),
        ("permission", with(json!({ "authorized_permissions": "other" })), 403),
        ("password", with(json!({ "credential": reader })), 401),
        ("no password", with(json!({ "credential": null })), 401),
        ("key", Forge::from_tenant(GLOBEX).token_with(&header, &claims), 401),
    ] {
        assert_eq!(admin.app.get_with(&token, "/applications").await.status, status, "{what}");
    }
}

/// Checks the application's path, the administrator's assertion and the client's secret.
#[tokio::test]
async fn applications_of_one_tenant_are_invisible_to_the_other() {
    for (home, stranger) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let admin = Admin::at(home).await;
        let strangers = Admin::at(stranger).await;
        let config = json!({ "client_id": "c1", "client_secret": "first-secret" });
        let path = admin.create_first(config).await;
        // Both gateways share a tenant's keys, so the signature of the other gateway is valid here.
        admin.app.get_with(&strangers.assertion, &path).await.assert_code(401, "LK-4010");
        assert_eq!(strangers.get(&path).await.status, 404);
        assert_eq!(admin.token(stranger, "c1", "first-secret").await, 401);
        assert_eq!(admin.token(home, "c1", "first-secret").await, 200);
    }
}

#[tokio::test]
async fn unsupported_methods_get_405_with_allow_header() {
    let admin = Admin::at(ACME).await;
    for (method, path, allow) in [
        (Method::PATCH, "/applications", "GET, HEAD, POST"),
        (Method::POST, "/applications/x", "DELETE, GET, HEAD, PUT"),
        (Method::GET, "/flow/execute", "POST"),
    ] {
        let answer = admin.send(method, path, None).await;
        assert_eq!((answer.status, answer.header("allow")), (405, allow));
    }
}

#[tokio::test]
async fn too_many_writes_return_a_thunder_error() {
    for tenant in [ACME, GLOBEX] {
        let app = TestApp::start_with_writes(&options(tenant), 1, 9);
        declare_admin(&app);
        let admin = Admin { assertion: assertion(&app, "admin").await, app };
        assert_eq!(admin.create(&service("one", json!({}))).await.status, 201);
        let refused = admin.create(&service("two", json!({}))).await;
        refused.assert_code(429, "LK-4290");
        assert!((1..=60).contains(&refused.header("retry-after").parse::<u64>().unwrap()));
        assert_eq!(admin.get("/applications").await.status, 200);
    }
}

//! Administrators for tests: clients of the tenant `platform` and of both tenants, and their
//! requests.

use crate::app::add_key;
use crate::prelude::*;

pub(crate) const TENANTS: &str = "/api/v1/admin/tenants";
pub(crate) const PLATFORM: &str = TenantId::PLATFORM;
/// Has all permissions on the platform.
pub(crate) const OPS: &str = "ops";
/// Manages clients of all tenants, but not tenants.
pub(crate) const CLERK: &str = "clerk";
/// Reads the audit of the platform.
pub(crate) const WATCHER: &str = "watcher";
/// A client of each tenant: manages clients, reads the audit, and has one scope of the tenant's
/// API.
pub(crate) const BOSS: &str = "boss";
/// A client of each tenant: reads the audit.
pub(crate) const READER: &str = "reader";

/// A client of the platform and of each tenant: manages keys.
pub(crate) const KEEPER: &str = "locksmith";

/// A client of the platform and of each tenant: manages accounts.
pub(crate) const STEWARD: &str = "steward";

const ALL: [(&str, &str, &str); 13] = [
    (PLATFORM, OPS, "latchkey:tenants latchkey:clients latchkey:accounts latchkey:keys latchkey:audit"),
    (PLATFORM, CLERK, "latchkey:clients"),
    (PLATFORM, WATCHER, "latchkey:audit"),
    (ACME, BOSS, "latchkey:clients latchkey:audit api:read"),
    (GLOBEX, BOSS, "latchkey:clients latchkey:audit api:read"),
    (ACME, READER, "latchkey:audit"),
    (GLOBEX, READER, "latchkey:audit"),
    (PLATFORM, KEEPER, "latchkey:keys"),
    (ACME, KEEPER, "latchkey:keys"),
    (GLOBEX, KEEPER, "latchkey:keys"),
    (PLATFORM, STEWARD, "latchkey:accounts"),
    (ACME, STEWARD, "latchkey:accounts"),
    (GLOBEX, STEWARD, "latchkey:accounts"),
];

pub(crate) struct TestEnv {
    pub(crate) app: TestApp,
    /// Key: tenant and client.
    secrets: BTreeMap<String, String>,
}

pub(crate) struct Ask<'a> {
    pub(crate) method: Method,
    pub(crate) path: &'a str,
    pub(crate) body: Option<Value>,
    pub(crate) headers: Vec<(&'a str, String)>,
}

impl TestEnv {
    pub(crate) fn start() -> Self {
        Self::over(TestApp::start_with(&options(ACME)))
    }

    /// Also returns a token of the platform's administrator.
    pub(crate) async fn with_ops() -> (Self, String) {
        let test_env = Self::start();
        let ops = test_env.token(PLATFORM, OPS).await;
        (test_env, ops)
    }

    pub(crate) fn over(app: TestApp) -> Self {
        app.store.put_tenant(fixtures::tenant(PLATFORM));
        add_key(&app.store, &app.sealing_key, &fixtures::tenant_id(PLATFORM));
        let secrets =
            ALL.iter().map(|(tenant, id, scope)| (format!("{tenant}/{id}"), settle(&app, tenant, id, scope)));
        let secrets = secrets.collect();
        Self { app, secrets }
    }

    /// An administration token with all scopes of the client.
    pub(crate) async fn token(&self, tenant: &str, client: &str) -> String {
        let answer = self.fetch(tenant, client, &[]).await;
        answer.access_token()
    }

    /// Each tenant with a token of this client.
    pub(crate) async fn of_each(&self, client: &str) -> [(&'static str, String); 2] {
        [(ACME, self.token(ACME, client).await), (GLOBEX, self.token(GLOBEX, client).await)]
    }

    pub(crate) async fn narrow_token(&self, tenant: &str, client: &str, scope: &str) -> String {
        let answer = self.fetch(tenant, client, &[("scope", scope)]).await;
        answer.text("access_token")
    }

    pub(crate) async fn fetch(&self, tenant: &str, client: &str, more: &[(&str, &str)]) -> Answer {
        let resource = fixtures::tenant_id(tenant).admin_audience();
        let secret = &self.secrets[&format!("{tenant}/{client}")];
        let mut form = vec![
            ("grant_type", "client_credentials"),
            ("client_id", client),
            ("client_secret", secret),
            ("resource", &resource),
        ];
        form.extend(more);
        self.app.post(&token_path(tenant), &form).await
    }

    pub(crate) async fn ask(&self, token: &str, ask: Ask<'_>) -> Answer {
        let mut request = self.app.request(ask.method, ask.path).bearer_auth(token);
        if let Some(body) = ask.body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        for (name, value) in ask.headers {
            request = request.header(name, value);
        }
        Answer::to(request).await
    }

    pub(crate) async fn get(&self, token: &str, path: &str) -> Answer {
        self.ask(token, ask(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, token: &str, path: &str, body: Value) -> Answer {
        self.ask(token, Ask { body: Some(body), ..ask(Method::POST, path) }).await
    }

    /// Fetches all pages of a list. Calls `meanwhile` between two pages.
    pub(crate) async fn pages(
        &self,
        token: &str,
        path: &str,
        limit: usize,
        mut meanwhile: impl AsyncFnMut(usize),
    ) -> Vec<Value> {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        for page in 0.. {
            let body = self.get(token, &format!("{path}?limit={limit}&cursor={cursor}")).await.json_of(200);
            let items = body["items"].as_array().unwrap();
            assert!(items.len() <= limit);
            seen.extend_from_slice(items);
            let Some(next) = body["next_cursor"].as_str() else { break };
            assert_eq!(items.len(), limit, "a page that is not the last one is full");
            next.clone_into(&mut cursor);
            meanwhile(page).await;
        }
        seen
    }

    /// Sends a creation with this `Idempotency-Key`.
    pub(crate) async fn repeatable(&self, token: &str, path: &str, key: &str, body: &Value) -> Answer {
        let headers = vec![("idempotency-key", key.to_owned())];
        self.ask(token, Ask { body: Some(body.clone()), headers, ..ask(Method::POST, path) }).await
    }

    /// A POST without a body.
    pub(crate) async fn step(&self, token: &str, path: &str) -> Answer {
        self.ask(token, ask(Method::POST, path)).await
    }

    /// A planned rotation of the tenant's key.
    pub(crate) async fn rotate(&self, token: &str, tenant: &str) -> Answer {
        self.post(token, &format!("{}/rotate", keys_path(tenant)), json!({})).await
    }

    pub(crate) async fn patch(&self, token: &str, path: &str, body: Value) -> Answer {
        self.ask(token, Ask { body: Some(body), ..ask(Method::PATCH, path) }).await
    }

    pub(crate) async fn delete(&self, token: &str, path: &str) -> Answer {
        self.ask(token, ask(Method::DELETE, path)).await
    }

    /// Whether the token endpoint accepts the credentials.
    pub(crate) async fn opens(&self, tenant: &str, client: &str, secret: &str) -> bool {
        self.app.fetch(tenant, client, secret).await.status == 200
    }
}

/// Asserts that a list refuses searches that cannot match anything.
pub(crate) async fn refuses_searches(test_env: &TestEnv, token: &str, path: &str) {
    for query in ["search=a&search=b", "search=a%00b", "search=%0a"] {
        let refused = test_env.get(token, &format!("{path}?{query}")).await;
        refused.assert_problem(400, "invalid-request");
        assert_eq!(refused.pointers(), ["/search"], "{query}");
    }
}

pub(crate) fn ask(method: Method, path: &str) -> Ask<'_> {
    Ask { method, path, body: None, headers: Vec::new() }
}

pub(crate) fn keys_path(tenant: &str) -> String {
    tenant_path(tenant, "/keys")
}

pub(crate) fn accounts_path(tenant: &str) -> String {
    tenant_path(tenant, "/accounts")
}

pub(crate) fn clients_path(tenant: &str) -> String {
    tenant_path(tenant, "/clients")
}

pub(crate) fn admin_claims(tenant: &str, client: &str, scope: &str) -> Value {
    let audience = fixtures::tenant_id(tenant).admin_audience();
    but(claims(tenant), json!({ "aud": audience, "sub": client, "client_id": client, "scope": scope }))
}

/// A token that the test itself signs with the tenant's key. The server did not issue it.
pub(crate) fn forged(tenant: &str, client: &str, scope: &str) -> String {
    Forge::from_tenant(tenant).token(&admin_claims(tenant, client, scope))
}

/// Adds a client to the store, even with a scope that cannot be granted. Returns its secret.
pub(crate) fn settle(app: &TestApp, tenant: &str, id: &str, scope: &str) -> String {
    let tenant = fixtures::tenant(tenant);
    let mut client = fixtures::client(&tenant, id);
    client.audiences.clear();
    client.scope = fixtures::scope(scope);
    let secret = GeneratedSecret::generate().secret;
    let hash = hash_token(&app.pepper, &tenant.id, &client.id, &secret);
    client.secrets.push(ClientSecret { hash, ..fixtures::secret("1") });
    app.store.put_client(client);
    secret.expose().to_owned()
}

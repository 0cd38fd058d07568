//! The console at two tenants: sign-in and sign-out, which pages each administrator sees, and the
//! effects of the forms.

use crate::administrators::settle;
use crate::prelude::*;

const SIGN_IN: &str = "/sign-in";

/// The second step of a new application with a secret.
pub(crate) const JOBS: [(&str, &str); 4] =
    [("step", "create"), ("client_id", "jobs"), ("name", "jobs"), ("purpose", "machine_to_machine")];

pub(crate) fn home(tenant: &str) -> String {
    if tenant == PLATFORM { "/console".to_owned() } else { format!("/console/t/{tenant}") }
}

/// The code of a console link for the client of this token.
pub(crate) async fn code(test_env: &TestEnv, tenant: &str, token: &str) -> String {
    let path = if tenant == PLATFORM {
        "/api/v1/admin/console-links".to_owned()
    } else {
        tenant_path(tenant, "/console-links")
    };
    let made = test_env.step(token, &path).await.json_of(201);
    let (page, code) = text(&made, "path").split_once('#').unwrap();
    assert_eq!(page, format!("{}/link", home(tenant)));
    assert_eq!(text(&made, "link"), format!("{PUBLIC_URL}{page}#{code}"));
    code.to_owned()
}

/// Signs in as the client of this token.
async fn enter(browser: &mut Browser<'_>, test_env: &TestEnv, tenant: &str, token: &str) {
    let code = code(test_env, tenant, token).await;
    let link = format!("{}/link", home(tenant));
    let mut begun = browser.post(&link, &[("code", &*code)]).await;
    if begun.status == 200 {
        begun = browser.post(&link, &[("code", &*code), ("form", &form_token(&begun))]).await;
    }
    assert_eq!((begun.status, begun.header("location")), (303, &*home(tenant)), "{}", begun.body);
}

/// A new browser, signed in as the client of this token.
pub(crate) async fn begun<'a>(test_env: &'a TestEnv, tenant: &str, token: &str) -> Browser<'a> {
    let mut browser = Browser::new(&test_env.app);
    enter(&mut browser, test_env, tenant, token).await;
    browser
}

/// A new browser, signed in as this client.
pub(crate) async fn entered<'a>(test_env: &'a TestEnv, tenant: &str, client: &str) -> Browser<'a> {
    begun(test_env, tenant, &test_env.token(tenant, client).await).await
}

/// The hidden token against cross-site requests.
pub(crate) fn form_token(page: &Answer) -> String {
    let value = page.body.split("name=\"form\" value=\"").nth(1).unwrap_or_default();
    value.split('"').next().unwrap().to_owned()
}

/// The secret that the page shows once.
pub(crate) fn secret_in(page: &Answer) -> String {
    page.body.split("<code>").nth(1).unwrap().split('<').next().unwrap().to_owned()
}

#[tokio::test]
async fn link_works_once_within_a_minute_at_its_tenant() {
    let test_env = TestEnv::start();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME), (PLATFORM, ACME)] {
        let client = if tenant == PLATFORM { OPS } else { BOSS };
        let token = test_env.token(tenant, client).await;
        let link = format!("{}/link", home(tenant));
        let mut browser = Browser::new(&test_env.app);
        let page = browser.get(&link).await;
        page.assert_says(200, "data-fragment");
        page.assert_not_stored();
        let first = code(&test_env, tenant, &token).await;
        let elsewhere = browser.post(&format!("{}/link", home(other)), &[("code", &*first)]).await;
        elsewhere.assert_says(200, "has already been used, or it is older");
        let foreign = browser.request(Method::POST, &link).header("origin", "https://evil.example");
        assert_eq!(browser.send(foreign.form(&[("code", &*first)])).await.status, 403);
        let begun = browser.post(&link, &[("code", &*first)]).await;
        assert_eq!(begun.status, 303);
        let cookie = begun.header("set-cookie");
        assert!(cookie.starts_with(&format!("lk-c.{tenant}=")), "{cookie}");
        assert!(cookie.contains("HttpOnly; SameSite=Strict"), "{cookie}");
        browser.get(&home(tenant)).await.assert_says(200, &format!("client:{tenant}/{client}"));
        browser.get(&format!("{}/audit", home(tenant))).await.assert_says(200, "console.signed_in");
        let mut thief = Browser::new(&test_env.app);
        thief.post(&link, &[("code", &*first)]).await.assert_says(200, "has already been used");
        let late = code(&test_env, tenant, &token).await;
        test_env.app.pass(60);
        thief.post(&link, &[("code", &*late)]).await.assert_says(200, "has already been used");
        assert_eq!(thief.get(&home(tenant)).await.header("location"), format!("{}{SIGN_IN}", home(tenant)));
        let keys = thief.get(&format!("{}/audit", home(tenant))).await;
        let wanted = format!("{}{SIGN_IN}?to={}%2Faudit", home(tenant), home(tenant).replace('/', "%2F"));
        assert_eq!(keys.header("location"), wanted);
    }
}

// [attacks #41]
#[tokio::test]
async fn session_ends_on_revocation_suspension_or_idleness() {
    for (tenant, other) in BOTH {
        let (test_env, ops) = TestEnv::with_ops().await;
        let mut neighbour = entered(&test_env, other, BOSS).await;
        let new = json!({ "client_id": "deputy", "scopes": ["latchkey:clients", "latchkey:audit"] });
        test_env.post(&ops, &clients_path(tenant), new).await.assert_status(201);
        let client = format!("{}/deputy", clients_path(tenant));
        let deputy = |now: u64| {
            let claims = admin_claims(tenant, "deputy", "latchkey:clients latchkey:audit");
            Forge::from_tenant(tenant)
                .token(&but(claims, json!({ "iat": now, "nbf": now, "exp": now + 43_200 })))
        };
        for step in ["suspend", "tokens/revoke"] {
            let mut browser = begun(&test_env, tenant, &deputy(test_env.app.now())).await;
            assert_eq!(browser.get(&home(tenant)).await.status, 200);
            test_env.step(&ops, &format!("{client}/{step}")).await.assert_status(200);
            assert_eq!(browser.get(&home(tenant)).await.status, 303, "{step}");
            assert_eq!(neighbour.get(&home(other)).await.status, 200);
            test_env.step(&ops, &format!("{client}/resume")).await.assert_status(200);
            assert_eq!(browser.get(&home(tenant)).await.status, 303, "what was revoked stays so: {step}");
            // Waits, because tokens of the seconds around a revocation are invalid.
            test_env.app.pass(400);
        }
        let mut browser = begun(&test_env, tenant, &deputy(test_env.app.now())).await;
        test_env.patch(&ops, &client, json!({ "scopes": ["latchkey:audit"] })).await.assert_status(200);
        assert_eq!(browser.get(&format!("{}/applications", home(tenant))).await.status, 404);
        assert_eq!(browser.get(&format!("{}/audit", home(tenant))).await.status, 200);
        test_env.app.pass(1_799);
        assert_eq!(browser.get(&home(tenant)).await.status, 200);
        test_env.app.pass(1_800);
        assert_eq!(browser.get(&home(tenant)).await.status, 303);
    }
}

// [attacks #41]
#[tokio::test]
async fn form_of_another_session_or_origin_is_refused() {
    let test_env = TestEnv::start();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let mut browser = entered(&test_env, tenant, BOSS).await;
        let mut neighbour = entered(&test_env, other, BOSS).await;
        let path = format!("{}/applications/new", home(tenant));
        let (own, foreign) =
            (form_token(&browser.get(&path).await), form_token(&neighbour.get(&home(other)).await));
        let fields = |form: &'static str| [&[("form", form)], &JOBS[..]].concat();
        for form in ["", "x", foreign.clone().leak()] {
            assert_eq!(browser.post(&path, &fields(form)).await.status, 403, "{form}");
        }
        let request = browser.request(Method::POST, &path).header("origin", "https://evil.example");
        assert_eq!(browser.send(request.form(&fields(own.clone().leak()))).await.status, 403);
        browser.post(&path, &fields(own.clone().leak())).await.assert_says(200, "New secret for jobs");
        let out = browser.post(&format!("{}/sign-out", home(tenant)), &[("form", &*own)]).await;
        out.assert_says(200, "You are signed out.");
        assert_eq!(browser.get(&home(tenant)).await.status, 303);
        assert_eq!(neighbour.get(&home(other)).await.status, 200);
    }
}

#[tokio::test]
async fn secret_is_rotated_with_grace_then_revoked() {
    let test_env = TestEnv::start();
    for tenant in [ACME, GLOBEX] {
        let mut browser = entered(&test_env, tenant, BOSS).await;
        let new = format!("{}/applications/new", home(tenant));
        let form = form_token(&browser.get(&new).await);
        let first = secret_in(&browser.post(&new, &[&[("form", &*form)], &JOBS[..]].concat()).await);
        let path = format!("{}/applications/jobs/credentials", home(tenant));
        let rotate = [("form", &*form), ("act", "create-secret"), ("grace", "3600"), ("request", "r")];
        let second = secret_in(&browser.post(&path, &rotate).await);
        let live = async || {
            [test_env.opens(tenant, "jobs", &first).await, test_env.opens(tenant, "jobs", &second).await]
        };
        assert_eq!(live().await, [true; 2]);
        let page = browser.get(&path).await;
        let id = page.body.split("name=\"secret\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        let revoke = [("form", &*form), ("act", "revoke-secret"), ("secret", id)];
        browser.post(&path, &revoke).await.assert_says(200, "Credential revoked");
        let [one, two] = live().await;
        assert!(one != two, "one of the two is live");
    }
}

#[tokio::test]
async fn api_key_is_created_with_scopes_owner_and_expiry() {
    let test_env = TestEnv::start();
    for (tenant, other) in BOTH {
        let mut browser = entered(&test_env, tenant, BOSS).await;
        let path = format!("{}/applications/svc/credentials", home(tenant));
        let page = browser.get(&path).await;
        page.assert_says(200, &format!("latchkey tenant set {tenant} api_keys.max_lifetime"));
        assert!(!page.body.contains("create-key"), "{}", page.body);
        let policy = tenancy::ApiKeyPolicy {
            max_lifetime: Lifetime::from_seconds(30 * 86_400),
            default_lifetime: Lifetime::from_seconds(86_400),
            prefix: None,
        };
        test_env.app.change_tenant(tenant, |state| state.api_keys = Some(policy));
        let page = browser.get(&path).await;
        let form = form_token(&page);
        let new = |days: &'static str| {
            [
                ("form", form.clone()),
                ("act", "create-key".to_owned()),
                ("name", "Nightly".to_owned()),
                ("scope", "orders:read".to_owned()),
                ("owner", "cus_1".to_owned()),
                ("days", days.to_owned()),
            ]
        };
        for (days, error) in [("x", "Enter a number of days"), ("31", "can be valid for at most")] {
            let refused = browser.post(&path, &borrowed(&new(days))).await;
            refused.assert_says(200, error);
            refused.assert_says(200, "value=\"cus_1\"");
        }
        let made = browser.post(&path, &borrowed(&new("7"))).await;
        assert!(secret_in(&made).contains("lkk_"), "{}", made.body);
        let page = browser.get(&path).await;
        page.assert_says(200, "API key: Nightly");
        page.assert_says(200, "cus_1");
        let id = page.body.split("name=\"key\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        let mut neighbour = entered(&test_env, other, BOSS).await;
        let foreign = format!("{}/applications/svc/credentials", home(other));
        let token = form_token(&neighbour.get(&foreign).await);
        let revoke = |form| [("form", form), ("act", "revoke-key"), ("key", id)];
        assert_eq!(neighbour.post(&foreign, &revoke(&token)).await.status, 404);
        browser.post(&path, &revoke(&form)).await.assert_says(200, "Expired and revoked (1)");
    }
}

fn borrowed<'a>(fields: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    fields.iter().map(|(name, value)| (*name, &**value)).collect()
}

#[tokio::test]
async fn audit_shows_values_and_names_and_is_exported() {
    let (test_env, ops) = TestEnv::with_ops().await;
    for (tenant, other) in BOTH {
        test_env.app.change_provider(tenant, |_| ());
        let client = format!("{}/jobs", clients_path(tenant));
        let new = json!({ "client_id": "jobs", "name": "Nightly <jobs>" });
        test_env.post(&ops, &clients_path(tenant), new).await.assert_status(201);
        test_env.patch(&ops, &client, json!({ "name": "Daily" })).await.assert_status(200);
        let ada = json!({ "email": EMAIL, "claims": { "name": "Ada Lovelace" } });
        test_env.post(&ops, &accounts_path(tenant), ada).await.assert_status(201);
        let audit = format!("{}/audit", home(tenant));
        let scope = "latchkey:accounts latchkey:audit";
        settle(&test_env.app, tenant, "chief", scope);
        let mut browser = begun(&test_env, tenant, &forged(tenant, "chief", scope)).await;
        let page = browser.get(&format!("{audit}?action=client.changed")).await;
        page.assert_says(200, "<del><code>Nightly &#60;jobs&#62;</code></del> <ins><code>Daily</code></ins>");
        assert!(!page.body.contains("client.added"), "{}", page.body);
        browser.get(&audit).await.assert_says(200, "Ada Lovelace");
        // A reader sees no link to a page that it may not open.
        let page = browser.get(&format!("{audit}?subject=jobs")).await;
        assert!(page.body.contains("jobs") && !page.body.contains("/applications/jobs"), "{}", page.body);
        browser.get(&format!("{audit}?since=yesterday")).await.assert_says(200, "Enter a time such as");
        let file = browser.get(&format!("{audit}/export?subject=jobs")).await;
        assert_eq!(file.header("content-type"), "application/x-ndjson");
        let lines: Vec<Value> = file.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let actions: Vec<_> = lines.iter().map(|record| text(record, "action")).collect();
        assert_eq!(actions, ["client.changed", "secret.added", "client.added"], "{}", file.body);
        assert!(lines.iter().all(|record| record["tenant"] == tenant), "{}", file.body);
        assert_eq!(browser.get(&format!("{}/audit/export", home(other))).await.status, 303);
    }
}

#[tokio::test]
async fn operator_creates_a_tenant_with_a_working_secret() {
    let test_env = TestEnv::start();
    let mut browser = entered(&test_env, PLATFORM, OPS).await;
    let path = "/console/tenants/new";
    let form = form_token(&browser.get(path).await);
    let fields = [
        ("form", &*form),
        ("request", "n"),
        ("id", "initech"),
        ("audience", "orders"),
        ("scopes", "orders:read, orders:write"),
        ("client_id", "shipping"),
    ];
    browser.post(path, &[("form", &*form), ("id", "No")]).await.assert_says(200, "aria-invalid");
    let made = browser.post(path, &fields).await;
    let secret = secret_in(&made);
    assert!(test_env.opens("initech", "shipping", &secret).await, "{}", made.body);
    browser.get("/console/tenants?search=initech").await.assert_says(200, "/console/t/initech");
    let suspend = [("form", &*form), ("step", "suspend")];
    browser.post("/console/t/initech", &suspend).await.assert_says(200, "Tenant suspended.");
    assert!(!test_env.opens("initech", "shipping", &secret).await);
    let delete = [("form", &*form), ("step", "delete"), ("confirm", "other")];
    browser.post("/console/t/initech", &delete).await.assert_says(200, "Type initech to confirm.");
}

#[tokio::test]
async fn emergency_rotation_requires_recent_sign_in_and_confirmation() {
    let test_env = TestEnv::start();
    for tenant in [ACME, GLOBEX] {
        let mut browser = entered(&test_env, tenant, KEEPER).await;
        let path = format!("{}/keys", home(tenant));
        let form = form_token(&browser.get(&path).await);
        let rotate = [("form", &*form), ("act", "rotate")];
        browser.post(&path, &rotate).await.assert_says(200, "New key published.");
        let emergency = |confirm| [("form", &*form), ("act", "emergency"), ("confirm", confirm)];
        browser.post(&path, &emergency("x")).await.assert_says(200, &format!("Type {tenant} to confirm."));
        test_env.app.pass(900);
        browser.post(&path, &emergency(tenant)).await.assert_says(200, "Run one of these commands again");
    }
}

// [attacks #41]
#[tokio::test]
async fn two_administrators_in_one_browser_stay_separate() {
    let test_env = TestEnv::start();
    let mut browser = Browser::new(&test_env.app);
    for (tenant, boss) in test_env.of_each(BOSS).await {
        enter(&mut browser, &test_env, tenant, &boss).await;
    }
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let page = browser.get(&format!("{}/applications/boss", home(tenant))).await;
        page.assert_says(200, &format!("client:{tenant}/{BOSS}"));
        assert!(!page.body.contains(other), "{}", page.body);
        let form = form_token(&page);
        let svc = format!("{}/applications/svc", home(other));
        let crossed = browser.post(&svc, &[("form", &*form), ("step", "suspend")]).await;
        assert_eq!(crossed.status, 403, "the form of another tenant's session");
        let platform = browser.get("/console").await;
        assert_eq!(platform.status, 303, "no tenant's session opens the platform's pages");
    }
}

#[tokio::test]
async fn listener_serves_only_its_configured_console_pages() {
    use gateway::{ListenerSurface, TenantConsole};
    let surface = |console, operator_console| ListenerSurface {
        console,
        operator_console,
        ..ListenerSurface::new(true, true)
    };
    let mut options = options(ACME);
    options.listeners[0].surface = surface(TenantConsole::OfAll, false);
    let test_env = TestEnv::over(TestApp::start_with(&options));
    let mut browser = entered(&test_env, ACME, BOSS).await;
    assert_eq!(browser.get("/console/t/acme").await.status, 200);
    let code = code(&test_env, PLATFORM, &test_env.token(PLATFORM, OPS).await).await;
    for path in ["/console", "/console/link", "/console/sign-in", "/console/tenants"] {
        assert_eq!(browser.get(path).await.status, 404, "{path}");
    }
    assert_eq!(browser.post("/console/link", &[("code", &*code)]).await.status, 404);
    // The platform's pages are also not found below the name `platform`.
    for below in ["", "/sign-in", "/link", "/applications"] {
        assert_eq!(browser.get(&format!("/console/t/platform{below}")).await.status, 404, "{below}");
    }
    assert_eq!(browser.post("/console/t/platform/link", &[("code", &*code)]).await.status, 404);
    let of_platform = browser.post("/console/t/acme/link", &[("code", &*code)]).await;
    assert_eq!(of_platform.status, 200, "no link of the tenant");

    options.listeners[0].surface = surface(TenantConsole::OfProviders, false);
    let app = TestApp::start_with(&options);
    app.change_provider(GLOBEX, |_| ());
    assert_eq!(Browser::new(&app).get("/console/t/acme/sign-in").await.status, 404, "nobody signs in there");
    assert_eq!(Browser::new(&app).get("/console/t/globex/sign-in").await.status, 200);

    options.listeners[0].surface = surface(TenantConsole::None, false);
    let app = TestApp::start_with(&options);
    assert_eq!(Browser::new(&app).get("/console/t/globex/sign-in").await.status, 404);
    let foreign = app.request(Method::GET, "/console/t/globex/sign-in").header("sec-fetch-dest", "iframe");
    assert_ne!(Answer::to(foreign).await.status, 200);
}

#[tokio::test]
async fn overview_shows_next_steps_and_advice() {
    let test_env = TestEnv::start();
    let mut operator = entered(&test_env, PLATFORM, OPS).await;
    operator.get("/console").await.assert_says(200, "Upcoming signing key changes");
    for (tenant, other) in BOTH {
        let mut browser = entered(&test_env, tenant, BOSS).await;
        let page = browser.get(&home(tenant)).await;
        page.assert_says(200, &format!("{PUBLIC_URL}/api/v1/tenant/{tenant}/oauth/token"));
        assert!(!page.body.contains("Suspend tenant") && !page.body.contains(other), "{}", page.body);
        let path = format!("{}/advice", home(tenant));
        let advice = browser.get(&path).await;
        advice.assert_says(200, &format!("{}/applications/svc/credentials", home(tenant)));
        advice.assert_says(200, &format!("tenants.{tenant}.clients.svc.client_secret"));
        browser
            .get(&format!("{path}?cursor=x"))
            .await
            .assert_says(200, "this cursor does not come from a page of this list");
        operator.get(&home(tenant)).await.assert_says(200, "files (read-only here)");
    }
}

#[tokio::test]
async fn unknown_tenant_has_no_console_pages() {
    let test_env = TestEnv::start();
    let mut browser = entered(&test_env, PLATFORM, CLERK).await;
    for below in ["", "/sign-in", "/link", "/applications", "/keys", "/audit"] {
        for mut visitor in [Browser::new(&test_env.app), Browser::new(&test_env.app)] {
            visitor.cookies.clone_from(&browser.cookies);
            let page = visitor.get(&format!("/console/t/nobody{below}")).await;
            page.assert_says(404, "href=\"/console/t/nobody\"");
        }
    }
    let page = browser.get("/console/t/platform/applications").await;
    page.assert_says(200, "href=\"/console/t/platform/applications/ops\"");
}

#[tokio::test]
async fn only_accounts_with_permissions_open_the_console() {
    let (test_env, ops) = TestEnv::with_ops().await;
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME), (PLATFORM, ACME)] {
        test_env.app.change_provider(tenant, |_| ());
        let new = json!({ "email": EMAIL, "password": PASSWORD });
        test_env.post(&ops, &accounts_path(tenant), new).await.assert_status(201);
        let (account, console) = (tenant_path(tenant, "/account"), format!("{}/account", home(tenant)));
        let mut browser = Browser::new(&test_env.app);
        let nobody = browser.post(&console, &[]).await;
        let to = |path: &str| format!("to={}", path.replace('/', "%2F"));
        let to_home = format!("{account}?{}", to(&home(tenant)));
        assert_eq!((nobody.status, nobody.header("location")), (303, &*to_home));
        let page = browser.get(&to_home).await;
        let refused = browser.sign_in_at(&account, &page, (EMAIL, PASSWORD)).await;
        let sign_in = format!("{}/sign-in?{}", home(tenant), to(&home(tenant)));
        assert_eq!((refused.status, refused.header("location")), (303, &*sign_in));
        browser.get(&sign_in).await.assert_says(200, "Your account has no permissions in the console.");
        let other_account = browser.post(&console, &[]).await;
        assert!(other_account.header("location").contains("sign_in=again"), "{}", other_account.body);
        // Granting a permission would end the session.
        let permissions = ["latchkey:clients", "latchkey:keys"];
        let new = json!({ "email": "grace@example.com", "password": PASSWORD, "permissions": permissions });
        let ada = test_env.post(&ops, &accounts_path(tenant), new).await.json_of(201);
        let ada = text(&ada, "account_id");
        let row = format!("{}/{ada}", accounts_path(tenant));
        let mut browser = Browser::new(&test_env.app);
        let page = browser.get(&account).await;
        assert_eq!(browser.sign_in_at(&account, &page, ("grace@example.com", PASSWORD)).await.status, 303);
        browser.get(&account).await.assert_says(200, &format!("href=\"{}/sign-in\"", home(tenant)));
        let begun = browser.post(&console, &[]).await;
        assert_eq!((begun.status, begun.header("location")), (303, &*home(tenant)), "{}", begun.body);
        let own = |page: &str| format!("/console/t/{tenant}{page}");
        browser.get(&own("/applications")).await.assert_says(200, &format!("account:{ada}"));
        assert_eq!(browser.get(&own("/audit")).await.status, 404);
        // An account of the platform has its permissions at every tenant.
        let elsewhere = browser.get(&format!("{}/applications", home(other))).await.status;
        assert_eq!(elsewhere, if tenant == PLATFORM { 200 } else { 303 });
        let foreign = browser.request(Method::POST, &console).header("origin", "https://evil.example");
        assert_eq!(browser.send(foreign).await.status, 403);
        test_env.app.pass(900);
        let keys = own("/keys");
        let again = format!("{account}?sign_in=again&{}", to(&keys));
        let emergency = async |browser: &mut Browser<'_>| {
            let form = form_token(&browser.get(&keys).await);
            browser.post(&keys, &[("form", &form), ("act", "emergency"), ("confirm", tenant)]).await
        };
        emergency(&mut browser).await.assert_says(200, &format!("href=\"{}\"", again.replace('&', "&#38;")));
        // A new session after an old sign-in is not recent enough; a session after a new sign-in
        // is.
        assert_eq!(browser.post(&console, &[]).await.status, 303);
        emergency(&mut browser).await.assert_says(200, "within the last 15 minutes");
        let page = browser.get(&again).await;
        let entered = browser.sign_in_at(&account, &page, ("grace@example.com", PASSWORD)).await;
        assert_eq!((entered.status, entered.header("location")), (303, &*keys));
        emergency(&mut browser).await.assert_says(200, "A new key signs now.");
        let ops = test_env.token(PLATFORM, OPS).await;
        test_env.patch(&ops, &row, json!({ "permissions": [] })).await.assert_status(200);
        assert_eq!(browser.get(&own("/applications")).await.status, 303);
    }
}

// [attacks #41]
#[tokio::test]
async fn sign_in_leads_to_the_wanted_page() {
    let (test_env, ops) = TestEnv::with_ops().await;
    for (tenant, other) in BOTH {
        test_env.app.change_provider(tenant, |_| ());
        let new = json!({ "email": EMAIL, "password": PASSWORD, "permissions": ["latchkey:keys"] });
        test_env.post(&ops, &accounts_path(tenant), new).await.assert_status(201);
        let (account, wanted) = (tenant_path(tenant, "/account"), format!("{}/keys", home(tenant)));
        let mut browser = Browser::new(&test_env.app);
        let sign_in = browser.get(&wanted).await.header("location").to_owned();
        let page = browser.get(&sign_in).await;
        page.assert_says(200, &format!("name=\"to\" value=\"{wanted}\""));
        page.assert_says(200, &format!("latchkey console {tenant} --server={PUBLIC_URL}"));
        let asked = browser.post(&format!("{}/account", home(tenant)), &[("to", &*wanted)]).await;
        let page = browser.get(asked.header("location")).await;
        browser.sign_in_at(&account, &page, (EMAIL, "wrong")).await.assert_status(403);
        let entered = browser.sign_in_at(&account, &page, (EMAIL, PASSWORD)).await;
        assert_eq!((entered.status, entered.header("location")), (303, &*wanted));
        assert_eq!(browser.get(&wanted).await.status, 200);
        // Neither a query nor a form leads elsewhere.
        for to in ["https://evil.example/", "//evil.example", &home(other), "/console/t", "/docs"] {
            let mut browser = Browser::new(&test_env.app);
            let page = browser.get(&format!("{account}?to={to}")).await;
            let entered = browser.sign_in_at(&account, &page, (EMAIL, PASSWORD)).await;
            assert_eq!((entered.status, entered.header("location")), (303, &*account), "{to}");
            assert_eq!(browser.get(&wanted).await.status, 303, "no console session: {to}");
            let begun = browser.post(&format!("{}/account", home(tenant)), &[("to", to)]).await;
            assert_eq!((begun.status, begun.header("location")), (303, &*home(tenant)), "{to}");
        }
    }
}

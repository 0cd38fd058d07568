//! Applications in the console at two tenants: each kind of a new one, copies, changes, and tries.

use crate::console::{JOBS, entered, form_token, home, secret_in};
use crate::prelude::*;

/// The first value of a hidden field after a text of the page.
fn hidden(page: &Answer, after: &str, name: &str) -> String {
    let rest = page.body.split_once(after).expect(&page.body).1;
    let value =
        rest.split_once(&format!("name=\"{name}\" value=\"")).expect(rest).1.split('"').next().unwrap();
    let plain = [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&")];
    plain.into_iter().fold(value.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}

/// The fields that a browser sends for a group of the edit form.
fn group<'f>(page: &Answer, name: &'f str, fields: &[(&'f str, &str)]) -> Vec<(&'f str, String)> {
    let mark = format!("name=\"group\" value=\"{name}\"");
    let mut all = vec![("form", form_token(page)), ("group", name.to_owned())];
    all.push(("tag", hidden(page, &mark, "tag")));
    all.extend(fields.iter().map(|(name, value)| (*name, (*value).to_owned())));
    all
}

async fn send(browser: &mut Browser<'_>, path: &str, fields: &[(&str, String)]) -> Answer {
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, &**value)).collect();
    browser.post(path, &fields).await
}

/// The fields of the page with the changes.
fn decision(page: &Answer, act: &str) -> Vec<(&'static str, String)> {
    let mut all = vec![("form", form_token(page)), ("act", act.to_owned())];
    all.extend(["tag", "patch"].map(|field| (field, hidden(page, "name=\"act\"", field))));
    all
}

#[tokio::test]
async fn application_is_created_once_with_a_working_secret() {
    let test_env = TestEnv::start();
    for tenant in [ACME, GLOBEX] {
        let mut browser = entered(&test_env, tenant, BOSS).await;
        let path = format!("{}/applications/new", home(tenant));
        let page = browser.get(&path).await;
        assert_eq!(hidden(&page, "<main", "identity"), "openid");
        let form = form_token(&page);
        let fields = |more: &[(&'static str, &'static str)]| {
            let first = [("form", &*form), ("purpose", "machine_to_machine"), ("name", "<b>Jobs</b>")];
            [&first[..], more].concat()
        };
        let second = browser.post(&path, &fields(&[("client_id", "jobs")])).await;
        second.assert_says(200, "name=\"client_id\" value=\"jobs\"");
        second.assert_says(200, "value=\"api:read\tapi\"");
        let bad = fields(&[("client_id", "no good\u{7}"), ("step", "create"), ("request", "1")]);
        browser.post(&path, &bad).await.assert_says(200, "aria-invalid");
        let last = [("client_id", "jobs"), ("step", "create"), ("request", "2"), ("access", "api:read\tapi")];
        let made = browser.post(&path, &fields(&last)).await;
        let secret = secret_in(&made);
        assert!(test_env.opens(tenant, "jobs", &secret).await, "{}", made.body);
        let again = browser.post(&path, &fields(&last)).await;
        assert!(again.body.contains(&secret), "the same secret, and no other one: {}", again.body);
        let shown = browser.get(&format!("{}/applications/jobs", home(tenant))).await;
        shown.assert_says(200, "&#60;b&#62;Jobs&#60;/b&#62;");
        assert!(
            !shown.body.contains(&secret) && shown.body.contains("A secret or a private key"),
            "{}",
            shown.body
        );
        let listed = browser.get(&format!("{}/applications?search=jobs", home(tenant))).await;
        listed.assert_says(200, "applications/jobs");
        let boss = test_env.token(tenant, BOSS).await;
        let client = test_env.get(&boss, &format!("{}/jobs", clients_path(tenant))).await.json();
        assert_eq!((&client["audiences"], &client["scopes"]), (&json!(["api"]), &json!(["api:read"])));
    }
}

#[tokio::test]
async fn form_without_kind_or_name_creates_nothing() {
    let test_env = TestEnv::start();
    for tenant in [ACME, GLOBEX] {
        let mut browser = entered(&test_env, tenant, BOSS).await;
        let boss = test_env.token(tenant, BOSS).await;
        let path = format!("{}/applications/new", home(tenant));
        let form = form_token(&browser.get(&path).await);
        let before = test_env.get(&boss, &clients_path(tenant)).await.json();
        for (fields, wrong) in [
            (&[][..], "Choose an application type."),
            (&[("step", "create"), ("name", "jobs")], "Choose an application type."),
            (&[("step", "create"), ("purpose", "other"), ("name", "jobs")], "Choose an application type."),
            (&[("purpose", "machine_to_machine")], "Enter a name."),
            (&[("step", "create"), ("purpose", "machine_to_machine")], "Enter a name."),
            (&[("step", "create"), ("purpose", "service_account"), ("name", "a")], "Choose how the service"),
            (&[("step", "create"), ("purpose", "web"), ("name", "a")], "needs a redirect URI"),
        ] {
            let page = browser.post(&path, &[&[("form", &*form)], fields].concat()).await;
            page.assert_says(200, wrong);
            page.assert_says(200, "class=\"wrong\"");
        }
        assert_eq!(test_env.get(&boss, &clients_path(tenant)).await.json(), before);
    }
}

#[tokio::test]
async fn each_kind_has_its_settings_and_next_step() {
    const NATIVE: &str = "com.example.app:/callback";
    const WEB: &str = "https://app.example/callback";
    let test_env = TestEnv::start();
    for tenant in [ACME, GLOBEX] {
        let mut browser = entered(&test_env, tenant, BOSS).await;
        let boss = test_env.token(tenant, BOSS).await;
        let path = format!("{}/applications/new", home(tenant));
        let form = form_token(&browser.get(&path).await);
        let (code, refresh) = ("authorization_code", "refresh_token");
        let device = "urn:ietf:params:oauth:grant-type:device_code";
        for (kind, fields, expected, says) in [
            (
                "machine_to_machine",
                &[][..],
                json!({ "purpose": "machine_to_machine", "live_secrets": 1 }),
                "read -rs CLIENT_SECRET",
            ),
            (
                "api",
                &[("access", "api")],
                json!({ "purpose": "api", "introspection": "audience", "audiences": ["api"] }),
                "/oauth/introspect",
            ),
            (
                "web",
                &[("redirect_uris", WEB), ("identity", "openid")],
                json!({ "grant_types": [code, refresh], "scopes": ["openid"], "live_secrets": 1 }),
                "/.well-known/openid-configuration",
            ),
            (
                "single_page",
                &[("redirect_uris", WEB)],
                json!({ "grant_types": [code], "token_endpoint_auth_method": "none", "require_pkce": true }),
                "without a secret",
            ),
            (
                "native",
                &[("redirect_uris", NATIVE)],
                json!({ "redirect_uris": [NATIVE], "token_endpoint_auth_method": "none", "live_secrets": 0 }),
                "without a secret",
            ),
            (
                "device",
                &[],
                json!({ "grant_types": [device, refresh], "token_endpoint_auth_method": "none" }),
                "Request a device code",
            ),
            (
                "service_account",
                &[("credential", "key_url"), ("jwks_uri", "https://keys.example/jwks")],
                json!({ "jwks_uri": "https://keys.example/jwks", "live_secrets": 0 }),
                "signed assertion",
            ),
        ] {
            let id = format!("{kind}-app");
            let first = [("form", &*form), ("step", "create"), ("purpose", kind)];
            let of_kind = [("name", kind), ("client_id", &id)];
            let made = browser.post(&path, &[&first[..], &of_kind, fields].concat()).await;
            made.assert_says(200, says);
            assert!(kind != "api" || !made.body.contains("grant_type=client_credentials"), "{}", made.body);
            let client = test_env.get(&boss, &format!("{}/{id}", clients_path(tenant))).await.json();
            for (name, value) in expected.as_object().unwrap() {
                assert_eq!(client[name], *value, "{kind} {name}");
            }
        }
        let list = browser.get(&format!("{}/applications", home(tenant))).await;
        for kind in ["Single-page application", "Native or mobile app", "Device", "Web application"] {
            list.assert_says(200, kind);
        }
    }
}

#[tokio::test]
async fn service_account_starts_with_an_api_key() {
    let test_env = TestEnv::start();
    for tenant in [ACME, GLOBEX] {
        let mut browser = entered(&test_env, tenant, BOSS).await;
        let path = format!("{}/applications/new", home(tenant));
        let form = form_token(&browser.get(&path).await);
        let fields = [
            ("form", &*form),
            ("step", "create"),
            ("request", "1"),
            ("purpose", "service_account"),
            ("name", "robot"),
            ("client_id", "robot"),
            ("access", "api:read\tapi"),
            ("credential", "api_key"),
        ];
        let refused = browser.post(&path, &fields).await;
        refused.assert_says(200, "Choose how the service account authenticates.");
        let keys = Keys::new(&test_env, tenant).await;
        let made = browser.post(&path, &fields).await;
        let key = secret_in(&made);
        let exchanged = keys.exchange(None, &[("client_secret", &key)]).await;
        exchanged.assert_status(200);
        let again = browser.post(&path, &fields).await;
        assert!(again.body.contains(&key), "the same key, and no other one: {}", again.body);
        let robot = test_env.get(&keys.token, &format!("{}/robot", clients_path(tenant))).await.json();
        assert_eq!(robot["live_secrets"], 0);
    }
}

#[tokio::test]
async fn changes_are_reviewed_then_saved() {
    let test_env = TestEnv::start();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let boss = test_env.token(tenant, BOSS).await;
        let new = json!({ "client_id": "web", "name": "Web", "contacts": ["ops@example.com"] });
        test_env.post(&boss, &clients_path(tenant), new).await.assert_status(201);
        let client = async || test_env.get(&boss, &format!("{}/web", clients_path(tenant))).await.json();
        let path = format!("{}/applications/web/edit", home(tenant));
        let mut browser = entered(&test_env, tenant, BOSS).await;
        let page = browser.get(&path).await;
        let before = client().await;
        let fields = [("name", "Shop"), ("contacts", "ops@example.com\r\nshop@example.com")];
        let review = send(&mut browser, &path, &group(&page, "general", &fields)).await;
        review.assert_says(200, "Save changes");
        assert!(["Web", "Shop", "shop@example.com"].into_iter().all(|text| review.body.contains(text)));
        assert_eq!(client().await, before, "nothing is saved yet");
        let again = send(&mut browser, &path, &decision(&review, "again")).await;
        again.assert_says(200, "value=\"Shop\"");
        let crossed = format!("{}/applications/web/edit", home(other));
        assert_ne!(send(&mut browser, &crossed, &decision(&review, "save")).await.status, 200);
        send(&mut browser, &path, &decision(&review, "save")).await.assert_says(200, "Changes saved.");
        let after = client().await;
        assert_eq!((&after["name"], &after["contacts"][1]), (&json!("Shop"), &json!("shop@example.com")));
        // The same change again is refused, because the application has changed since the review.
        send(&mut browser, &path, &decision(&review, "save")).await.assert_says(200, "Someone else changed");
        assert_eq!(client().await, after);
    }
}

#[tokio::test]
async fn change_in_between_loses_nothing() {
    let test_env = TestEnv::start();
    for tenant in [ACME, GLOBEX] {
        let boss = test_env.token(tenant, BOSS).await;
        let row = format!("{}/web", clients_path(tenant));
        test_env.post(&boss, &clients_path(tenant), json!({ "client_id": "web" })).await.assert_status(201);
        let path = format!("{}/applications/web/edit", home(tenant));
        let mut browser = entered(&test_env, tenant, BOSS).await;
        let page = browser.get(&path).await;
        test_env.patch(&boss, &row, json!({ "contacts": ["them@example.com"] })).await.assert_status(200);
        let mine = group(&page, "general", &[("name", "Mine")]);
        let refused = send(&mut browser, &path, &mine).await;
        refused.assert_says(200, "Someone else changed");
        refused.assert_says(200, "value=\"Mine\"");
        let fields = [("name", "Mine"), ("contacts", "them@example.com")];
        let review = send(&mut browser, &path, &group(&refused, "general", &fields)).await;
        test_env.patch(&boss, &row, json!({ "description": "Theirs" })).await.assert_status(200);
        let refused = send(&mut browser, &path, &decision(&review, "save")).await;
        refused.assert_says(200, "value=\"Mine\"");
        refused.assert_says(200, "value=\"Theirs\"");
        let client = test_env.get(&boss, &row).await.json();
        assert_eq!((&client["name"], &client["description"]), (&json!("web"), &json!("Theirs")));
    }
}

#[tokio::test]
async fn refused_change_keeps_the_input_at_its_field() {
    let test_env = TestEnv::start();
    for tenant in [ACME, GLOBEX] {
        let mut browser = entered(&test_env, tenant, BOSS).await;
        let path = format!("{}/applications/new", home(tenant));
        let form = form_token(&browser.get(&path).await);
        browser.post(&path, &[&[("form", &*form)], &JOBS[..]].concat()).await.assert_status(200);
        let path = format!("{}/applications/jobs/edit", home(tenant));
        let page = browser.get(&path).await;
        let people = [("require_pkce", "true"), ("redirect_uris", "http://evil.example/")];
        let refused = send(&mut browser, &path, &group(&page, "people", &people)).await;
        refused.assert_says(200, "http is allowed only for");
        refused.assert_says(200, ">http://evil.example/</textarea>");
        let method = ("token_endpoint_auth_method", "any");
        let keys = group(&page, "authentication", &[method, ("jwks", "{\"keys\":")]);
        send(&mut browser, &path, &keys).await.assert_says(200, "This is not JSON.");
        // No administrator grants a permission that it does not have.
        let own =
            [("grant_types", "client_credentials"), ("introspection", "own"), ("scopes", "latchkey:keys")];
        let review = send(&mut browser, &path, &group(&page, "access", &own)).await;
        let refused = send(&mut browser, &path, &decision(&review, "save")).await;
        refused.assert_says(200, "you cannot grant latchkey:keys");
    }
}

#[tokio::test]
async fn application_of_a_file_is_read_only() {
    let test_env = TestEnv::start();
    for tenant in [ACME, GLOBEX] {
        let mut browser = entered(&test_env, tenant, BOSS).await;
        let path = format!("{}/applications/svc", home(tenant));
        let page = browser.get(&path).await;
        assert!(!page.body.contains("/applications/svc/edit"), "{}", page.body);
        let edit = format!("{path}/edit");
        let shown = browser.get(&edit).await;
        shown.assert_says(200, "A configuration file declares this application.");
        let patch = ("patch", "{\"name\":\"x\"}");
        let save = [("form", &*form_token(&page)), ("act", "save"), patch];
        browser.post(&edit, &save).await.assert_says(200, "A configuration file declares this application.");
        browser.get(&path).await.assert_says(200, "<h1>svc");
    }
}

#[tokio::test]
async fn copy_has_the_settings_without_id_and_credentials() {
    let test_env = TestEnv::start();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let boss = test_env.token(tenant, BOSS).await;
        let new = json!({ "client_id": "robot 1+1", "jwks_uri": "https://keys.example/jwks", "audiences": ["api"],
            "scopes": ["api:read"], "token_endpoint_auth_method": "private_key_jwt", "access_token_lifetime": 60 });
        test_env.post(&boss, &clients_path(tenant), new).await.assert_status(201);
        let mut browser = entered(&test_env, tenant, BOSS).await;
        let path = format!("{}/applications/new", home(tenant));
        let shown = browser.get(&format!("{}/applications/robot%201+1", home(tenant))).await;
        shown.assert_says(200, &format!("{path}?like=robot+1%2B1"));
        let page = browser.get(&format!("{path}?like=robot+1%2B1")).await;
        page.assert_says(200, "value=\"api:read\tapi\" checked");
        assert!(!page.body.contains("keys.example"), "{}", page.body);
        assert_eq!(browser.get(&format!("{path}?like=nobody")).await.status, 404);
        let twin = format!("twin-{tenant}");
        let fields = [
            ("form", &*form_token(&page)),
            ("step", "create"),
            ("purpose", "machine_to_machine"),
            ("like", "robot 1+1"),
            ("name", "Twin"),
            ("client_id", &twin),
            ("access", "api:read\tapi"),
        ];
        browser.post(&path, &fields).await.assert_says(200, "New secret for Twin");
        let row = test_env.get(&boss, &format!("{}/{twin}", clients_path(tenant))).await.json();
        assert_eq!((&row["access_token_lifetime"], &row["jwks_uri"]), (&json!(60), &json!(null)));
        assert_eq!((&row["scopes"], &row["live_secrets"]), (&json!(["api:read"]), &json!(1)));
        let theirs = test_env.token(other, BOSS).await;
        assert_eq!(test_env.get(&theirs, &format!("{}/{twin}", clients_path(other))).await.status, 404);
    }
}

#[tokio::test]
async fn failed_check_comes_first() {
    let test_env = TestEnv::start();
    for tenant in [ACME, GLOBEX] {
        let mut browser = entered(&test_env, tenant, BOSS).await;
        let path = format!("{}/applications/svc/try", home(tenant));
        let form = form_token(&browser.get(&path).await);
        let page = browser.post(&path, &[("form", &*form), ("scope", "nothing")]).await;
        page.assert_says(200, "<span class=\"badge danger\">Refused</span>");
        let place = |text: &str| page.body.find(text).expect(text);
        assert!(place("The request would be refused") < place("name=\"scope\""));
        assert!(place("badge danger") < place("badge success"));
        page.assert_says(200, "<code>scopes</code> of the client");
    }
}

#[tokio::test]
async fn application_without_live_secret_has_a_warning() {
    let test_env = TestEnv::start();
    for tenant in [ACME, GLOBEX] {
        let boss = test_env.token(tenant, BOSS).await;
        let made = test_env.post(&boss, &clients_path(tenant), json!({ "client_id": "idle" })).await.json();
        let secret = format!("{}/idle/secrets/{}", clients_path(tenant), text(&made["secret"], "id"));
        test_env.delete(&boss, &secret).await.assert_status(200);
        let mut browser = entered(&test_env, tenant, BOSS).await;
        for below in ["/applications?search=idle", "/applications/idle"] {
            let page = browser.get(&format!("{}{below}", home(tenant))).await;
            page.assert_says(200, "<span class=\"badge warning\">No live secret</span>");
        }
    }
}

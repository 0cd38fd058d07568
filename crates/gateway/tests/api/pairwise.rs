//! Pairwise subjects (OpenID Connect Core §8.1) at two tenants. Every sector gets its own `sub` and
//! `sid` for a person, and all endpoints use these values.

use protocol::SubjectType;
use registry::RevocationFeed;

use crate::backchannel::waiting_logout_token;
use crate::prelude::*;

/// The secret of all clients.
static SECRET: LazyLock<String> = LazyLock::new(|| GeneratedSecret::generate().secret.expose().to_owned());
/// A client and its redirect URI. The first two clients are in the same sector.
const WEB: (&str, &str) = ("web", CALLBACK);
const HELP: (&str, &str) = ("help", "https://app.example.com:8443/help");
const SHOP: (&str, &str) = ("shop", "https://shop.example.com/callback");

/// Adds a client with pairwise subjects and this change.
fn add_client(
    app: &TestApp,
    tenant: &str,
    (id, redirect_uri): (&str, &str),
    change: impl FnOnce(&mut Client),
) {
    add_web_client(app, tenant, |client| {
        client.id = fixtures::client_id(id);
        client.grant_types.push(GrantType::RefreshToken);
        client.scope = fixtures::scope("openid profile offline_access");
        client.code_flow.redirect_uris = vec![redirect_uri.to_owned()];
        client.code_flow.subject_type = Some(SubjectType::Pairwise);
        client.code_flow.backchannel_logout_uri = Some("https://app.example.com/out".to_owned());
        let hash = hash_token(&app.pepper, &client.tenant, &client.id, &Secret::new(SECRET.clone()));
        client.secrets = vec![ClientSecret { hash, ..fixtures::secret("1") }];
        change(client);
    });
}

/// Returns the tokens of the browser's person. Signs in if the page asks for it.
async fn sign_in(app: &TestApp, browser: &mut Browser<'_>, tenant: &str, of: (&str, &str)) -> Value {
    let asked = [("client_id", of.0), ("redirect_uri", of.1), ("scope", "openid profile offline_access")];
    let page = browser.authorize(tenant, &asked).await;
    let to = match page.status {
        303 => location(&page),
        _ => continued(&browser.sign_in(tenant, &page, PASSWORD).await),
    };
    let code = parameter(&to, "code");
    let form = [("client_id", of.0), ("redirect_uri", of.1), ("client_secret", &**SECRET), ("code", &*code)];
    redeem_with(app, tenant, &form).await.json_of(200)
}

async fn post(app: &TestApp, path: &str, client: &str, more: &[(&str, &str)]) -> Value {
    let form = [&[("client_id", client), ("client_secret", &**SECRET)], more].concat();
    app.post(path, &form).await.json_of(200)
}

/// Creates a client with pairwise subjects in the admin API.
async fn create_client(test_env: &TestEnv, tenant: &str, (id, redirect_uri): (&str, &str)) {
    let boss = test_env.token(tenant, BOSS).await;
    let body = json!({
        "client_id": id,
        "client_secret": *SECRET,
        "grant_types": ["authorization_code", "refresh_token"],
        "scopes": ["openid", "profile", "offline_access"],
        "redirect_uris": [redirect_uri],
        "first_party": true,
        "subject_type": "pairwise",
    });
    let created = test_env.post(&boss, &clients_path(tenant), body).await;
    assert_eq!((created.status, &created.json()["subject_type"]), (201, &"pairwise".into()), "{created:?}");
}

// [core Core §8], [core Core §8.1]
#[tokio::test]
async fn each_sector_has_its_own_sub_and_sid() {
    let test_env = TestEnv::start();
    let app = &test_env.app;
    let mut of_tenants = Vec::new();
    for tenant in [ACME, GLOBEX] {
        app.change_provider(tenant, |_| ());
        add_person(app, tenant);
        let mut browser = Browser::new(app);
        let mut names = Vec::new();
        for client in [WEB, HELP, SHOP] {
            create_client(&test_env, tenant, client).await;
            let tokens = sign_in(app, &mut browser, tenant, client).await;
            let id_token = payload(&tokens["id_token"]);
            let access_token = text(&tokens, "access_token");
            assert_eq!(app.userinfo(tenant, access_token).await.json()["sub"], id_token["sub"]);
            let introspect = tenant_path(tenant, "/oauth/introspect");
            let introspected = post(app, &introspect, client.0, &[("token", access_token)]).await;
            assert_eq!(introspected["sub"], id_token["sub"]);
            names.push((text(&id_token, "sub").to_owned(), text(&id_token, "sid").to_owned()));
        }
        let [web, help, shop] = names.as_slice() else { panic!("{names:?}") };
        assert_eq!(web, help, "one sector");
        assert_ne!(web.0, shop.0);
        assert_ne!(web.1, shop.1, "a session that two sectors know is a person that they know");
        assert_eq!((&web.0[..3], web.0.len(), web.1.len()), ("pw_", 46, 43));
        of_tenants.push([web.clone(), shop.clone()]);
        let metadata = app.get(&tenant_path(tenant, "/.well-known/openid-configuration")).await.json();
        assert_eq!(metadata["subject_types_supported"], json!(["public", "pairwise"]));
    }
    for (acme, globex) in of_tenants[0].iter().zip(&of_tenants[1]) {
        assert_ne!(acme.0, globex.0);
    }
}

// [core Core §8.1 c]: No interface tells the account of a pairwise subject
#[tokio::test]
async fn all_endpoints_use_the_pairwise_subject() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let person = add_person(&app, tenant);
        add_client(&app, tenant, WEB, |_| ());
        let mut browser = Browser::new(&app);
        let tokens = sign_in(&app, &mut browser, tenant, WEB).await;
        let refresh_token = text(&tokens, "refresh_token").to_owned();
        let form = [("grant_type", "refresh_token"), ("refresh_token", &*refresh_token)];
        let refreshed = post(&app, &token_path(tenant), "web", &form).await;
        let introspect = tenant_path(tenant, "/oauth/introspect");
        let mut said = vec![post(&app, &introspect, "web", &[("token", &refresh_token)]).await];
        for tokens in [&tokens, &refreshed] {
            let access_token = text(tokens, "access_token");
            said.push(payload(&tokens["id_token"]));
            said.push(payload(&tokens["access_token"]));
            let before = app.store.calls();
            let found = app.userinfo(tenant, access_token).await;
            let after = app.store.calls();
            // Store calls that the caches do not answer.
            let uncached = |calls: &Calls| (calls.sign_ins, calls.administration, calls.find_by_identifier);
            assert_eq!(uncached(&after), uncached(&before));
            assert_eq!(found.json_of(200)["name"], "Ada Lovelace");
            said.push(found.json());
            said.push(post(&app, &introspect, "web", &[("token", access_token)]).await);
        }
        let hint = text(&tokens, "id_token");
        let out = browser.get(&tenant_path(tenant, &format!("/oauth/logout?id_token_hint={hint}"))).await;
        assert_eq!(out.status, 200, "the hint is of this session: {}", out.body);
        assert_eq!(browser.authorize(tenant, &[]).await.status, 200, "nobody is signed in");
        // The session has ended.
        app.userinfo(tenant, text(&tokens, "access_token")).await.assert_status(401);
        said.push(payload(&waiting_logout_token(&app, tenant).await.into()));

        let sub = said[0]["sub"].clone();
        assert!(sub.as_str().is_some_and(|sub| sub.starts_with("pw_")), "{sub}");
        let sid = said[1]["sid"].clone();
        let bits = person.id.as_str().trim_start_matches("usr_");
        for said in &said {
            assert_eq!(said["sub"], sub, "{said}");
            assert!(said["sid"].is_null() || said["sid"] == sid, "{said}");
            assert!(!said.to_string().contains("usr_") && !said.to_string().contains(bits), "{said}");
        }
        assert_eq!(said.last().unwrap()["sid"], sid);
    }
}

// [core Core §8.1 c]
#[tokio::test]
async fn device_tokens_have_the_subject_of_their_sector() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        add_person(&app, tenant);
        add_client(&app, tenant, HELP, |_| ());
        let expected = payload(&sign_in(&app, &mut Browser::new(&app), tenant, HELP).await["id_token"]);
        add_client(&app, tenant, WEB, |client| {
            client.grant_types = vec![GrantType::DeviceCode];
            public(client);
            client.code_flow.redirect_uris.clear();
            client.code_flow.sector_identifier_uri = Some("https://app.example.com/sector".to_owned());
        });
        let begun = allowed(&mut Browser::new(&app), tenant).await;
        let tokens = poll(&app, tenant, &begun).await.json();
        let id_token = payload(&tokens["id_token"]);
        assert_eq!((&id_token["sub"], &id_token["sid"]), (&expected["sub"], &Value::Null));
        assert_eq!(app.userinfo(tenant, text(&tokens, "access_token")).await.json()["sub"], expected["sub"]);
    }
}

// [core Core §8.1 c]
#[tokio::test]
async fn hint_is_valid_only_in_its_sector() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        add_person(&app, tenant);
        let mut browser = Browser::new(&app);
        let mut tokens = Vec::new();
        for client in [WEB, HELP, SHOP] {
            add_client(&app, tenant, client, |_| ());
            tokens.push(sign_in(&app, &mut browser, tenant, client).await);
        }
        let [own, same_sector, other_sector] = [0, 1, 2].map(|at| text(&tokens[at], "id_token"));
        let mut ask = async |more: (&str, &str)| {
            let to = location(&browser.authorize(tenant, &[("prompt", "none"), more]).await);
            to.query_pairs().find(|(name, _)| name == "error").map(|(_, error)| error.into_owned())
        };
        assert_eq!(ask(("id_token_hint", own)).await, None);
        assert_eq!(ask(("id_token_hint", same_sector)).await, None);
        assert_eq!(ask(("id_token_hint", other_sector)).await.as_deref(), Some("invalid_request"));
        let expecting =
            |token: &Value| json!({ "id_token": { "sub": { "value": payload(token)["sub"] } } }).to_string();
        assert_eq!(ask(("claims", &expecting(&tokens[0]["id_token"]))).await, None);
        let foreign = ask(("claims", &expecting(&tokens[2]["id_token"]))).await;
        assert_eq!(foreign.as_deref(), Some("login_required"));
    }
}

// [core Core §8.1 c]
#[tokio::test]
async fn account_and_consent_revocations_end_pairwise_tokens() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let person = add_person(&app, tenant);
        let subjects = [
            RevokedSubject::Account(person.id.to_string()),
            RevokedSubject::Consent(fixtures::client_id("web"), person.id.to_string()),
        ];
        for subject in subjects {
            add_client(&app, tenant, WEB, |_| ());
            let tokens = sign_in(&app, &mut Browser::new(&app), tenant, WEB).await;
            let access_token = text(&tokens, "access_token");
            assert_eq!(app.userinfo(tenant, access_token).await.status, 200);
            let now = Timestamp::from_seconds(app.now());
            app.store.revoke_people(&fixtures::tenant_id(tenant), &subject, None, now).await.unwrap();
            assert_eq!(app.userinfo(tenant, access_token).await.status, 401, "{subject:?}");
            app.pass(5);
        }
    }
}

// [shared 2.2]
/// Too many revoked grants and tokens of a sector become one entry. A verifier that only polls the
/// feed finds it by the `sub` of its tokens.
#[tokio::test]
async fn too_many_revocations_become_one_entry_per_sub() {
    let app = TestApp::start();
    let feed = async |tenant| app.get(&tenant_path(tenant, "/oauth/revocations")).await.body;
    for tenant in [ACME, GLOBEX] {
        let person = add_person(&app, tenant);
        let mut browser = Browser::new(&app);
        let mut tokens = Vec::new();
        for client in [WEB, WEB, SHOP] {
            add_client(&app, tenant, client, |_| ());
            tokens.push(sign_in(&app, &mut browser, tenant, client).await);
        }
        let [ended, revoked, of_shop] = [0, 1, 2].map(|at| text(&tokens[at], "access_token"));
        let revoke = tenant_path(tenant, "/oauth/revoke");
        for token in [text(&tokens[0], "refresh_token"), revoked] {
            let form = [("client_id", WEB.0), ("client_secret", &**SECRET), ("token", token)];
            assert_eq!(app.post(&revoke, &form).await.status, 200);
        }
        let [ended_claims, revoked_claims] = [0, 1].map(|at| payload(&tokens[at]["access_token"]));
        let published = claims_of(&feed(tenant).await);
        assert!(published["people"]["grants"].get(text(&ended_claims, "grant_id")).is_some(), "{published}");
        assert_eq!(published["tokens"], json!([revoked_claims["jti"]]));
        // Further revocations of the same person, until these two are no longer among the latest.
        let sub = text(&ended_claims, "sub");
        app.pass(1);
        let (id, now) = (fixtures::tenant_id(tenant), Timestamp::from_seconds(app.now()));
        for number in 0..RevokedSubject::MOST_OF_ACCOUNT {
            let grant = RevokedSubject::Grant(format!("grant {number}"));
            app.store.revoke_people(&id, &grant, Some(sub), now).await.unwrap();
        }
        let published = claims_of(&feed(tenant).await);
        assert!(published["people"]["grants"].get(text(&ended_claims, "grant_id")).is_none(), "{published}");
        assert_eq!(published["tokens"], json!([]));
        let accounts = published["people"]["accounts"].as_object().unwrap();
        assert!(accounts.keys().eq([&RevocationFeed::name(sub)]), "{person:?}: {accounts:?}");
        for token in [ended, revoked] {
            assert_eq!(app.userinfo(tenant, token).await.status, 401);
        }
        assert_eq!(app.userinfo(tenant, of_shop).await.status, 200, "another sector");
    }
}

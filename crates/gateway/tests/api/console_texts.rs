//! Every page of the console in the pseudo-language, in which each text of the table has brackets.

use pages::examples::texts_outside_table;

use crate::console::{JOBS, begun, form_token, home};
use crate::console_access::{PERSON, paths, person};
use crate::prelude::*;

/// Names of products, of rows and of values.
const DATA: &[&str] = &[
    "Latchkey",
    // Snippets.
    "curl",
    "Go (net/http)",
    "Java (java.net.http)",
    "JavaScript (fetch)",
    "PHP",
    "Python (requests)",
    "Ruby (net/http)",
    "Rust (reqwest)",
    "curl: introspection",
    "JavaScript (jose)",
    "Python (PyJWT)",
    "Go (go-oidc)",
    "Rust (jsonwebtoken, reqwest)",
    // Tenants.
    ACME,
    GLOBEX,
    PLATFORM,
    "hooli",
    "initech",
    // Clients.
    "asserting",
    "auditor",
    "boss",
    "chosen",
    "clerk",
    "code-only",
    "gatekeeper",
    "jobs",
    "kiosk",
    "locksmith",
    "ops",
    "plain",
    "reader",
    "robot",
    "shelf",
    "steward",
    "suspended",
    "svc",
    "watcher",
    "writer",
    "odd/client 1+1%",
    // People.
    "Ada Lovelace",
    "staff",
    // Scopes.
    "email",
    "groups",
    "offline_access",
    "openid",
    "profile",
    // Settings.
    "any",
    "api",
    "orders",
    "RS256",
    // Errors of the admin API are English in every language.
    "tenant acme does not offer API keys; set its api_keys",
];

/// Also ids of actors, actions, keys, secrets and scopes, addresses with credentials, and the monogram.
fn is_data(piece: &str) -> bool {
    let is_id = !piece.contains(' ') && piece.contains(['.', ':', '/'])
        || ["oauth2-key-", "usr_"].iter().any(|start| piece.starts_with(start));
    is_id || DATA.contains(&piece) || piece.starts_with("127.0.0.1") || piece.len() == 1 || {
        let secret = piece.strip_prefix("odd/client 1+1%/");
        secret.is_some_and(|id| id.parse::<u8>().is_ok())
    }
}

fn check(found: &mut Vec<String>, path: &str, page: &Answer) {
    let texts = texts_outside_table(&page.body, is_data);
    found.extend(texts.into_iter().map(|text| format!("{path}: {text}")));
}

#[tokio::test]
async fn each_visible_text_of_the_console_comes_from_the_table() {
    let language = gateway::Language::Pseudo;
    let test_env = TestEnv::over(TestApp::start_with(&gateway::Options { language, ..options(ACME) }));
    let mut found = Vec::new();
    add_someone(&test_env.app, ACME, PERSON, EMAIL);
    let someone = format!("{}/people/{}", home(ACME), person());
    for (path, method) in paths(ACME) {
        let path = path.replace("{account}", &person());
        if method == "GET" {
            let mut stranger = Browser::new(&test_env.app);
            check(&mut found, &path, &stranger.get(&path).await);
        }
    }
    let token = test_env.token(PLATFORM, OPS).await;
    let mut browser = begun(&test_env, PLATFORM, &token).await;
    let form = form_token(&browser.get(&home(PLATFORM)).await);
    let place = home(ACME);
    let own = |below: &str| format!("{place}{below}");
    let new = [("step", "create"), ("name", "jobs")];
    let key = [("credential", "key_url"), ("jwks_uri", "https://keys.example/jwks")];
    for (path, fields) in [
        (own("/applications/new"), &[][..]),
        (own("/applications/new"), &[("purpose", "service_account"), ("name", "jobs")]),
        (own("/applications/new"), &[("purpose", "web"), ("name", "jobs")]),
        (own("/applications/new"), &[&new[..], &[("client_id", "kiosk"), ("purpose", "device")]].concat()),
        (own("/applications/new"), &[&new[..], &[("client_id", "shelf"), ("purpose", "api")]].concat()),
        (
            own("/applications/new"),
            &[&new[..], &[("client_id", "robot"), ("purpose", "service_account")]].concat(),
        ),
        (
            own("/applications/new"),
            &[&new[..], &[("client_id", "robot"), ("purpose", "service_account")], &key].concat(),
        ),
        (own("/applications/new"), &JOBS[..]),
        (own("/applications/jobs/edit"), &[("group", "general"), ("name", "boss")]),
        (own("/applications/jobs/edit"), &[("act", "save"), ("patch", "{}"), ("tag", "\"x\"")]),
        (own("/applications/jobs/edit"), &[("group", "authentication"), ("jwks", "{")]),
        (own("/applications/jobs"), &[("step", "suspend")]),
        (own("/applications/jobs"), &[("step", "resume")]),
        (own("/applications/jobs"), &[("step", "revoke-tokens")]),
        (own("/applications/jobs"), &[("step", "delete"), ("confirm", "x")]),
        (own("/applications/jobs/credentials"), &[("act", "create-secret"), ("name", "jobs")]),
        (own("/applications/jobs/credentials"), &[("act", "create-secret"), ("grace", "3600")]),
        (own("/applications/jobs/credentials"), &[("act", "create-key"), ("name", "jobs")]),
        (own("/applications/jobs/credentials"), &[("act", "revoke-secret"), ("secret", "s1")]),
        (own("/applications/jobs/try"), &[]),
        (own("/people/new"), &[]),
        (own("/people/new"), &[("username", "eve"), ("name", "Ada Lovelace"), ("groups", "staff")]),
        (someone.clone(), &[("step", "suspend")]),
        (someone.clone(), &[("step", "resume")]),
        (someone.clone(), &[("step", "unlock")]),
        (someone.clone(), &[("step", "end-sessions")]),
        (someone.clone(), &[("step", "delete"), ("confirm", "x")]),
        (own("/keys"), &[("act", "rotate")]),
        (own("/keys"), &[("act", "emergency"), ("confirm", "x")]),
        (own("/keys"), &[("act", "emergency"), ("confirm", ACME)]),
        ("/console/tenants/new".to_owned(), &[("id", "initech")]),
        (
            "/console/tenants/new".to_owned(),
            &[("id", "hooli"), ("audience", "orders"), ("client_id", "jobs")],
        ),
        ("/console/t/initech".to_owned(), &[("step", "suspend")]),
        ("/console/t/initech".to_owned(), &[("step", "resume")]),
        ("/console/t/initech".to_owned(), &[("step", "delete"), ("confirm", "initech")]),
        ("/console/t/initech".to_owned(), &[("step", "cancel-deletion")]),
    ] {
        let page = browser.post(&path, &[&[("form", &*form)], fields].concat()).await;
        assert_eq!(page.status, 200, "{path} {fields:?}: {}", page.body);
        check(&mut found, &path, &page);
    }
    for (path, method) in paths(ACME).into_iter().filter(|(path, _)| !path.ends_with("/sign-out")) {
        if method == "GET" {
            for client in [SVC, "jobs"] {
                let path = path.replace("{client}", client).replace("{account}", &person());
                check(&mut found, &path, &browser.get(&path).await);
            }
        }
    }
    for path in [
        "/console/tenants?search=none",
        "/console/audit?search=none",
        "/console/t/acme/people?search=none",
        "/console/t/acme/people?search=eve",
    ] {
        check(&mut found, path, &browser.get(path).await);
    }
    test_env.app.pass(900);
    let form = form_token(&browser.get(&home(PLATFORM)).await);
    let again = browser.post(&own("/keys"), &[("form", &*form), ("act", "emergency")]).await;
    check(&mut found, "an old sign-in", &again);
    check(&mut found, "signed out", &browser.post("/console/sign-out", &[("form", &*form)]).await);
    found.sort();
    found.dedup();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

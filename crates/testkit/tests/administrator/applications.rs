//! Concurrent replacement of applications, under the rules of all clients.

use std::sync::Arc;

use administration::{
    Actor, ApplicationCode, ApplicationError, ApplicationRequest, Authority, EditError, Permission,
};
use protocol::Secret;
use registry::{ClientStore as _, GeneratedSecret, SecretHash, hash_password, salt_of};
use serde_json::{Value, json};
use tenancy::TenantId;
use testkit::fixtures::{NOW, client_id};

use crate::test_env::{TestEnv, env, new_tenant, operator, small_env};

type Answer = Result<Value, ApplicationError>;

fn user(tenant: &TenantId) -> Authority {
    let actor = Actor { name: "user:admin".to_owned(), source: None };
    Authority::of_user(actor, tenant.clone())
}

fn service(name: &str, config: Value) -> Value {
    let mut usual = json!({ "grant_types": ["client_credentials"], "scopes": ["read"] });
    usual.as_object_mut().unwrap().extend(config.as_object().unwrap().clone());
    json!({ "name": name, "inbound_auth_config": [{ "type": "oauth2", "config": usual }] })
}

fn request(body: &Value) -> ApplicationRequest {
    ApplicationRequest::parse(body.to_string().as_bytes()).unwrap()
}

async fn create(env: &TestEnv, tenant: &TenantId, body: &Value) -> Answer {
    let made = env.administrator.create_application(&user(tenant), tenant, &request(body), NOW).await?;
    Ok(json!(made))
}

async fn replace(env: &TestEnv, tenant: &TenantId, id: &str, body: &Value) -> Answer {
    let put = env.administrator.replace_application(&user(tenant), tenant, id, &request(body), NOW).await?;
    Ok(json!(put))
}

async fn shown(env: &TestEnv, tenant: &TenantId, id: &str) -> Answer {
    Ok(json!(env.administrator.application(&user(tenant), tenant, id, NOW).await?))
}

/// Two processes replace one application. Each has read the state before the other's commit.
async fn race(first: &TestEnv, tenant: &TenantId, id: &str, bodies: [Value; 2]) -> Vec<Answer> {
    let store = Arc::clone(&first.store);
    let (written, mut calls) = (store.audit().len(), store.calls().administration);
    let mut held = store.hold_answers().await;
    let writers = bodies.map(|body| {
        let (env, tenant, id) = (first.beside(), tenant.clone(), id.to_owned());
        tokio::spawn(async move { replace(&env, &tenant, &id, &body).await })
    });
    loop {
        calls += 2;
        while store.calls().administration < calls {
            tokio::task::yield_now().await;
        }
        drop(held);
        if store.audit().len() > written {
            break;
        }
        held = store.hold_answers().await;
    }
    let mut answers = Vec::new();
    for writer in writers {
        answers.push(writer.await.unwrap());
    }
    assert!(store.calls().administration > calls, "who came second has looked again");
    answers
}

/// Two processes replace an application, one as "one", the other as "two". The row holds the later one's request.
async fn check(before: Value, secrets: [&str; 2]) {
    let env = env();
    let (acme, globex) = (env.tenant("acme").await, env.tenant("globex").await);
    let made = create(&env, &acme, &before).await.unwrap();
    let others = create(&env, &globex, &before).await.unwrap();
    let id = made["id"].as_str().unwrap();
    let body = |name: &str, secret: &str| service(name, json!({ "client_secret": secret, "scopes": [name] }));
    let bodies = [body("one", secrets[0]), body("two", secrets[1])];
    let answers: Vec<Value> = race(&env, &acme, id, bodies).await.into_iter().map(Result::unwrap).collect();

    let now = shown(&env, &acme, id).await.unwrap();
    let last = answers.iter().find(|answer| answer["name"] == now["name"]).unwrap();
    assert!(answers.iter().all(|answer| answer["client_id"] == now["client_id"]), "one client for both");
    let client = client_id(now["client_id"].as_str().unwrap());
    let row = env.store.find_client(&acme, &client).await.unwrap().unwrap();
    assert_eq!(
        (json!(row.name), json!([row.scope.to_string()])),
        (now["name"].clone(), config(&now)["scopes"].clone())
    );
    let live: Vec<_> = row.secrets.iter().filter(|secret| secret.is_live(NOW)).collect();
    let [live] = live.as_slice() else { panic!("{live:?}") };
    let sent = last["client_secret"].as_str().unwrap();
    assert!(match &live.hash {
        SecretHash::Password(phc) => {
            let sent = Secret::new(sent.to_owned());
            live.hash.matches(&hash_password(&sent, &salt_of(phc).unwrap()).unwrap())
        }
        SecretHash::Token(_) => env.opens(&acme, &client, sent, NOW).await,
    });

    let theirs = shown(&env, &globex, others["id"].as_str().unwrap()).await.unwrap();
    assert_eq!((&theirs["name"], &theirs["client_id"]), (&before["name"], &others["client_id"]));
}

#[tokio::test]
async fn of_two_writers_of_one_application_the_later_one_is_there_whole() {
    let with_client = service("app", json!({ "client_id": "svc", "client_secret": "the first" }));
    let generated = [GeneratedSecret::generate(), GeneratedSecret::generate()];
    let generated = [generated[0].secret.expose(), generated[1].secret.expose()];
    for secrets in [["the second", "the third"], generated] {
        check(with_client.clone(), secrets).await;
    }
}

/// Each writer adds a client and a secret that was hashed for that client.
#[tokio::test]
async fn of_two_writers_of_one_client_the_later_one_adds_its_secret() {
    let generated = [GeneratedSecret::generate(), GeneratedSecret::generate()];
    let generated = [generated[0].secret.expose(), generated[1].secret.expose()];
    for secrets in [["the second", "the third"], generated] {
        check(json!({ "name": "app" }), secrets).await;
    }
}

fn config(application: &Value) -> &Value {
    &application["inbound_auth_config"][0]["config"]
}

#[tokio::test]
async fn the_secret_that_is_live_already_is_left_alone() {
    let env = env();
    let acme = env.tenant("acme").await;
    let body = service("app", json!({ "client_id": "svc", "client_secret": "the first" }));
    let made = create(&env, &acme, &body).await.unwrap();
    let before = env.store.find_client(&acme, &client_id("svc")).await.unwrap().unwrap();
    let written = env.store.audit().len();
    replace(&env, &acme, made["id"].as_str().unwrap(), &body).await.unwrap();
    assert_eq!(env.store.find_client(&acme, &client_id("svc")).await.unwrap().unwrap(), before);
    assert_eq!(env.store.audit().len(), written, "nothing has changed");
}

#[tokio::test]
async fn a_client_id_follows_the_rules_of_files_and_api() {
    let env = env();
    let acme = new_tenant(json!({
        "id": "acme", "issuer_aliases": ["thunder"], "resource_servers": { "your-api": { "scopes": ["read"] } },
        "client": { "client_id": "svc", "audiences": ["orders"] },
    }));
    env.administrator.create_tenant(&operator(), acme, None, NOW).await.unwrap();
    let acme = testkit::fixtures::tenant_id("acme");
    for (id, code) in [
        ("urn:latchkey:admin", ApplicationCode::InvalidClientId),
        ("thunder", ApplicationCode::InvalidClientId),
        ("your-api", ApplicationCode::InvalidClientId),
        ("orders", ApplicationCode::InvalidClientId),
        ("svc", ApplicationCode::ClientIdExists),
    ] {
        let refused = create(&env, &acme, &service("app", json!({ "client_id": id }))).await;
        assert!(
            matches!(&refused, Err(ApplicationError::Refused(refusal)) if refusal.code == code),
            "{id}: {refused:?}"
        );
    }
    // None of these ids exists at another tenant.
    let globex = env.tenant("globex").await;
    for id in ["thunder", "your-api", "orders", "svc"] {
        create(&env, &globex, &service(id, json!({ "client_id": id }))).await.unwrap();
    }
}

#[tokio::test]
async fn a_caller_without_the_clients_permission_learns_nothing_of_applications() {
    let env = env();
    let (acme, globex) = (env.tenant("acme").await, env.tenant("globex").await);
    let made = create(&env, &acme, &service("app", json!({}))).await.unwrap();
    let id = made["id"].as_str().unwrap();
    let (stranger, body) = (user(&globex), request(&service("app", json!({}))));
    let env = &env.administrator;
    for refused in [
        env.application(&stranger, &acme, id, NOW).await.map(drop),
        env.application(&stranger, &acme, "x", NOW).await.map(drop),
        env.applications(&stranger, &acme, 0, 9, NOW).await.map(drop),
        env.create_application(&stranger, &acme, &body, NOW).await.map(drop),
        env.replace_application(&stranger, &acme, id, &body, NOW).await.map(drop),
        env.delete_application(&stranger, &acme, id, NOW).await,
    ] {
        let forbidden = ApplicationError::Edit(EditError::Forbidden(Permission::Clients));
        assert_eq!(refused.unwrap_err().to_string(), forbidden.to_string());
    }
    let absent = env.application(&stranger, &globex, id, NOW).await;
    assert!(
        matches!(&absent, Err(ApplicationError::Refused(refusal)) if refusal.code == ApplicationCode::NotFound),
        "{absent:?}"
    );
}

/// Errors of the rules of clients have the codes of this API.
#[tokio::test]
async fn an_application_is_held_to_the_limits_of_clients() {
    let env = small_env(1);
    for id in ["acme", "globex"] {
        let tenant = env.tenant(id).await;
        let scopes: Vec<_> = (0..101).map(|nth| format!("s{nth}")).collect();
        let long = create(&env, &tenant, &service("long", json!({ "scopes": scopes }))).await;
        create(&env, &tenant, &service("one", json!({}))).await.unwrap();
        let second = create(&env, &tenant, &service("two", json!({}))).await;
        for refused in [long, second] {
            assert!(
                matches!(&refused, Err(ApplicationError::Refused(why)) if why.code == ApplicationCode::InvalidOauthConfig),
                "{refused:?}"
            );
        }
    }
}

//! Tests the replacement of applications by concurrent writers, and the permission for applications.

use std::sync::Arc;

use administration::documents::application::{
    ApplicationContext, ApplicationDraft, ApplicationError, ApplicationId, ApplicationState, PutApplication,
};
use administration::edit::EditError;
use administration::kinds::Permission;
use administration::kinds::authority::{Actor, Authority};
use protocol::{ClientAuthenticationMethod, Scope};
use registry::{ClientId, ClientStore as _};
use secrets::{GeneratedSecret, SecretHash, hash_password, salt_of};
use serde_json::json;
use tenancy::TenantId;
use testkit::fixtures::{NOW, client_id};
use values::Secret;

use crate::test_env::{TestEnv, caller, env, now};

type Answer = Result<ApplicationState, ApplicationError>;

fn user(tenant: &TenantId) -> Authority {
    let actor = Actor { name: "user:admin".to_owned(), ..Actor::default() };
    Authority::of_user(actor, tenant.clone())
}

#[derive(Clone, Default)]
struct Body {
    name: String,
    client: Option<Client>,
}

#[derive(Clone, Default)]
struct Client {
    id: Option<String>,
    secret: Option<String>,
    scopes: Vec<String>,
}

fn service(name: &str, client: Client) -> Body {
    Body { name: name.to_owned(), client: Some(client) }
}

fn with_id(id: &str) -> Client {
    Client { id: Some(id.to_owned()), ..Client::default() }
}

/// Keeps the client id, as an interface that shows the id does.
fn translate(body: &Body, context: ApplicationContext<'_>) -> ApplicationDraft {
    let client = body.client.as_ref().map(|client| {
        let id = client.id.as_deref().map(|id| ClientId::parse(id).unwrap());
        let id = id.unwrap_or_else(|| context.client_id.clone());
        registry::Client {
            authentication_method: ClientAuthenticationMethod::ClientSecret,
            scope: Scope::parse(&client.scopes.join(" ")).unwrap_or_default(),
            ..registry::Client::new(context.tenant.id.clone(), id)
        }
    });
    let id = client.as_ref().map_or(context.client_id, |client| &client.id);
    ApplicationDraft { document: json!({ "client_id": id.to_string() }), client }
}

async fn put(
    env: &TestEnv,
    by: &Authority,
    tenant: &TenantId,
    replaces: Option<ApplicationId>,
    body: &Body,
) -> Answer {
    let client = body.client.clone().unwrap_or_default();
    let (client_id, secret) = (client.id.as_deref(), client.secret.map(Secret::new));
    let put = PutApplication { replaces, name: &body.name, client_id, secret: secret.as_ref() };
    let translate = |context: ApplicationContext<'_>| Ok(translate(body, context));
    env.administrator.of(&caller(by, NOW), tenant).put_application(put, &translate).await
}

async fn create(env: &TestEnv, tenant: &TenantId, body: &Body) -> Answer {
    put(env, &user(tenant), tenant, None, body).await
}

async fn replace(env: &TestEnv, tenant: &TenantId, id: ApplicationId, body: &Body) -> Answer {
    put(env, &user(tenant), tenant, Some(id), body).await
}

async fn shown(env: &TestEnv, tenant: &TenantId, id: ApplicationId) -> Answer {
    env.administrator.of(&caller(&user(tenant), NOW), tenant).application(id).await
}

/// Two processes replace one application. Each has read the state before the other's commit.
async fn race(first: &TestEnv, tenant: &TenantId, id: ApplicationId, bodies: [Body; 2]) -> Vec<Answer> {
    let store = Arc::clone(&first.store);
    let (written, mut calls) = (store.audit().len(), store.calls().administration);
    let mut held = store.hold_answers().await;
    let writers = bodies.map(|body| {
        let (env, tenant) = (first.beside(), tenant.clone());
        tokio::spawn(async move { replace(&env, &tenant, id, &body).await })
    });
    loop {
        calls += 2;
        store.until(|now| now.administration >= calls).await;
        drop(held);
        if store.audit().len() > written {
            break;
        }
        held = store.hold_answers().await;
    }
    let [one, two] = writers;
    let answers = vec![one.await.unwrap(), two.await.unwrap()];
    assert!(store.calls().administration > calls, "who came second has looked again");
    answers
}

/// Two processes replace the whole application, one with "one", the other with "two". The row contains the
/// value of the later one.
async fn check(before: Body, secrets: [&str; 2]) {
    let env = env();
    let (acme, globex) = (env.tenant("acme").await, env.tenant("globex").await);
    let made = create(&env, &acme, &before).await.unwrap();
    let others = create(&env, &globex, &before).await.unwrap();
    let id = made.application.id;
    let body = |name: &str, secret: &str| {
        let (secret, scopes) = (Some(secret.to_owned()), vec![name.to_owned()]);
        service(name, Client { secret, scopes, ..Client::default() })
    };
    let bodies = [body("one", secrets[0]), body("two", secrets[1])];
    let answers: Vec<_> = race(&env, &acme, id, bodies).await.into_iter().map(Result::unwrap).collect();

    let now = shown(&env, &acme, id).await.unwrap();
    let last = answers.iter().find(|answer| answer.application.name == now.application.name).unwrap();
    let client = now.application.client.clone().unwrap();
    for ApplicationState { application, .. } in &answers {
        assert_eq!(application.client.as_ref(), Some(&client), "one client for both");
        assert_eq!(application.document["client_id"], client.as_str(), "the translation knows the client");
    }
    let row = env.store.find_client(&acme, &client).await.unwrap().unwrap();
    assert_eq!((&row.name, row.scope.to_string()), (&now.application.name, now.application.name.clone()));
    let live: Vec<_> = row.secrets.iter().filter(|secret| secret.is_live(NOW)).collect();
    let [live] = live.as_slice() else { panic!("{live:?}") };
    let sent = last.secret.as_ref().unwrap().expose();
    assert!(match &live.hash {
        SecretHash::Password(phc) => {
            let sent = Secret::new(sent.to_owned());
            live.hash.matches(&hash_password(&sent, &salt_of(phc).unwrap()).unwrap())
        }
        SecretHash::Token(_) => env.opens(&acme, &client, sent, NOW).await,
    });

    let theirs = shown(&env, &globex, others.application.id).await.unwrap().application;
    assert_eq!((&theirs.name, &theirs.client), (&before.name, &others.application.client));
}

/// If there is no client yet, each writer adds a client and a secret that was hashed for that client.
#[tokio::test]
async fn later_of_two_writers_of_an_application_wins() {
    let generated = [GeneratedSecret::generate(), GeneratedSecret::generate()];
    let generated = [generated[0].secret.expose(), generated[1].secret.expose()];
    for secrets in [["the second", "the third"], generated] {
        for before in [service("app", first()), Body { name: "app".to_owned(), client: None }] {
            check(before, secrets).await;
        }
    }
}

fn first() -> Client {
    Client { secret: Some("the first".to_owned()), ..with_id("svc") }
}

#[tokio::test]
async fn replaced_application_keeps_its_clients_description() {
    let env = env();
    for (tenant, words) in [("acme", "Sends the bills"), ("globex", "Counts")] {
        let tenant = env.tenant(tenant).await;
        let made = create(&env, &tenant, &service("app", first())).await.unwrap();
        let (svc, patch) = (client_id("svc"), json!({ "description": words }));
        env.administrator.of(&now(), &tenant).patch::<registry::Client>(&svc, patch).await.unwrap();
        let renamed = replace(&env, &tenant, made.application.id, &service("renamed", with_id("svc"))).await;
        assert_eq!(renamed.unwrap().client.unwrap().description.as_deref(), Some(words));
    }
}

#[tokio::test]
async fn applications_require_the_clients_permission() {
    let env = env();
    let (acme, globex) = (env.tenant("acme").await, env.tenant("globex").await);
    let made = create(&env, &acme, &service("app", Client::default())).await.unwrap();
    let (id, stranger, body) = (made.application.id, user(&globex), service("app", Client::default()));
    let (administrator, by) = (&env.administrator, &caller(&stranger, NOW));
    for refused in [
        administrator.of(by, &acme).application(id).await.map(drop),
        administrator.of(by, &acme).application(ApplicationId::random()).await.map(drop),
        administrator.of(by, &acme).applications(0, 9).await.map(drop).map_err(Into::into),
        put(&env, &stranger, &acme, None, &body).await.map(drop),
        put(&env, &stranger, &acme, Some(id), &body).await.map(drop),
        administrator.of(by, &acme).delete_application(id).await,
    ] {
        let forbidden = ApplicationError::Edit(EditError::Forbidden(Permission::Clients));
        assert_eq!(refused.unwrap_err().to_string(), forbidden.to_string());
    }
    let absent = administrator.of(by, &globex).application(id).await;
    assert!(matches!(&absent, Err(ApplicationError::NotFound)), "{absent:?}");
}

//! Tests rows that this version cannot read, because a newer version wrote them or because they are damaged.

use std::sync::Arc;

use accounts::Account;
use administration::administrator::{AccountFilter, Administrator, Caller, EditPolicy};
use administration::documents::Page;
use administration::documents::application::{Application, ApplicationId};
use administration::edit::EditError;
use administration::kinds::Change;
use administration::kinds::authority::{Actor, Authority};
use administration::kinds::change::{ChangeKind, RowChange};
use administration::store::AdministrationStore;
use administration::store::query::AuditQuery;
use administration::{edit, kinds};
use keys::{KeyPool, SealingKey};
use registry::{ApiKey, ApiKeyId, Client};
use secrets::{Pepper, SecretHash};
use serde_json::json;
use tenancy::{StoreError, TenantId};
use testkit::fixtures::{self, NOW};
use testkit::requests;
use values::{Lifetime, Timestamp};

use crate::sandbox::Sandbox;

const GOOD_KEY: &str = "000000000001";
const BAD_KEY: &str = "000000000002";

pub(crate) fn administrator(store: Arc<dyn AdministrationStore>) -> Administrator {
    let policy = EditPolicy {
        public_url: "https://id.example.com".to_owned(),
        live_secrets: 5,
        api_keys: 10,
        clients: 5,
        deletion_grace: Lifetime::from_seconds(60),
        l1_lifetime: Lifetime::from_seconds(10),
        urls: administration::rules::UrlRule::default(),
        mail: administration::mail::MailPolicy::default(),
    };
    let (sealer, pepper) = (Arc::new(SealingKey::generate().unwrap()), Arc::new(Pepper::generate()));
    let (publish, clock) = (Arc::new(|_: &[_]| {}), Arc::new(|| NOW));
    Administrator::new(store, sealer, pepper, KeyPool::new(0), policy, publish, clock)
}

/// Creates a tenant with two rows of each kind.
async fn add(store: &dyn AdministrationStore, id: &str) -> [ApplicationId; 2] {
    let tenant = fixtures::tenant(id);
    let [svc, bad, of_bad] = ["svc", "bad", "of-app"].map(|id| fixtures::client(&tenant, id));
    let mut request = requests::added(&tenant, &[&svc, &bad, &of_bad]);
    let accounts = [1, 2].map(|number| requests::account(&tenant.id, number, &[]));
    request
        .edit
        .changes
        .extend(accounts.map(|row| Change::Account(RowChange::new(ChangeKind::Added, None, row))));
    let key = |id: &str| {
        let hash = SecretHash::token([1; 32]);
        let key = ApiKey::new(&svc, id.parse().unwrap(), hash, "hint".to_owned(), NOW);
        ApiKey { expires_at: Timestamp::from_seconds(NOW.seconds() + 900), ..key }
    };
    let keys = [GOOD_KEY, BAD_KEY].map(key);
    request.edit.changes.extend(keys.map(|row| Change::ApiKey(RowChange::new(ChangeKind::Added, None, row))));
    let applications = [("good", None), ("bad", Some(of_bad.id.clone()))].map(|(name, client)| Application {
        tenant: tenant.id.clone(),
        id: ApplicationId::random(),
        name: name.to_owned(),
        client,
        document: json!({}),
        created_at: NOW,
    });
    let ids = applications.each_ref().map(|application| application.id);
    let added = |row| Change::Application(RowChange::new(ChangeKind::Added, None, row));
    request.edit.changes.extend(applications.map(added));
    requests::commit(store, &request).await.unwrap();
    ids
}

/// The ids of a page's readable rows, and those of its unreadable rows.
fn found<T>(page: Page<T>, id: impl Fn(&T) -> String) -> (Vec<String>, Vec<String>) {
    (page.items.iter().map(id).collect(), page.unreadable)
}

/// The lists of clients, accounts and API keys, and the number of applications.
async fn listed(
    administrator: &Administrator,
    caller: &Caller,
    tenant: &TenantId,
) -> ([(Vec<String>, Vec<String>); 3], (u64, usize)) {
    let clients = administrator.of(caller, tenant).clients(None, None, 10).await.unwrap();
    let all = AccountFilter::default();
    let accounts = administrator.of(caller, tenant).accounts(all, None, 10).await.unwrap();
    let every = kinds::api_key::Query { limit: 10, ..kinds::api_key::Query::default() };
    let keys = administrator.of(caller, tenant).api_keys(every, None).await.unwrap();
    let (total, applications) = administrator.of(caller, tenant).applications(0, 10).await.unwrap();
    let pages = [
        found(clients, |client| client.client_id.clone()),
        found(accounts, |account| account.account_id.clone()),
        found(keys, |key| key.id.clone()),
    ];
    (pages, (total, applications.len()))
}

// [third 4]
#[tokio::test]
async fn unreadable_rows_are_listed_and_deletable() {
    let sandbox = Sandbox::new().await;
    let store = sandbox.stores().await;
    let ([_, bad_application], _) = (add(&*store, "acme").await, add(&*store, "globex").await);
    let [acme, globex] = ["acme", "globex"].map(fixtures::tenant_id);
    let bad_account = requests::account(&acme, 2, &[]).id;
    let named = |id: &str| format!("WHERE tenant_id = 'acme' AND {id}");
    for statement in [
        "UPDATE clients SET managed_by = 'api'".to_owned(),
        "UPDATE accounts SET managed_by = 'api'".to_owned(),
        format!("UPDATE clients SET settings = 'no JSON' {}", named("client_id = 'bad'")),
        format!("UPDATE accounts SET claims = '[]' {}", named(&format!("account_id = '{bad_account}'"))),
        format!("UPDATE api_keys SET hash = 'newer$x' {}", named(&format!("api_key_id = '{BAD_KEY}'"))),
        format!("UPDATE applications SET document = '{{' {}", named("name = 'bad'")),
    ] {
        sandbox.execute(&statement).await;
    }
    let administrator = administrator(store.clone());
    let operator = Authority::operator(Actor { name: "cli:root".to_owned(), ..Actor::default() });
    let caller = Caller::new(operator, NOW);
    let of_globex = listed(&administrator, &caller, &globex).await;
    assert_eq!(of_globex.0.each_ref().map(|(_, unreadable)| unreadable.len()), [0; 3]);
    let (pages, applications) = listed(&administrator, &caller, &acme).await;
    let (svc, key) = (fixtures::client_id("svc"), BAD_KEY.parse::<ApiKeyId>().unwrap());
    let (bad, of_bad) = (fixtures::client_id("bad"), fixtures::client_id("of-app"));
    let good_account = requests::account(&acme, 1, &[]).id.to_string();
    let texts = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    let expected = [
        (texts(&[of_bad.as_str(), svc.as_str()]), texts(&[bad.as_str()])),
        (texts(&[&good_account]), texts(&[bad_account.as_str()])),
        (texts(&[GOOD_KEY]), texts(&[BAD_KEY])),
    ];
    assert_eq!((pages, applications), (expected, (2, 1)));
    // The next page starts after a row that cannot be read.
    let first = administrator.of(&caller, &acme).clients(None, None, 1).await.unwrap();
    assert_eq!((first.items.len(), first.unreadable), (0, texts(&[bad.as_str()])));
    let rest = administrator.of(&caller, &acme).clients(None, first.next_cursor.as_deref(), 9).await.unwrap();
    assert_eq!((rest.items.len(), rest.unreadable.len()), (2, 0));
    let patched = administrator.of(&caller, &acme).patch::<Client>(&bad, json!({ "name": "A" })).await;
    assert!(matches!(patched, Err(EditError::Store(StoreError::Fault(_)))), "{patched:?}");
    let suspended = administrator.of(&caller, &acme).step::<Client>(&bad, edit::client::Step::Suspend).await;
    assert!(matches!(suspended, Err(EditError::Store(StoreError::Fault(_)))), "{suspended:?}");
    // The unreadable row may have any permission of its tenant.
    let held = fixtures::scope("latchkey:clients latchkey:accounts");
    let lower =
        Authority::of_tenant(Actor { name: "lower".to_owned(), ..Actor::default() }, acme.clone(), &held);
    let lower = Caller::new(lower, NOW);
    let refused = administrator.of(&lower, &acme).step::<Client>(&bad, edit::client::Step::Delete).await;
    assert!(matches!(refused, Err(EditError::InsufficientPrivilege(_))), "{refused:?}");
    let refused =
        administrator.of(&lower, &acme).step::<Account>(&bad_account, edit::account::Step::Delete).await;
    assert!(matches!(refused, Err(EditError::InsufficientPrivilege(_))), "{refused:?}");

    let revoked = administrator
        .of(&caller, &acme)
        .step::<ApiKey>(&(svc.clone(), key), edit::api_key::Step::Revoke)
        .await;
    assert_eq!(revoked.unwrap().id, BAD_KEY);
    administrator.of(&caller, &acme).step::<Client>(&bad, edit::client::Step::Delete).await.unwrap();
    administrator
        .of(&caller, &acme)
        .step::<Account>(&bad_account, edit::account::Step::Delete)
        .await
        .unwrap();
    administrator.of(&caller, &acme).delete_application(bad_application).await.unwrap();
    let (pages, applications) = listed(&administrator, &caller, &acme).await;
    let expected = [texts(&[svc.as_str()]), texts(&[&good_account]), texts(&[GOOD_KEY, BAD_KEY])];
    assert_eq!((pages, applications), (expected.map(|ids| (ids, Vec::new())), (1, 1)));
    let query = AuditQuery { tenant: Some(acme.clone()), limit: 100, ..AuditQuery::default() };
    let records = store.list_audit(&query).await.unwrap();
    let deleted =
        |(_, record): &&(i64, administration::audit::AuditRecord)| record.action == "client.deleted";
    assert_eq!(records.iter().filter(deleted).count(), 2, "{records:?}");
    assert_eq!(listed(&administrator, &caller, &globex).await, of_globex);
}

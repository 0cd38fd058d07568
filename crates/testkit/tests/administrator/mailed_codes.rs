//! Tests mailed codes: they work once on all replicas, and a message ends with its code.

use accounts::{AccountId, CodeTries, SignInThrottling};
use administration::administrator::CodePage;
use administration::documents::{AccountView, NewAccount};
use administration::edit::EditError;
use administration::mail::{MailLane, MailOutbox as _, MailSealer};
use serde_json::{Value, json};
use tenancy::{Tenant, TenantStore as _};
use testkit::at_once;
use testkit::fixtures::NOW;
use values::{Letter, Secret};

use crate::test_env::{TestEnv, env, later, now};

/// A tenant that signs people in, and an account of it.
async fn with_account(env: &TestEnv, account: Value) -> (Tenant, AccountId) {
    let (acme, _) = env.made(json!({ "id": "acme", "strategies": { "oidc": { "enabled": true } } })).await;
    let new = NewAccount::read(account).unwrap();
    let made: AccountView = env.administrator.of(&now(), &acme).create_account(new).await.unwrap().value;
    let tenant = env.store.find_tenant(&acme).await.unwrap().unwrap();
    ((*tenant).clone(), made.account_id.parse().unwrap())
}

const fn page(tenant: &Tenant) -> CodePage<'_> {
    CodePage { tenant, identifier: "ada@example.com", page: "page", began: NOW, source: None, now: NOW }
}

/// The letters that wait after a person has asked for a code.
async fn asked(env: &TestEnv, tenant: &Tenant) -> Vec<Letter> {
    let tries = CodeTries::new(SignInThrottling::default());
    env.administrator.ask_recovery(&tries, page(tenant)).await.unwrap().unwrap();
    let due = env.store.due_mail(NOW, (10, 10), &MailLane::Except(Vec::new()), None).await.unwrap();
    due.iter().map(|queued| MailSealer::new(&env.pepper).open(queued).unwrap().letter).collect()
}

// [attacks #43]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn code_works_once_on_all_replicas() {
    let one = env();
    let (tenant, account) = with_account(&one, json!({ "email": "ada@example.com" })).await;
    let letter = asked(&one, &tenant).await.remove(0);
    let is_current = async |at| one.administrator.mail_is_current(&tenant.id, &account, &letter, at).await;
    assert!(is_current(NOW).await.unwrap());
    let uses = (0..8).map(|_| {
        let (env, tenant, code) = (one.beside(), tenant.clone(), letter.code.clone().unwrap());
        async move {
            let tries = CodeTries::new(SignInThrottling::default());
            let read = env.administrator.read_typed_code(&tries, page(&tenant), None, &code).await.unwrap();
            let password = Some(Secret::new("nine lanterns beside the river".to_owned()));
            match read {
                Some(code) => {
                    env.administrator.set_password_by_code(&tenant.id, &code, password, None, NOW).await
                }
                None => Err(EditError::NotFound("code")),
            }
        }
    });
    let used = at_once(uses).await;
    assert_eq!(used.iter().filter(|used| used.is_ok()).count(), 1, "{used:?}");
    assert!(used.iter().all(|used| matches!(used, Ok(()) | Err(EditError::NotFound(_)))), "{used:?}");
    assert!(!is_current(later(1)).await.unwrap(), "a message that waits is not sent any more");
}

#[tokio::test]
async fn administrators_recover_only_if_the_platform_allows_it() {
    for allowed in [false, true] {
        let env = if allowed { crate::test_env::env_that_recovers_administrators() } else { env() };
        let account = json!({ "email": "ada@example.com", "permissions": ["latchkey:keys"] });
        let (tenant, _) = with_account(&env, account).await;
        assert_eq!(asked(&env, &tenant).await.len(), usize::from(allowed));
    }
}

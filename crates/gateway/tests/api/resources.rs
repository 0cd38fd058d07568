//! The rules that all resources of the admin API share: pages, entity tags, repeated creations,
//! steps, the audit, and isolation from the other tenant. The file of a resource tests its own
//! rules.

use crate::prelude::*;

const DAY: u64 = 24 * 3600;
/// A resource whose rows can be created, changed and deleted.
struct Resource {
    /// The noun in the audit.
    noun: &'static str,
    /// The member that contains the id of a row.
    id: &'static str,
    /// The path of a tenant's rows.
    path: fn(&str) -> String,
    /// The document of a new row.
    new: fn(&str) -> Value,
    /// A merge patch.
    patch: fn(&str) -> Value,
    /// The tenant's administrator who manages the resource. `None` for tenants, which only the
    /// platform manages.
    manager: Option<&'static str>,
}

const RESOURCES: [Resource; 3] = [
    Resource {
        noun: "tenant",
        id: "id",
        path: |_| TENANTS.to_owned(),
        new: |name| json!({ "id": name }),
        patch: |name| json!({ "name": name }),
        manager: None,
    },
    Resource {
        noun: "client",
        id: "client_id",
        path: clients_path,
        // The path has to be percent-encoded.
        new: |name| json!({ "client_id": format!("{name} \u{e4}/1") }),
        patch: |name| json!({ "name": name }),
        manager: Some(BOSS),
    },
    Resource {
        noun: "account",
        id: "account_id",
        path: accounts_path,
        new: |name| json!({ "username": name }),
        patch: |name| json!({ "claims": { "name": name } }),
        manager: Some(STEWARD),
    },
];

impl Resource {
    /// Returns the path of the row.
    async fn create(&self, test_env: &TestEnv, token: &str, tenant: &str, name: &str) -> String {
        let made = test_env.post(token, &(self.path)(tenant), (self.new)(name)).await;
        assert_eq!(made.status, 201, "{}", made.body);
        made.assert_not_stored();
        made.header("location").to_owned()
    }

    /// The token of the tenant's own manager if there is one, otherwise of the platform's.
    async fn manager(&self, test_env: &TestEnv, tenant: &str) -> String {
        match self.manager {
            Some(client) => test_env.token(tenant, client).await,
            None => test_env.token(PLATFORM, OPS).await,
        }
    }
}

/// Fetches all pages of a list. Calls `meanwhile` after each page.
async fn walk(
    (test_env, token): (&TestEnv, &str),
    (resource, tenant): (&Resource, &str),
    limit: usize,
    meanwhile: impl AsyncFnMut(usize),
) -> Vec<String> {
    let items = test_env.pages(token, &(resource.path)(tenant), limit, meanwhile).await;
    items.iter().map(|item| text(item, resource.id).to_owned()).collect()
}

#[tokio::test]
async fn paged_list_has_each_row_once_in_order() {
    let test_env = TestEnv::start();
    for resource in &RESOURCES {
        for (tenant, _) in BOTH {
            let token = resource.manager(&test_env, tenant).await;
            let (list, by) = ((resource, tenant), (&test_env, &*token));
            for number in 0..7 {
                resource.create(&test_env, &token, tenant, &format!("{tenant}-{number}")).await;
            }
            let whole = walk(by, list, 200, async |_| {}).await;
            assert!(whole.len() >= 7 && (resource.noun == "account" || whole.is_sorted()), "{whole:?}");
            for limit in [1, 2, 5, whole.len()] {
                assert_eq!(walk(by, list, limit, async |_| {}).await, whole, "{limit}");
            }
            let seen = walk(by, list, 3, async |page| {
                resource.create(&test_env, &token, tenant, &format!("a-{tenant}-{page}")).await;
            });
            let seen: Vec<_> = seen.await.into_iter().filter(|id| whole.contains(id)).collect();
            assert_eq!(seen, whole, "what is added meanwhile moves nothing");
        }
    }
}

// [limits #30]: page of a list | 200 | 400
#[tokio::test]
async fn invalid_page_parameters_are_refused() {
    let (test_env, ops) = TestEnv::with_ops().await;
    for resource in &RESOURCES {
        for path in BOTH.map(|(tenant, _)| (resource.path)(tenant)) {
            for (query, pointer) in [
                ("limit=0", "/limit"),
                ("limit=201", "/limit"),
                ("limit=x", "/limit"),
                ("cursor=!", "/cursor"),
                ("cursor=_w", "/cursor"),
                ("limit=1&limit=2", "/limit"),
                // A cursor of a search text with a NUL and of the row `acme`.
                ("cursor=YQAKYWNtZQ", "/cursor"),
            ] {
                test_env.get(&ops, &format!("{path}?{query}")).await.assert_faulty(&[pointer]);
            }
            assert_eq!(test_env.get(&ops, &format!("{path}?colour=red&limit=&cursor=")).await.status, 200);
        }
    }
}

/// RFC 9110 §13.
#[tokio::test]
async fn entity_tag_prevents_lost_updates() {
    let test_env = TestEnv::start();
    for resource in &RESOURCES {
        for (tenant, _) in BOTH {
            let token = resource.manager(&test_env, tenant).await;
            let path = resource.create(&test_env, &token, tenant, &format!("{tenant}-2")).await;
            check_tag(&test_env, &token, &path, resource.patch).await;
        }
    }
}

async fn check_tag(test_env: &TestEnv, token: &str, path: &str, patch: fn(&str) -> Value) {
    let ask_with = async |method, path: &str, tag: (&str, &str)| {
        let body = (method == Method::PATCH).then(|| patch(tag.1));
        let headers = vec![(tag.0, tag.1.to_owned())];
        test_env.ask(token, Ask { body, headers, ..ask(method, path) }).await
    };
    let first = test_env.get(token, path).await.header("etag").to_owned();
    assert!(first.starts_with('"') && first.ends_with('"') && first.len() > 10, "{first}");
    assert_eq!(test_env.get(token, path).await.header("etag"), first, "it stays while nothing changes");
    for tags in [first.clone(), format!("W/{first}"), format!("\"x\", {first}"), "*".to_owned()] {
        let known = ask_with(Method::GET, path, ("if-none-match", &tags)).await;
        let found = (known.status, known.body.as_str(), known.header("etag"));
        assert_eq!(found, (304, "", first.as_str()), "{tags}");
    }
    ask_with(Method::GET, path, ("if-none-match", "\"x\"")).await.assert_status(200);
    assert_eq!(test_env.ask(token, ask(Method::HEAD, path)).await.header("etag"), first);

    let patched = ask_with(Method::PATCH, path, ("if-match", &first)).await;
    let second = patched.header("etag").to_owned();
    assert_eq!(patched.status, 200, "{}", patched.body);
    assert_ne!(first, second);
    let looked = test_env.get(token, path).await;
    assert_eq!((looked.header("etag"), looked.json()), (&*second, patched.json()), "a change is answered");

    let (suspend, resume) = (format!("{path}/suspend"), format!("{path}/resume"));
    for stale in [first.clone(), format!("W/{second}"), "x".to_owned(), "\"\"".to_owned()] {
        for (method, path) in
            [(Method::PATCH, path), (Method::POST, &suspend), (Method::POST, &resume), (Method::DELETE, path)]
        {
            ask_with(method, path, ("if-match", &stale)).await.assert_problem(412, "stale");
        }
    }
    assert_eq!(test_env.get(token, path).await.header("etag"), second);
    for fresh in [format!("{first}, {second}"), "*".to_owned()] {
        ask_with(Method::POST, &suspend, ("if-match", &fresh)).await.assert_status(200);
        test_env.step(token, &resume).await;
        test_env.patch(token, path, patch(&first)).await;
    }
}

// [parties #3]: an administrator of a tenant | what its `latchkey:` scopes allow, in its own tenant; with
//   `latchkey:clients` also test guesses at secrets, which `…/explain` [throttles](#limits) like any attempt
//   | access another tenant or the platform, or grant a `latchkey:` scope that it lacks ([who may do
//   what](administration.md#who-may-do-what))
/// Every kind of change, by a manager of the tenant and by one of the platform.
#[tokio::test]
async fn changes_are_audited_and_hidden_from_other_tenants() {
    let (test_env, ops) = TestEnv::with_ops().await;
    for resource in &RESOURCES {
        for (tenant, other) in BOTH {
            let own = resource.manager(&test_env, tenant).await;
            for (token, name) in [(&own, format!("{tenant}-3")), (&ops, format!("{tenant}-4"))] {
                let path = resource.create(&test_env, token, tenant, &name).await;
                let elsewhere = path.replace(&tenant_path(tenant, ""), &tenant_path(other, ""));
                if resource.manager.is_some() {
                    test_env.get(&ops, &elsewhere).await.assert_problem(404, "not-found");
                    let stranger = resource.manager(&test_env, other).await;
                    test_env.get(&stranger, &path).await.assert_problem(401, "invalid-token");
                }
                // The second step changes nothing and creates no audit record.
                for _ in 0..2 {
                    test_env.patch(token, &path, (resource.patch)("Other")).await.assert_status(200);
                }
                test_env.patch(token, &path, json!([])).await.assert_problem(400, "invalid-request");
                let steps = [("suspend", "suspended"), ("resume", "active")];
                for (verb, status) in steps.into_iter().flat_map(|step| [step; 2]) {
                    let stepped = test_env.step(token, &format!("{path}/{verb}")).await.json_of(200);
                    assert_eq!(stepped["status"], status);
                    assert_eq!(test_env.get(token, &path).await.json(), stepped);
                }
                let id = path.rsplit('/').next().unwrap();
                let mut expected = ["added", "changed", "suspended", "resumed"].to_vec();
                if resource.manager.is_some() {
                    let deleted = test_env.delete(token, &path).await;
                    assert_eq!((deleted.status, deleted.body.as_str()), (204, ""));
                    test_env.get(token, &path).await.assert_problem(404, "not-found");
                    test_env.delete(token, &path).await.assert_problem(404, "not-found");
                    test_env.step(token, &format!("{path}/resume")).await.assert_problem(404, "not-found");
                    expected.push("deleted");
                }
                let action = format!("{}.", resource.noun);
                let audit = format!("/api/v1/admin/audit?action={action}&subject={id}&limit=200");
                let records = test_env.get(&ops, &audit).await.json()["items"].as_array().unwrap().clone();
                let of = if resource.manager.is_some() { tenant } else { id };
                assert!(records.iter().all(|record| record["tenant"] == of), "{records:?}");
                let actions = records.iter().rev().map(|record| record["action"].as_str().unwrap());
                let actions: Vec<_> = actions.map(|it| it.strip_prefix(&action).unwrap()).collect();
                assert_eq!(actions, expected, "{id}");
            }
        }
    }
}

#[tokio::test]
async fn repeated_creation_is_performed_once() {
    let (test_env, ops) = TestEnv::with_ops().await;
    for (tenant, _) in BOTH {
        test_env.post(&ops, &clients_path(tenant), json!({ "client_id": "web" })).await;
        let secrets = format!("{}/web/secrets", clients_path(tenant));
        let mut creations = vec![
            (secrets.clone(), json!({}), json!({ "expires_at": "2027-01-01T00:00:00Z" })),
            (format!("{secrets}/rotate"), json!({ "grace": 60 }), json!({ "grace": 61 })),
        ];
        for Resource { path, new, .. } in &RESOURCES {
            creations.push((path(tenant), new(&format!("{tenant}-5")), new(&format!("{tenant}-6"))));
        }
        for (path, body, other) in creations {
            // All operations use the same value. Each operation has its own keys.
            let key = format!("key of {tenant}");
            let first = test_env.repeatable(&ops, &path, &key, &body).await;
            assert_eq!((first.status, first.header("idempotency-replayed")), (201, ""), "{}", first.body);
            let again = test_env.repeatable(&ops, &path, &key, &body).await;
            assert_eq!((again.status, again.header("idempotency-replayed")), (201, "true"));
            let shown = |answer: &Answer| {
                let headers = ["location", "etag"].map(|name| answer.header(name).to_owned());
                (answer.body.clone(), headers)
            };
            assert_eq!(shown(&again), shown(&first));
            let another = test_env.repeatable(&ops, &path, &key, &other).await;
            another.assert_problem(422, "idempotency-key-reused");
            let fresh = test_env.repeatable(&ops, &path, &format!("{key} 2"), &other).await;
            assert_eq!((fresh.status, fresh.header("idempotency-replayed")), (201, ""), "{}", fresh.body);
        }
        let live = test_env.get(&ops, &secrets).await.json()["items"].as_array().unwrap().len();
        assert_eq!(live, 5, "the first one, and two of each kind");
    }
}

#[tokio::test]
async fn idempotency_key_is_per_sender_and_expires() {
    let test_env = TestEnv::start();
    let (ops, clerk) = (test_env.token(PLATFORM, OPS).await, test_env.token(PLATFORM, CLERK).await);
    let body = json!({ "name": "x" });
    let mut ids = Vec::new();
    let replayed = |answer: &Answer| (answer.status, answer.header("idempotency-replayed") == "true");
    for (tenant, _) in BOTH {
        let (path, boss) = (clients_path(tenant), test_env.token(tenant, BOSS).await);
        for key in ["", &"k".repeat(256), "\u{e9}"] {
            test_env.repeatable(&boss, &path, key, &body).await.assert_problem(400, "invalid-request");
        }
        let longest = "k".repeat(255);
        let faulty = test_env.repeatable(&boss, &path, &longest, &json!({ "scopes": 1 })).await;
        faulty.assert_problem(400, "invalid-request");
        for token in [&ops, &clerk, &boss] {
            let made = test_env.repeatable(token, &path, &longest, &body).await;
            assert_eq!(replayed(&made), (201, false), "a refusal is not kept: {}", made.body);
            ids.push(made.text("client_id"));
            assert_eq!(replayed(&test_env.repeatable(token, &path, &longest, &body).await), (201, true));
        }
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 6);
    test_env.app.pass(DAY);
    for (tenant, boss) in test_env.of_each(BOSS).await {
        let late = test_env.repeatable(&boss, &clients_path(tenant), &"k".repeat(255), &body).await;
        assert_eq!(replayed(&late), (201, false));
    }
}

//! Pagination: rows that exist throughout appear exactly once, whatever is created and deleted in between.

use serde_json::json;

use crate::administrators::{BOSS, OPS, PLATFORM, TestEnv, clients_path};
use crate::app::{ACME, GLOBEX};

const TENANTS: &str = "/api/v1/admin/tenants";

/// All ids of a list, in pages of this size; calls `between` after each page.
async fn walk(
    test_env: &TestEnv,
    token: &str,
    (path, name): (&str, &str),
    limit: usize,
    mut meanwhile: impl AsyncFnMut(usize),
) -> Vec<String> {
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    for page in 0.. {
        let answer = test_env.get(token, &format!("{path}?limit={limit}&cursor={cursor}")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let body = answer.json();
        let items = body["items"].as_array().unwrap();
        assert!(items.len() <= limit);
        seen.extend(items.iter().map(|item| item[name].as_str().unwrap().to_owned()));
        let Some(next) = body["next_cursor"].as_str() else { break };
        assert_eq!(items.len(), limit, "a page that is not the last one is full");
        next.clone_into(&mut cursor);
        meanwhile(page).await;
    }
    seen
}

#[tokio::test]
async fn tenants_are_listed_in_order_without_gap_or_repetition() {
    let test_env = TestEnv::start();
    let ops = test_env.token(PLATFORM, OPS).await;
    for number in 0..9 {
        let id = format!("t-{number}");
        assert_eq!(
            test_env.post(&ops, TENANTS, json!({ "id": id, "name": format!("Shop {number}") })).await.status,
            201
        );
    }
    let mut expected: Vec<_> = (0..9).map(|number| format!("t-{number}")).collect();
    expected.extend([ACME, GLOBEX, PLATFORM].map(str::to_owned));
    expected.sort();
    for limit in [1, 2, 5, 12, 200] {
        assert_eq!(walk(&test_env, &ops, (TENANTS, "id"), limit, async |_| {}).await, expected, "{limit}");
    }
    let seen = walk(&test_env, &ops, (TENANTS, "id"), 3, async |page| {
        test_env.post(&ops, TENANTS, json!({ "id": format!("a-{page}") })).await;
    })
    .await;
    assert_eq!(seen, expected, "what is added before the cursor is not seen, and moves nothing");
}

#[tokio::test]
async fn tenants_are_found_by_words_of_their_id_or_name() {
    let test_env = TestEnv::start();
    let ops = test_env.token(PLATFORM, OPS).await;
    for (id, name) in [("t-1", "Blue Shop"), ("t-2", "Red shop"), ("shopping", "Other")] {
        test_env.post(&ops, TENANTS, json!({ "id": id, "name": name })).await;
    }
    for (search, expected) in [
        ("shop", vec!["shopping", "t-1", "t-2"]),
        ("SHOP", vec!["shopping", "t-1", "t-2"]),
        ("red%20shop", vec!["t-2"]),
        ("hop", vec![]),
        ("nobody", vec![]),
    ] {
        let body = test_env.get(&ops, &format!("{TENANTS}?search={search}")).await.json();
        let mut found: Vec<_> =
            body["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
        found.sort_unstable();
        assert_eq!(found, expected, "{search}");
    }
}

#[tokio::test]
async fn clients_are_listed_in_order_without_gap_or_repetition_and_only_the_tenants() {
    let test_env = TestEnv::start();
    for tenant in [ACME, GLOBEX] {
        let boss = test_env.token(tenant, BOSS).await;
        let path = clients_path(tenant);
        for id in ["a/1", "a 2", "ä3", "zz", &format!("of-{tenant}")] {
            assert_eq!(test_env.post(&boss, &path, json!({ "client_id": id })).await.status, 201);
        }
        let whole = walk(&test_env, &boss, (&path, "client_id"), 200, async |_| {}).await;
        assert!(whole.is_sorted() && whole.contains(&format!("of-{tenant}")), "{whole:?}");
        assert_eq!(whole.iter().filter(|id| id.starts_with("of-")).count(), 1, "{whole:?}");
        for limit in [1, 2, 3, 7] {
            assert_eq!(
                walk(&test_env, &boss, (&path, "client_id"), limit, async |_| {}).await,
                whole,
                "{limit}"
            );
        }
        let found = test_env.get(&boss, &format!("{path}?search=OF-")).await.json();
        assert_eq!(found["items"].as_array().unwrap().len(), 1);
        test_env.delete(&boss, &format!("{path}/of-{tenant}")).await;
        let found = test_env.get(&boss, &format!("{path}?search=of-")).await.json();
        assert_eq!(found["items"], json!([]));
    }
}

#[tokio::test]
async fn an_invalid_page_is_refused() {
    let test_env = TestEnv::start();
    let ops = test_env.token(PLATFORM, OPS).await;
    let lists = [TENANTS.to_owned(), clients_path(ACME), clients_path(GLOBEX)];
    for path in lists {
        for (query, pointer) in [
            ("limit=0", "/limit"),
            ("limit=201", "/limit"),
            ("limit=x", "/limit"),
            ("cursor=!", "/cursor"),
            ("cursor=_w", "/cursor"),
            ("limit=1&limit=2", "/limit"),
            ("search=a&search=b", "/search"),
            ("search=a%00b", "/search"),
            ("search=%0a", "/search"),
            // A term with a NUL, and acme.
            ("cursor=YQAKYWNtZQ", "/cursor"),
        ] {
            let refused = test_env.get(&ops, &format!("{path}?{query}")).await;
            refused.assert_problem(400, "invalid-request");
            assert_eq!(refused.pointers(), [pointer], "{query}");
        }
        assert_eq!(test_env.get(&ops, &format!("{path}?colour=red&limit=&cursor=")).await.status, 200);
    }
}

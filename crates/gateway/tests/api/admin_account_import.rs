//! `/api/v1/tenant/{id}/accounts/import`: the result of each line, and that an imported hash is
//! replaced at the first sign-in.

use accounts::{AccountPassword, AccountStore as _, Identifier};

use crate::prelude::*;

/// Hashes of `a long enough password`. All except those of bcrypt have the salt `somesaltsomesalt`.
const HASHES: [&str; 7] = [
    // Created by argon2-cffi: argon2.low_level.hash_secret.
    "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$i+QPuskUN/KOxb3BiS++DSP7d++Yte5dtlXnWhQxtZg",
    "$argon2i$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$51zNu3V3v1+1u7t4Nb8ojLqMTH3y8C/7HAvhY5uHvAQ",
    // Created by Python: hashlib.scrypt.
    "$scrypt$ln=4,r=8,p=1$c29tZXNhbHRzb21lc2FsdA$Vdz27N8usYUnOjB16ndCb0vCIeqGLZ2nBAmgg+9eInI",
    // Created by Python: hashlib.pbkdf2_hmac.
    "$pbkdf2-sha256$i=1000,l=32$c29tZXNhbHRzb21lc2FsdA$Qxr4PI47Fgd+/f2udX1iglbV2ZdMnN6dcaWtDauakLc",
    "$pbkdf2-sha512$i=1000,l=64$c29tZXNhbHRzb21lc2FsdA$0rAcOYXj5kBrUqdpJ4cBmkloNHBCYh8xatBTzDiihIUIvkKiWxXMfLze0bLqdR2nq3Nnfk4P5YBeyt5d6gMbkQ",
    // Created by bcrypt of PyPI. PHP and Apache write `2y` for the same function.
    "$2b$04$abcdefghijklmnopqrstuuv4UQqg0Mbs9qAvD51ZZetPbMVGfSHdO",
    "$2y$04$abcdefghijklmnopqrstuuv4UQqg0Mbs9qAvD51ZZetPbMVGfSHdO",
];

fn import_path(tenant: &str) -> String {
    format!("{}/import", accounts_path(tenant))
}

async fn send(test_env: &TestEnv, token: &str, tenant: &str, body: impl Into<Vec<u8>>) -> Answer {
    let request = test_env.app.request(Method::POST, &import_path(tenant)).bearer_auth(token);
    Answer::to(request.header("content-type", "application/x-ndjson").body(body.into())).await
}

fn text(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

async fn import(test_env: &TestEnv, token: &str, tenant: &str, lines: &[Value]) -> Vec<Value> {
    let answer = send(test_env, token, tenant, text(lines)).await;
    answer.assert_not_stored();
    let results = results(&answer);
    assert_eq!(results.len(), lines.len());
    results
}

fn results(answer: &Answer) -> Vec<Value> {
    answer.assert_status(200);
    let results: Vec<Value> = answer.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (index, result) in results.iter().enumerate() {
        assert_eq!(result["line"], index + 1);
    }
    results
}

fn words(results: &[Value]) -> Vec<&str> {
    results.iter().map(|result| result["result"].as_str().unwrap()).collect()
}

async fn stored(app: &TestApp, tenant: &str, identifier: &str) -> Option<AccountPassword> {
    let identifier = Identifier::parse(identifier).unwrap();
    let found = app.store.find_by_identifier(&fixtures::tenant_id(tenant), &identifier).await.unwrap();
    found.and_then(|(_, password)| password)
}

#[tokio::test]
async fn repeated_import_changes_nothing() {
    let test_env = TestEnv::start();
    for (tenant, other) in BOTH {
        let of_platform = test_env.token(PLATFORM, STEWARD).await;
        let own = test_env.token(tenant, STEWARD).await;
        let lines = [
            json!({
                "email": "Ada@Example.com", "email_verified": true, "username": "ada", "external_id": "7",
                "claims": { "name": "Ada" }, "groups": ["staff"], "password": PASSWORD,
            }),
            json!({ "username": "bob", "password_hash": HASHES[5] }),
            json!({ "email": "eve@example.com" }),
            json!({ "email": "ada@example.com", "password": "short" }),
            json!({ "email": "eve@example.com", "username": "ada" }),
            json!({ "username": "carol", "external_id": "7" }),
        ];
        let first = import(&test_env, &own, tenant, &lines).await;
        assert_eq!(words(&first), ["created", "created", "created", "exists", "refused", "refused"]);
        assert_eq!(first[3]["account_id"], first[0]["account_id"]);
        assert_eq!(first[4]["errors"][0]["pointer"], "/username");
        assert_eq!(first[5]["errors"][0]["pointer"], "/external_id");
        let path =
            |result| format!("{}/{}", accounts_path(tenant), crate::prelude::text(result, "account_id"));
        let ada = test_env.get(&own, &path(&first[0])).await.json();
        assert_eq!((&ada["email"], &ada["external_id"]), (&json!("ada@example.com"), &json!("7")));
        assert_eq!((&ada["email_verified"], &ada["groups"]), (&json!(true), &json!(["staff"])));
        assert!(ada["password_changed_at"].is_string() && ada["claims"]["name"] == "Ada");
        assert_eq!(test_env.get(&own, &path(&first[2])).await.json()["password_changed_at"], json!(null));

        let (rows, audit) = (test_env.app.store.calls(), test_env.app.store.audit());
        for token in [&own, &of_platform] {
            let again = import(&test_env, token, tenant, &lines).await;
            assert_eq!(words(&again), ["exists", "exists", "exists", "exists", "refused", "refused"]);
            assert_eq!(again[0]["account_id"], first[0]["account_id"]);
        }
        assert_eq!(test_env.app.store.audit(), audit, "nothing was committed");
        assert_eq!(test_env.app.store.calls().replace_password, rows.replace_password);
        assert_eq!(stored(&test_env.app, tenant, "bob").await.unwrap().to_string(), HASHES[5]);

        // The other tenant has none of the accounts, and the administrator of this tenant cannot
        // read the accounts of the other.
        let elsewhere = test_env.get(&of_platform, &accounts_path(other)).await.json();
        let names = column(&elsewhere, "account_id");
        assert!(first.iter().filter_map(|line| line["account_id"].as_str()).all(|id| !names.contains(&id)));
        let refused = send(&test_env, &own, other, text(&lines)).await;
        assert!(matches!(refused.status, 401 | 403), "{}", refused.body);
        assert_eq!(test_env.get(&of_platform, &accounts_path(other)).await.json(), elsewhere);
    }
}

#[tokio::test]
async fn foreign_hash_is_replaced_at_the_first_sign_in() {
    for (tenant, other) in BOTH {
        for hash in HASHES {
            let test_env = TestEnv::start();
            let app = &test_env.app;
            let secret = add_web_client(app, tenant, |_| {});
            for at in [tenant, other] {
                let token = test_env.token(at, STEWARD).await;
                let line = json!({ "email": EMAIL, "password_hash": hash });
                assert_eq!(words(&import(&test_env, &token, at, &[line]).await), ["created"], "{hash}");
            }
            assert_eq!(stored(app, tenant, EMAIL).await.unwrap().to_string(), hash);
            for sign_in in 1..=2 {
                let tokens = redeem(app, tenant, &secret, &Browser::new(app).code(tenant, &[]).await).await;
                assert_eq!(tokens.status, 200, "{sign_in} {hash} {}", tokens.body);
                assert!(stored(app, tenant, EMAIL).await.unwrap().to_string().starts_with("p2$"), "{hash}");
                assert_eq!(app.store.calls().replace_password, 1, "{sign_in} {hash}");
            }
            let untouched = stored(app, other, EMAIL).await.unwrap();
            assert_eq!(untouched.to_string(), hash, "the other tenant's account is another one");
        }
    }
}

#[tokio::test]
async fn hash_with_our_parameters_is_stored_as_ours() {
    let test_env = TestEnv::start();
    for (tenant, token) in test_env.of_each(STEWARD).await {
        // Created by the reference implementation in C, from `password` and `somesaltsomesalt`.
        let hash = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$K13EBUiG7JV+9ZxztmHFTdb7J0WQsnj2V8bZaqyPptE";
        let line = json!({ "username": "ada", "password_hash": hash });
        assert_eq!(words(&import(&test_env, &token, tenant, &[line]).await), ["created"]);
        assert!(stored(&test_env.app, tenant, "ada").await.unwrap().to_string().starts_with("p2$"));
    }
}

/// Invalid lines, each with the pointer of its error.
fn bad_lines() -> Vec<(String, &'static str)> {
    let of = |value: Value| value.to_string();
    let mut lines = vec![
        (String::new(), ""),
        ("{\"username\":\"x\"".to_owned(), ""),
        ("{\"username\":\"x\"} {\"username\":\"y\"}".to_owned(), ""),
        ("{\"username\":\"x\",\"username\":\"y\"}".to_owned(), "/username"),
        ("null".to_owned(), ""),
        ("username,email".to_owned(), ""),
        (format!("{{\"username\":\"x\",\"claims\":{{\"name\":\"{}\"}}}}", "a".repeat(65_536)), ""),
        (of(json!({})), ""),
        (of(json!({ "email": 7 })), "/email"),
        (of(json!({ "username": "x\0" })), "/username"),
        (of(json!({ "username": "x", "groups": ["a", "a"] })), "/groups/1"),
        (of(json!({ "username": "x", "claims": { "naem": "X" } })), "/claims/naem"),
        (of(json!({ "user_name": "x" })), "/user_name"),
        (of(json!({ "username": "x", "account_id": "usr_x" })), "/account_id"),
        (of(json!({ "username": "x", "password": { "value": "hunter2" } })), "/password"),
        (of(json!({ "username": "x", "password": "hunter2" })), "/password"),
        (of(json!({ "username": "y", "password": "" })), "/password"),
        (of(json!({ "username": "z", "password": "hunter2hunter2hunter2" })), "/password"),
        (of(json!({ "username": "x", "password": PASSWORD, "password_hash": HASHES[5] })), "/password_hash"),
        (of(json!({ "username": "x", "password_hash": 7 })), "/password_hash"),
    ];
    let hashes = [
        "{SSHA}hunter2".to_owned(),
        // A hash of this server cannot be imported.
        "p1$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$hunter2".to_owned(),
        HASHES[5].replace("$04$", "$13$"),
    ];
    let hashed = |hash| json!({ "username": "x", "password_hash": hash }).to_string();
    lines.extend(hashes.map(|hash| (hashed(hash), "/password_hash")));
    lines
}

// [V6 6.4.2]
#[tokio::test]
async fn invalid_line_is_refused_without_the_others() {
    let test_env = TestEnv::start();
    let bad = bad_lines();
    for (tenant, token) in test_env.of_each(STEWARD).await {
        let mut body = Vec::new();
        for (number, (line, _)) in bad.iter().enumerate() {
            body.extend(format!("{line}\n{{\"username\":\"good-{number}\"}}\r\n").into_bytes());
        }
        // The body contains a line that is not UTF-8. Its last line has no line end.
        body.extend(b"{\"username\":\"\xff\"}\n{\"username\":\"last\"}");
        let answer = send(&test_env, &token, tenant, body).await;
        assert!(!answer.body.contains("hunter2") && !answer.body.contains("somesalt"), "{}", answer.body);
        assert!(!answer.body.contains("c29tZXNhbHRzb21lc2FsdA"), "{}", answer.body);
        let results = results(&answer);
        assert_eq!(results.len(), 2 * bad.len() + 2);
        for ((line, pointer), pair) in bad.iter().zip(results.chunks(2)) {
            assert_eq!(words(pair), ["refused", "created"], "{line} {pair:?}");
            assert_eq!(pair[0]["errors"][0]["pointer"], *pointer, "{line} {pair:?}");
            assert!(!pair[0]["errors"][0]["detail"].as_str().unwrap().is_empty());
        }
        assert_eq!(words(&results[results.len() - 2..]), ["refused", "created"]);
    }
}

#[tokio::test]
async fn import_is_limited_in_lines_and_bytes() {
    let test_env = TestEnv::start();
    for (tenant, other) in BOTH {
        let token = test_env.token(tenant, STEWARD).await;
        let before = test_env.app.store.audit().len();
        let lines = "{\"username\":\"x\"}\n".repeat(10_001);
        for (body, status) in [
            (lines, 400),
            (String::new(), 400),
            ("\n".to_owned(), 400),
            (" ".repeat(8 * 1024 * 1024 + 1), 413),
        ] {
            let refused = send(&test_env, &token, tenant, body).await;
            assert_eq!(refused.status, status, "{}", refused.body);
        }
        test_env.post(&token, &import_path(tenant), json!({ "username": "x" })).await.assert_status(415);
        assert_eq!(test_env.app.store.audit().len(), before);
        let answer = send(&test_env, &token, tenant, "{\"username\":\"x\"}\n".repeat(10_000)).await;
        let word = |word: &str| answer.body.matches(&format!("\"result\":\"{word}\"")).count();
        assert_eq!((word("created"), word("exists")), (1, 9_999));

        let platform = test_env.token(PLATFORM, STEWARD).await;
        send(&test_env, &platform, "nobody", "{\"username\":\"x\"}").await.assert_problem(404, "not-found");
        let page = test_env.get(&platform, &format!("{}?identifier=x", accounts_path(other))).await.json();
        assert!(page["items"].as_array().unwrap().len() <= 1);
    }
}

#[tokio::test]
async fn import_is_limited_in_passwords() {
    let test_env = TestEnv::start();
    let token = test_env.token(ACME, STEWARD).await;
    // A refused password counts against the limit like a hash.
    let short = |number| json!({ "username": format!("a{number}"), "password": "short" });
    let mut lines: Vec<_> = (0..500).map(short).collect();
    lines.push(json!({ "username": "ada", "password": PASSWORD }));
    lines.push(json!({ "username": "bob", "password_hash": HASHES[0] }));
    let results = import(&test_env, &token, ACME, &lines).await;
    assert_eq!(words(&results[499..]), ["refused", "refused", "created"]);
    let error = &results[500]["errors"][0];
    assert_eq!(error["pointer"], "/password");
    assert!(error["detail"].as_str().unwrap().contains("another call"), "{error}");
    assert_eq!(words(&import(&test_env, &token, ACME, &lines[500..]).await), ["created", "exists"]);
}

#[tokio::test]
async fn import_is_audited_without_personal_data() {
    let test_env = TestEnv::start();
    for (tenant, token) in test_env.of_each(STEWARD).await {
        let before = test_env.app.store.audit().len();
        let line = json!({ "email": EMAIL, "claims": { "name": "Ada" }, "password_hash": HASHES[5] });
        let results = import(&test_env, &token, tenant, &[line]).await;
        let audit = &test_env.app.store.audit()[before..];
        let actions: Vec<_> = audit.iter().map(|record| record.action.as_str()).collect();
        assert_eq!(actions, ["account.added", "account.password_set"]);
        for record in audit {
            assert_eq!(record.subject, results[0]["account_id"].as_str().unwrap());
            assert_eq!(record.tenant.as_str(), tenant);
            let text = json!(record).to_string();
            assert!(!text.contains("Ada") && !text.contains("example") && !text.contains("$2b$"), "{text}");
        }
        assert_eq!(audit[1].detail, json!({ "form": "imported hash" }));
    }
}

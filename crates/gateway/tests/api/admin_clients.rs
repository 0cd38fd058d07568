//! `/api/v1/tenant/{id}/clients…`: a client from creation to deletion, changed by administrators of
//! the tenant and of the platform.

use crate::administrators::refuses_searches;
use crate::prelude::*;

#[tokio::test]
async fn registered_client_belongs_to_one_tenant() {
    let test_env = TestEnv::start();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        for (at, who, id) in [(tenant, BOSS, "web"), (PLATFORM, CLERK, "batch")] {
            let token = test_env.token(at, who).await;
            let body = json!({ "client_id": id, "scopes": ["api:read"], "audiences": ["api"] });
            let made = test_env.post(&token, &clients_path(tenant), body).await;
            assert_eq!(made.status, 201, "{}", made.body);
            made.assert_not_stored();
            assert_eq!(made.header("location"), format!("{}/{id}", clients_path(tenant)));
            let client = made.json();
            assert_eq!((&client["client_id"], &client["status"]), (&json!(id), &json!("active")));
            let secret = client["secret"]["client_secret"].as_str().unwrap();
            assert!(test_env.opens(tenant, id, secret).await);
            assert!(!test_env.opens(other, id, secret).await);
            let looked = test_env.get(&token, made.header("location")).await;
            assert_eq!((looked.status, looked.header("etag")), (200, made.header("etag")));
            assert!(!looked.body.contains(secret));
        }
    }
}

// Regression: `https://mcp.example.com` could be a resource and `https://mcp.example.com/` a client
// id.
#[tokio::test]
async fn second_spelling_of_a_resource_is_refused() {
    let test_env = TestEnv::start();
    let [short, long] = ["https://mcp.example.com", "https://mcp.example.com/"];
    // The other tenant has the two names the other way round.
    for (tenant, resource, id) in [(ACME, long, short), (GLOBEX, short, long)] {
        let boss = test_env.token(tenant, BOSS).await;
        let clients = clients_path(tenant);
        let create = async |body: Value| test_env.post(&boss, &clients, body).await;
        let both = create(json!({ "client_id": "web", "resources": [resource, id] })).await;
        both.assert_faulty(&["/resources/1"]);
        assert_eq!(create(json!({ "client_id": "web", "resources": [resource] })).await.status, 201);
        create(json!({ "client_id": id })).await.assert_faulty(&["/client_id"]);
        let other = "https://c.example.com";
        assert_eq!(create(json!({ "client_id": other })).await.status, 201);
        let path = format!("{clients}/web");
        let spelled = json!({ "resources": [resource, "HTTPS://c.example.com:443/"] });
        test_env.patch(&boss, &path, spelled).await.assert_faulty(&["/resources/1"]);
        test_env.patch(&boss, &path, json!({ "resources": [id] })).await.assert_status(200);
    }
}

#[tokio::test]
async fn description_belongs_to_the_client_of_one_tenant() {
    let test_env = TestEnv::start();
    for (tenant, words) in [(ACME, "Sends the bills"), (GLOBEX, "Größe: 日本")] {
        let boss = test_env.token(tenant, BOSS).await;
        let body = json!({ "client_id": "web", "description": words });
        let made = test_env.post(&boss, &clients_path(tenant), body).await.json();
        assert_eq!((&made["name"], &made["description"]), (&json!("web"), &json!(words)));
    }
    let boss = test_env.token(ACME, BOSS).await;
    let path = format!("{}/web", clients_path(ACME));
    let refused = test_env.patch(&boss, &path, json!({ "description": "two\nlines" })).await;
    refused.assert_faulty(&["/description"]);
    for description in [json!("Sends reminders"), json!(null)] {
        let patched = test_env.patch(&boss, &path, json!({ "description": description })).await.json();
        assert_eq!(patched["description"], description);
        assert_eq!(test_env.get(&boss, &path).await.json(), patched);
        let list = test_env.get(&boss, &clients_path(ACME)).await.json();
        let item = list["items"].as_array().unwrap().iter().find(|item| item["client_id"] == "web").unwrap();
        assert_eq!(item["description"], description);
        let globex = test_env.token(GLOBEX, BOSS).await;
        let theirs = test_env.get(&globex, &format!("{}/web", clients_path(GLOBEX))).await.json();
        assert_eq!(theirs["description"], "Größe: 日本");
    }
}

#[tokio::test]
async fn suspended_or_deleted_client_gets_no_token() {
    let test_env = TestEnv::start();
    for (tenant, boss) in test_env.of_each(BOSS).await {
        let made = test_env.post(&boss, &clients_path(tenant), json!({ "client_id": "web" })).await.json();
        let secret = made["secret"]["client_secret"].as_str().unwrap();
        let path = format!("{}/web", clients_path(tenant));
        for (verb, opens) in [("suspend", false), ("resume", true)] {
            test_env.step(&boss, &format!("{path}/{verb}")).await;
            assert_eq!(test_env.opens(tenant, "web", secret).await, opens, "{verb}");
        }
        test_env.delete(&boss, &path).await;
        assert!(!test_env.opens(tenant, "web", secret).await);
        let again = test_env.post(&boss, &clients_path(tenant), json!({ "client_id": "web" })).await;
        again.assert_problem(409, "conflict");
    }
}

#[tokio::test]
async fn search_finds_clients_by_part_of_their_id() {
    let test_env = TestEnv::start();
    for tenant in [ACME, GLOBEX] {
        let (boss, path) = (test_env.token(tenant, BOSS).await, clients_path(tenant));
        let (own, search) = (format!("of-{tenant}"), format!("{path}?search=OF-"));
        test_env.post(&boss, &path, json!({ "client_id": own })).await;
        let found = test_env.get(&boss, &search).await.json();
        let found: Vec<_> =
            found["items"].as_array().unwrap().iter().map(|it| it["client_id"].clone()).collect();
        assert_eq!(found, [own.as_str()]);
        test_env.delete(&boss, &format!("{path}/{own}")).await;
        assert_eq!(test_env.get(&boss, &search).await.json()["items"], json!([]));
        refuses_searches(&test_env, &boss, &path).await;
    }
}

#[tokio::test]
async fn every_client_id_has_a_path() {
    let test_env = TestEnv::start();
    for (tenant, boss) in test_env.of_each(BOSS).await {
        for id in ["a/b", "a b+c%2F", "ümlaut?x=y#z", "secrets", "%", "a:b@c;d=e&f"] {
            let made = test_env.post(&boss, &clients_path(tenant), json!({ "client_id": id })).await;
            assert_eq!(made.status, 201, "{id} {}", made.body);
            let looked = test_env.get(&boss, made.header("location")).await;
            assert_eq!(looked.json_of(200)["client_id"], id, "{}", made.header("location"));
            assert_eq!(test_env.delete(&boss, made.header("location")).await.status, 204);
        }
        for name in ["%ff", "%00", "missing", "%0a"] {
            let path = format!("{}/{name}", clients_path(tenant));
            test_env.get(&boss, &path).await.assert_problem(404, "not-found");
        }
    }
}

// [found 15]: Each write loaded all clients that share an audience | fixed | A write reads only the rows that
//   it can conflict with: as many with 10 as with 10 000 clients of one audience
#[tokio::test]
async fn registration_loads_no_clients_of_the_same_audience() {
    let test_env = TestEnv::start();
    for tenant in [ACME, GLOBEX] {
        let token = test_env.token(PLATFORM, CLERK).await;
        let mut read = Vec::new();
        for (neighbours, id) in [(10, "web"), (2000, "batch")] {
            let row = |nth| fixtures::client(&fixtures::tenant(tenant), &format!("neighbour-{nth}"));
            test_env.app.store.put_clients(&(0..neighbours).map(row).collect::<Vec<_>>());
            let before = test_env.app.store.calls().clients_loaded;
            let body = json!({ "client_id": id, "audiences": [fixtures::AUDIENCE] });
            test_env.post(&token, &clients_path(tenant), body).await.assert_status(201);
            read.push(test_env.app.store.calls().clients_loaded - before);
        }
        assert_eq!(read, [0, 0], "{tenant}");
    }
}

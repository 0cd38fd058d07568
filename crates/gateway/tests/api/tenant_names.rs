//! Path segments that name no tenant get 404 without a read of the store. A tenant's name has
//! exactly one spelling.

use crate::prelude::*;

/// Spellings that a proxy or router might normalize to the tenant's name, and others.
fn names(tenant: &str) -> Vec<String> {
    let escaped = format!("%{:02x}{}", tenant.as_bytes()[0], &tenant[1..]);
    let words = ".. . %2e%2e %2E%2E %2e %00 % %zz - _ * ~ %20 %2f %5c %0d%0a %c3%a9 %e2%84%a6 %ff ..%2f ; '-- platform%00";
    let mut names: Vec<_> = words.split(' ').map(str::to_owned).collect();
    names.extend([
        tenant.to_uppercase(),
        escaped.clone(),
        escaped.to_uppercase(),
        format!("{tenant}%20"),
        format!("%20{tenant}"),
        format!("{tenant}+"),
        format!("{tenant}."),
        format!("{tenant}%00"),
        format!("{tenant}%2e"),
        format!("{tenant}%2f"),
        format!("{tenant}%2f..%2f{tenant}"),
        format!("{tenant};x=y"),
        format!("{tenant},"),
        format!("-{tenant}"),
        format!("{tenant}\u{e9}").replace('\u{e9}', "%C3%A9"),
        format!("\u{ff41}{tenant}").replace('\u{ff41}', "%EF%BD%81"),
        "a".repeat(64),
        "a".repeat(10_000),
        "%61".repeat(3_000),
    ]);
    names
}

async fn request(app: &TestApp, method: &str, target: &str, body: &str) -> Answer {
    let form = "content-type: application/x-www-form-urlencoded";
    let length = body.len();
    let bytes =
        format!("{method} {target} HTTP/1.1\r\nhost: x\r\n{form}\r\ncontent-length: {length}\r\n\r\n{body}");
    Answer::to_bytes(&mut app.connect().await, bytes).await
}

#[tokio::test]
async fn other_spellings_of_a_name_get_404() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let secret = app.secrets(tenant).of(SVC);
        let body = format!("grant_type=client_credentials&client_id={SVC}&client_secret={secret}&token=x");
        let named = |path: &str| path.contains("{id}") && !routes::is_admin(path);
        for (method, path) in routes::all().iter().filter(|(_, path)| named(path)) {
            let (method, body) = if method == "post" { ("POST", body.as_str()) } else { ("GET", "") };
            for name in names(tenant) {
                let answer = request(&app, method, &path.replace("{id}", &name), body).await;
                if answer.header("content-type").starts_with("text/html") {
                    assert_eq!(answer.status, 404, "{path} {name:.40}");
                    continue;
                }
                answer.assert_some_refusal();
                let found = (answer.status, &*answer.text("error"));
                // nginx would turn a 404 into a 500.
                let is_asked_by_proxies = path.ends_with("/forward-auth");
                let expected = if is_asked_by_proxies { (401, "invalid_token") } else { (404, "not_found") };
                assert_eq!(found, expected, "{path} {name:.40}");
            }
        }
    }
    assert_eq!(app.store_calls(), 0);
}

/// A path with an empty name is an unknown path.
#[tokio::test]
async fn empty_name_is_not_the_default_tenant() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let secret = app.secrets(tenant).of(SVC);
        let body = format!("grant_type=client_credentials&client_id={SVC}&client_secret={secret}");
        for path in
            ["/api/v1/tenant//oauth/token", "//oauth/token", "/api/v1/tenant/oauth/token", "/./oauth/token"]
        {
            request(&app, "POST", path, &body).await.assert_refused(404, "not_found", "Unknown path");
        }
    }
    assert_eq!(app.store_calls(), 0);
}

/// The router decodes paths, so another spelling of the segments around the name leads to the same
/// route. It must not lead to the default tenant.
#[tokio::test]
async fn encoded_path_never_reaches_the_default_tenant() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let secret = app.secrets(tenant).of(SVC);
        let body = format!("grant_type=client_credentials&client_id={SVC}&client_secret={secret}");
        for prefix in ["/api/v1/ten%61nt", "/%61pi/v1/tenant", "/api/v%31/tenant"] {
            for name in [tenant, "initech"] {
                let answer = request(&app, "POST", &format!("{prefix}/{name}/oauth/token"), &body).await;
                assert_eq!(answer.status, 404, "{prefix}/{name} {}", answer.body);
            }
        }
    }
    assert_eq!(app.store_calls(), 0);
}

/// Bytes that a request line must not contain never reach a route.
#[tokio::test]
async fn raw_bytes_in_the_path_are_refused() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        for name in [format!("{tenant}\0"), format!("{tenant} "), format!("{tenant}\u{e9}")] {
            let mut connection = app.connect().await;
            let bytes = format!("GET /api/v1/tenant/{name}/strategies HTTP/1.1\r\nhost: x\r\n\r\n");
            let answer = Answer::to_bytes(&mut connection, bytes).await;
            assert!([400, 404].contains(&answer.status), "{answer:?}");
            let _ = connection.read(&mut [0]).await;
        }
    }
    assert_eq!(app.store_calls(), 0);
}

//! Two tenants with the same client ids, audiences and key ids. The test tries every credential
//! of one at every endpoint of the other. It reads the endpoints from the OpenAPI document, so
//! that it includes new ones.

use reqwest::Method;
use serde_json::json;

use crate::answer::Answer;
use crate::folder::Folder;
use crate::jwt;
use crate::program::Program;
use crate::running::tenant_path;
use crate::settings::{ACME_SECRET, GLOBEX_SECRET, TWO_TENANTS};

/// The caller's credential.
#[derive(Clone, Copy, Debug)]
enum Shown<'a> {
    Basic(&'a str),
    InBody(&'a str),
    Bearer(&'a str),
    TokenAsSecret(&'a str),
}

struct Party {
    tenant: &'static str,
    secret: &'static str,
    token: String,
}

// [rfc9700 §4.10.2], [attacks #16]
#[tokio::test]
async fn nothing_of_one_tenant_opens_any_endpoint_of_the_other() {
    let (_folder, program, parties) = start().await;
    let mut tried = 0;
    for (owner, attacker) in [(0, 1), (1, 0)].map(|(owner, attacker)| (&parties[owner], &parties[attacker])) {
        for (method, path) in endpoints(&program).await {
            let of_acme = !path.contains("{id}") && path.contains("/oauth");
            if of_acme && owner.tenant != "acme" {
                continue;
            }
            let path = path.replace("{id}", owner.tenant);
            for shown in [
                Shown::Basic(attacker.secret),
                Shown::InBody(attacker.secret),
                Shown::Bearer(&attacker.token),
                Shown::TokenAsSecret(&attacker.token),
            ] {
                let answer = send_request(&program, &method, &path, shown, &attacker.token).await;
                judge(&program, &method, &path, &answer, owner, attacker, shown).await;
                tried += 1;
            }
        }
    }
    assert!(tried >= 80, "{tried}");
}

#[tokio::test]
async fn a_token_is_inactive_at_the_other_tenant_for_every_caller_and_equal_key_ids_are_different_keys() {
    let (_folder, program, [acme, globex]) = start().await;
    assert_eq!(jwt::kid(&acme.token), jwt::kid(&globex.token));
    let keys = [program.jwks("acme").await.json(), program.jwks("globex").await.json()];
    assert_eq!(keys[0]["keys"][0]["kid"], keys[1]["keys"][0]["kid"]);
    assert_ne!(keys[0]["keys"][0]["n"], keys[1]["keys"][0]["n"]);
    for (own, other, auditor) in
        [(&acme, &globex, "acme-auditor-canary-90aa"), (&globex, &acme, "globex-auditor-canary-77e0")]
    {
        for (client, secret) in [("svc", own.secret), ("auditor", auditor)] {
            let own_token = program.introspect(own.tenant, client, secret, &own.token).await;
            assert_eq!(own_token["active"], true, "{client} of {}", own.tenant);
            let others = program.introspect(own.tenant, client, secret, &other.token).await;
            assert_eq!(others, json!({ "active": false }), "{client} of {}", own.tenant);
        }
    }
}

// [rfc9700 §4.9.2]
#[tokio::test]
async fn the_sample_resource_server_takes_its_own_tenants_tokens_only() {
    let (_folder, program, [acme, globex]) = start().await;
    assert_eq!(jwt::claims(&acme.token)["aud"], jwt::claims(&globex.token)["aud"]);
    assert_eq!(program.present(&acme.token).await.status, 200);
    program.present(&globex.token).await.assert_refused(401, "invalid_token");
}

/// Raw bytes, because a library would normalise some of the paths.
#[tokio::test]
async fn odd_tenant_ids_are_unknown() {
    let (_folder, program, [acme, _]) = start().await;
    let long = "a".repeat(10_000);
    let ids = "
        .. . %2e%2e %2E %00 acme%00 acme%2e acme%20 acme. acme%2f..%2facme ..%2fglobex %61cme%0a acme;x acme,globex
        ACME Acme acm%C3%A9 %F0%9F%94%91 %ff -acme acme_ * %27%20OR%201=1-- platform";
    for id in ids.split_whitespace().chain(["", &long]) {
        for (method, rest) in
            [("POST", "/oauth/token"), ("GET", "/.well-known/jwks.json"), ("GET", "/strategies")]
        {
            let body = format!("grant_type=client_credentials&client_id=svc&client_secret={}", acme.secret);
            let path = tenant_path(id, rest);
            let request = format!(
                "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n\
                 Content-Length: {}\r\n\r\n{body}",
                body.len()
            );
            let answer = Answer::to_bytes(program.address(), request.as_bytes()).await;
            assert_eq!(answer.status, 404, "{method} {path}: {answer:?}");
            assert_eq!(answer.json()["error"], "not_found", "{method} {path}");
        }
    }
}

/// The routes of the console, which the document does not have.
const CONSOLE: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../gateway/tests/api/snapshots/api__console_access__console_routes.snap"
));

/// Every method and path of the OpenAPI document and of the console.
async fn endpoints(program: &Program) -> Vec<(Method, String)> {
    let document = program.get("/openapi.json").await.json();
    let mut endpoints = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            endpoints.push((method.to_uppercase().parse().unwrap(), path.clone()));
        }
    }
    let of_console = CONSOLE.lines().filter_map(|line| line.split_once(" /console"));
    endpoints.extend(of_console.map(|(method, row)| {
        let path = row.split_whitespace().next().filter(|path| path.starts_with('/')).unwrap_or_default();
        (method.parse().unwrap(), format!("/console{}", path.replace("{client}", "svc")))
    }));
    assert!(endpoints.iter().any(|(_, path)| path == "/console/t/{id}/applications/svc/credentials"));
    endpoints
}

async fn send_request(
    program: &Program,
    method: &Method,
    path: &str,
    shown: Shown<'_>,
    token: &str,
) -> Answer {
    let mut form = vec![("grant_type", "client_credentials"), ("token", token)];
    let mut request = program.request(method.clone(), path);
    match shown {
        Shown::Basic(secret) => request = request.basic_auth("svc", Some(secret)),
        Shown::Bearer(token) => request = request.bearer_auth(token),
        Shown::InBody(secret) | Shown::TokenAsSecret(secret) => {
            form.extend([("client_id", "svc"), ("client_secret", secret)]);
        }
    }
    if *method == Method::POST {
        request = request.form(&form);
    }
    Answer::to(request).await
}

/// The required answer. A new path must define here what a foreign credential may see.
async fn judge(
    program: &Program,
    method: &Method,
    path: &str,
    answer: &Answer,
    owner: &Party,
    attacker: &Party,
    shown: Shown<'_>,
) {
    let what = format!("{method} {path} with {shown:?} of {}: {answer:?}", attacker.tenant);
    let ends = |endings: &[&str]| endings.iter().any(|ending| path.ends_with(ending));
    if ends(&["/token", "/introspect", "/revoke", "/oauth/usage"]) && !path.ends_with("/tokens/revoke") {
        assert_eq!((answer.status, &answer.json()["error"]), (401, &json!("invalid_client")), "{what}");
    } else if ends(&["/userinfo", "/par", "/device_authorization"]) {
        // Nobody signs in at these tenants.
        assert!(matches!(answer.status, 401 | 404) && !answer.body.contains(attacker.tenant), "{what}");
    } else if ends(&["/authorize", "/sign-in", "/logout", "/device", "/account", "/account/set-password"]) {
        // Credentials of clients change nothing of what a person sees.
        let signed_in = answer.header("set-cookie").contains("lk-s.");
        assert!(!signed_in && !answer.body.contains(attacker.tenant), "{what}");
    } else if path.starts_with("/console") {
        // A browser without a session is sent to the sign-in, whatever credentials of clients it sends.
        let is_let_in = answer.header("set-cookie").contains("lk-c.") || answer.body.contains("Sign out");
        assert!(!is_let_in && !answer.body.contains(attacker.tenant), "{what}");
        assert!(matches!(answer.status, 200 | 303 | 403 | 404), "{what}");
    } else if path == "/api/v1/protected-resource" {
        // The resource is acme's: it refuses globex's token and accepts acme's own.
        let own = attacker.tenant == "acme" && matches!(shown, Shown::Bearer(_));
        assert_eq!(answer.status, if own { 200 } else { 401 }, "{what}");
    } else if path == "/flow/execute" || path.starts_with("/applications") {
        // No administrator is configured here, so sign-in does not exist.
        assert_eq!((answer.status, &answer.json()["code"]), (404, &json!("LK-4040")), "{what}");
    } else if [
        "/api/v1/admin/",
        "/clients",
        "/api-keys",
        "/accounts",
        "/keys",
        "/audit",
        "/usage",
        "/refusals",
        "/advice",
        "/console-links",
    ]
    .iter()
    .any(|part| path.contains(part))
    {
        // Secrets and tokens without administration scopes do not authorise administration of any tenant.
        let problem = answer.header("content-type") == "application/problem+json";
        assert!(answer.status == 401 && problem && !answer.body.contains(owner.tenant), "{what}");
    } else if path == "/api/v1/secrets/leaked" {
        // Every caller gets this answer, whatever it sends.
        assert!(answer.status == 202 && answer.body.is_empty(), "{what}");
    } else if path == "/metrics" {
        // Metrics change with each request, but contain no tenant or client.
        let names = ["acme", "globex", "svc", "auditor"];
        assert!(answer.status == 200 && !names.iter().any(|name| answer.body.contains(name)), "{what}");
    } else if path == "/"
        || path.contains("/.well-known/")
        || ends(&["/strategies", "/jwks", "/revocations", "/live", "/ready"])
    {
        // A public endpoint gives every caller the same answer, without data of another tenant.
        let public = program.get(path).await;
        assert_eq!((answer.status, &answer.body), (200, &public.body), "{what}");
        assert!(!answer.body.contains(&format!("tenant/{}", attacker.tenant)), "{what}");
    } else {
        let is_of_nobody = ["/openapi.json", "/docs", "/assets/"].iter().any(|start| path.starts_with(start));
        let is_of_nobody = is_of_nobody || path.contains("/oauth/theme/") || path.contains("/oauth/logo/");
        assert!(is_of_nobody, "untried endpoint: {what}");
        assert!(!answer.body.contains(owner.secret) && !answer.body.contains("globex"), "{what}");
    }
}

async fn start() -> (Folder, Program, [Party; 2]) {
    let (folder, program) = Program::serving(TWO_TENANTS);
    let acme = program.token("acme", "svc", ACME_SECRET).await;
    let globex = program.token("globex", "svc", GLOBEX_SECRET).await;
    let parties = [
        Party { tenant: "acme", secret: ACME_SECRET, token: acme },
        Party { tenant: "globex", secret: GLOBEX_SECRET, token: globex },
    ];
    (folder, program, parties)
}

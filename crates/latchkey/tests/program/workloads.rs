//! Tests workloads without secrets. The program finds their issuer by discovery, libraries send the issuer's
//! assertions, and `latchkey inspect` names the rule that failed.

use std::collections::HashMap;
use std::net::TcpListener;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use latchkey_client::{TokenSource, WorkloadToken};
use protocol::{JWT_BEARER, SigningAlgorithm};
use serde_json::{Value, json};

use crate::assertions::Pair;
use crate::folder::Folder;
use crate::foreign::{node, python};
use crate::host::run;
use crate::inspected::Inspected;
use crate::jwt;
use crate::mock_server::{MockRequest, MockServer, Reply, tls};
use crate::program::Program;
use crate::running::tenant_path;

/// A mock platform with an issuer for each tenant, and the program that trusts these issuers.
struct Setting {
    pairs: [Pair; 2],
    issuers: [String; 2],
    folder: Folder,
    program: Program,
    platform: MockServer,
}

const TENANTS: [&str; 2] = ["acme", "globex"];
const SUBJECT: &str = "system:serviceaccount:prod:billing";

impl Setting {
    /// `publishes` says whether the issuer's keys are found by discovery. Otherwise they are in the settings.
    async fn start(publishes: bool) -> Self {
        let pairs = [1, 2].map(|number| Pair::numbered(number, SigningAlgorithm::ES256));
        let (acceptor, certificate) = tls();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let keys: HashMap<_, _> = TENANTS
            .iter()
            .zip(&pairs)
            .map(|(tenant, pair)| (format!("/{tenant}/keys"), json!({ "keys": [pair.key.jwk] }).to_string()))
            .collect();
        let answer = move |request: &MockRequest| {
            let base = format!("https://{}", request.headers["host"]);
            let metadata = TENANTS
                .iter()
                .find(|tenant| request.path == format!("/{tenant}/.well-known/openid-configuration"));
            let document = match metadata {
                Some(tenant) => {
                    let issuer = format!("{base}/{tenant}");
                    Some(json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/keys") }).to_string())
                }
                None => keys.get(&request.path).cloned(),
            };
            match document {
                Some(document) => Reply::new(200, "x: y", document.as_bytes()),
                None => Reply::new(404, "x: y", b""),
            }
        };
        let platform = MockServer::start(Some(acceptor), answer).await;
        let issuers = TENANTS.map(|tenant| format!("https://localhost:{}/{tenant}", platform.address.port()));
        let tenant = |issuer: &String, pair: &Pair| {
            let mut trusted = json!({ "issuer": issuer });
            if !publishes {
                trusted["jwks"] = json!({ "keys": [pair.key.jwk] });
            }
            let rule = json!({ "issuer": "cluster", "subject": "system:serviceaccount:prod:*", "claims": { "environment": "production" } });
            let other = json!({ "issuer": "cluster", "subject": "system:serviceaccount:ops:billing", "max_age": "5m" });
            json!({
                "strategies": { "oauth2": { "enabled": true } },
                "trusted_issuers": { "cluster": trusted },
                "resource_servers": { "api": { "scopes": ["api:read"] } },
                "clients": { "billing": {
                    "audiences": ["api"], "scopes": ["api:read"], "federated": [rule, other],
                    "claims": { "env": { "from": "assertion.environment" } },
                } },
            })
        };
        let settings = json!({
            "server": {
                "public_url": format!("http://{address}"), "listeners": [{ "address": address.to_string() }],
                "outbound": { "allowed_networks": ["127.0.0.1", "::1"] },
            },
            "storage": { "url": "sqlite://data/latchkey.db" },
            "keys": { "sealing_key": { "file": "keys/sealing.key" } },
            "tenants": { "acme": tenant(&issuers[0], &pairs[0]), "globex": tenant(&issuers[1], &pairs[1]) },
        });
        let folder = Folder::with(&settings.to_string());
        folder.write("platform.pem", &certificate);
        let mut serve = folder.program(&["serve"]);
        let program = Program::spawn(&folder, serve.env("SSL_CERT_FILE", folder.path("platform.pem")));
        Self { pairs, issuers, folder, program, platform }
    }

    fn issuer(&self, tenant: &str) -> String {
        self.program.url(&tenant_path(tenant, ""))
    }

    /// An assertion that the platform of the first or second tenant issues for a tenant, with these claims
    /// replaced.
    #[expect(clippy::disallowed_methods, reason = "a platform reads its own clock")]
    fn assertion(&self, nth: usize, tenant: &str, changed: &Value) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let mut claims = json!({
            "iss": self.issuers[nth], "sub": SUBJECT, "aud": [self.issuer(tenant)], "iat": now, "exp": now + 3600,
            "environment": "production",
        });
        claims.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
        self.pairs[nth].key.sign("JWT", &claims).unwrap()
    }
}

/// Each library gets a token of its tenant, and none with an assertion of another service account.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn libraries_authenticate_with_platform_assertions() {
    let setting = Setting::start(true).await;
    for (nth, tenant) in TENANTS.into_iter().enumerate() {
        let other = TENANTS[1 - nth];
        let good = setting.assertion(nth, tenant, &json!({}));
        let wrong = setting.assertion(nth, tenant, &json!({ "sub": "system:serviceaccount:dev:billing" }));
        let stranger = setting.assertion(nth, other, &json!({}));
        for (at, assertion, is_accepted) in
            [(tenant, &good, true), (tenant, &wrong, false), (other, &stranger, false)]
        {
            let (issuer, endpoint) =
                (setting.issuer(at), setting.program.url(&tenant_path(at, "/oauth/token")));
            let environment =
                [("ISSUER", &*issuer), ("TOKEN_ENDPOINT", &*endpoint), ("ASSERTION", assertion.as_str())];
            for ran in [
                node(include_str!("scripts/workload.cjs"), &environment),
                python(include_str!("scripts/workload.py"), &environment),
            ] {
                for token in serde_json::from_str::<Vec<Value>>(&ran.output()).unwrap() {
                    match token.as_str().filter(|_| is_accepted) {
                        Some(token) => {
                            let found = ["sub", "env"].map(|name| jwt::claims(token)[name].clone());
                            assert_eq!(found, ["billing", "production"]);
                        }
                        None => assert_eq!(token, json!({ "refused": 401 }), "{tenant} at {at}"),
                    }
                }
            }
            let mut curl = Command::new("curl");
            curl.args(["--silent", "--show-error", "--noproxy", "*", "--output", "/dev/null"])
                .args(["--write-out", "%{http_code}", "-d", "grant_type=client_credentials"])
                .args(["--data-urlencode", &format!("client_assertion_type={JWT_BEARER}")])
                .args(["-d", &format!("client_assertion={assertion}"), &endpoint]);
            assert_eq!(run(&mut curl).output(), if is_accepted { "200" } else { "401" }, "{tenant} at {at}");
            setting.folder.write("token", assertion);
            let source = TokenSource::builder().issuer(issuer).client_id("billing").scope("api:read");
            let source =
                source.credential(WorkloadToken::file(setting.folder.path("token"))).build().unwrap();
            let code = source.token().await.map(|_| ()).map_err(|error| error.code().map(str::to_owned));
            assert_eq!(code, if is_accepted { Ok(()) } else { Err(Some("invalid_client".to_owned())) });
        }
    }
    // The program fetched metadata and keys once for each tenant, because each has its own issuer.
    assert!(setting.platform.request_count() <= 8, "{}", setting.platform.request_count());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inspect_names_the_rule_that_does_not_match() {
    let setting = Setting::start(false).await;
    for (nth, tenant) in TENANTS.into_iter().enumerate() {
        let inspect = |changed: Value| {
            let assertion = setting.assertion(nth, tenant, &changed);
            Inspected::new(&setting.folder, assertion.as_bytes(), &["--client", tenant, "billing", "-"])
        };
        let good = inspect(json!({}));
        good.assert_valid();
        assert_eq!(good.found("sub"), SUBJECT);
        let staging = json!({ "environment": "staging" });
        for (changed, failed, reason, found, expected) in [
            (json!({ "iss": "https://a.example" }), "iss", "issuer_not_trusted", "https://a.example", ""),
            (json!({ "sub": "dev:billing" }), "sub", "subject_not_trusted", "dev:billing", "serviceaccount:"),
            (json!({ "aud": "x" }), "aud", "assertion_for_another_service", "x", tenant),
            (staging, "claims of the rule", "claim_not_trusted", "ment is staging", "ment is production"),
            (json!({ "exp": 1 }), "exp", "issuer_assertion_expired", "1970", "60 seconds"),
        ] {
            let inspected = inspect(changed);
            inspected.assert_refused(failed, reason);
            assert!(inspected.found(failed).contains(found), "{}", inspected.document);
            let said = inspected.check(failed)["expected"].as_str().unwrap();
            assert!(said.contains(expected), "{said}");
            let checks = inspected.document["checks"].as_array().unwrap();
            assert_eq!(checks.iter().filter(|line| line["check"] == "rule").count(), 2);
        }
        // The signature is by the other tenant's platform.
        let claims = json!({ "iss": setting.issuers[nth], "sub": SUBJECT });
        let forged = setting.pairs[1 - nth].key.sign("JWT", &claims).unwrap();
        let arguments = ["--client", tenant, "billing", "-"];
        let forged = Inspected::new(&setting.folder, forged.as_bytes(), &arguments);
        forged.assert_refused("kid", "issuer_key_unknown");
    }
}

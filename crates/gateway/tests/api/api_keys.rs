//! API keys: their effect at the token endpoint and at introspection, which administrators can
//! create them, and how they expire or are revoked.

use tenancy::ApiKeyPolicy;

use crate::prelude::*;
const HOUR: u64 = 3_600;
pub(crate) const DAY: u64 = 24 * HOUR;

/// A tenant whose clients may have API keys, and the token of its administrator.
pub(crate) struct Keys<'a> {
    test_env: &'a TestEnv,
    tenant: &'static str,
    pub(crate) token: String,
}

impl<'a> Keys<'a> {
    pub(crate) async fn new(test_env: &'a TestEnv, tenant: &'static str) -> Self {
        test_env.app.change_tenant(tenant, |tenant| {
            tenant.api_keys = Some(ApiKeyPolicy {
                max_lifetime: values::Lifetime::from_seconds(30 * DAY),
                default_lifetime: values::Lifetime::from_seconds(10 * DAY),
                prefix: (tenant.id.as_str() == ACME).then(|| "acme_live".to_owned()),
            });
        });
        Self { test_env, tenant, token: test_env.token(tenant, BOSS).await }
    }

    fn path(&self, client: &str) -> String {
        format!("{}/{client}/api-keys", clients_path(self.tenant))
    }

    pub(crate) async fn make(&self, settings: Value) -> Made {
        let answer = self.test_env.post(&self.token, &self.path(SVC), settings).await;
        answer.assert_not_stored();
        Made::from_answer(&answer)
    }

    /// Requests a token.
    pub(crate) async fn exchange(&self, authorization: Option<String>, more: &[(&str, &str)]) -> Answer {
        let form = [&[("grant_type", "client_credentials")], more].concat();
        let request = self.test_env.app.request(Method::POST, &token_path(self.tenant)).form(&form);
        let request = match authorization {
            Some(header) => request.header("authorization", header),
            None => request,
        };
        Answer::to(request).await
    }

    async fn token_of(&self, key: &Made) -> Answer {
        self.exchange(None, &[("client_secret", &key.text)]).await
    }

    async fn introspect(&self, caller: &str, text: &str) -> Value {
        let form = [("token", text)];
        self.test_env.app.post_as((self.tenant, caller), "/oauth/introspect", &form).await.json_of(200)
    }
}

/// A new key: its text, its path and the response to its creation.
pub(crate) struct Made {
    pub(crate) text: String,
    pub(crate) path: String,
    pub(crate) view: Value,
}

impl Made {
    fn from_answer(answer: &Answer) -> Self {
        let view = answer.json_of(201);
        let (text, path) = (text(&view, "api_key").to_owned(), answer.header("location").to_owned());
        assert_eq!(path.rsplit('/').next(), view["id"].as_str());
        Self { text, path, view }
    }
}

/// The key with another last character.
pub(crate) fn with_wrong_checksum(key: &str) -> String {
    format!("{}{}", &key[..key.len() - 1], if key.ends_with('0') { '1' } else { '0' })
}

fn basic(user: &str, password: &str) -> Option<String> {
    Some(format!("Basic {}", BASE64.encode(format!("{user}:{password}"))))
}

// [oauth RFC 6749 §2.3.1 e]
#[tokio::test]
async fn key_is_exchanged_for_a_narrowed_token() {
    let test_env = TestEnv::start();
    for (tenant, _) in BOTH {
        let keys = Keys::new(&test_env, tenant).await;
        let now = test_env.app.now();
        let key = keys.make(json!({ "name": "n", "scopes": ["api:read"], "owner": "cus_1" })).await;
        let brand = if tenant == ACME { "acme_live_lkk_" } else { "lkk_" };
        assert!(key.text.starts_with(&format!("{brand}{}_", text(&key.view, "id"))), "{}", key.text);
        assert_eq!(key.view["audiences"], json!(["api"]));
        for (authorization, more) in [
            (None, vec![("client_secret", key.text.as_str())]),
            (None, vec![("client_secret", &key.text), ("client_id", SVC)]),
            (basic(SVC, &key.text), vec![]),
            (basic("", &key.text), vec![]),
            (basic(&key.text, ""), vec![]),
            (basic("", &key.text), vec![("client_id", SVC), ("scope", "api:read")]),
        ] {
            let token = keys.exchange(authorization, &more).await.json_of(200);
            let claims = claims_of(text(&token, "access_token"));
            for (name, expected) in [
                ("sub", json!(SVC)),
                ("client_id", json!(SVC)),
                ("scope", json!("api:read")),
                ("aud", json!(["api"])),
                ("api_key", key.view["id"].clone()),
                ("iss", json!(issuer(tenant))),
            ] {
                assert_eq!(claims[name], expected, "{name} {more:?}");
            }
        }
        // A scope that the key does not have, another client, and another grant.
        let cases = [(("scope", "api:write"), "invalid_scope"), (("resource", ORDERS), "invalid_target")];
        for (more, error) in cases {
            keys.exchange(None, &[("client_secret", &key.text), more]).await.assert_error(400, error);
        }
        keys.exchange(basic(WRITER, &key.text), &[]).await.assert_error(401, "invalid_client");
        let form = [("grant_type", "refresh_token"), ("refresh_token", "r"), ("client_secret", &*key.text)];
        test_env.app.post(&token_path(tenant), &form).await.assert_error(401, "invalid_client");
        // The token expires with the key.
        test_env.app.pass(10 * DAY - 60);
        let token = keys.token_of(&key).await.json_of(200);
        assert_eq!(token["expires_in"], 60);
        assert_eq!(payload(&token["access_token"])["exp"], now + 10 * DAY);
        test_env.app.pass(60);
        assert_eq!(keys.token_of(&key).await.status, 401);
    }
}

// [introspection RFC 7662 §2.2 d]: A service may answer with members of its own: `api_key` of a token that
//   was issued for an [API key](api-keys.md), and `api_key`, `owner` and `labels` of the key itself
#[tokio::test]
async fn introspection_describes_api_keys() {
    let test_env = TestEnv::start();
    for (tenant, other) in BOTH {
        let keys = Keys::new(&test_env, tenant).await;
        let others = Keys::new(&test_env, other).await;
        let settings = json!({ "name": "n", "labels": ["a", "b"], "owner": "cus_1", "scopes": ["orders:read"],
            "audiences": [ORDERS] });
        let key = keys.make(settings).await;
        let now = test_env.app.now();
        let expected = json!({ "active": true, "scope": "orders:read", "client_id": SVC, "sub": SVC,
            "token_type": "Bearer", "exp": now + 10 * DAY, "iat": now, "nbf": now, "aud": [ORDERS],
            "iss": issuer(tenant), "jti": key.view["id"], "api_key": key.view["id"], "owner": "cus_1",
            "labels": ["a", "b"] });
        for (caller, known) in [(SVC, true), (GATEKEEPER, true), (AUDITOR, true), (WRITER, false)] {
            let found = keys.introspect(caller, &key.text).await;
            assert_eq!(found, if known { expected.clone() } else { json!({ "active": false }) }, "{caller}");
        }
        // The token contains the key's id. An API key cannot authenticate a caller of
        // introspection.
        let token = keys.token_of(&key).await.json_of(200);
        let found = keys.introspect(SVC, text(&token, "access_token")).await;
        assert_eq!((&found["active"], &found["api_key"]), (&json!(true), &key.view["id"]));
        for endpoint in ["/oauth/introspect", "/oauth/revoke"] {
            let form = [("client_secret", key.text.as_str()), ("token", &key.text)];
            let refused = test_env.app.post(&tenant_path(tenant, endpoint), &form).await;
            refused.assert_error(401, "invalid_client");
        }
        // Inactive: a key of another tenant, a key with a wrong checksum, and a key that does not
        // exist.
        let inactive = json!({ "active": false });
        assert_eq!(others.introspect(AUDITOR, &key.text).await, inactive);
        let wrong = with_wrong_checksum(&key.text);
        let unknown = secrets::GeneratedApiKey::generate(None).key;
        for text in [&wrong, unknown.expose()] {
            assert_eq!(keys.introspect(AUDITOR, text).await, inactive, "{text}");
        }
        // A client whose tokens must be bound to a key cannot use an API key, because the key
        // proves no possession.
        test_env.app.change_client(tenant, SVC, |client| client.dpop_bound_access_tokens = true);
        assert_eq!(keys.introspect(AUDITOR, &key.text).await, inactive);
        test_env.app.change_client(tenant, SVC, |_| {});
    }
}

#[tokio::test]
async fn protected_resource_accepts_keys() {
    for (tenant, other) in BOTH {
        let test_env = TestEnv::over(TestApp::start_with(&options(tenant)));
        let keys = Keys::new(&test_env, tenant).await;
        let others = Keys::new(&test_env, other).await;
        let settings =
            |scope: &str, audience: &str| json!({ "name": "n", "scopes": [scope], "audiences": [audience] });
        let key = keys.make(settings("api:read", "api")).await;
        let present = async |key: &Made| test_env.app.get_with(&key.text, RESOURCE).await;
        let sample = present(&key).await.json_of(200);
        assert_eq!(sample["caller"], json!({ "type": "machine", "client_id": SVC }));
        assert_eq!(sample["scopes"], json!(["api:read"]));
        let narrow = keys.make(settings("api:write", "api")).await;
        assert_eq!(present(&narrow).await.json_of(403)["error"], "insufficient_scope");
        let elsewhere = keys.make(settings("api:read", ORDERS)).await;
        assert_invalid(&present(&elsewhere).await, "Token audience is not accepted");
        let foreign = others.make(settings("api:read", "api")).await;
        assert_invalid(&present(&foreign).await, "Token is not accepted");
        let bound = test_env.app.request(Method::GET, RESOURCE);
        let bound = bound.header("authorization", format!("DPoP {}", key.text));
        assert_eq!(Answer::to(bound).await.status, 401, "a key is bound to none");
        test_env.delete(&keys.token, &key.path).await.assert_status(200);
        assert_invalid(&present(&key).await, "Token is not accepted");
    }
}

#[tokio::test]
async fn all_refused_keys_get_the_same_error() {
    let test_env = TestEnv::start();
    for (tenant, other) in BOTH {
        let keys = Keys::new(&test_env, tenant).await;
        let others = Keys::new(&test_env, other).await;
        let settings = |name: &str| json!({ "name": name });
        let [expired, revoked, foreign] = [
            keys.make(json!({ "name": "e", "expires_at": null })).await,
            keys.make(settings("r")).await,
            others.make(settings("f")).await,
        ];
        test_env.delete(&keys.token, &revoked.path).await.assert_status(200);
        test_env.app.pass(10 * DAY);
        let keys = Keys::new(&test_env, tenant).await;
        let live = keys.make(settings("l")).await;
        let malformed = with_wrong_checksum(&live.text);
        let unknown = secrets::GeneratedApiKey::generate(None).key.expose().to_owned();
        let mut answers = Vec::new();
        for text in [&malformed, &unknown, &expired.text, &revoked.text, &foreign.text] {
            let answer = keys.exchange(None, &[("client_secret", text)]).await;
            answers.push((answer.status, answer.body.clone()));
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "{answers:?}");
        assert_eq!(answers[0].0, 401);
        assert_eq!(keys.token_of(&live).await.status, 200);
    }
}

#[tokio::test]
async fn narrowing_or_revoking_a_key_invalidates_its_tokens() {
    let test_env = TestEnv::start();
    for (tenant, _) in BOTH {
        let keys = Keys::new(&test_env, tenant).await;
        let is_active = async |token: &Value| {
            keys.introspect(SVC, text(token, "access_token")).await["active"].as_bool().unwrap()
        };
        let key = keys.make(json!({ "name": "n", "scopes": ["api:read", "api:write"] })).await;
        let patch = async |body: Value| test_env.patch(&keys.token, &key.path, body).await;
        let first = keys.token_of(&key).await.json_of(200);
        // A change that removes no scope invalidates no token.
        let end = |seconds: u64| values::Timestamp::from_seconds(test_env.app.now() + seconds).to_rfc3339();
        let other = json!({ "name": "other", "labels": ["x"], "owner": "o", "expires_at": end(9 * DAY) });
        let renamed = patch(other).await.json_of(200);
        assert_eq!((&renamed["name"], &renamed["owner"]), (&json!("other"), &json!("o")));
        assert!(is_active(&first).await);
        patch(json!({ "expires_at": end(9 * DAY + 1) })).await.assert_faulty(&["/expires_at"]);
        patch(json!({ "scopes": ["api:read", "orders:read"] })).await.assert_faulty(&["/scopes/1"]);
        patch(json!({ "scopes": ["api:read"] })).await.assert_status(200);
        assert!(!is_active(&first).await);
        test_env.app.pass(5);
        let second = keys.token_of(&key).await.json_of(200);
        assert_eq!((&second["scope"], is_active(&second).await), (&json!("api:read"), true));
        // An expiry before that of the tokens revokes them.
        patch(json!({ "expires_at": end(60) })).await.assert_status(200);
        assert!(!is_active(&second).await);
        test_env.app.pass(60);
        for body in [json!({ "expires_at": end(60) }), json!({ "name": "again" })] {
            assert_eq!(patch(body).await.status, 409);
        }
        test_env.post(&keys.token, &format!("{}/rotate", key.path), json!({})).await.assert_status(409);

        let key = keys.make(json!({ "name": "n" })).await;
        let token = keys.token_of(&key).await.json_of(200);
        for _ in 0..2 {
            let revoked = test_env.delete(&keys.token, &key.path).await.json_of(200);
            assert_eq!(revoked["status"], "revoked");
            assert_eq!((keys.token_of(&key).await.status, is_active(&token).await), (401, false));
        }
        assert_eq!(test_env.get(&keys.token, &key.path).await.json_of(200)["status"], "revoked");
    }
}

#[tokio::test]
async fn rotated_key_keeps_settings_and_old_key_gets_grace() {
    let test_env = TestEnv::start();
    for (tenant, _) in BOTH {
        let keys = Keys::new(&test_env, tenant).await;
        let settings = json!({ "name": "n", "labels": ["a"], "owner": "o", "scopes": ["api:read"] });
        let old = keys.make(settings).await;
        let token = keys.token_of(&old).await.json_of(200);
        test_env.app.pass(DAY);
        let rotate = async |key: &Made, body: Value| {
            let boss = test_env.token(tenant, BOSS).await;
            test_env.post(&boss, &format!("{}/rotate", key.path), body).await
        };
        let new = Made::from_answer(&rotate(&old, json!({ "grace": 2 * HOUR })).await);
        for member in ["name", "labels", "owner", "scopes", "audiences", "client_id"] {
            assert_eq!(new.view[member], old.view[member], "{member}");
        }
        let end = values::Timestamp::from_seconds(test_env.app.now() + 10 * DAY).to_rfc3339();
        assert_eq!(new.view["expires_at"], end);
        let boss = test_env.token(tenant, BOSS).await;
        assert_eq!(test_env.get(&boss, &old.path).await.json_of(200)["replaced_by"], new.view["id"]);
        assert_eq!(rotate(&old, json!({})).await.status, 409, "it was replaced already");
        let found = keys.introspect(SVC, text(&token, "access_token")).await;
        assert_eq!(found["active"], false, "it has expired");
        assert_eq!(keys.token_of(&old).await.json_of(200)["expires_in"], HOUR);
        test_env.app.pass(2 * HOUR);
        assert_eq!((keys.token_of(&old).await.status, keys.token_of(&new).await.status), (401, 200));
        // A rotation without a grace period revokes the tokens of the old key.
        let token = keys.token_of(&new).await.json_of(200);
        let newest = Made::from_answer(&rotate(&new, json!({ "grace": 0 })).await);
        assert_eq!(keys.introspect(SVC, text(&token, "access_token")).await["active"], false);
        assert_eq!((keys.token_of(&new).await.status, keys.token_of(&newest).await.status), (401, 200));
    }
}

#[tokio::test]
async fn key_is_limited_by_its_client_and_tenant() {
    let test_env = TestEnv::start();
    for (tenant, _) in BOTH {
        let keys = Keys::new(&test_env, tenant).await;
        let app = &test_env.app;
        let both = json!({ "name": "n", "audiences": [ORDERS], "scopes": ["orders:read", "api:read"] });
        let key = keys.make(both).await;
        assert_eq!(keys.token_of(&key).await.json_of(200)["scope"], "orders:read api:read");
        app.change_client(tenant, SVC, |client| client.scope = fixtures::scope("orders:read"));
        assert_eq!(keys.token_of(&key).await.json_of(200)["scope"], "orders:read");
        type Loss = fn(&mut Client);
        let losses: [Loss; 4] = [
            |client| client.resources.clear(),
            |client| client.status = registry::ClientStatus::Suspended,
            |client| client.authentication_method = ClientAuthenticationMethod::PrivateKeyJwt,
            |client| client.grant_types = vec![GrantType::AuthorizationCode],
        ];
        for (nth, loss) in losses.into_iter().enumerate() {
            app.change_client(tenant, SVC, loss);
            assert!(matches!(keys.token_of(&key).await.status, 400 | 401), "{nth}");
            assert_eq!(keys.introspect(AUDITOR, &key.text).await, json!({ "active": false }), "{nth}");
            app.change_client(tenant, SVC, |_| {});
            assert_eq!(keys.introspect(AUDITOR, &key.text).await["active"], true, "{nth}");
        }
        app.change_tenant(tenant, |_| {});
        assert_eq!(keys.token_of(&key).await.status, 401);
        assert_eq!(keys.introspect(AUDITOR, &key.text).await, json!({ "active": false }));
        let refused = test_env.post(&keys.token, &keys.path(SVC), json!({ "name": "n" })).await;
        assert!(refused.json_of(409).to_string().contains("does not offer API keys"), "{}", refused.body);
    }
}

#[tokio::test]
async fn key_lists_can_be_filtered() {
    let test_env = TestEnv::start();
    for (tenant, other) in BOTH {
        let keys = Keys::new(&test_env, tenant).await;
        let cases = [(SVC, "One", "x", "a"), (SVC, "Two", "y", "b"), (WRITER, "Three", "x", "a")];
        for (client, name, label, owner) in cases {
            let settings = json!({ "name": name, "labels": [label, "all"], "owner": owner });
            test_env.post(&keys.token, &keys.path(client), settings).await.assert_status(201);
        }
        let two = test_env.get(&keys.token, &format!("{}?name=two", keys.path(SVC))).await.json_of(200);
        let two = text(&two["items"][0], "id");
        let all = format!("/api/v1/tenant/{tenant}/api-keys");
        let far = values::Timestamp::from_seconds(test_env.app.now() + 11 * DAY).to_rfc3339();
        let near = values::Timestamp::from_seconds(test_env.app.now() + DAY).to_rfc3339();
        for (path, query, expected) in [
            (&all, String::new(), vec!["One", "Two", "Three"]),
            (&keys.path(SVC), String::new(), vec!["One", "Two"]),
            (&all, "name=t".to_owned(), vec!["Two", "Three"]),
            (&all, "label=x".to_owned(), vec!["One", "Three"]),
            (&all, "label=all&owner=b".to_owned(), vec!["Two"]),
            (&keys.path(WRITER), "owner=a".to_owned(), vec!["Three"]),
            (&all, format!("ends_before={far}"), vec!["One", "Two", "Three"]),
            (&all, format!("ends_before={near}"), vec![]),
            (&all, format!("unused_since={near}"), vec!["One", "Two", "Three"]),
            (&all, "owner=%25".to_owned(), vec![]),
            (&all, format!("key={two}"), vec!["Two"]),
            (&keys.path(WRITER), format!("key={two}"), vec![]),
        ] {
            let found = test_env.get(&keys.token, &format!("{path}?{query}")).await.json_of(200);
            assert_eq!(BTreeSet::from_iter(column(&found, "name")), BTreeSet::from_iter(expected), "{query}");
        }
        let foreign = test_env.get(&keys.token, &format!("/api/v1/tenant/{other}/api-keys")).await;
        assert!(matches!(foreign.status, 401 | 403), "{}", foreign.body);
    }
}

// [limits #28]: live API keys of a client; the settings of one | `limits.api_keys`, 10000; 16 KiB | 409; 400
#[tokio::test]
async fn live_keys_of_a_client_are_limited() {
    let test_env = TestEnv::start();
    for (tenant, _) in BOTH {
        let keys = Keys::new(&test_env, tenant).await;
        let mut made = Vec::new();
        for number in 0..10 {
            made.push(keys.make(json!({ "name": number.to_string() })).await);
        }
        let more = async |client: &str| {
            test_env.post(&keys.token, &keys.path(client), json!({ "name": "more" })).await
        };
        assert!(more(SVC).await.json_of(409).to_string().contains("limits.api_keys allows 10"));
        more(WRITER).await.assert_status(201);
        test_env.delete(&keys.token, &made[0].path).await.assert_status(200);
        more(SVC).await.assert_status(201);
    }
}

// [third 14]
#[tokio::test]
async fn rotation_beyond_the_key_limit_is_refused() {
    for (tenant, other) in BOTH {
        let test_env = TestEnv::start();
        let keys = Keys::new(&test_env, tenant).await;
        let twin = Keys::new(&test_env, other).await;
        let foreign = twin.make(json!({ "name": "n" })).await;
        let mut made = Vec::new();
        for number in 0..10 {
            made.push(keys.make(json!({ "name": number.to_string() })).await);
        }
        let rotate = async |keys: &Keys<'_>, key: &Made, grace: u64| {
            let boss = test_env.token(keys.tenant, BOSS).await;
            test_env.post(&boss, &format!("{}/rotate", key.path), json!({ "grace": grace })).await
        };
        rotate(&keys, &made[0], HOUR).await.assert_status(201);
        for key in &made[1..3] {
            let refused = rotate(&keys, key, HOUR).await.json_of(409).to_string();
            assert!(refused.contains("11 live API keys, more than 10"), "{refused}");
        }
        assert_eq!(keys.token_of(&made[1]).await.status, 200, "a refused rotation changes nothing");
        // Each tenant has its own count. A rotation without a grace period does not change the
        // number of keys.
        rotate(&twin, &foreign, HOUR).await.assert_status(201);
        rotate(&keys, &made[1], 0).await.assert_status(201);
        test_env.app.pass(HOUR);
        rotate(&keys, &made[2], HOUR).await.assert_status(201);
        let boss = test_env.token(tenant, BOSS).await;
        let path = format!("{}/rotate", foreign.path);
        assert!(matches!(test_env.post(&boss, &path, json!({ "grace": 0 })).await.status, 401 | 403));
    }
}

// [third 14]
#[tokio::test]
async fn keys_with_blank_names_or_no_audience_are_refused() {
    let test_env = TestEnv::start();
    for (tenant, other) in BOTH {
        let keys = Keys::new(&test_env, tenant).await;
        // The client with the same id at the other tenant has no audience, which must have no
        // effect here.
        let bare = "bare";
        let client = |tenant: &str| fixtures::client(&fixtures::tenant(tenant), bare);
        test_env.app.store.put_client(Client { audiences: Vec::new(), ..client(other) });
        test_env.app.store.put_client(Client { audiences: vec!["api".to_owned()], ..client(tenant) });
        let key = keys.make(json!({ "name": "n", "owner": "o" })).await;
        for (settings, pointer) in [
            (json!({ "name": "n", "audiences": [] }), "/audiences"),
            (json!({ "name": "  " }), "/name"),
            (json!({ "name": "\u{3000}\u{a0}" }), "/name"),
            (json!({ "name": "n", "owner": " " }), "/owner"),
        ] {
            for client in [SVC, bare] {
                let refused = test_env.post(&keys.token, &keys.path(client), settings.clone()).await;
                refused.assert_faulty(&[pointer]);
            }
            let patched = test_env.patch(&keys.token, &key.path, settings).await;
            patched.assert_faulty(&[pointer]);
        }
        assert_eq!(test_env.get(&keys.token, &key.path).await.json_of(200)["name"], "n");
        test_env.app.store.put_client(Client { audiences: Vec::new(), ..client(tenant) });
        let allowed = json!({ "name": "n", "audiences": [] });
        test_env.post(&keys.token, &keys.path(bare), allowed).await.assert_status(201);
    }
}

//! Revoking a secret, or removing a key from the registration, revokes the refresh tokens that the
//! client got with it, in one tenant.

use std::sync::atomic::AtomicU64;

use keys::PrivateKeyDocument;

use crate::prelude::*;
use crate::revoked_grants::{OFFLINE, assert_error};

/// The client `web` has two credentials of the kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Secrets,
    Keys,
}

enum Credential {
    Secret(String),
    Key(Box<SigningKey>),
}

impl Credential {
    /// The parameters of a token request with this credential.
    fn parameters(&self, app: &TestApp, tenant: &str) -> Vec<(&'static str, String)> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        match self {
            Self::Secret(secret) => vec![("client_secret", secret.clone())],
            Self::Key(key) => {
                let (jti, exp) = (NEXT.fetch_add(1, Ordering::SeqCst), app.now() + 60);
                let audience = format!("{PUBLIC_URL}{}", token_path(tenant));
                let claims = json!({ "iss": "web", "sub": "web", "aud": audience, "exp": exp, "jti": jti.to_string() });
                let assertion = key.sign("JWT", &claims).unwrap();
                vec![("client_assertion_type", JWT_BEARER.to_owned()), ("client_assertion", assertion)]
            }
        }
    }
}

fn generated_key(number: u32) -> Credential {
    let document = PrivateKeyDocument::generate(SigningAlgorithm::ES256).unwrap();
    let key = SigningKey::parse(KeyId::numbered(number), SigningAlgorithm::ES256, document.expose());
    Credential::Key(Box::new(key.unwrap()))
}

fn jwks(credentials: &[Credential]) -> serde_json::Value {
    let jwk = |credential: &Credential| match credential {
        Credential::Key(key) => json!(key.jwk),
        Credential::Secret(_) => panic!("not a key"),
    };
    json!({ "keys": credentials.iter().map(jwk).collect::<Vec<_>>() })
}

/// Adds a person, and a client with two secrets and this change.
fn add_client_with_secrets(app: &TestApp, tenant: &str, change: impl FnOnce(&mut Client)) -> [Credential; 2] {
    add_person(app, tenant);
    let second = GeneratedSecret::generate().secret;
    let first = add_web_client(app, tenant, |client| {
        client.grant_types.push(GrantType::RefreshToken);
        client.scope = fixtures::scope("openid offline_access");
        let hash = hash_token(&app.pepper, &client.tenant, &client.id, &second);
        client.secrets.push(ClientSecret { hash, ..fixtures::secret("2") });
        change(client);
    });
    [first, second.expose().to_owned()].map(Credential::Secret)
}

/// The client is added in the admin API, so that an administrator may change it.
async fn add_client_with_keys(test_env: &TestEnv, tenant: &str) -> [Credential; 2] {
    add_person(&test_env.app, tenant);
    test_env.app.change_provider(tenant, |_| ());
    let keys = [generated_key(1), generated_key(2)];
    let document = json!({
        "client_id": "web", "scopes": ["openid", "offline_access"], "redirect_uris": [CALLBACK], "first_party": true,
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "private_key_jwt", "jwks": jwks(&keys),
    });
    let boss = test_env.token(tenant, BOSS).await;
    test_env.post(&boss, &clients_path(tenant), document).await.assert_status(201);
    keys
}

async fn add_client(test_env: &TestEnv, tenant: &str, kind: Kind) -> [Credential; 2] {
    match kind {
        Kind::Secrets => add_client_with_secrets(&test_env.app, tenant, |_| {}),
        Kind::Keys => add_client_with_keys(test_env, tenant).await,
    }
}

/// Revokes the first credential.
async fn revoke_first(test_env: &TestEnv, tenant: &str, credentials: &[Credential; 2]) {
    let boss = test_env.token(tenant, BOSS).await;
    let web = format!("{}/web", clients_path(tenant));
    let answer = match &credentials[0] {
        Credential::Secret(_) => test_env.delete(&boss, &format!("{web}/secrets/1")).await,
        Credential::Key(_) => test_env.patch(&boss, &web, json!({ "jwks": jwks(&credentials[1..]) })).await,
    };
    assert_eq!(answer.status, 200, "{}", answer.body);
}

async fn refresh_token(app: &TestApp, tenant: &str, by: &Credential) -> String {
    let code = Browser::new(app).code(tenant, &[OFFLINE]).await;
    let parameters = by.parameters(app, tenant);
    let mut more: Vec<_> = parameters.iter().map(|(name, value)| (*name, &**value)).collect();
    more.push(("code", &code));
    text(&redeem_with(app, tenant, &more).await.json_of(200), "refresh_token").to_owned()
}

async fn refresh(app: &TestApp, tenant: &str, token: &str, by: &Credential) -> Answer {
    let parameters = by.parameters(app, tenant);
    let more: Vec<_> = parameters.iter().map(|(name, value)| (*name, &**value)).collect();
    refresh_with(app, tenant, token, &more).await
}

async fn facts(app: &TestApp, tenant: &str) -> usize {
    app.store.find_revocations(&fixtures::tenant_id(tenant)).await.unwrap().iter().count()
}

// [revocation ours b]: A revoked secret and a removed key also end the refresh tokens that began with it, by
//   the same row; one that expires ends none
#[tokio::test]
async fn refresh_tokens_end_with_their_revoked_credential() {
    for kind in [Kind::Secrets, Kind::Keys] {
        for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
            let test_env = TestEnv::start();
            let app = &test_env.app;
            let ours = add_client(&test_env, tenant, kind).await;
            let theirs = add_client(&test_env, other, kind).await;
            let by_first = refresh_token(app, tenant, &ours[0]).await;
            let by_second = refresh_token(app, tenant, &ours[1]).await;
            let of_other = refresh_token(app, other, &theirs[0]).await;
            // Using the token with another credential does not bind it to that credential.
            for (token, credential) in [(&by_first, &ours[1]), (&by_second, &ours[0])] {
                let used = refresh(app, tenant, token, credential).await;
                assert_eq!(used.status, 200, "{kind:?}: {}", used.body);
            }
            revoke_first(&test_env, tenant, &ours).await;
            assert_eq!((facts(app, tenant).await, facts(app, other).await), (1, 0), "one row: {kind:?}");
            // Longer than the lifetime of any access token.
            for days in [0, 2, 29, 29, 29, 29, 29] {
                app.pass(days * 86_400);
                app.store.delete_ended_revocations(Timestamp::from_seconds(app.now())).await.unwrap();
                assert_error(&refresh(app, tenant, &by_first, &ours[1]).await, "invalid_grant");
                assert!(!app.is_active(tenant, &by_first).await, "{kind:?} {days}");
                let next = refresh(app, tenant, &by_second, &ours[1]).await;
                assert_eq!(next.status, 200, "{kind:?} {days}: {}", next.body);
                assert!(app.is_active(tenant, &by_second).await && app.is_active(other, &of_other).await);
                assert_eq!(refresh(app, other, &of_other, &theirs[0]).await.status, 200, "{kind:?} {days}");
            }
        }
    }
}

// [revocation ours b]
#[tokio::test]
async fn refresh_token_outlives_an_expired_secret() {
    let app = TestApp::start();
    for (tenant, seconds) in [(ACME, 100), (GLOBEX, 300)] {
        let end = Timestamp::from_seconds(app.now() + seconds);
        let ours = add_client_with_secrets(&app, tenant, |client| client.secrets[0].expires_at = Some(end));
        let token = refresh_token(&app, tenant, &ours[0]).await;
        app.pass(seconds + 1);
        assert_eq!(refresh(&app, tenant, &token, &ours[0]).await.status, 401);
        assert_eq!(refresh(&app, tenant, &token, &ours[1]).await.status, 200);
        assert_eq!(facts(&app, tenant).await, 0);
    }
}

//! A revocation by an administrator invalidates the refresh tokens and codes that were issued
//! before it, in one tenant.

use crate::prelude::*;

pub(crate) const OFFLINE: (&str, &str) = ("scope", "openid offline_access");

/// How an administrator revokes all tokens of the client `web` or of its tenant.
#[derive(Clone, Copy, Debug)]
enum Way {
    Client(&'static [&'static str]),
    Tenant(&'static [&'static str]),
}

const WAYS: [Way; 4] = [
    Way::Client(&["tokens/revoke"]),
    Way::Client(&["suspend", "resume"]),
    Way::Tenant(&["tokens/revoke"]),
    Way::Tenant(&["suspend", "resume"]),
];

impl Way {
    async fn go(self, test_env: &TestEnv, tenant: &str) {
        let (token, path, steps) = match self {
            Self::Client(steps) => {
                (test_env.token(tenant, BOSS).await, format!("{}/web", clients_path(tenant)), steps)
            }
            Self::Tenant(steps) => {
                let path = format!("{TENANTS}/{tenant}");
                (test_env.token(PLATFORM, OPS).await, path, steps)
            }
        };
        for step in steps {
            let answer = test_env.step(&token, &format!("{path}/{step}")).await;
            assert_eq!(answer.status, 200, "{self:?} {step}: {}", answer.body);
        }
    }
}

/// The grants of one tenant, in each form that a client can have.
struct Granted {
    refresh_token: String,
    code: String,
    allowed_device: Value,
    pending_device: Value,
}

fn add_client(app: &TestApp, tenant: &str) {
    furnish(app, tenant, |client| {
        public(client);
        client.scope = fixtures::scope("openid profile email offline_access");
        client.grant_types.extend([GrantType::RefreshToken, GrantType::DeviceCode]);
    });
}

async fn refresh_token(app: &TestApp, tenant: &str) -> String {
    let code = Browser::new(app).code(tenant, &[OFFLINE]).await;
    text(&redeem_with(app, tenant, &[("code", &code)]).await.json_of(200), "refresh_token").to_owned()
}

async fn grant(app: &TestApp, tenant: &str) -> Granted {
    let refresh_token = refresh_token(app, tenant).await;
    let allowed_device = allowed(&mut Browser::new(app), tenant).await;
    let pending_device = begin(app, tenant).await;
    let code = Browser::new(app).code(tenant, &[OFFLINE]).await;
    Granted { refresh_token, code, allowed_device, pending_device }
}

async fn refresh(app: &TestApp, tenant: &str, token: &str) -> Answer {
    refresh_with(app, tenant, token, &[]).await
}

#[track_caller]
pub(crate) fn assert_error(answer: &Answer, expected: &str) {
    answer.assert_error(400, expected);
}

// [revocation ours]: Revoking all tokens of a client or a tenant, and suspending it, also ends its refresh
//   tokens, codes and device codes, by one row, for as long as they could live; what is granted afterwards
//   stays valid
#[tokio::test]
async fn revoking_all_tokens_ends_refresh_tokens_and_codes() {
    for way in WAYS {
        let test_env = TestEnv::start();
        let app = &test_env.app;
        for tenant in [ACME, GLOBEX] {
            add_client(app, tenant);
        }
        for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
            let (ours, theirs) = (grant(app, tenant).await, grant(app, other).await);
            assert!(app.is_active(tenant, &ours.refresh_token).await);
            way.go(&test_env, tenant).await;
            assert!(!app.is_active(tenant, &ours.refresh_token).await, "{way:?}");
            // The first attempt is in the second of the revocation. The later one does not have to
            // wait for the end of that second.
            assert_error(&refresh(app, tenant, &ours.refresh_token).await, "invalid_grant");
            app.pass(1);
            assert_error(&refresh(app, tenant, &ours.refresh_token).await, "invalid_grant");
            assert_error(&redeem_with(app, tenant, &[("code", &ours.code)]).await, "invalid_grant");
            for device in [&ours.allowed_device, &ours.pending_device] {
                assert_error(&poll(app, tenant, device).await, "invalid_grant");
            }
            assert!(app.is_active(other, &theirs.refresh_token).await, "{way:?}");
            assert_eq!(refresh(app, other, &theirs.refresh_token).await.status, 200);
            assert_eq!(redeem_with(app, other, &[("code", &theirs.code)]).await.status, 200);
            assert_eq!(poll(app, other, &theirs.allowed_device).await.status, 200);
            assert_error(&poll(app, other, &theirs.pending_device).await, "authorization_pending");
            app.pass(2);
        }
    }
}

// [revocation ours]
#[tokio::test]
async fn only_grants_after_the_revocation_stay_valid() {
    for way in WAYS {
        let test_env = TestEnv::start();
        let app = &test_env.app;
        for tenant in [ACME, GLOBEX] {
            add_client(app, tenant);
            let before = refresh_token(app, tenant).await;
            way.go(&test_env, tenant).await;
            // The request is in the second of the revocation, but its code is issued after it.
            let after = refresh_token(app, tenant).await;
            app.pass(1);
            let facts = app.store.find_revocations(&fixtures::tenant_id(tenant)).await.unwrap();
            assert_eq!(facts.iter().count(), 1, "one row, whatever was granted: {way:?}");
            let mut after = refresh(app, tenant, &after).await;
            // Longer than the lifetime of any access token, and shorter than that of the refresh
            // tokens.
            for days in [0, 1, 29, 29, 29, 29, 29, 29] {
                app.pass(days * 86_400);
                app.store.delete_ended_revocations(Timestamp::from_seconds(app.now())).await.unwrap();
                assert_error(&refresh(app, tenant, &before).await, "invalid_grant");
                assert_eq!(after.status, 200, "{way:?}: {}", after.body);
                let next = after.text("refresh_token");
                assert!(app.is_active(tenant, &next).await && !app.is_active(tenant, &before).await);
                after = refresh(app, tenant, &next).await;
            }
        }
    }
}

#[tokio::test]
async fn too_many_single_revocations_end_no_refresh_token() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        add_client(&app, tenant);
        let token = refresh_token(&app, tenant).await;
        let now = Timestamp::from_seconds(app.now());
        for number in 0..=registry::TokenRevocation::MOST_OF_CLIENT {
            let revoked = registry::TokenRevocation {
                client: fixtures::client_id("web"),
                jti: number.to_string(),
                issued_at: now,
                expires_at: now + values::Lifetime::from_seconds(60),
                sub: None,
            };
            app.store.revoke_token(&fixtures::tenant_id(tenant), &revoked, now).await.unwrap();
        }
        assert_eq!(app.store.find_revocations(&fixtures::tenant_id(tenant)).await.unwrap().iter().count(), 1);
        assert!(app.is_active(tenant, &token).await);
        assert_eq!(refresh(&app, tenant, &token).await.status, 200);
    }
}

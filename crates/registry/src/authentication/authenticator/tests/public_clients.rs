//! Tests public clients, which send only their `client_id` (RFC 6749 §2.1).

use super::*;

fn none(client_id: &str) -> ClientAuthentication {
    ClientAuthentication::None { client_id: client_id.to_owned() }
}

fn clients() -> Vec<Client> {
    let public = |id| Client {
        authentication_method: ClientAuthenticationMethod::None,
        secrets: Vec::new(),
        ..client(id)
    };
    let suspended = Client { status: ClientStatus::Suspended, ..public("suspended") };
    vec![public("app"), suspended, client("billing")]
}

impl TestEnv {
    async fn identify(&self, id: &str, credentials: ClientAuthentication) -> Result<AuthenticatedClient, E> {
        let (source, now) = (CallerAddress::new(None), Timestamp::from_seconds(NOW));
        let (authenticator, purpose) = (&self.authenticator, Purpose::Identify);
        authenticator.authenticate(&tenant(id), credentials, purpose, &source, now).await
    }
}

// [oauth RFC 6749 §2.1, §2.3]: A public client is identified by its name where that gives it nothing, and
//   authenticates nowhere
#[tokio::test]
async fn active_public_client_is_identified() {
    let test_env = test_env(clients());
    let app = test_env.identify("acme", none("app")).await.unwrap();
    assert_eq!((app.client().id.as_str(), app.proof()), ("app", &Proof::Nothing));
    assert_eq!(test_env.pool.hashes_computed(), 0);
    for (tenant, client_id) in [
        ("other", "app"),
        ("acme", "suspended"),
        ("acme", "billing"),
        ("acme", "unknown"),
        ("acme", ""),
        ("acme", "mal\0formed"),
    ] {
        let before = test_env.pool.hashes_computed();
        let error = test_env.identify(tenant, none(client_id)).await.unwrap_err();
        assert_eq!(error.to_string(), refused(methods::CREDENTIAL_MISSING), "{tenant}/{client_id}");
        assert_eq!(test_env.pool.hashes_computed(), before + 1, "{tenant}/{client_id}");
    }
}

// [oauth RFC 6749 §2.1, §2.3]
#[tokio::test]
async fn public_client_cannot_authenticate() {
    let test_env = test_env(clients());
    for client_id in ["app", "suspended", "billing", "unknown"] {
        test_env.check(none(client_id), &refused(methods::CREDENTIAL_MISSING), 1).await;
    }
    test_env.check(post("app", generated(1).expose()), &refused(methods::METHOD_NOT_REGISTERED), 0).await;
}

#[tokio::test]
async fn identification_checks_other_credentials() {
    let test_env = test_env(clients());
    let billing = test_env.identify("acme", post("billing", generated(1).expose())).await.unwrap();
    assert_eq!(named(billing.proof()), "generated");
    for wrong in [post("billing", generated(2).expose()), basic(&[("app", "")])] {
        assert!(test_env.identify("acme", wrong).await.is_err());
    }
}

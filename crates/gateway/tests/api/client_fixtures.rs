//! The clients of both tenants. The ids are the same in both tenants, and the secrets differ.

use keys::PrivateKeyDocument;
use registry::{ClientStatus, IntrospectionRight};
use secrets::{PasswordSalt, Pepper, SecretHash, hash_password};
use tenancy::ResourceServer;

use crate::prelude::*;

pub(crate) const SVC: &str = "svc";
/// Has a chosen secret with characters that Basic credentials must encode.
pub(crate) const CHOSEN: &str = "chosen";
/// Does not have the scope of the protected resource.
pub(crate) const WRITER: &str = "writer";
/// Has no audiences.
pub(crate) const PLAIN: &str = "plain";
/// May introspect the tokens of the second resource server.
pub(crate) const GATEKEEPER: &str = "gatekeeper";
/// May introspect all tokens of its tenant.
pub(crate) const AUDITOR: &str = "auditor";
/// May not use client credentials.
pub(crate) const CODE_ONLY: &str = "code-only";
/// Authenticates with an assertion.
pub(crate) const ASSERTING: &str = "asserting";
pub(crate) const SUSPENDED: &str = "suspended";
/// Has an id that Basic credentials must encode.
pub(crate) const ODD: &str = "odd/client 1+1%";
pub(crate) const ALL: [&str; 10] =
    [SVC, CHOSEN, WRITER, PLAIN, GATEKEEPER, AUDITOR, CODE_ONLY, ASSERTING, SUSPENDED, ODD];

/// A second resource server, identified by a URI.
pub(crate) const ORDERS: &str = "https://orders.example";

pub(crate) struct Secrets(BTreeMap<&'static str, String>);

impl Secrets {
    pub(crate) fn of(&self, client: &str) -> &str {
        &self.0[client]
    }
}

/// The key of the tenant's [`ASSERTING`] client. The keys of both tenants have the same `kid`.
pub(crate) fn assertion_key(tenant: &str) -> &'static SigningKey {
    static KEYS: LazyLock<[SigningKey; 2]> = LazyLock::new(|| {
        [(); 2].map(|()| {
            let document = PrivateKeyDocument::generate(SigningAlgorithm::ES256).unwrap();
            SigningKey::parse(KeyId::numbered(7), SigningAlgorithm::ES256, document.expose()).unwrap()
        })
    });
    &KEYS[usize::from(tenant != ACME)]
}

/// The claims of a valid assertion of [`ASSERTING`].
pub(crate) fn assertion_claims(tenant: &str, jti: &str) -> Value {
    let (audience, exp) = (format!("{PUBLIC_URL}{}", token_path(tenant)), fixtures::NOW.seconds() + 60);
    json!({ "iss": ASSERTING, "sub": ASSERTING, "aud": audience, "exp": exp, "jti": jti })
}

/// Adds a client with a live (if `has_live`), an expired and a revoked secret. Returns their
/// values.
pub(crate) fn add_ended_client(app: &TestApp, tenant: &str, id: &str, has_live: bool) -> [String; 3] {
    let client = fixtures::client(&fixtures::tenant(tenant), id);
    let values = [(); 3].map(|()| GeneratedSecret::generate().secret);
    let row = |at: usize, id: &str| {
        let hash = hash_token(&app.pepper, &client.tenant, &client.id, &values[at]);
        ClientSecret { hash, ..fixtures::secret(id) }
    };
    let past = Some(Timestamp::from_seconds(fixtures::NOW.seconds() - 1));
    let expired = ClientSecret { expires_at: past, ..row(1, "2") };
    let revoked = ClientSecret { revoked_at: past, ..row(2, "3") };
    let mut secrets = vec![expired, revoked];
    secrets.extend(has_live.then(|| row(0, "1")));
    app.store.put_client(Client { secrets, ..client });
    values.map(|value| value.expose().to_owned())
}

impl TestApp {
    /// Replaces a client by its fixture with the change. Keeps its generated secret.
    pub(crate) fn change_client(&self, tenant: &str, id: &str, change: impl FnOnce(&mut Client)) {
        let mut client = client(&self::tenant(tenant), id);
        let text = Secret::new(self.secrets(tenant).of(id).to_owned());
        let hash = hash_token(&self.pepper, &client.tenant, &client.id, &text);
        client.secrets.push(ClientSecret { hash, ..fixtures::secret("1") });
        change(&mut client);
        self.store.put_client(client);
    }
}

pub(crate) fn settle(store: &TestStore, pepper: &Pepper, tenant: &Tenant) -> Secrets {
    let tenant = self::tenant(tenant.id.as_str());
    store.put_tenant(tenant.clone());
    let mut secrets = BTreeMap::new();
    let clients = ALL.map(|id| {
        let mut client = client(&tenant, id);
        let (text, hash) = secret(pepper, &client);
        client.secrets.push(ClientSecret { hash, ..fixtures::secret("1") });
        secrets.insert(id, text);
        client
    });
    store.put_clients(&clients);
    Secrets(secrets)
}

pub(crate) fn tenant(id: &str) -> Tenant {
    let mut tenant = fixtures::tenant(id);
    tenant.strategies.oidc = false;
    tenant.resource_servers.push(ResourceServer {
        audience: ORDERS.to_owned(),
        scopes: fixtures::scope("orders:read"),
        introspection_clients: vec![GATEKEEPER.to_owned()],
        ..ResourceServer::default()
    });
    tenant
}

fn client(tenant: &Tenant, id: &str) -> Client {
    let mut client = fixtures::client(tenant, id);
    match id {
        SVC => {
            client.scope = fixtures::scope("api:read api:write orders:read");
            client.resources.push(ORDERS.to_owned());
        }
        WRITER => client.scope = fixtures::scope("api:write"),
        PLAIN => client.audiences.clear(),
        GATEKEEPER => client.introspection = IntrospectionRight::Audience,
        AUDITOR => client.introspection = IntrospectionRight::Tenant,
        CODE_ONLY => client.grant_types = vec![GrantType::AuthorizationCode],
        ASSERTING => {
            client.authentication_method = ClientAuthenticationMethod::PrivateKeyJwt;
            let jwks = json!({ "keys": [assertion_key(tenant.id.as_str()).jwk] });
            client.keys = Some(ClientKeys::parse(&jwks.to_string()).unwrap());
        }
        SUSPENDED => client.status = ClientStatus::Suspended,
        _ => {}
    }
    client
}

fn secret(pepper: &Pepper, client: &Client) -> (String, SecretHash) {
    let secret = match client.id.as_str() {
        CHOSEN => Secret::new(format!("100% {}:\u{e9}+/=&?", client.tenant)),
        _ => GeneratedSecret::generate().secret,
    };
    let hash = match client.id.as_str() {
        CHOSEN => password_hash(secret.expose()),
        _ => hash_token(pepper, &client.tenant, &client.id, &secret),
    };
    (secret.expose().to_owned(), hash)
}

/// Precomputed, because computing a hash takes longer than most tests.
const HASHES: [(&str, &str); 3] = [
    ("100% acme:\u{e9}+/=&?", "UYd9/geRjsuvgzIAqODtvoNy3ogXCVaG4la8txt7Z38"),
    ("100% globex:\u{e9}+/=&?", "lD50kZGrp/MwJD3R0oihBPkT3AHMDFS8uKeJCRinKD8"),
    (PASSWORD, "8V0oAmwslgsDubdmExL4LrZR4GwdUsSrBeulkx6Cd18"),
];

/// Without a pepper.
pub(crate) fn password_hash(text: &str) -> SecretHash {
    let known = HASHES.iter().find(|(password, _)| *password == text);
    match known {
        Some((_, digest)) => {
            format!("$argon2id$v=19$m=19456,t=2,p=1$c2FsdC1vZi1maXh0dXJlcw${digest}").parse().unwrap()
        }
        None => hash_password(&Secret::new(text.to_owned()), &PasswordSalt::generate()).unwrap(),
    }
}

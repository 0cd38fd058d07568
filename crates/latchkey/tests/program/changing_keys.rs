//! Two tenants that change their keys and algorithms, and one that does so only in an emergency.

use std::path::PathBuf;

use latchkey_client::{Secret, TokenSource};
use testkit::free_port;

use crate::certificates::{authority, write};
use crate::cli::Cli;
use crate::folder::Folder;
use crate::jwt;
use crate::program::Program;
use crate::reload::eventually;
use crate::running::tenant_path;
use crate::settings::generated;

/// The algorithms of the tenants' keys, one after the other. All verifiers know the last one, so each has to
/// fetch the keys at the end.
pub(crate) const ALGORITHMS: [&str; 3] = ["EdDSA", "RS256", "ES256"];

/// Verifiers know a new key within 2 s, and it signs after 3 s, because times are whole seconds.
const QUICK: &str = "publish_before: 3s, jwks_max_age: 1s, jwks_stale: 0s, skew: 0s";
const QUICK_CACHE: &str = "cache: { l1_lifetime: 1s }\n";

/// A tenant with the clients `shipping`, `elsewhere` with tokens for another API, and `auditor`, which may
/// introspect.
#[derive(Clone)]
pub(crate) struct Tenant {
    pub(crate) id: &'static str,
    pub(crate) issuer: String,
    /// An https URL.
    pub(crate) jwks: String,
    /// The secret of all clients.
    pub(crate) secret: String,
}

/// The keys of `acme` and `globex` change. Verifiers may keep those of `initech` as long as by default.
pub(crate) struct Platform {
    pub(crate) tenants: [Tenant; 3],
    folder: Folder,
    program: Program,
    settings: Box<dyn Fn(&str) -> String>,
}

impl Platform {
    pub(crate) fn start() -> Self {
        let ports = [free_port(), free_port()];
        let [address, tls] = ports.map(|port| format!("127.0.0.1:{port}"));
        let url = format!("http://{address}");
        let tenants = ["acme", "globex", "initech"].map(|id| {
            let issuer = format!("{url}{}", tenant_path(id, ""));
            let jwks = tenant_path(id, "/.well-known/jwks.json");
            Tenant { id, issuer, jwks: format!("https://localhost:{}{jwks}", ports[1]), secret: generated() }
        });
        let server = format!(
            "server: {{ public_url: '{url}', listeners: [{{ address: '{address}' }}, \
             {{ address: '{tls}', tls: {{ certificate: server.pem, private_key: server.key }} }}] }}\n{QUICK_CACHE}tenants:\n"
        );
        let declared = tenants.clone();
        let settings = move |algorithm: &str| {
            let tenant = |tenant: &Tenant| {
                let Tenant { id, secret, .. } = tenant;
                let signing = match *id {
                    "initech" => "algorithm: ES256".to_owned(),
                    _ => format!("algorithm: {algorithm}, {QUICK}"),
                };
                let client = |more: &str| format!("{{ client_secret: {{ value: {secret} }}, {more} }}");
                // RabbitMQ's permissions are scopes.
                let scopes = "scopes: ['api:read', 'orders-api.read:*/*']";
                format!(
                    "  {id}: {{ signing: {{ {signing} }}, strategies: {{ oauth2: {{ enabled: true }}, oidc: {{ enabled: true }} }}, \
                     resource_servers: {{ orders-api: {{ {scopes} }}, other-api: {{ {scopes} }} }}, \
                     clients: {{ shipping: {}, elsewhere: {}, auditor: {} }} }}\n",
                    client(&format!("audiences: [orders-api], {scopes}")),
                    client(&format!("audiences: [other-api], {scopes}")),
                    client("introspection: tenant"),
                )
            };
            server.clone() + &declared.each_ref().map(tenant).concat()
        };
        let folder = Folder::with(&settings(ALGORITHMS[0]));
        let ours = authority("ours");
        folder.write("ca.pem", &ours.pem());
        let names = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        write(&folder, "server", &names.signed_by(&key, &ours).unwrap().pem(), &key);
        let program = Program::start(&folder);
        Self { tenants, folder, program, settings: Box::new(settings) }
    }

    pub(crate) async fn token(&self, tenant: &Tenant, client: &str) -> String {
        self.program.token(tenant.id, client, &tenant.secret).await
    }

    /// A token that is bound to a key.
    pub(crate) async fn bound_token(&self, tenant: &Tenant) -> String {
        let builder = TokenSource::builder().issuer(&tenant.issuer).client_id("shipping");
        let source = builder.credential(Secret::value(&tenant.secret)).dpop().build().unwrap();
        source.token().await.unwrap().expose().to_owned()
    }

    /// The tenants with changing keys.
    pub(crate) fn changing(&self) -> &[Tenant] {
        &self.tenants[..2]
    }

    /// A token for the API from each tenant.
    pub(crate) async fn tokens(&self) -> [String; 3] {
        let [acme, globex, initech] = self.tenants.each_ref().map(|tenant| self.token(tenant, "shipping"));
        [acme.await, globex.await, initech.await]
    }

    /// The certificate for the key sets.
    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.path("ca.pem")
    }

    /// Waits until keys of this algorithm sign. `number` is the number of each tenant's next key.
    pub(crate) async fn change_to(&self, algorithm: &str, number: usize) {
        self.folder.replace("config.yaml", &(self.settings)(algorithm));
        self.program.signal("HUP");
        for tenant in self.changing() {
            self.until_key(tenant, number).await;
        }
    }

    /// Replaces all keys without announcing the new ones.
    pub(crate) async fn replace_keys(&self) {
        for tenant in &self.tenants {
            Cli::store(&self.folder).run(&["key", "rotate", tenant.id, "--emergency", "--yes"]).output();
        }
        for (tenant, number) in self.tenants.iter().zip([4, 4, 2]) {
            self.until_key(tenant, number).await;
        }
    }

    async fn until_key(&self, tenant: &Tenant, number: usize) {
        eventually(&format!("key {number} signs for {}", tenant.id), async || {
            jwt::kid(&self.token(tenant, "shipping").await) == format!("oauth2-key-{number}")
        })
        .await;
    }
}

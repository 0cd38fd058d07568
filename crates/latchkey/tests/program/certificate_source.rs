//! Tests `latchkey-client` with a client certificate against the program. The client finds the alias in the
//! metadata, uses its bound token over connections with the certificate, and renews the certificate while it
//! runs. Another tenant accepts neither.

use std::time::Duration;
use testkit::free_port;

use latchkey_client::{ClientCertificate, Secret, SendWith as _, TokenSource};
use rcgen::{CertificateParams, CertifiedIssuer, KeyPair, SanType};
use reqwest::Certificate;
use secrets::GeneratedSecret;

use crate::certificates::{authority, path, subject, write};
use crate::folder::Folder;
use crate::jwt;
use crate::program::Program;
use crate::running::tenant_path;

const TENANTS: [(&str, &str); 2] = [("acme", "globex"), ("globex", "acme")];

/// A program with two listeners, one of which asks for certificates.
pub(crate) struct TestEnv {
    pub(crate) folder: Folder,
    authority: CertifiedIssuer<'static, KeyPair>,
    pub(crate) public_url: String,
    pub(crate) mtls_url: String,
    /// The secrets of the clients `svc`.
    secrets: [String; 2],
}

impl TestEnv {
    pub(crate) fn new() -> Self {
        let authority = authority("ours");
        let [public, mtls] = [(); 2].map(|()| format!("127.0.0.1:{}", free_port()));
        let secrets = [(); 2].map(|()| GeneratedSecret::generate().secret.expose().to_owned());
        let tenant = |name: &str, secret: &str| {
            format!(
                "{{ strategies: {{ oauth2: {{ enabled: true }} }}, resource_servers: {{ api: {{ scopes: [api:read] }} }}, clients: {{ billing: \
                 {{ token_endpoint_auth_method: tls_client_auth, tls_client_auth_subject_dn: 'CN={name}, O=Example Ltd', \
                 tls_client_certificate_bound_access_tokens: true, audiences: [api], scopes: [api:read] }}, svc: {{ client_secret: {{ value: {secret} }}, \
                 tls_client_certificate_bound_access_tokens: true, audiences: [api], scopes: [api:read] }} }} }}"
            )
        };
        let folder = Folder::with(&format!(
            "server:\n  public_url: https://{public}\n  mtls_url: https://{mtls}\n  listeners:\n    \
             - {{ address: {public}, tls: {{ certificate: server.pem, private_key: server.key }} }}\n    \
             - {{ address: {mtls}, tls: {{ certificate: server.pem, private_key: server.key, client_ca: ca.pem, client_certificates: optional }} }}\n\
             storage: {{ url: sqlite://data/latchkey.db }}\nkeys: {{ sealing_key: {{ file: keys/sealing.key }} }}\n\
             protected_resource: {{ tenant: acme, audience: api }}\ntenants:\n  acme: {}\n  globex: {}\n",
            tenant("acme", &secrets[0]),
            tenant("globex", &secrets[1]),
        ));
        folder.write("ca.pem", &authority.pem());
        let mut server = CertificateParams::default();
        server.subject_alt_names.push(SanType::IpAddress([127, 0, 0, 1].into()));
        let key = KeyPair::generate().unwrap();
        write(&folder, "server", &server.signed_by(&key, &authority).unwrap().pem(), &key);
        let env = Self {
            folder,
            authority,
            public_url: format!("https://{public}"),
            mtls_url: format!("https://{mtls}"),
            secrets,
        };
        env.renew("acme");
        env.renew("globex");
        env
    }

    /// Gives the client of a tenant a certificate with a new key.
    fn renew(&self, tenant: &str) {
        let mut parameters = CertificateParams::default();
        subject(&mut parameters, tenant);
        let key = KeyPair::generate().unwrap();
        write(&self.folder, tenant, &parameters.signed_by(&key, &self.authority).unwrap().pem(), &key);
    }

    fn certificate(&self, tenant: &str) -> ClientCertificate {
        let file = |ending: &str| path(&self.folder, &format!("{tenant}.{ending}"));
        ClientCertificate::files(file("pem"), file("key"))
    }

    fn source(&self, tenant: &str, client: &str, certificate: ClientCertificate) -> TokenSource {
        let trusted = Certificate::from_pem(self.authority.pem().as_bytes()).unwrap();
        TokenSource::builder()
            .issuer(format!("{}{}", self.public_url, tenant_path(tenant, "")))
            .client_id(client)
            .credential(certificate)
            .http(move |http| http.no_proxy().tls_certs_only([trusted.clone()]))
            .build()
            .unwrap()
    }

    /// Calls the sample resource of acme, and returns the status.
    async fn call(&self, tokens: &TokenSource) -> u16 {
        let request = reqwest::Client::new().get(format!("{}/api/v1/protected-resource", self.mtls_url));
        request.send_with(tokens).await.unwrap().status().as_u16()
    }

    /// Sends this token to the sample resource without a certificate, and returns the status.
    async fn steal(&self, token: &str) -> u16 {
        let trusted = Certificate::from_pem(self.authority.pem().as_bytes()).unwrap();
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([trusted]).build().unwrap();
        let request = http.get(format!("{}/api/v1/protected-resource", self.mtls_url)).bearer_auth(token);
        request.send().await.unwrap().status().as_u16()
    }
}

fn bound_to(tokens: &TokenSource) -> String {
    let token = tokens.cached().expect("a token");
    jwt::claims(token.expose())["cnf"]["x5t#S256"].as_str().expect("a bound token").to_owned()
}

#[tokio::test]
async fn no_call_fails_when_a_certificate_is_renewed() {
    let env = TestEnv::new();
    let program = Program::start(&env.folder);
    for ((tenant, other), status) in TENANTS.into_iter().zip([200, 401]) {
        let tokens = env.source(tenant, "billing", env.certificate(tenant));
        assert_eq!(env.call(&tokens).await, status, "{tenant}");
        let before = bound_to(&tokens);
        assert_eq!(env.steal(tokens.cached().unwrap().expose()).await, 401, "{tenant}");
        env.renew(tenant);
        tokio::time::sleep(Duration::from_millis(1100)).await;
        // The cached token is still used, over connections with the certificate to which it is bound.
        assert_eq!(env.call(&tokens).await, status, "{tenant}");
        if status == 200 {
            assert_eq!(bound_to(&tokens), before);
            assert!(tokens.invalidate(&tokens.cached().unwrap()));
            assert_eq!(env.call(&tokens).await, status);
            assert_ne!(bound_to(&tokens), before);
        }
        let refused = env.source(other, "billing", env.certificate(tenant)).token().await.unwrap_err();
        assert_eq!(refused.code(), Some("invalid_client"), "{tenant} at {other}");
    }
    program.stop();
}

#[tokio::test]
async fn certificate_with_a_secret_binds_the_token() {
    let env = TestEnv::new();
    let program = Program::start(&env.folder);
    for (((tenant, other), secret), status) in TENANTS.into_iter().zip(&env.secrets).zip([200, 401]) {
        let source =
            |at: &str, of: &str| env.source(at, "svc", env.certificate(of).beside(Secret::value(secret)));
        // The client authenticates with its secret, so it may present any certificate for which it has the
        // key.
        for of in [tenant, other] {
            let tokens = source(tenant, of);
            assert_eq!(env.call(&tokens).await, status, "{tenant}");
            bound_to(&tokens);
            assert_eq!(env.steal(tokens.cached().unwrap().expose()).await, 401, "{tenant}");
        }
        assert_eq!(source(other, tenant).token().await.unwrap_err().code(), Some("invalid_client"));
    }
    program.stop();
}

//! The settings of a measured server: the features that it serves, its cores, and the platform's
//! configuration.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use super::algorithm::Algorithm;
use super::certificate::Certificate;
use crate::workspace::{Doing, Failure};

#[derive(Clone)]
pub(super) struct Setup<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) address: SocketAddr,
    /// A second listener.
    pub(super) tls: Option<(SocketAddr, &'a Certificate)>,
    pub(super) workers: usize,
    /// The cores in the form of `taskset`.
    pub(super) cores: &'static str,
    /// The rotation of refresh tokens.
    pub(super) rotation: &'static str,
}

impl<'a> Setup<'a> {
    /// A setup with one worker on the server's core.
    pub(super) fn new(algorithm: Algorithm, certificate: Option<&'a Certificate>) -> Result<Self, Failure> {
        let tls = certificate.map(|certificate| Ok((free_address()?, certificate))).transpose()?;
        Ok(Self {
            algorithm,
            address: free_address()?,
            tls,
            workers: 1,
            cores: super::SERVER_CORE,
            rotation: "never",
        })
    }

    /// The `config.yaml` of the platform. Its issuer equals the bare handler's, and is the same after each
    /// restart.
    pub(super) fn configuration(&self) -> String {
        let Self { address, workers, rotation, .. } = self;
        let algorithm = self.algorithm.name();
        let tls = self.tls.map_or_else(String::new, |(address, Certificate { chain, key })| {
            let (chain, key) = (chain.display(), key.display());
            format!(", {{ address: '{address}', tls: {{ certificate: '{chain}', private_key: '{key}' }} }}")
        });
        let jwk = public_key();
        format!(
            "server:
  public_url: http://127.0.0.1:3000
  listeners: [{{ address: '{address}' }}{tls}]
  workers: {workers}
  default_tenant: bench
storage: {{ url: 'sqlite://data/latchkey.db' }}
protected_resource: {{ tenant: bench, audience: bench-api, required_scope: api:read }}
keys: {{ sealing_key: {{ file: data/sealing.key }} }}
tenants:
  bench:
    name: Bench
    strategies: {{ oauth2: {{ enabled: true }}, oidc: {{ enabled: true }} }}
    signing: {{ algorithm: {algorithm} }}
    access_token: {{ lifetime: 1h, format: jwt }}
    refresh_token: {{ rotation: {rotation} }}
    api_keys: {{ max_lifetime: 365d, default_lifetime: 90d }}
    trusted_issuers:
      workloads: {{ issuer: 'https://workloads.example.com', jwks: {{ keys: [{jwk}] }} }}
    resource_servers:
      bench-api: {{ scopes: [api:read, api:write] }}
    clients:
      bench:
        name: Load
        client_secret: {{ value: bench-client-secret }}
        grant_types: [client_credentials]
        audiences: [bench-api]
        scopes: [api:read, api:write]
      bench-web:
        name: Sign-ins of the load
        client_secret: {{ value: bench-client-secret }}
        grant_types: [authorization_code, refresh_token]
        redirect_uris: ['http://127.0.0.1:3001/callback']
        scopes: [openid, profile, email, offline_access]
        first_party: true
        require_pkce: false
      bench-key:
        name: Load with assertions
        token_endpoint_auth_method: private_key_jwt
        jwks: {{ keys: [{jwk}] }}
        grant_types: [client_credentials]
        audiences: [bench-api]
        scopes: [api:read, api:write]
      bench-workload:
        name: Load with assertions of another issuer
        federated: [{{ issuer: workloads, subject: 'workload:bench' }}]
        grant_types: [client_credentials]
        audiences: [bench-api]
        scopes: [api:read, api:write]
    accounts:
      ada:
        email: ada@example.com
        password: {{ value: bench-account-password }}
        claims: {{ name: Ada Lovelace, given_name: Ada, family_name: Lovelace, locale: en }}
"
        )
    }
}

/// The public part of the key that the assertions of the load are signed with.
fn public_key() -> String {
    const PRIVATE: &str = include_str!("../../../crates/gateway/examples/client_key.json");
    let mut key: serde_json::Map<_, _> = serde_json::from_str(PRIVATE).unwrap_or_default();
    key.remove("d");
    serde_json::Value::Object(key).to_string()
}

fn free_address() -> Result<SocketAddr, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).doing("find a free port")?;
    listener.local_addr().doing("find a free port")
}

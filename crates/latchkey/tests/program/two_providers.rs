//! A program at which one e-mail address is a person at each of two tenants, for libraries and browsers that sign people in.

use std::net::TcpListener;

use protocol::SigningAlgorithm;
use secrets::GeneratedSecret;
use serde_json::{Value, json};

use crate::assertions::Pair;
use crate::folder::Folder;
use crate::program::Program;
use crate::running::tenant_path;

/// Nothing listens there.
pub(crate) const REDIRECT_URI: &str = "http://127.0.0.1:9/callback";

/// A tenant with the client `web`, which has a secret, and the public client `spa`.
pub(crate) struct ProviderTenant {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) issuer: String,
    pub(crate) secret: String,
    pub(crate) password: String,
    /// Of the client `web`, for what it signs.
    pub(crate) key: Pair,
}

pub(crate) struct TwoProviders {
    pub(crate) url: String,
    pub(crate) tenants: [ProviderTenant; 2],
    pub(crate) folder: Folder,
    _program: Program,
}

impl TwoProviders {
    /// The public client is served at this address.
    pub(crate) fn start(spa: &str) -> Self {
        Self::start_with(spa, |_| json!({}))
    }

    /// The same, where the client `web` is told of sessions that end: below this address, at the tenant's name.
    pub(crate) fn start_telling(spa: &str, logouts: &str) -> Self {
        Self::start_with(spa, |id| json!({ "backchannel_logout_uri": format!("{logouts}/{id}") }))
    }

    /// The same, where the client `web` of a tenant has these settings, too.
    pub(crate) fn start_with(spa: &str, web: impl Fn(&str) -> Value) -> Self {
        let url = format!("http://127.0.0.1:{}", free_port());
        let tenants = [("acme", "Ada of Acme"), ("globex", "Ada of Globex")].map(|(id, name)| {
            let [secret, password] = [(); 2].map(|()| GeneratedSecret::generate().secret.expose().to_owned());
            let (issuer, key) =
                (format!("{url}{}", tenant_path(id, "")), Pair::generate(SigningAlgorithm::ES256));
            ProviderTenant { id, name, issuer, secret, password, key }
        });
        let declared =
            tenants.each_ref().map(|tenant| (tenant.id.to_owned(), tenant.declared(spa, &web(tenant.id))));
        let declared: Value = Value::Object(declared.into_iter().collect());
        // JSON is YAML.
        let settings = json!({
            "server": {
                "public_url": url,
                "listeners": [{ "address": url.trim_start_matches("http://") }],
                "outbound": { "allowed_networks": ["127.0.0.0/8"] },
            },
            "storage": { "url": "sqlite://data/latchkey.db" },
            "keys": { "sealing_key": { "file": "keys/sealing.key" } },
            "tenants": declared,
        });
        let folder = Folder::with(&settings.to_string());
        Self { url, tenants, _program: Program::start(&folder), folder }
    }

    /// Each tenant, with the issuer of the other one.
    pub(crate) fn each(&self) -> [(&ProviderTenant, &str); 2] {
        let [first, second] = &self.tenants;
        [(first, second.issuer.as_str()), (second, first.issuer.as_str())]
    }
}

impl ProviderTenant {
    fn declared(&self, spa: &str, web: &Value) -> Value {
        let Self { id, name, secret, password, .. } = self;
        let with = |mut client: Value, more: &Value| {
            client.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            client
        };
        let client = |more: &Value| {
            let common = json!({
                "grant_types": ["authorization_code", "refresh_token"],
                "first_party": true,
                "scopes": ["openid", "profile", "email", "offline_access"],
            });
            with(common, more)
        };
        json!({
            "strategies": { "oauth2": { "enabled": true }, "oidc": { "enabled": true } },
            "refresh_token": { "rotation": "always", "grace": "0s" },
            "subject": if *id == "globex" { "pairwise" } else { "public" },
            "accounts": {
                "ada": { "email": "ada@example.com", "password": { "value": password }, "claims": { "name": name } },
            },
            "clients": {
                "web": with(client(&json!({
                    "grant_types": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
                    "client_secret": { "value": secret },
                    "jwks": { "keys": [self.key.key.jwk] },
                    "redirect_uris": [REDIRECT_URI],
                    "post_logout_redirect_uris": [REDIRECT_URI],
                })), web),
                "spa": client(&json!({
                    "token_endpoint_auth_method": "none",
                    "popup": true,
                    "redirect_uris": [format!("{spa}/callback")],
                    "post_logout_redirect_uris": [format!("{spa}/signed-out")],
                })),
            },
        })
    }
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

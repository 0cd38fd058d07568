//! A program for libraries and browsers. The same email address belongs to a person at each of two tenants.
//! Eve, the attacker, also has an account at both.

use testkit::free_port;

use protocol::SigningAlgorithm;
use serde_json::{Value, json};

use crate::assertions::Pair;
use crate::folder::Folder;
use crate::host::Ran;
use crate::program::Program;
use crate::running::tenant_path;
use crate::settings::generated;

/// No server listens at this address.
pub(crate) const REDIRECT_URI: &str = "http://127.0.0.1:9/callback";

/// A tenant with the client `web`, which has a secret, and the public clients `spa` and `partner`. The person
/// is asked for consent to `partner`.
pub(crate) struct ProviderTenant {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) issuer: String,
    pub(crate) secret: String,
    /// Ada's password.
    pub(crate) password: String,
    pub(crate) eves_password: String,
    /// The key with which the client `web` signs.
    pub(crate) key: Pair,
}

pub(crate) struct TwoProviders {
    pub(crate) tenants: [ProviderTenant; 2],
    pub(crate) folder: Folder,
    pub(crate) program: Program,
}

impl TwoProviders {
    /// `spa` is the address of the public client.
    pub(crate) fn start(spa: &str) -> Self {
        Self::start_with(spa, |_| json!({}))
    }

    /// The client `web` gets logout notices below the address `logouts`, in a path with the tenant's id.
    pub(crate) fn start_telling(spa: &str, logouts: &str) -> Self {
        Self::start_with(spa, |id| json!({ "backchannel_logout_uri": format!("{logouts}/{id}") }))
    }

    /// Adds settings for the client `web` of each tenant.
    pub(crate) fn start_with(spa: &str, web: impl Fn(&str) -> Value) -> Self {
        Self::start_by("http", spa, web)
    }

    /// Uses this scheme. For https there is a certificate that no browser trusts.
    pub(crate) fn start_by(scheme: &str, spa: &str, web: impl Fn(&str) -> Value) -> Self {
        let address = format!("127.0.0.1:{}", free_port());
        let url = format!("{scheme}://{address}");
        let mut listener = json!({ "address": address });
        if scheme == "https" {
            listener["tls"] = json!({ "certificate": "cert.pem", "private_key": "key.pem" });
        }
        let tenants = [("acme", "Ada of Acme"), ("globex", "Ada of Globex")].map(|(id, name)| {
            let [secret, password, eves_password] = [generated(), generated(), generated()];
            let (issuer, key) =
                (format!("{url}{}", tenant_path(id, "")), Pair::generate(SigningAlgorithm::ES256));
            ProviderTenant { id, name, issuer, secret, password, eves_password, key }
        });
        let declared =
            tenants.each_ref().map(|tenant| (tenant.id.to_owned(), tenant.declared(spa, &web(tenant.id))));
        let declared: Value = Value::Object(declared.into_iter().collect());
        // JSON is also YAML.
        let settings = json!({
            "server": { "public_url": url, "listeners": [listener], "outbound": { "allowed_networks": ["127.0.0.0/8"] } },
            "mail": { "from": "no-reply@example.com", "folder": "mail" },
            "tenants": declared,
        });
        let folder = Folder::with(&settings.to_string());
        if scheme == "https" {
            folder.run(&["dev-cert", "--certificate", "cert.pem", "--key", "key.pem"]).output();
        }
        Self { tenants, program: Program::start(&folder), folder }
    }

    /// The folder of the mail that the program sends.
    pub(crate) fn mail(&self) -> String {
        self.folder.path("mail").display().to_string()
    }

    /// Each tenant together with the other one.
    pub(crate) fn each(&self) -> [(&ProviderTenant, &ProviderTenant); 2] {
        let [first, second] = &self.tenants;
        [(first, second), (second, first)]
    }
}

impl ProviderTenant {
    /// Runs a script for this tenant, and returns the JSON that it prints.
    #[track_caller]
    pub(crate) fn found(
        &self,
        other: &Self,
        more: &[(&str, &str)],
        run: impl Fn(&[(&str, &str)]) -> Ran,
    ) -> Value {
        let environment = [
            ("ISSUER", self.issuer.as_str()),
            ("OTHER_ISSUER", &other.issuer),
            ("SECRET", &self.secret),
            ("PASSWORD", &self.password),
            ("OTHER_PASSWORD", &other.password),
            ("EVES_PASSWORD", &self.eves_password),
            ("REDIRECT_URI", REDIRECT_URI),
        ];
        run(&[&environment, more].concat()).json()
    }

    fn declared(&self, spa: &str, web: &Value) -> Value {
        let Self { id, name, secret, password, eves_password, .. } = self;
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
                "ada": { "email": "ada@example.com", "password": { "value": password }, "claims": { "name": name },
                    "permissions": ["latchkey:accounts", "latchkey:clients", "latchkey:audit"] },
                "eve": { "email": "eve@example.com", "password": { "value": eves_password }, "permissions": ["latchkey:audit"] },
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
                "partner": client(&json!({
                    "token_endpoint_auth_method": "none",
                    "first_party": false,
                    "redirect_uris": [REDIRECT_URI],
                })),
            },
        })
    }
}

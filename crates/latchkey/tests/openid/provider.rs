//! The program as an OpenID Provider over TLS: one tenant with two clients, and one person with every
//! standard claim.

use std::sync::mpsc::Receiver;

use reqwest::redirect::Policy;
use reqwest::{Certificate, Method, RequestBuilder};
use secrets::GeneratedSecret;
use serde_json::{Value, json};
use tenancy::UserinfoTokens;
use testkit::free_port;

use crate::answer::Answer;
use crate::folder::Folder;
use crate::logout_receiver::logout_receiver;
use crate::program::Program;
use crate::running::tenant_path;

pub(super) const TENANT: &str = "conformance";
pub(super) const API: &str = "https://api.example.com";
pub(super) const EMAIL: &str = "ada@example.com";
/// No server listens at this address: the browser of the tests stops at a client's address.
pub(super) const REDIRECT_URI: &str = "https://client.example.com/callback";
pub(super) const POST_LOGOUT_REDIRECT_URI: &str = "https://client.example.com/post_logout_redirect";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Client {
    First,
    Second,
}

pub(super) struct Provider {
    pub(super) http: reqwest::Client,
    pub(super) url: String,
    pub(super) metadata: Value,
    pub(super) password: String,
    /// The logout notices that the first client gets: path and body.
    pub(super) logouts: Receiver<(String, String)>,
    secrets: [String; 2],
    _program: Program,
    _folder: Folder,
}

impl Client {
    pub(super) fn id(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Second => "second",
        }
    }
}

impl Provider {
    /// `userinfo` is the kind of access tokens of its clients.
    pub(super) async fn start(userinfo: UserinfoTokens) -> Self {
        let port = free_port();
        let url = format!("https://localhost:{port}");
        let [password, first, second] =
            [(); 3].map(|()| GeneratedSecret::generate().secret.expose().to_owned());
        let (logouts_url, logouts) = logout_receiver();
        let client = |secret: &str, logout_uri: Option<String>| {
            json!({
                "backchannel_logout_uri": logout_uri,
                "client_secret": { "value": secret },
                "grant_types": ["authorization_code", "refresh_token"],
                "audiences": [API],
                "require_pkce": false,
                "first_party": true,
                "redirect_uris": [REDIRECT_URI],
                "post_logout_redirect_uris": [POST_LOGOUT_REDIRECT_URI],
                "scopes": ["openid", "profile", "email", "address", "phone", "offline_access"],
            })
        };
        let account = json!({
            "email": EMAIL,
            "email_verified": true,
            "password": { "value": password },
            "claims": claims(),
        });
        let tenant = json!({
            "strategies": { "oauth2": { "enabled": true }, "oidc": { "enabled": true } },
            "userinfo": userinfo.as_str(),
            "accounts": { "ada": account },
            "clients": { Client::First.id(): client(&first, Some(logouts_url)), Client::Second.id(): client(&second, None) },
        });
        let listener = json!({
            "address": format!("127.0.0.1:{port}"),
            "tls": { "certificate": "cert.pem", "private_key": "key.pem" },
        });
        // JSON is also YAML.
        let settings = json!({
            "server": {
                "public_url": url,
                "listeners": [listener],
                "outbound": { "allowed_networks": ["127.0.0.0/8"] },
            },
            "storage": { "url": "sqlite://data/latchkey.db" },
            "keys": { "sealing_key": { "file": "keys/sealing.key" } },
            "tenants": { TENANT: tenant },
        });
        let folder = Folder::with(&settings.to_string());
        folder.run(&["dev-cert", "--certificate", "cert.pem", "--key", "key.pem"]).output();
        let program = Program::start(&folder);
        let trusted = Certificate::from_pem(folder.read("cert.pem").as_bytes()).unwrap();
        let http = reqwest::Client::builder().no_proxy().redirect(Policy::none()).tls_certs_only([trusted]);
        let http = http.build().unwrap();
        let metadata = format!("{url}{}", tenant_path(TENANT, "/.well-known/openid-configuration"));
        let metadata = Answer::to(http.get(metadata)).await;
        assert_eq!((metadata.status, metadata.header("content-type")), (200, "application/json"));
        let metadata = metadata.json();
        let secrets = [first, second];
        Self { http, url, metadata, password, logouts, secrets, _program: program, _folder: folder }
    }

    pub(super) fn issuer(&self) -> &str {
        self.metadata["issuer"].as_str().unwrap()
    }

    pub(super) fn endpoint(&self, name: &str) -> &str {
        self.metadata[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", self.metadata))
    }

    pub(super) fn secret(&self, client: Client) -> &str {
        &self.secrets[usize::from(client == Client::Second)]
    }

    pub(super) fn request(&self, method: Method, endpoint: &str) -> RequestBuilder {
        self.http.request(method, self.endpoint(endpoint))
    }

    pub(super) async fn jwks(&self) -> Value {
        Answer::to(self.request(Method::GET, "jwks_uri")).await.json()
    }
}

/// Every claim of OpenID Connect Core §5.1 that is not derived from the identifier.
fn claims() -> Value {
    json!({
        "name": "Augusta Ada King",
        "given_name": "Ada",
        "family_name": "King",
        "middle_name": "Augusta",
        "nickname": "Ada",
        "preferred_username": "ada",
        "profile": "https://people.example.com/ada",
        "picture": "https://people.example.com/ada.png",
        "website": "https://ada.example.com",
        "gender": "female",
        "birthdate": "1815-12-10",
        "zoneinfo": "Europe/London",
        "locale": "en-GB",
        "phone_number": "+44 20 7946 0000",
        "phone_number_verified": true,
        "address": {
            "formatted": "12 St James's Square\nLondon SW1Y 4JH",
            "street_address": "12 St James's Square",
            "locality": "London",
            "postal_code": "SW1Y 4JH",
            "country": "GB",
        },
    })
}

//! One of the two tenants with its clients, its people and their credentials. Clients and people have equal
//! names at both, so that a lookup without the tenant finds the other one.

use std::time::Duration;

use anyhow::{Context as _, bail};
use keys::{KeyId, PrivateKeyDocument, SigningKey};
use protocol::SigningAlgorithm;
use serde_json::{Value, json};
use tokio::time::sleep;
use uuid::Uuid;

use super::browser::{Browser, CALLBACK, VERIFIER};
use super::dpop::Prover;
use super::platform::{Platform, Request, tenant_path};
use super::throw_away::AUDIENCE;
use crate::admin_client::{AdminClient, ApiRequest, segment};

/// The client with all grants.
pub(super) const APP: &str = "app";
/// The client whose secret is a chosen one.
const CHOSEN: &str = "chosen";
/// The client that has one key at both tenants.
pub(super) const SHARED: &str = "shared";
/// The client that administers its tenant.
const ADMINISTRATOR: &str = "administrator";
/// The address of a person at each tenant.
pub(super) const EMAIL: &str = "person@isolation-proof.invalid";
/// Another replica learns of a new tenant within this number of seconds.
const PROPAGATION: u32 = 12;

/// A tenant.
pub(super) struct Side {
    pub(super) id: String,
    /// A random text in all names that people read.
    pub(super) marker: String,
    pub(super) issuer: String,
    /// The secret of [`APP`].
    pub(super) secret: String,
    pub(super) chosen_secret: String,
    /// The client that the other tenant does not have, and its secret.
    pub(super) only: String,
    pub(super) secret_of_only: String,
    /// The key of [`APP`], whose `kid` is that of the other tenant's, too.
    pub(super) key: SigningKey,
    pub(super) prover: Prover,
    /// The token of its administrator.
    pub(super) administrator: String,
    pub(super) api_key: String,
    api_key_id: String,
    account: String,
    /// The address of a person that the other tenant does not have.
    pub(super) email: String,
    pub(super) password: String,
    /// The token of [`APP`].
    pub(super) token: String,
    pub(super) bound_token: String,
    /// What the person's browser, and [`APP`], have after a sign-in.
    pub(super) browser: Browser,
    pub(super) tokens: Value,
    session: String,
}

/// A key for signatures of clients, under the first `kid` of tenants.
pub(super) fn generate_key() -> anyhow::Result<SigningKey> {
    let document = PrivateKeyDocument::generate(SigningAlgorithm::ES256)?;
    Ok(SigningKey::parse(KeyId::numbered(1), SigningAlgorithm::ES256, document.expose())?)
}

/// A secret that does not look like a generated one, so its hash is that of a chosen one.
fn random() -> String {
    Uuid::new_v4().simple().to_string()
}

/// The text of a member.
pub(super) fn text(document: &Value, pointer: &str) -> anyhow::Result<String> {
    let found = document.pointer(pointer).and_then(Value::as_str);
    Ok(found.with_context(|| format!("an answer has no {pointer}"))?.to_owned())
}

impl Side {
    /// Makes the clients and people of a tenant that exists, and fetches their tokens. `idempotency` is sent
    /// at both tenants.
    pub(super) async fn make(
        admin: &AdminClient,
        platform: &Platform,
        (id, issuer, marker): (&str, &str, &str),
        shared: &SigningKey,
        idempotency: &str,
    ) -> anyhow::Result<Self> {
        let below = |rest: &str| format!("/api/v1/tenant/{}{rest}", segment(id));
        let (key, chosen_secret, password) = (generate_key()?, random(), random());
        let only = format!("only-{marker}");
        let mut made = Vec::new();
        for (client, more) in [
            (
                APP,
                json!({
                    "grant_types": [
                        "client_credentials", "authorization_code", "refresh_token",
                        "urn:ietf:params:oauth:grant-type:device_code",
                    ],
                    "scopes": ["openid", "profile", "api:read"],
                    "jwks": { "keys": [key.jwk] },
                    "redirect_uris": [CALLBACK],
                    "post_logout_redirect_uris": [CALLBACK],
                    "first_party": true,
                }),
            ),
            (CHOSEN, json!({ "client_secret": chosen_secret, "scopes": ["api:read"] })),
            (
                SHARED,
                json!({
                    "token_endpoint_auth_method": "private_key_jwt",
                    "jwks": { "keys": [shared.jwk] },
                    "scopes": ["api:read"],
                }),
            ),
            (&only, json!({ "scopes": ["api:read"] })),
            (
                ADMINISTRATOR,
                json!({
                    "scopes": ["latchkey:clients", "latchkey:accounts", "latchkey:keys", "latchkey:audit"],
                }),
            ),
        ] {
            let mut client = json!({ "client_id": client, "name": format!("{client} of {marker}") });
            let members = client.as_object_mut().into_iter();
            members.for_each(|members| members.extend(more.as_object().cloned().unwrap_or_default()));
            if client["scopes"][0] != "latchkey:clients" {
                client["audiences"] = json!([AUDIENCE]);
            }
            let created: Value = admin.send_silently(ApiRequest::post(below("/clients"), &client)).await?;
            made.push(created["secret"]["client_secret"].as_str().unwrap_or_default().to_owned());
        }
        let email = format!("{marker}@isolation-proof.invalid");
        let mut accounts = Vec::new();
        for address in [EMAIL, &email] {
            let claims = json!({ "name": format!("Person of {marker}") });
            let account = json!({ "email": address, "claims": claims, "password": password });
            let created: Value = admin.send_silently(ApiRequest::post(below("/accounts"), &account)).await?;
            accounts.push(text(&created, "/account_id")?);
        }
        let [secret, _, _, secret_of_only, of_administrator] =
            <[String; 5]>::try_from(made).ok().context("five clients were made")?;

        let audience = format!("urn:latchkey:tenant:{id}");
        let form = [("client_secret", &*of_administrator), ("resource", &audience)];
        let administrator = first_token(platform, id, ADMINISTRATOR, &form).await?;
        let api_keys = tenant_path(id, &format!("/clients/{APP}/api-keys"));
        let new = json!({ "name": "isolation proof" });
        let mut new = Request::of_administrator(api_keys, &administrator, Some(new));
        new.headers.push(("idempotency-key", idempotency.to_owned()));
        let api_key = platform.succeed(&new).await?.json();

        let with_secret = [("client_secret", &*secret), ("scope", "api:read")];
        let token = first_token(platform, id, APP, &with_secret).await?;
        let prover = Prover::generate()?;
        let endpoint = tenant_path(id, "/oauth/token");
        let proof = prover.proof("POST", &format!("{}{endpoint}", platform.public_url), None);
        let form = [("grant_type", "client_credentials"), ("client_id", APP), with_secret[0], with_secret[1]];
        let mut bound = Request::post(endpoint.clone(), &form);
        bound.headers.push(("dpop", proof));
        let bound_token = text(&platform.succeed(&bound).await?.json(), "/access_token")?;

        let mut browser = Browser::default();
        browser.sign_in(platform, id, (EMAIL, &password)).await?;
        let code = browser.code(platform, id).await?;
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", APP),
            ("client_secret", &secret),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
            ("code", &code),
        ];
        let tokens = platform.succeed(&Request::post(endpoint, &form)).await?.json();
        let sessions = tenant_path(id, &format!("/accounts/{}/sessions", accounts[0]));
        let sessions =
            platform.succeed(&Request::of_administrator(sessions, &administrator, None)).await?.json();
        Ok(Self {
            id: id.to_owned(),
            marker: marker.to_owned(),
            issuer: issuer.to_owned(),
            secret,
            chosen_secret,
            only,
            secret_of_only,
            key,
            prover,
            administrator,
            api_key_id: text(&api_key, "/id")?,
            api_key: text(&api_key, "/api_key")?,
            account: accounts.swap_remove(0),
            email,
            password,
            token,
            bound_token,
            browser,
            tokens,
            session: text(&sessions, "/items/0/session_id")?,
        })
    }

    /// A token of the person's sign-in.
    pub(super) fn token_of_person(&self, name: &str) -> anyhow::Result<String> {
        text(&self.tokens, &format!("/{name}"))
    }

    /// The id of what the name in a path stands for.
    pub(super) fn named(&self, name: &str) -> &str {
        match name {
            "account" => &self.account,
            "client" => APP,
            "key" => &self.api_key_id,
            "session" => &self.session,
            "secret" => "s1",
            "kid" => "oauth2-key-1",
            "file" => "pages.css",
            "application" => "00000000-0000-4000-8000-000000000000",
            _ => "isolation-proof",
        }
    }

    /// A path of a route at this tenant, with a value in the place of one name.
    pub(super) fn path(&self, route: &str, named: Option<(&str, &str)>) -> String {
        let parts = route.split('/').map(|part| {
            match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                None => part.to_owned(),
                Some("id") => self.id.clone(),
                Some(name) => match named {
                    Some((given, value)) if given == name => segment(value),
                    _ => segment(self.named(name)),
                },
            }
        });
        parts.collect::<Vec<_>>().join("/")
    }
}

/// A token of a client that was just made.
async fn first_token(
    platform: &Platform,
    tenant: &str,
    client: &str,
    more: &[(&str, &str)],
) -> anyhow::Result<String> {
    let form = [&[("grant_type", "client_credentials"), ("client_id", client)], more].concat();
    let request = Request::post(tenant_path(tenant, "/oauth/token"), &form);
    for second in 0..PROPAGATION {
        let answer = platform.send(&request).await?;
        match answer.status {
            200 => return text(&answer.json(), "/access_token"),
            401 | 404 | 503 if second + 1 < PROPAGATION => sleep(Duration::from_secs(1)).await,
            _ => bail!("the token endpoint of the new tenant answers {}", answer.short()),
        }
    }
    bail!("the token endpoint of the new tenant does not answer")
}

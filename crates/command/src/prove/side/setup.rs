//! Creates the clients and people of a tenant, and fetches their tokens.

use std::time::Duration;

use anyhow::bail;
use keys::SigningKey;
use serde_json::{Value, json};
use tokio::time::sleep;
use uuid::Uuid;

use super::{APP, CHOSEN, EMAIL, SHARED, Side, SideParts, generate_key, text};
use crate::admin_client::{AdminApi, ApiRequest};
use crate::prove::browser::{CALLBACK, ProofBrowser, VERIFIER};
use crate::prove::dpop::Prover;
use crate::prove::platform::{ProbeRequest, ProvenPlatform, tenant_path};
use crate::prove::throw_away::{AUDIENCE, OPAQUE_API};

/// The client that administers its tenant.
const ADMINISTRATOR: &str = "administrator";
const ADMINISTRATION: [&str; 4] =
    ["latchkey:clients", "latchkey:accounts", "latchkey:keys", "latchkey:audit"];
/// How many seconds pass at most until another replica knows a new tenant.
const PROPAGATION: u32 = 12;

impl Side {
    /// Creates the clients and people of an existing tenant, and fetches their tokens.
    pub(crate) async fn make(
        admin: &AdminApi,
        platform: &ProvenPlatform,
        parts: &SideParts<'_>,
    ) -> anyhow::Result<Self> {
        let SideParts { id, issuer, marker, .. } = *parts;
        let (key, chosen_secret, password) = (generate_key()?, random(), random());
        let (only, email) = (format!("only-{marker}"), format!("{marker}@isolation-proof.invalid"));
        let clients = [
            (APP, app(&key)),
            (CHOSEN, json!({ "client_secret": chosen_secret, "scopes": ["api:read"] })),
            (SHARED, with_key(parts.shared)),
            (&only, json!({ "scopes": ["api:read"] })),
            (ADMINISTRATOR, json!({ "audiences": [], "scopes": ADMINISTRATION })),
        ];
        let [secret, _, _, secret_of_only, of_administrator] = make_clients(admin, parts, clients).await?;
        let [account, _] = make_people(admin, parts, [EMAIL, &email], &password).await?;

        let audience = format!("urn:latchkey:tenant:{id}");
        let form = [("client_secret", &*of_administrator), ("resource", &audience)];
        let administrator = first_token(platform, id, ADMINISTRATOR, &form).await?;
        let api_key = api_key(platform, parts, &administrator).await?;
        let token =
            first_token(platform, id, APP, &[("client_secret", &secret), ("scope", "api:read")]).await?;
        let prover = Prover::generate()?;
        let bound_token = bound_token(platform, id, &secret, &prover).await?;
        let mut browser = ProofBrowser::default();
        browser.sign_in(platform, id, EMAIL, &password).await?;
        let code = browser.code(platform, id).await?;
        let tokens = tokens(platform, id, &secret, &code).await?;
        let sessions = tenant_path(id, &format!("/accounts/{account}/sessions"));
        let sessions = ProbeRequest::of_administrator(sessions, &administrator, None);
        let session = text(&platform.succeed(&sessions).await?.json(), "/items/0/session_id")?;
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
            account,
            email,
            password,
            token,
            bound_token,
            browser,
            tokens,
            session,
        })
    }
}

/// A secret that does not look generated, so it is hashed like a chosen secret.
fn random() -> String {
    Uuid::new_v4().simple().to_string()
}

/// [`APP`] with its own key.
fn app(key: &SigningKey) -> Value {
    json!({
        "grant_types": [
            "client_credentials", "authorization_code", "refresh_token",
            "urn:ietf:params:oauth:grant-type:device_code",
        ],
        "resources": [OPAQUE_API],
        "scopes": ["openid", "profile", "api:read"],
        "jwks": { "keys": [key.jwk] },
        "redirect_uris": [CALLBACK],
        "post_logout_redirect_uris": [CALLBACK],
        "first_party": true,
    })
}

/// A client with a key and without a secret.
fn with_key(key: &SigningKey) -> Value {
    json!({
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": { "keys": [key.jwk] },
        "scopes": ["api:read"],
    })
}

/// Creates clients with these ids and settings, and returns their generated secrets.
async fn make_clients<const N: usize>(
    admin: &AdminApi,
    &SideParts { id, marker, .. }: &SideParts<'_>,
    clients: [(&str, Value); N],
) -> anyhow::Result<[String; N]> {
    let mut secrets = [const { String::new() }; N];
    for ((client, settings), secret) in clients.into_iter().zip(&mut secrets) {
        let name = format!("{client} of {marker}");
        let mut request = json!({ "client_id": client, "name": name, "audiences": [AUDIENCE] });
        if let (Value::Object(request), Value::Object(settings)) = (&mut request, settings) {
            request.extend(settings);
        }
        let request = ApiRequest::post(tenant_path(id, "/clients"), &request);
        let created: Value = admin.send_silently(request).await?;
        secret.push_str(created["secret"]["client_secret"].as_str().unwrap_or_default());
    }
    Ok(secrets)
}

async fn make_people<const N: usize>(
    admin: &AdminApi,
    &SideParts { id, marker, .. }: &SideParts<'_>,
    addresses: [&str; N],
    password: &str,
) -> anyhow::Result<[String; N]> {
    let mut accounts = [const { String::new() }; N];
    for (address, account) in addresses.into_iter().zip(&mut accounts) {
        let claims = json!({ "name": format!("Person of {marker}") });
        let request = json!({ "email": address, "claims": claims, "password": password });
        let request = ApiRequest::post(tenant_path(id, "/accounts"), &request);
        let created: Value = admin.send_silently(request).await?;
        *account = text(&created, "/account_id")?;
    }
    Ok(accounts)
}

/// Creates an API key of [`APP`] as the tenant's administrator.
async fn api_key(
    platform: &ProvenPlatform,
    parts: &SideParts<'_>,
    administrator: &str,
) -> anyhow::Result<Value> {
    let path = tenant_path(parts.id, &format!("/clients/{APP}/api-keys"));
    let new = json!({ "name": "isolation proof" });
    let mut request = ProbeRequest::of_administrator(path, administrator, Some(new));
    request.headers.push(("idempotency-key", parts.idempotency.to_owned()));
    Ok(platform.succeed(&request).await?.json())
}

/// A token of [`APP`] that is bound to the prover's key.
async fn bound_token(
    platform: &ProvenPlatform,
    tenant: &str,
    secret: &str,
    prover: &Prover,
) -> anyhow::Result<String> {
    let endpoint = tenant_path(tenant, "/oauth/token");
    let proof = prover.proof("POST", &format!("{}{endpoint}", platform.public_url), None);
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", APP),
        ("client_secret", secret),
        ("scope", "api:read"),
    ];
    let mut request = ProbeRequest::post(endpoint, &form);
    request.headers.push(("dpop", proof));
    text(&platform.succeed(&request).await?.json(), "/access_token")
}

/// Exchanges a code for tokens of [`APP`].
async fn tokens(platform: &ProvenPlatform, tenant: &str, secret: &str, code: &str) -> anyhow::Result<Value> {
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", APP),
        ("client_secret", secret),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
        ("code", code),
    ];
    let request = ProbeRequest::post(tenant_path(tenant, "/oauth/token"), &form);
    Ok(platform.succeed(&request).await?.json())
}

/// A token of a client that was just created. Another replica may not know the client yet.
async fn first_token(
    platform: &ProvenPlatform,
    tenant: &str,
    client: &str,
    more: &[(&str, &str)],
) -> anyhow::Result<String> {
    let form = [&[("grant_type", "client_credentials"), ("client_id", client)], more].concat();
    let request = ProbeRequest::post(tenant_path(tenant, "/oauth/token"), &form);
    for second in 0..PROPAGATION {
        let answer = platform.send(&request).await?;
        match answer.status {
            200 => return text(&answer.json(), "/access_token"),
            401 | 404 | 503 if second + 1 < PROPAGATION => sleep(Duration::from_secs(1)).await,
            _ => bail!("the token endpoint of the new tenant responded with {}", answer.short()),
        }
    }
    bail!("the token endpoint of the new tenant does not respond")
}

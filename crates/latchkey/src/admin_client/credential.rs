//! The token for a server: given by the operator, or fetched with the credentials of a client.

use std::path::Path;

use anyhow::{Context as _, bail};
use protocol::Secret;
use serde::Deserialize;
use tenancy::TenantId;
use url::Url;

use super::answer::ApiAnswer;
use super::{AdminArguments, AdminClientError};
use settings::Environment;
use settings::files;

/// The answer of a token endpoint.
#[derive(Deserialize)]
struct Granted {
    access_token: String,
}

/// The token that requests are sent with.
pub(super) async fn token(
    http: &reqwest::Client,
    server: &Url,
    arguments: &AdminArguments,
    environment: &Environment,
) -> anyhow::Result<Secret> {
    if let Some(file) = &arguments.token_file {
        return line_of(file);
    }
    match (&arguments.as_client, &arguments.as_client_secret_file) {
        (Some(client), Some(file)) => {
            return fetch(http, server, &arguments.as_tenant, client, &line_of(file)?).await;
        }
        (None, None) => {}
        (Some(_), None) | (None, Some(_)) => {
            bail!("--as-client and --as-client-secret-file are given together")
        }
    }
    let token = environment.text("LATCHKEY_TOKEN").map(str::trim).filter(|token| !token.is_empty());
    token.map(|token| Secret::new(token.to_owned())).ok_or(AdminClientError::NoToken.into())
}

/// Fetches a token for the audience of administration alone.
async fn fetch(
    http: &reqwest::Client,
    server: &Url,
    tenant: &TenantId,
    client: &str,
    secret: &Secret,
) -> anyhow::Result<Secret> {
    let audience = tenant.admin_audience();
    let base = server.as_str().trim_end_matches('/');
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", client),
        ("client_secret", secret.expose()),
        ("resource", &audience),
    ];
    let request = http.post(format!("{base}/api/v1/tenant/{tenant}/oauth/token")).form(&form);
    let answer = request.send().await.map_err(AdminClientError::Unreachable)?;
    let granted: Granted = ApiAnswer::of(answer).await?.document()?;
    Ok(Secret::new(granted.access_token))
}

fn line_of(file: &Path) -> anyhow::Result<Secret> {
    let text = files::read_secret_text(file).with_context(|| format!("{} cannot be read", file.display()))?;
    Ok(Secret::new(text.trim().to_owned()))
}

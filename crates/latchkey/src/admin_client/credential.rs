//! The token for a server: given by the operator, or fetched with the credentials of a client.

use std::path::Path;

use anyhow::{Context as _, bail};
use latchkey_client::Request;
use protocol::Secret;
use serde::Deserialize;
use tenancy::TenantId;
use url::Url;

use super::answer::ApiAnswer;
use super::arguments::variable;
use super::{AdminArguments, AdminClientError};
use crate::profiles::{Folders, ProfileStore, SharedTokens};
use settings::Environment;
use settings::files;

/// The answer of a token endpoint.
#[derive(Deserialize)]
struct Granted {
    access_token: String,
}

/// The token that requests are sent with: options come before variables, variables before a profile, and a
/// token before a client that fetches one.
pub(super) async fn token(
    http: &reqwest::Client,
    server: &Url,
    arguments: &AdminArguments,
    environment: &Environment,
) -> anyhow::Result<Secret> {
    if let Some(file) = &arguments.token_file {
        return line_of(file);
    }
    let AdminArguments { as_client, as_client_secret_file, .. } = arguments;
    let is_chosen = as_client.is_some() || as_client_secret_file.is_some();
    if !is_chosen && let Some(token) = variable(environment, "LATCHKEY_TOKEN") {
        return Ok(Secret::new(token.to_owned()));
    }
    let client = as_client.as_deref().or_else(|| variable(environment, "LATCHKEY_CLIENT_ID"));
    let file = as_client_secret_file.as_deref();
    let file = file.or_else(|| variable(environment, "LATCHKEY_CLIENT_SECRET_FILE").map(Path::new));
    match (client, file) {
        (Some(client), Some(file)) => {
            fetch(http, server, &arguments.as_tenant, client, &line_of(file)?).await
        }
        (None, None) => match of_profile(server, environment).await? {
            Some(token) => Ok(token),
            None => Err(AdminClientError::NoToken.into()),
        },
        (Some(_), None) => bail!(
            "there is a client and no secret: give --as-client-secret-file or set LATCHKEY_CLIENT_SECRET_FILE"
        ),
        (None, Some(_)) => {
            bail!("there is a client's secret and no client: give --as-client or set LATCHKEY_CLIENT_ID")
        }
    }
}

/// A token of the profile whose server it is. Without a folder for profiles there is none.
async fn of_profile(server: &Url, environment: &Environment) -> anyhow::Result<Option<Secret>> {
    let Ok(folders) = Folders::of(environment) else { return Ok(None) };
    let Some(chosen) = ProfileStore(&folders).of_server(server)? else { return Ok(None) };
    let Some(tenant) = chosen.profile.tenant() else { return Ok(None) };
    let request = Request::new().resource(tenant.admin_audience());
    let shared = SharedTokens::of(&folders);
    let token = shared.token(&chosen, &request).await?;
    Ok(Some(Secret::new(token.access_token.clone())))
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

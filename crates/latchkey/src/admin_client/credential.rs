//! The token for a server: given by the operator, or fetched with the credentials of a client.

use std::path::Path;

use protocol::Secret;
use serde::Deserialize;
use tenancy::TenantId;
use url::Url;

use super::answer::ApiAnswer;
use super::{AdminArguments, AdminClientError};
use crate::files;
use crate::settings::Environment;

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
) -> Result<Secret, AdminClientError> {
    if let Some(file) = &arguments.token_file {
        return line_of(file);
    }
    match (&arguments.client_id, &arguments.client_secret_file) {
        (Some(client), Some(file)) => {
            return fetch(http, server, &arguments.client_tenant, client, &line_of(file)?).await;
        }
        (None, None) => {}
        (Some(_), None) | (None, Some(_)) => {
            return Err(AdminClientError::Unusable(
                "--as-client and --as-client-secret-file are given together".to_owned(),
            ));
        }
    }
    let token = environment.text("LATCHKEY_TOKEN").map(str::trim).filter(|token| !token.is_empty());
    token.map(|token| Secret::new(token.to_owned())).ok_or(AdminClientError::NoToken)
}

/// Fetches a token for the audience of administration alone.
async fn fetch(
    http: &reqwest::Client,
    server: &Url,
    tenant: &TenantId,
    client: &str,
    secret: &Secret,
) -> Result<Secret, AdminClientError> {
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

fn line_of(file: &Path) -> Result<Secret, AdminClientError> {
    let read = files::read_secret_text(file);
    let text = read.map_err(|error| AdminClientError::Unreadable(file.to_owned(), error))?;
    Ok(Secret::new(text.trim().to_owned()))
}

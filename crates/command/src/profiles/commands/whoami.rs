//! `latchkey whoami`: shows a profile, and what its server knows about its token.

use std::process::ExitCode;

use clap::Args;
use latchkey_client::Request;
use serde_json::{Map, Value, json};
use settings::Environment;
use values::{Lifetime, Timestamp};

use crate::process::{json, print};
use crate::profiles::{
    Chosen, Folders, ProfileArguments, ProfileStore, RequestArguments, SharedTokens, no_answer,
};
use server::{block_on, clock};

/// Which profile, and how it is shown.
#[derive(Args)]
pub(crate) struct WhoamiArguments {
    #[command(flatten)]
    profile: ProfileArguments,
    /// Also introspect the token at the server (RFC 7662), and fetch one if there is none. Exits with 5 if
    /// the token is not active.
    #[arg(long)]
    online: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Shows a profile. Sends no request without `--online`.
pub(crate) fn run(arguments: &WhoamiArguments) -> anyhow::Result<ExitCode> {
    let folders = Folders::from_environment(&Environment::of_process())?;
    let store = ProfileStore(&folders);
    let chosen = store.choose(arguments.profile.profile.as_ref())?;
    let Chosen { name, profile } = &chosen;
    let request = RequestArguments::none().request(profile);
    let shared = SharedTokens::from_folders(&folders);
    let introspected =
        arguments.online.then(|| block_on(introspect(&shared, &chosen, &request))).transpose()?;
    let is_active = introspected.as_ref().map(|members| members["active"] == true);
    let token = shared.peek(&chosen, &request)?;
    let now = clock::now();
    let left = token.as_ref().map(|token| Lifetime::from_seconds(token.left(now)));
    let mut document = json!({
        "profile": name.as_str(),
        "endpoint": profile.endpoint.to_string(),
        "tenant": profile.tenant(),
        "client_id": profile.client_id,
        "store": profile.store,
        "credential": profile.store.place(&folders, name),
        "scopes": profile.scopes,
        "resources": profile.resources,
        "origins": profile.origins,
        "token_expires_at": token.as_ref().map(|token| Timestamp::from_seconds(token.expires_at).to_rfc3339()),
    });
    if let Some(introspected) = introspected {
        document["introspection"] = Value::Object(introspected);
    }
    let code = if is_active == Some(false) { ExitCode::from(5) } else { ExitCode::SUCCESS };
    if arguments.json {
        print(&json(&document))?;
        return Ok(code);
    }
    let mut lines = String::new();
    for (label, member) in LABELS {
        let value = match &document[member] {
            Value::String(text) => text.clone(),
            Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
            _ => continue,
        };
        if !value.is_empty() {
            lines += &format!("{label:<11} {value}\n");
        }
    }
    let token = left
        .map_or_else(|| "none; the next command fetches one".to_owned(), |left| format!("expires in {left}"));
    lines += &format!("{:<11} {token}\n", "token");
    if let Some(is_active) = is_active {
        let answer =
            if is_active { "active" } else { "not active: revoked, expired, or from another server" };
        lines += &format!("{:<11} {answer}\n", "online");
    }
    print(&lines)?;
    Ok(code)
}

/// Asks the server about the profile's token.
async fn introspect(
    shared: &SharedTokens<'_>,
    chosen: &Chosen,
    request: &Request,
) -> anyhow::Result<Map<String, Value>> {
    let token = shared.token(chosen, request).await?;
    let introspected = shared.source(chosen, request)?.introspect(&token.access_token).await;
    introspected.map_err(|error| no_answer(&chosen.profile, error))
}

const LABELS: [(&str, &str); 8] = [
    ("profile", "profile"),
    ("server", "endpoint"),
    ("tenant", "tenant"),
    ("client", "client_id"),
    ("secret", "credential"),
    ("scopes", "scopes"),
    ("resources", "resources"),
    ("origins", "origins"),
];

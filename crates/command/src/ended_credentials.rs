//! Expired and revoked credentials of a client that a caller still presents. If there are none, the client's
//! old secrets and keys can safely be deleted.

use administration::documents;
use serde_json::json;

use crate::admin_client::{AdminApi, ApiRequest, with_query};
use crate::output::DocumentTable;
use crate::paths::ClientArguments;
use server::clock;

/// The most expired API keys that are read.
const KEYS: u32 = 200;

const COLUMNS: DocumentTable = DocumentTable {
    none: "",
    columns: "credential as USED AFTER EXPIRY, ended_at as EXPIRED, presented_at as LAST USED, address as FROM",
};

/// A table of these credentials after an empty line, or nothing.
pub(super) async fn still_presented(admin: &AdminApi, of: &ClientArguments) -> anyhow::Result<String> {
    let secrets: documents::Page<documents::SecretView> =
        admin.send(ApiRequest::get(format!("{}/secrets", of.path()))).await?;
    let ended = [("ends_before", Some(clock::now().to_rfc3339())), ("limit", Some(KEYS.to_string()))];
    let keys = ApiRequest::get(with_query(&format!("{}/api-keys", of.path()), &ended));
    let keys: documents::Page<documents::ApiKeyView> = admin.send(keys).await?;
    let row = |credential: String, ended: Option<documents::Instant>, from: &[documents::UsedFrom]| {
        let (at, address) = documents::UsedFrom::after_end(from)?;
        Some(json!({ "credential": credential, "ended_at": ended, "presented_at": at, "address": address }))
    };
    let secrets = secrets.items.iter().filter_map(|secret| {
        let ended = secret.revoked_at.or(secret.expires_at);
        row(format!("secret {}", secret.id), ended, &secret.used_from)
    });
    let keys = keys.items.iter().filter_map(|key| {
        let ended = key.revoked_at.or(key.settings.expires_at);
        row(format!("API key {}", key.id), ended, &key.used_from)
    });
    let rows: Vec<_> = secrets.chain(keys).collect();
    Ok(if rows.is_empty() { String::new() } else { format!("\n{}", COLUMNS.table(&rows)) })
}

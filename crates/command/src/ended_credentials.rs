//! Ended credentials of a client that a caller still presents. If there are none, its old secrets and keys
//! can be deleted safely.

use administration::{ApiKeyView, Instant, Page, SecretView, UsedFrom};
use serde_json::json;

use crate::admin_client::{AdminClient, ApiRequest, with_query};
use crate::output::DocumentTable;
use crate::paths::ClientArguments;
use server::clock;

/// Ended API keys that are looked at.
const KEYS: u32 = 200;

const COLUMNS: DocumentTable = DocumentTable {
    none: "",
    columns: "credential as PRESENTED AFTER ITS END, ended, presented as LAST PRESENTED, address as FROM",
};

/// A table of them, after an empty line; nothing where there are none.
pub(super) async fn still_presented(admin: &AdminClient, of: &ClientArguments) -> anyhow::Result<String> {
    let secrets: Page<SecretView> = admin.send(ApiRequest::get(format!("{}/secrets", of.path()))).await?;
    let ended = [("ends_before", Some(clock::now().to_rfc3339())), ("limit", Some(KEYS.to_string()))];
    let keys = ApiRequest::get(with_query(&format!("{}/api-keys", of.path()), &ended));
    let keys: Page<ApiKeyView> = admin.send(keys).await?;
    let row = |credential: String, ended: Option<Instant>, from: &[UsedFrom]| {
        let (at, address) = UsedFrom::after_end(from)?;
        Some(json!({ "credential": credential, "ended": ended, "presented": at, "address": address }))
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

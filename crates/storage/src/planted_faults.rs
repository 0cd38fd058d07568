//! Statements that leave their condition on the tenant out, each for the planted fault of a test. They call
//! every row one of the tenant that asks, as the rest of the code expects of a store.

use std::borrow::Cow;

/// Each fault with parts of the statements that have it.
const STATEMENTS: [(&str, &[&str]); 15] = [
    ("session", &["AND s.session_id = $3", "a.tenant_id = {tenant} AND a.account_id = $2"]),
    ("authorization code", &["FROM authorization_codes o", "UPDATE authorization_codes"]),
    ("device code", &["FROM device_codes o", "UPDATE device_codes"]),
    ("user code", &["FROM device_codes d"]),
    ("pushed request", &["FROM pushed_requests o", "UPDATE pushed_requests"]),
    ("refresh token", &["FROM refresh_families f"]),
    ("API key", &["AND k.api_key_id = $2"]),
    ("API key in a path", &["AND k.api_key_id IN ("]),
    ("client", &["FROM clients c WHERE c.tenant_id = {tenant} AND c.client_id = $2"]),
    ("account in a path", &["AND a.account_id IN ("]),
    ("identifier of an account", &["AND i.kind = $2 AND i.value = $3"]),
    ("list of clients", &["AND c.deleted_at IS NULL AND c.client_id > $3"]),
    ("list of accounts", &["AND (a.created_at, a.account_id) > ($2, $3)"]),
    ("list of API keys", &["FROM api_keys k WHERE k.tenant_id = {tenant}"]),
    ("audit", &["FROM audit_records r WHERE r.tenant_id = {tenant}"]),
];

/// The statement as the planted fault has it.
pub(crate) fn without_tenant(text: &str) -> Cow<'_, str> {
    let planted = STATEMENTS.iter().find(|(fault, _)| tenancy::has_planted_fault(fault));
    let parts = planted.map_or(&[][..], |(_, parts)| parts);
    if !parts.iter().any(|part| text.contains(part)) {
        return text.into();
    }
    if let Some(rest) = text.trim_start().strip_prefix("UPDATE ") {
        let table = rest.split(' ').next().unwrap_or_default();
        return text.replace("given.tenant_id", &format!("{table}.tenant_id")).into();
    }
    if text.contains("f.tenant_id = {entered} AND") {
        return text.replace("f.tenant_id = {entered} AND", "").into();
    }
    let mut text = text.to_owned();
    // The name of the table before a text.
    let table = |text: &str, after: &str| {
        let (before, _) = text.split_once(after)?;
        Some(before.rsplit([' ', '(']).next().unwrap_or_default().to_owned())
    };
    if let Some(selected) = table(&text, ".tenant_id,") {
        text = text.replace(&format!("{selected}.tenant_id,"), "{tenant} AS tenant_id,");
    }
    if let Some(compared) = table(&text, ".tenant_id = {tenant}") {
        text = text.replace(&format!("{compared}.tenant_id = {{tenant}}"), "{tenant} = {tenant}");
        // A row of the tenant's own comes first where both have one of the name.
        if text.ends_with("$2") || text.ends_with("$3") {
            text.push_str(&format!(" ORDER BY {compared}.tenant_id <> {{tenant}}"));
        }
    }
    text.into()
}

//! Applies the audit records from after a backup. Otherwise credentials and rows that were revoked after the
//! backup would be valid again after the restore.

use serde::Deserialize;
use values::Timestamp;

use crate::statement::Statement;
use crate::store_copy::CopyError;
use crate::store_copy::session::CopySession;

/// A record of the audit in the format of the API.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AuditLine {
    /// An RFC 3339 time in UTC.
    pub at: String,
    pub action: String,
    pub tenant: String,
    pub subject: String,
}

/// SQL for the `kid` of a signing key.
const KID: &str = "COALESCE(kid, 'oauth2-key-' || number)";

/// Applies the records since this time, oldest first, and returns their number. A row that was deleted is
/// suspended instead, because a restore deletes nothing.
pub(super) async fn end_later(
    session: &mut CopySession,
    mut records: Vec<AuditLine>,
    since: Timestamp,
    now: Timestamp,
) -> Result<usize, CopyError> {
    let since = since.to_rfc3339();
    records.retain(|record| record.at >= since);
    records.sort_by(|one, other| one.at.cmp(&other.at));
    let statements: Vec<_> = records.iter().filter_map(|record| statement(record, now)).collect();
    for statement in &statements {
        session.execute(statement).await?;
    }
    Ok(statements.len())
}

fn statement(AuditLine { action, tenant, subject, .. }: &AuditLine, now: Timestamp) -> Option<Statement> {
    let (kind, verb) = action.split_once('.')?;
    let (table, row, ended): (_, &[&str], _) = match (kind, verb) {
        ("secret", "revoked" | "removed") => (
            "client_secrets",
            &["client_id", "secret_id"],
            "revoked_at = COALESCE(revoked_at, $1), revoked_by = 'api'",
        ),
        ("api_key", "revoked" | "deleted") => (
            "api_keys",
            &["client_id", "api_key_id"],
            "revoked_at = COALESCE(revoked_at, $1), revision = revision + 1",
        ),
        ("client", "suspended" | "retired" | "deleted") => ("clients", &["client_id"], "suspended_at = $1"),
        ("account", "suspended" | "retired" | "deleted") => {
            ("accounts", &["account_id"], "suspended_at = $1")
        }
        // A key that is removed without retiring first was revoked.
        ("key", "revoked") => ("signing_keys", &[KID], "retiring_from = $1, removed_at = $1"),
        ("tenant", "suspended" | "retired" | "deleted" | "exported") => ("tenants", &[], "suspended_at = $1"),
        ("client", "resumed") => ("clients", &["client_id"], "suspended_at = NULLIF($1, $1)"),
        ("account", "resumed") => ("accounts", &["account_id"], "suspended_at = NULLIF($1, $1)"),
        ("tenant", "resumed" | "imported" | "export_failed") => {
            ("tenants", &[], "suspended_at = NULLIF($1, $1)")
        }
        _ => return None,
    };
    let names: Vec<_> = if row.len() == 2 {
        subject.split_once('/').into_iter().flat_map(<[_; 2]>::from).collect()
    } else {
        vec![subject.as_str()]
    };
    let update = Statement::from_text(format!("UPDATE {table} SET {ended} WHERE tenant_id = $2"))
        .bind(now)
        .bind(tenant.as_str());
    if names.len() < row.len() {
        return None;
    }
    Some(
        row.iter()
            .zip(names)
            .fold(update, |update, (column, name)| update.push(&format!(" AND {column} = ?"), name)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statement::Dialect;

    #[test]
    fn audit_record_ends_only_its_row() {
        let text = |action: &str, subject: &str| {
            let line = AuditLine {
                at: String::new(),
                action: action.to_owned(),
                tenant: "acme".to_owned(),
                subject: subject.to_owned(),
            };
            statement(&line, Timestamp::from_seconds(1)).map(|statement| statement.text(Dialect::Sqlite))
        };
        for (action, subject, begins, ends) in [
            (
                "secret.revoked",
                "svc/s1",
                "UPDATE client_secrets",
                "tenant_id = $2 AND client_id = $3 AND secret_id = $4",
            ),
            (
                "api_key.revoked",
                "svc/k1",
                "UPDATE api_keys",
                "tenant_id = $2 AND client_id = $3 AND api_key_id = $4",
            ),
            (
                "client.deleted",
                "svc",
                "UPDATE clients SET suspended_at = $1",
                "tenant_id = $2 AND client_id = $3",
            ),
            ("account.suspended", "a", "UPDATE accounts", "tenant_id = $2 AND account_id = $3"),
            ("tenant.retired", "acme", "UPDATE tenants", "WHERE tenant_id = $2"),
            (
                "key.revoked",
                "oauth2-key-1",
                "UPDATE signing_keys",
                "tenant_id = $2 AND COALESCE(kid, 'oauth2-key-' || number) = $3",
            ),
        ] {
            let text = text(action, subject).unwrap();
            assert!(text.starts_with(begins) && text.ends_with(ends), "{text}");
        }
        for (action, subject) in [("client.added", "svc"), ("secret.revoked", "svc"), ("odd", "svc")] {
            assert_eq!(text(action, subject), None);
        }
    }
}

//! Records of the audit from after a backup. What they ended does not live again with the rows of the backup.

use protocol::Timestamp;
use serde::Deserialize;

use crate::statement::Statement;
use crate::store_copy::CopyError;
use crate::store_copy::session::Session;

/// A record of the audit, as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AuditLine {
    /// When, as RFC 3339 writes it in UTC.
    pub at: String,
    /// What was done.
    pub action: String,
    /// Of which tenant.
    pub tenant: String,
    /// To what.
    pub subject: String,
}

/// What came of the records.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct EndedLater {
    /// Number of those that were applied.
    pub applied: usize,
    /// Those that need a person: action, tenant and subject.
    pub left: Vec<String>,
}

/// Applies the records from this time on, the oldest first. What was deleted is suspended: a restore deletes nothing.
pub(super) async fn end_later(
    session: &mut Session,
    mut records: Vec<AuditLine>,
    since: Timestamp,
    now: Timestamp,
) -> Result<EndedLater, CopyError> {
    let since = since.to_rfc3339();
    records.retain(|record| record.at >= since);
    records.sort_by(|one, other| one.at.cmp(&other.at));
    let mut found = EndedLater::default();
    for record in records {
        match statement(&record, now) {
            Some(statement) => {
                session.execute(&statement).await?;
                found.applied += 1;
            }
            None if record.action == "key.revoked" => {
                found.left.push(format!("{} of {}/{}", record.action, record.tenant, record.subject));
            }
            None => {}
        }
    }
    Ok(found)
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
        ("tenant", "suspended" | "retired" | "deleted") => ("tenants", &[], "suspended_at = $1"),
        ("client", "resumed") => ("clients", &["client_id"], "suspended_at = NULLIF($1, $1)"),
        ("account", "resumed") => ("accounts", &["account_id"], "suspended_at = NULLIF($1, $1)"),
        ("tenant", "resumed") => ("tenants", &[], "suspended_at = NULLIF($1, $1)"),
        _ => return None,
    };
    let names: Vec<_> = if row.len() == 2 {
        subject.split_once('/').into_iter().flat_map(<[_; 2]>::from).collect()
    } else {
        vec![subject.as_str()]
    };
    let update = Statement::of(format!("UPDATE {table} SET {ended} WHERE tenant_id = $2"))
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
    fn a_record_ends_its_row_and_no_other() {
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
        ] {
            let text = text(action, subject).unwrap();
            assert!(text.starts_with(begins) && text.ends_with(ends), "{text}");
        }
        for (action, subject) in
            [("client.added", "svc"), ("secret.revoked", "svc"), ("odd", "svc"), ("key.revoked", "k")]
        {
            assert_eq!(text(action, subject), None);
        }
    }
}

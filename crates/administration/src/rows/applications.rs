//! Applications of the Thunder-compatible API.

use serde_json::{Value, json};

use super::seconds;
use crate::{Application, Change, ChangeKind, CommitRequest};

/// What a commit does to applications. They are deleted first, so that a name is free again.
#[derive(Debug, Default)]
pub struct ApplicationRows {
    /// Deleted rows.
    pub deleted: Vec<Value>,
    /// Written rows: those that exist keep their place and `created_at`, and may give up a name; new ones come after all others of
    /// their tenant, in this order.
    pub rows: Vec<Value>,
}

impl ApplicationRows {
    pub(super) fn of(request: &CommitRequest) -> Self {
        let mut rows = Self::default();
        let mut added = Vec::new();
        for change in &request.changes {
            let Change::Application(change) = change else { continue };
            let list = match change.kind {
                ChangeKind::Added => &mut added,
                ChangeKind::Deleted => &mut rows.deleted,
                _ => &mut rows.rows,
            };
            list.push(application_row(&change.after, change.kind == ChangeKind::Added));
        }
        rows.rows.append(&mut added);
        rows
    }
}

fn application_row(application: &Application, is_new: bool) -> Value {
    let Application { tenant, id, name, client, document, created_at } = application;
    json!({
        "tenant_id": tenant.as_str(),
        "application_id": id.to_string(),
        "name": name,
        "client_id": client.as_ref().map(registry::ClientId::as_str),
        "document": document,
        "created_at": seconds(*created_at),
        // Whether the row must not exist yet; any other row must exist.
        "is_new": is_new,
    })
}

//! Applications of the Thunder-compatible API.

use serde::Serialize;
use serde_json::Value;

use super::seconds;
use crate::{Application, Change, ChangeKind, CommitRequest};

/// What a commit does to applications. They are deleted first, so that a name is free again.
#[derive(Debug, Default)]
pub struct ApplicationRows<'a> {
    /// Deleted rows.
    pub deleted: Vec<ApplicationRow<'a>>,
    /// Written rows: those that exist keep their place and `created_at`, and may give up a name; new ones come after all others of
    /// their tenant, in this order.
    pub rows: Vec<ApplicationRow<'a>>,
}

/// An application's row.
#[expect(missing_docs, reason = "the columns are described in the migrations")]
#[derive(Debug, Serialize)]
pub struct ApplicationRow<'a> {
    pub tenant_id: &'a str,
    pub application_id: String,
    pub name: &'a str,
    pub client_id: Option<&'a str>,
    pub document: &'a Value,
    pub created_at: i64,
    /// Whether the row must not exist yet; any other row must exist.
    pub is_new: bool,
}

impl<'a> ApplicationRows<'a> {
    pub(super) fn of(request: &'a CommitRequest) -> Self {
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

fn application_row(application: &Application, is_new: bool) -> ApplicationRow<'_> {
    let Application { tenant, id, name, client, document, created_at } = application;
    ApplicationRow {
        tenant_id: tenant.as_str(),
        application_id: id.to_string(),
        name,
        client_id: client.as_ref().map(registry::ClientId::as_str),
        document,
        created_at: seconds(*created_at),
        is_new,
    }
}

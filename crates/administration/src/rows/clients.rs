//! Clients, with the names that they list.

use std::collections::BTreeSet;

use registry::Client;
use serde_json::{Value, json};

use super::lifecycle::with_lifecycle;
use super::{Decided, span};
use crate::{Change, ChangeKind, ClientState, CommitRequest};

/// What a commit does to clients.
#[derive(Debug)]
pub struct ClientRows {
    /// Their own rows.
    pub rows: Vec<Value>,
    /// Whose names are written anew, or removed with the client.
    pub renamed: Vec<Value>,
    /// The audiences and resources of those that are added or renamed, each once.
    pub names: Vec<Value>,
    /// Whose secrets are removed.
    pub deleted: Vec<Value>,
}

impl ClientRows {
    pub(super) fn of(request: &CommitRequest, decided: &Decided) -> Self {
        let changes = request.changes.iter().filter_map(|change| match change {
            Change::Client(row) => Some((row.kind, &*row.after)),
            _ => None,
        });
        let (mut renamed, mut names, mut deleted) = (Vec::new(), Vec::new(), Vec::new());
        for (kind, client) in changes {
            match kind {
                ChangeKind::Added => names.extend(name_rows(client)),
                ChangeKind::Changed | ChangeKind::Restored => {
                    renamed.push(client_key(client));
                    names.extend(name_rows(client));
                }
                ChangeKind::Deleted => {
                    renamed.push(client_key(client));
                    deleted.push(client_key(client));
                }
                _ => {}
            }
        }
        Self { rows: decided.clients.values().map(client_row).collect(), renamed, names, deleted }
    }
}

/// Each name that the client lists, once.
fn name_rows(client: &Client) -> impl Iterator<Item = Value> {
    let names: BTreeSet<&str> =
        client.audiences.iter().chain(&client.resources).map(String::as_str).collect();
    names.into_iter().map(
        |name| json!({ "tenant_id": client.tenant.as_str(), "name": name, "client_id": client.id.as_str() }),
    )
}

fn client_key(client: &Client) -> Value {
    json!({ "tenant_id": client.tenant.as_str(), "client_id": client.id.as_str() })
}

fn client_row(row: &ClientState) -> Value {
    let client = &row.client;
    let fields = json!({
        "tenant_id": client.tenant.as_str(),
        "client_id": client.id.as_str(),
        "name": client.name,
        "description": client.description,
        "authentication_method": client.authentication_method.as_str(),
        "grant_types": client.grant_types.iter().map(|grant_type| grant_type.as_str()).collect::<Vec<_>>(),
        "audiences": client.audiences,
        "resources": client.resources,
        "scopes": client.scope.to_string(),
        "access_token_lifetime": client.access_token_lifetime.map(span),
        "issuer": client.issuer.as_ref().map(tenancy::Issuer::as_str),
        "introspection": client.introspection.as_str(),
    });
    with_lifecycle(&row.lifecycle, fields)
}

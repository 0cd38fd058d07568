//! Clients, with the names that they list.

use std::collections::BTreeSet;

use registry::Client;
use serde::Serialize;

use super::{Decided, LifecycleRow, span};
use crate::{Change, ChangeKind, ClientState, CommitRequest};

/// What a commit does to clients.
#[derive(Debug)]
pub struct ClientRows<'a> {
    /// Their own rows.
    pub rows: Vec<ClientRow<'a>>,
    /// Whose names are written anew, or removed with the client.
    pub renamed: Vec<ClientKey<'a>>,
    /// The audiences and resources of those that are added or renamed, each once.
    pub names: Vec<NameRow<'a>>,
    /// Whose secrets are removed.
    pub deleted: Vec<ClientKey<'a>>,
}

/// A row of `client_names`.
#[expect(missing_docs, reason = "the columns are described in the migrations")]
#[derive(Debug, Serialize)]
pub struct NameRow<'a> {
    pub tenant_id: &'a str,
    pub name: &'a str,
    pub client_id: &'a str,
}

/// Which client.
#[expect(missing_docs, reason = "the columns are described in the migrations")]
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ClientKey<'a> {
    pub tenant_id: &'a str,
    pub client_id: &'a str,
}

/// A client's row.
#[expect(missing_docs, reason = "the columns are described in the migrations")]
#[derive(Debug, Serialize)]
pub struct ClientRow<'a> {
    pub tenant_id: &'a str,
    pub client_id: &'a str,
    pub name: &'a str,
    #[serde(flatten)]
    pub lifecycle: LifecycleRow,
    pub authentication_method: &'a str,
    pub grant_types: Vec<&'a str>,
    pub audiences: &'a [String],
    pub resources: &'a [String],
    pub scopes: String,
    pub access_token_lifetime: Option<i64>,
    pub issuer: Option<&'a str>,
    pub introspection: &'a str,
}

impl<'a> ClientRows<'a> {
    pub(super) fn of(request: &'a CommitRequest, decided: &'a Decided) -> Self {
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

fn name_rows(client: &Client) -> impl Iterator<Item = NameRow<'_>> {
    let ClientKey { tenant_id, client_id } = client_key(client);
    let names: BTreeSet<&str> =
        client.audiences.iter().chain(&client.resources).map(String::as_str).collect();
    names.into_iter().map(move |name| NameRow { tenant_id, name, client_id })
}

fn client_key(client: &Client) -> ClientKey<'_> {
    ClientKey { tenant_id: client.tenant.as_str(), client_id: client.id.as_str() }
}

fn client_row(row: &ClientState) -> ClientRow<'_> {
    let client = &row.client;
    ClientRow {
        tenant_id: client.tenant.as_str(),
        client_id: client.id.as_str(),
        name: &client.name,
        lifecycle: row.lifecycle.into(),
        authentication_method: client.authentication_method.as_str(),
        grant_types: client.grant_types.iter().map(|grant_type| grant_type.as_str()).collect(),
        audiences: &client.audiences,
        resources: &client.resources,
        scopes: client.scope.to_string(),
        access_token_lifetime: client.access_token_lifetime.map(span),
        issuer: client.issuer.as_ref().map(tenancy::Issuer::as_str),
        introspection: client.introspection.as_str(),
    }
}

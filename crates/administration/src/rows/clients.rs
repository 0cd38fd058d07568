//! Clients, with the names that they list.

use std::collections::BTreeSet;

use registry::Client;
use serde::Serialize;

use super::kinds::{ByKind, Transition, by_kind, deleted};
use super::span;
use crate::{Change, CommitRequest};

/// What happens to clients.
#[derive(Debug)]
pub struct ClientRows<'a> {
    /// Their own rows.
    pub rows: ByKind<ClientRow<'a>, Transition<ClientKey<'a>>>,
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
    pub(super) fn of(request: &'a CommitRequest) -> Self {
        let changes = request.changes.iter().filter_map(|change| match change {
            Change::Client(row) => Some(row),
            _ => None,
        });
        let rows = by_kind(changes, client_row, client_key, |_| None);
        let names = rows.added.iter().chain(&rows.changed).flat_map(ClientRow::names).collect();
        let deleted = deleted(&rows.transitions);
        let renamed = rows.changed.iter().map(ClientRow::key).chain(deleted.iter().copied()).collect();
        Self { renamed, names, deleted, rows }
    }
}

impl<'a> ClientRow<'a> {
    fn key(&self) -> ClientKey<'a> {
        ClientKey { tenant_id: self.tenant_id, client_id: self.client_id }
    }

    fn names(&self) -> impl Iterator<Item = NameRow<'a>> + use<'a> {
        let Self { tenant_id, client_id, audiences, resources, .. } = *self;
        let names: BTreeSet<&str> = audiences.iter().chain(resources).map(String::as_str).collect();
        names.into_iter().map(move |name| NameRow { tenant_id, name, client_id })
    }
}

fn client_key(client: &Client) -> ClientKey<'_> {
    ClientKey { tenant_id: client.tenant.as_str(), client_id: client.id.as_str() }
}

fn client_row(client: &Client) -> ClientRow<'_> {
    ClientRow {
        tenant_id: client.tenant.as_str(),
        client_id: client.id.as_str(),
        name: &client.name,
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

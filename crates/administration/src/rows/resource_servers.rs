//! Resource servers.

use serde::Serialize;
use tenancy::{ResourceServer, TenantId};

use super::kinds::{ByKind, Transition, by_kind};
use crate::{Change, CommitRequest};

/// Which resource server.
#[expect(missing_docs, reason = "the columns are described in the migrations")]
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ResourceServerKey<'a> {
    pub tenant_id: &'a str,
    pub audience: &'a str,
}

/// A resource server's row.
#[expect(missing_docs, reason = "the columns are described in the migrations")]
#[derive(Debug, Serialize)]
pub struct ResourceServerRow<'a> {
    pub tenant_id: &'a str,
    pub audience: &'a str,
    pub scopes: String,
    pub introspection_clients: &'a [String],
}

pub(super) fn resource_server_rows(
    request: &CommitRequest,
) -> ByKind<ResourceServerRow<'_>, Transition<ResourceServerKey<'_>>> {
    let mut all = ByKind { added: Vec::new(), transitions: Vec::new(), changed: Vec::new() };
    for change in &request.changes {
        let Change::ResourceServer(tenant, row) = change else { continue };
        let of = by_kind(
            std::iter::once(row),
            |server| resource_server_row(tenant, server),
            |server| ResourceServerKey { tenant_id: tenant.as_str(), audience: &server.audience },
            |_| None,
        );
        all.added.extend(of.added);
        all.transitions.extend(of.transitions);
        all.changed.extend(of.changed);
    }
    all
}

fn resource_server_row<'a>(tenant: &'a TenantId, server: &'a ResourceServer) -> ResourceServerRow<'a> {
    ResourceServerRow {
        tenant_id: tenant.as_str(),
        audience: &server.audience,
        scopes: server.scopes.to_string(),
        introspection_clients: &server.introspection_clients,
    }
}

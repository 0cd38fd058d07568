//! Resource servers.

use serde::Serialize;
use tenancy::TenantId;

use super::{Decided, LifecycleRow};
use crate::ResourceServerState;

/// A resource server's row.
#[expect(missing_docs, reason = "the columns are described in the migrations")]
#[derive(Debug, Serialize)]
pub struct ResourceServerRow<'a> {
    pub tenant_id: &'a str,
    pub audience: &'a str,
    #[serde(flatten)]
    pub lifecycle: LifecycleRow,
    pub scopes: String,
    pub introspection_clients: &'a [String],
}

pub(super) fn resource_server_rows(decided: &Decided) -> Vec<ResourceServerRow<'_>> {
    decided.resource_servers.iter().map(|((tenant, _), row)| resource_server_row(tenant, row)).collect()
}

fn resource_server_row<'a>(tenant: &'a TenantId, row: &'a ResourceServerState) -> ResourceServerRow<'a> {
    let server = &row.resource_server;
    ResourceServerRow {
        tenant_id: tenant.as_str(),
        audience: &server.audience,
        lifecycle: row.lifecycle.into(),
        scopes: server.scopes.to_string(),
        introspection_clients: &server.introspection_clients,
    }
}

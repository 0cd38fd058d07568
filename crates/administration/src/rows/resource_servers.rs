//! Resource servers.

use serde_json::{Value, json};
use tenancy::TenantId;

use super::Decided;
use super::lifecycle::with_lifecycle;
use crate::ResourceServerState;

pub(super) fn resource_server_rows(decided: &Decided) -> Vec<Value> {
    decided.resource_servers.iter().map(|((tenant, _), row)| resource_server_row(tenant, row)).collect()
}

fn resource_server_row(tenant: &TenantId, row: &ResourceServerState) -> Value {
    let server = &row.resource_server;
    let fields = json!({
        "tenant_id": tenant.as_str(),
        "audience": server.audience,
        "scopes": server.scopes.to_string(),
        "introspection_clients": server.introspection_clients,
    });
    with_lifecycle(&row.lifecycle, fields)
}

//! Which resource servers an application may name in `resource`: those of its tenant that own one of its scopes.

use protocol::Scope;
use tenancy::Tenant;

/// Their audiences, in the tenant's order.
pub(super) fn audiences(tenant: &Tenant, scope: &Scope) -> Vec<String> {
    let owns = |scopes: &Scope| scope.iter().any(|token| scopes.contains(token));
    let servers = tenant.resource_servers.iter().filter(|server| owns(&server.scopes));
    servers.map(|server| server.audience.clone()).collect()
}

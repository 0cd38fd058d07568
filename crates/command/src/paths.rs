//! The client that a command is about, and the API's paths for clients, accounts and keys.

use clap::Args;
use registry::ClientId;
use tenancy::TenantId;

use crate::admin_client::segment;

/// Which client.
#[derive(Args)]
pub(crate) struct ClientArguments {
    /// Tenant ID.
    pub(super) tenant: TenantId,
    /// Client ID.
    pub(super) client: ClientId,
}

impl ClientArguments {
    /// The client's path in the API.
    pub(super) fn path(&self) -> String {
        client_path(&self.tenant, self.client.as_str())
    }
}

pub(super) fn client_path(tenant: &TenantId, client: &str) -> String {
    format!("{}/{}", clients_path(tenant), segment(client))
}

pub(super) fn clients_path(tenant: &TenantId) -> String {
    format!("/api/v1/tenant/{tenant}/clients")
}

pub(super) fn accounts_path(tenant: &TenantId) -> String {
    format!("/api/v1/tenant/{tenant}/accounts")
}

pub(super) fn keys_path(tenant: &TenantId) -> String {
    format!("/api/v1/tenant/{tenant}/keys")
}

//! What the gateway is told when it is built. It knows no settings file: the program translates.

use std::net::SocketAddr;

use grants::ProtectedResource;

use crate::Tls;

/// How the gateway serves.
#[derive(Clone, Debug)]
pub struct Options {
    /// What metadata is derived from; nothing is built from the `Host` header.
    pub public_url: String,
    /// Where it listens.
    pub listeners: Vec<Listener>,
    /// The tenant that is also served at the paths without a tenant.
    pub default_tenant: Option<String>,
    /// What `/api/v1/protected-resource` demands; without it the path is unknown.
    pub protected_resource: Option<ProtectedResource>,
    /// Worker threads; each has its own event loop and signs inline.
    pub workers: usize,
}

/// One address.
#[derive(Clone, Debug)]
pub struct Listener {
    /// Where it listens; port 0 lets the system choose.
    pub address: SocketAddr,
    /// What it serves.
    pub surface: Surface,
    /// With it, https; without it, http.
    pub tls: Option<Tls>,
}

/// Which paths an address serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Surface {
    /// Tokens, keys, metadata, introspection, documentation.
    pub public: bool,
    /// Administration and metrics.
    pub admin: bool,
}

//! What the gateway is told when it is built. It knows no settings file: the program translates.

use std::net::SocketAddr;
use std::time::Duration;

use grants::ProtectedResource;
use tenancy::TenantId;

use crate::{ClientCertificateHeader, Tls, TrustedProxies};

/// How the gateway serves.
#[derive(Clone, Debug)]
pub struct Options {
    /// What metadata is derived from; nothing is built from the `Host` header.
    pub public_url: String,
    /// Where it listens.
    pub listeners: Vec<Listener>,
    /// The base of the endpoints for clients with certificates (RFC 8705 §5).
    pub mtls_url: Option<String>,
    /// The tenant that is also served at the paths without a tenant.
    pub default_tenant: Option<String>,
    /// What `/api/v1/protected-resource` demands; without it the path is unknown.
    pub protected_resource: Option<ProtectedResource>,
    /// Whether browsers are told to come by https only (RFC 6797).
    pub strict_transport: bool,
    /// How many connections there may be, and how patient they are.
    pub connections: ConnectionLimits,
    /// Worker threads; each has its own event loop and signs inline.
    pub workers: usize,
}

/// The base of every URL that is published, without a slash at its end.
#[derive(Clone, Debug)]
pub(crate) struct PublicUrl(pub(crate) String);

impl PublicUrl {
    /// Whether people come by https.
    pub(crate) fn is_https(&self) -> bool {
        !self.0.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http:"))
    }

    /// The path under which a proxy serves this server, without a slash at its end; empty for the root.
    pub(crate) fn path(&self) -> &str {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        rest.find('/').map_or("", |at| &rest[at..])
    }

    /// The path of a tenant's endpoint, for links and forms of our own pages.
    pub(crate) fn path_of(&self, tenant: &TenantId, endpoint: &str) -> String {
        format!("{}/api/v1/tenant/{tenant}{endpoint}", self.path())
    }
}

/// How much of the server connections may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// So many at once, of all listeners.
    pub all: usize,
    /// So many of one source: an IPv4 address or an IPv6 /64. Trusted proxies speak for many and have no share.
    pub of_source: usize,
    /// One is given up whose client takes nothing of what is written for so long.
    pub stalled: Duration,
}

impl ConnectionLimits {
    /// So many, a quarter of them of one source.
    #[must_use]
    pub fn of(all: usize) -> Self {
        Self { all, of_source: (all / 4).max(1), stalled: Duration::from_secs(30) }
    }
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self::of(10_000)
    }
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
    /// Names by which its paths of administration may be called, beside the public URL's and localhost.
    pub hosts: Vec<String>,
    /// Proxies whose word on the address of a caller is taken; without it a caller is the other end of the connection.
    pub trusted_proxies: Option<TrustedProxies>,
    /// The header in which these proxies pass client certificates on.
    pub client_certificate_header: Option<ClientCertificateHeader>,
}

impl Options {
    /// Metadata says nothing of client certificates where no listener reads them.
    pub(crate) fn reads_client_certificates(&self) -> bool {
        self.listeners.iter().any(Listener::reads_client_certificates)
    }
}

impl Listener {
    /// Whether requests can come with a client certificate.
    fn reads_client_certificates(&self) -> bool {
        let asks = self.tls.as_ref().is_some_and(|tls| tls.files().client_certificates.is_some());
        asks || self.client_certificate_header.is_some()
    }

    /// In clear, behind no proxy and under no other names.
    #[must_use]
    pub const fn new(address: SocketAddr, surface: Surface) -> Self {
        Self {
            address,
            surface,
            tls: None,
            hosts: Vec::new(),
            trusted_proxies: None,
            client_certificate_header: None,
        }
    }
}

/// Which paths an address serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Surface {
    /// Tokens, keys, metadata, introspection.
    pub public: bool,
    /// Administration and metrics.
    pub admin: bool,
    /// The console of tenants, for their own administrators.
    pub console: TenantConsole,
    /// The console of the operators, who see the pages of tenants, too.
    pub operator_console: bool,
}

/// Whose pages of the console an address serves to administrators of tenants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TenantConsole {
    /// No tenant's.
    None,
    /// Those of tenants whose people sign in here.
    OfProviders,
    /// Every tenant's.
    OfAll,
}

impl Surface {
    /// What the paths of administration begin with.
    pub const ADMIN_PATHS: [&str; 13] = [
        "/metrics",
        "/flow/execute",
        "/applications",
        "/api/v1/admin",
        "/api/v1/tenant/{id}/clients",
        "/api/v1/tenant/{id}/api-keys",
        "/api/v1/tenant/{id}/accounts",
        "/api/v1/tenant/{id}/keys",
        "/api/v1/tenant/{id}/audit",
        "/api/v1/tenant/{id}/usage",
        "/api/v1/tenant/{id}/refusals",
        "/api/v1/tenant/{id}/advice",
        "/api/v1/tenant/{id}/console-links",
    ];
    const COMMON_PATHS: [&str; 3] = ["/health", "/docs", "/openapi.json"];

    /// These surfaces, each with the console of those who use it.
    #[must_use]
    pub const fn of(public: bool, admin: bool) -> Self {
        let console = if public { TenantConsole::OfProviders } else { TenantConsole::None };
        Self { public, admin, console, operator_console: admin }
    }

    /// Whether it serves any page of the console.
    pub(crate) fn serves_console(self) -> bool {
        self.operator_console || self.console != TenantConsole::None
    }

    /// Whether an address with this surface serves a path, which may be a pattern.
    pub(crate) fn serves(self, path: &str) -> bool {
        let is_below = |start: &str| {
            path.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if Self::COMMON_PATHS.into_iter().any(is_below) {
            return true;
        }
        if is_below("/console") {
            return self.serves_console();
        }
        if Self::ADMIN_PATHS.into_iter().any(is_below) { self.admin } else { self.public }
    }
}

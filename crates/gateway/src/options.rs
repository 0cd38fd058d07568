//! The options of the gateway. It knows no settings file: the program translates.

use std::net::SocketAddr;
use std::time::Duration;

use grants::ResourceRequirement;
use tenancy::TenantId;

use crate::{CertificateHeader, CurrentTls, TrustedPeers};

/// How the gateway serves.
#[derive(Clone, Debug)]
pub struct Options {
    /// The base URL of metadata. No URL is built from the `Host` header.
    pub public_url: String,
    /// The listeners.
    pub listeners: Vec<ListenerOptions>,
    /// The base of the endpoints for clients with certificates (RFC 8705 §5).
    pub mtls_url: Option<String>,
    /// The tenant that is also served at the paths without a tenant.
    pub default_tenant: Option<String>,
    /// The requirements of `/api/v1/protected-resource`. Without them the path is unknown.
    pub protected_resource: Option<ResourceRequirement>,
    /// Whether browsers must use https only (RFC 6797).
    pub strict_transport: bool,
    /// How many connections there may be, and how patient they are.
    pub connections: ConnectionLimits,
    /// Worker threads; each has its own event loop and signs inline.
    pub workers: usize,
}

/// The base of every published URL, without a slash at its end.
#[derive(Clone, Debug)]
pub(crate) struct BaseUrl(pub(crate) String);

impl BaseUrl {
    /// Whether people come by https.
    pub(crate) fn is_https(&self) -> bool {
        !self.0.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http:"))
    }

    /// The path under which a proxy serves this server, without a slash at its end. Empty for the root.
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
    /// The most connections of all listeners.
    pub all: usize,
    /// The most connections of one source: an IPv4 address or an IPv6 /64. Trusted proxies connect for many
    /// callers, so this limit does not apply to them.
    pub of_source: usize,
    /// A connection is closed if its client reads nothing for this time.
    pub stalled: Duration,
    /// The longest time that a token, introspection or revocation request waits for a worker.
    pub queued: Duration,
}

impl ConnectionLimits {
    /// The limits for this number of connections, a quarter of them for one source.
    #[must_use]
    pub fn from_all(all: usize) -> Self {
        let (stalled, queued) = (Duration::from_secs(30), Duration::from_secs(1));
        Self { all, of_source: (all / 4).max(1), stalled, queued }
    }
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self::from_all(10_000)
    }
}

/// One address.
#[derive(Clone, Debug)]
pub struct ListenerOptions {
    /// The address; port 0 lets the system choose.
    pub address: SocketAddr,
    /// The routes that it serves.
    pub surface: ListenerSurface,
    /// The TLS of the listener. Without it, the listener serves http.
    pub tls: Option<CurrentTls>,
    /// Names under which its paths of administration may be called, beside the public URL's and localhost.
    pub hosts: Vec<String>,
    /// Proxies whose headers name the address of a caller. Without them the caller is the peer of the
    /// connection.
    pub trusted_proxies: Option<TrustedPeers>,
    /// The header in which these proxies pass client certificates on.
    pub client_certificate_header: Option<CertificateHeader>,
}

impl Options {
    /// Whether any listener reads client certificates. Metadata mentions them only then.
    pub(crate) fn reads_client_certificates(&self) -> bool {
        self.listeners.iter().any(ListenerOptions::reads_client_certificates)
    }
}

impl ListenerOptions {
    /// Whether requests can come with a client certificate.
    fn reads_client_certificates(&self) -> bool {
        let asks = self.tls.as_ref().is_some_and(|tls| tls.files().client_certificates.is_some());
        asks || self.client_certificate_header.is_some()
    }

    /// A listener without TLS, trusted proxies and further names.
    #[must_use]
    pub const fn new(address: SocketAddr, surface: ListenerSurface) -> Self {
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

/// The paths that an address serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenerSurface {
    /// Tokens, keys, metadata, introspection.
    pub public: bool,
    /// Administration and metrics.
    pub admin: bool,
    /// The console of tenants, for their own administrators.
    pub console: TenantConsole,
    /// The console of the operators, who also see the pages of tenants.
    pub operator_console: bool,
}

/// The tenants whose administrators get their console at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TenantConsole {
    /// No tenant's.
    None,
    /// The tenants whose people sign in at this address.
    OfProviders,
    /// Every tenant's.
    OfAll,
}

impl ListenerSurface {
    /// The prefixes of the paths of administration.
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

    /// These surfaces, each with the console for its users.
    #[must_use]
    pub const fn new(public: bool, admin: bool) -> Self {
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

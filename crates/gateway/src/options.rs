//! The options of the gateway. The program translates its settings into them.

use std::net::SocketAddr;
use std::time::Duration;

use grants::ResourceRequirement;
use pages::Language;
use tenancy::TenantId;

use crate::{CaughtMail, CertificateHeader, CurrentTls, TrustedPeers};

#[derive(Clone, Debug)]
pub struct Options {
    /// The base of all published URLs. No URL is built from the `Host` header.
    pub public_url: String,
    pub listeners: Vec<ListenerOptions>,
    /// The base URL of the endpoints for clients with certificates (RFC 8705 §5).
    pub mtls_url: Option<String>,
    /// The tenant that is also served at the paths without a tenant.
    pub default_tenant: Option<String>,
    /// What `/api/v1/protected-resource` requires of tokens. Without it, the path is not found.
    pub protected_resource: Option<ResourceRequirement>,
    /// Whether to send `Strict-Transport-Security` (RFC 6797).
    pub strict_transport: bool,
    /// The mail that a development server shows at `/dev/mail`.
    pub caught_mail: Option<CaughtMail>,
    pub connections: ConnectionLimits,
    /// Of all pages.
    pub language: Language,
    /// Each worker thread has its own event loop and signs on its own thread.
    pub workers: usize,
}

/// The base of all published URLs, without a slash at its end, and the language of the pages there.
#[derive(Clone, Debug)]
pub(crate) struct BaseUrl(pub(crate) String, pub(crate) Language);

impl BaseUrl {
    /// Whether browsers use https.
    pub(crate) fn is_https(&self) -> bool {
        !self.0.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http:"))
    }

    /// The path under which a proxy serves this server, without a slash at its end. Empty for the
    /// root.
    pub(crate) fn path(&self) -> &str {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        rest.find('/').map_or("", |at| &rest[at..])
    }

    /// For links and forms of the server's own pages.
    pub(crate) fn path_of(&self, tenant: &TenantId, endpoint: &str) -> String {
        format!("{}/api/v1/tenant/{tenant}{endpoint}", self.path())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// The maximum number of connections of all listeners.
    pub all: usize,
    /// The maximum number of connections of one source: an IPv4 address or an IPv6 /64. It does not
    /// apply to trusted proxies, which connect for many callers.
    pub of_source: usize,
    /// A connection is closed if its client reads nothing for this time.
    pub stalled: Duration,
    /// The maximum time that a token, introspection or revocation request waits for a worker.
    pub queued: Duration,
}

impl ConnectionLimits {
    /// A quarter of the connections is the limit for one source.
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

#[derive(Clone, Debug)]
pub struct ListenerOptions {
    /// Port 0 lets the system choose a port.
    pub address: SocketAddr,
    pub surface: ListenerSurface,
    /// `None` serves http.
    pub tls: Option<CurrentTls>,
    /// Host names for the paths of administration, in addition to the public URL's and localhost.
    pub hosts: Vec<String>,
    /// Proxies whose forwarding header contains the caller's address. Without them, the caller is
    /// the peer of the connection.
    pub trusted_proxies: Option<TrustedPeers>,
    /// The header in which these proxies pass client certificates on.
    pub client_certificate_header: Option<CertificateHeader>,
}

impl Options {
    /// Only then the metadata mentions client certificates.
    pub(crate) fn reads_client_certificates(&self) -> bool {
        self.listeners.iter().any(ListenerOptions::reads_client_certificates)
    }
}

impl ListenerOptions {
    /// Whether a request can have a client certificate.
    fn reads_client_certificates(&self) -> bool {
        let asks = self.tls.as_ref().is_some_and(|tls| tls.files().client_certificates.is_some());
        asks || self.client_certificate_header.is_some()
    }

    /// A listener without TLS, trusted proxies and further host names.
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

/// The routes of a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenerSurface {
    /// Tokens, keys, metadata, introspection.
    pub public: bool,
    /// Administration and metrics.
    pub admin: bool,
    /// The console for administrators of tenants.
    pub console: TenantConsole,
    /// The console for operators, who can also see the pages of tenants.
    pub operator_console: bool,
}

/// The tenants whose administrators can use the console on this listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TenantConsole {
    None,
    /// The tenants with sign-in.
    OfProviders,
    OfAll,
}

impl ListenerSurface {
    /// Prefixes of the paths of administration.
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

    /// Includes the consoles for the users of these surfaces.
    #[must_use]
    pub const fn new(public: bool, admin: bool) -> Self {
        let console = if public { TenantConsole::OfProviders } else { TenantConsole::None };
        Self { public, admin, console, operator_console: admin }
    }

    pub(crate) fn serves_console(self) -> bool {
        self.operator_console || self.console != TenantConsole::None
    }

    /// `path` may be the pattern of a route.
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

//! The services of the domain crates that the routes use.

use std::sync::Arc;

use accounts::SignIns;
use administration::administrator::{Administrator, ReadClock};
use administration::audit::leaks::LeakReports;
use administration::audit::refusals::RefusalBuffer;
use administration::audit::usage::UsageCounts;
use administration::kinds::RequestRows;
use grants::{Authorizations, Engine};
use keys::{JwksFetches, KeyRingCache};
use registry::{Authenticator, ClientId, DpopProofs, Users};
use secrets::CallerAddress;
use sessions::{Flows, KnownBrowsers, Sessions};
use tenancy::{TenantId, TenantResolver};

use crate::{CertificateSources, HealthReport, ReportBudget, WriteBudget};

#[derive(Clone)]
pub struct Services {
    pub tokens: TokenServices,
    /// Verifies passwords.
    pub sign_ins: Arc<SignIns>,
    /// Accounts and logos, through the cache.
    pub rows: RequestRows,
    pub sessions: Sessions,
    /// Seals the state that forms of pages carry from one request to the next.
    pub flows: Arc<Flows>,
    /// Seals the cookie with the accounts that have signed in with a browser.
    pub known_browsers: Arc<KnownBrowsers>,
    pub authorizations: Authorizations,
    pub keys: Arc<KeyRingCache>,
    pub usage: Arc<UsageCounts>,
    pub leaks: Arc<LeakReports>,
    /// Limits the reports of leaked credentials per address.
    pub report_budget: Arc<ReportBudget>,
    /// Collects refused requests for the administrators.
    pub refusals: Arc<RefusalBuffer>,
    /// Records which verifiers fetch the public keys.
    pub jwks_fetches: Arc<JwksFetches<CallerAddress>>,
    pub administrator: Arc<Administrator>,
    /// Limits the writes of administrators.
    pub writes: Arc<WriteBudget>,
    /// The users of `/flow/execute`.
    pub users: Arc<Users>,
    /// The gateway reads the clock once per request; rules take `now` as an argument.
    pub clock: ReadClock,
    pub declared_at: DeclaredAt,
    /// The health of store, keys and caches.
    pub health_report: Arc<dyn HealthReport>,
}

/// Finds the file and line that declare a tenant or client. Reads the file, so it must run on a
/// blocking thread.
pub type DeclaredAt = Arc<dyn Fn(&TenantId, Option<&ClientId>) -> Option<String> + Send + Sync>;

/// The services of the token endpoint. Explanations use the same ones.
#[derive(Clone)]
pub struct TokenServices {
    pub tenants: TenantResolver,
    pub authenticator: Arc<Authenticator>,
    pub dpop: Arc<DpopProofs>,
    pub engine: Engine,
    /// The listeners and proxies that receive client certificates, for explanations.
    pub certificate_sources: CertificateSources,
}

//! The domain's services, as the routes use them.

use std::sync::Arc;

use accounts::SignIns;
use administration::{Administrator, LeakReports, ReadClock, RefusalBuffer, RequestRows, UsageCounts};
use grants::{Authorizations, Engine};
use keys::{JwksFetches, KeyRingCache};
use registry::{Authenticator, ClientId, DpopProofs, Users};
use secrets::ClientAddress;
use sessions::{Flows, KnownBrowsers, Sessions};
use tenancy::{TenantId, TenantResolver};

use crate::{CertificateSources, HealthReport, ReportBudget, WriteBudget};

/// The services that the routes call.
#[derive(Clone)]
pub struct Services {
    /// The services that decide on requests for tokens.
    pub tokens: TokenServices,
    /// Verifies the passwords of people who sign in.
    pub sign_ins: Arc<SignIns>,
    /// The rows of people and logos.
    pub rows: RequestRows,
    /// The sessions of signed-in people.
    pub sessions: Sessions,
    /// The flows that pages pass from one request to the next.
    pub flows: Arc<Flows>,
    /// The accounts that have signed in with a browser before.
    pub known_browsers: Arc<KnownBrowsers>,
    /// Decides on the authorization requests of clients.
    pub authorizations: Authorizations,
    /// A tenant's public keys.
    pub keys: Arc<KeyRingCache>,
    /// The counts of events.
    pub usage: Arc<UsageCounts>,
    /// The reports of leaked credentials.
    pub leaks: Arc<LeakReports>,
    /// The number of reports that an address may still send.
    pub report_budget: Arc<ReportBudget>,
    /// The refused requests with their reasons.
    pub refusals: Arc<RefusalBuffer>,
    /// The log of the verifiers that fetched the keys.
    pub jwks_fetches: Arc<JwksFetches<ClientAddress>>,
    /// Decides on and commits changes of administrators.
    pub administrator: Arc<Administrator>,
    /// The writes that administrators may still make.
    pub writes: Arc<WriteBudget>,
    /// Authenticates the person of `/flow/execute`.
    pub users: Arc<Users>,
    /// The clock. Rules take `now` as an argument; the gateway reads the clock once for each request.
    pub clock: ReadClock,
    /// Finds the place in the operator's files that declares a tenant or a client.
    pub declared_at: DeclaredAt,
    /// The report on the parts that no route calls.
    pub health_report: Arc<dyn HealthReport>,
}

/// Finds the file and line that declare a tenant or a client. It reads the file, so it runs
/// on a thread that may wait.
pub type DeclaredAt = Arc<dyn Fn(&TenantId, Option<&ClientId>) -> Option<String> + Send + Sync>;

/// The services of the token endpoint. An explanation of its responses uses the same ones.
#[derive(Clone)]
pub struct TokenServices {
    /// Finds the tenant of a request.
    pub tenants: TenantResolver,
    /// Authenticates the client of a request.
    pub authenticator: Arc<Authenticator>,
    /// Verifies DPoP proofs.
    pub dpop: Arc<DpopProofs>,
    /// Decides on token requests.
    pub engine: Engine,
    /// The certificate authorities of the listeners.
    pub certificate_sources: CertificateSources,
}
